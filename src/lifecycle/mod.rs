//! Layer 3: the lifecycle of deployments, from what is wanted to a proven end.
//!
//! ```text
//! inputs ─► plan (pure) ─► run: order (pure) ─► stage ─► call ─► process ─► tool
//!                              recorder ◄─ events of every step, journal first
//! recover: what an otto that ended without saying so had open
//! ```

mod call;
mod context;
mod ground;
mod hosting;
pub mod https;
pub mod inputs;
mod order;
pub mod plan;
pub mod preview;
mod reach;
pub mod recorder;
pub mod recover;
mod run;
pub mod secrets;
mod stage;
pub mod stop;
mod tally;
mod unit_end;

pub use context::{Adoption, Consent, Context, Memory, Prints, Program, Requests, Toolset, Tried};
pub use ground::Grounds;
pub use plan::{ImageNeed, Target, Verb, Wishes};
pub use recorder::Recorder;
pub use run::{RunEnd, execute};
pub use secrets::Secrets;
pub use stage::{config_hash, machines_print};
pub use tally::Tally;
pub use unit_end::{Trouble, UnitEnd};
