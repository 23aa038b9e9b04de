//! Layer 4: one operation per verb. Faces (command line, HTTP, chat) call these and nothing below.

mod choose;
pub mod conduct;
mod consent;
mod copies;
mod destroy;
pub mod exec;
pub mod exit;
mod failure;
mod hosts;
pub mod init;
mod jobs;
mod observe;
mod on_host;
pub mod plan;
mod reach;
mod recovery;
pub mod resume;
mod room;
pub mod runs;
mod secrets;
mod signals;
pub mod ssh;
pub mod state;
pub mod status;
mod toolbox;
pub mod tools;
mod world;

pub use crate::lifecycle::stop::channel as stop_channel;
pub use crate::lifecycle::{Consent, Requests, Verb, Wishes};
pub use crate::process::leash::main_if_asked as leash_if_asked;
pub use crate::process::supervisor::main_if_asked as supervise_if_asked;
pub use conduct::{Report, Request, conduct};
pub use failure::{Failure, Kind, Result};
pub use world::{Opened, World};
