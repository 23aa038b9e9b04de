//! Spend: what rows of the ledger cost, computed from them alone. Pure: no clock, no files, no store.
//!
//! ```text
//! state ─► reading ─► resources with prices ─► (ledger) ─► rows ─► meter, pool ─► report
//! hosts × sizes ─► estimate
//! ```
//!
//! What a thing has cost up to a moment is one function that never falls ([`meter::Meter::until`]); what a day or a month
//! costs is the difference of two of its values. So parts always add up to the whole, whatever minimum or cap applies.

pub mod estimate;
pub mod formula;
pub mod meter;
mod pool;
pub mod reading;
pub mod report;

pub use estimate::{Hourly, estimate, hourly};
pub use meter::{Meter, Span};
pub use reading::{image, resources};
pub use report::{Account, Bill, Line, Sums, bill};
