//! Layer 1: what otto remembers, in one SQLite file `.otto/otto.db`, and the copies of it outside of the project.
//!
//! [`Store`] is synchronous and shared freely between threads. Everything gets in as an event through
//! [`crate::model::Sink`]: the journal row and what it changes (`runs`, `units`, `deployments`, `images`, `ledger`) are
//! one transaction, so the tables are never ahead of the journal nor behind it.
//!
//! A file that is there and cannot be used is never replaced by an empty one: see [`StoreError::Damaged`]. The format is
//! described in `schema.rs`.

mod copies;
mod drift;
mod error;
mod files;
mod fold;
mod journal;
mod last_run;
mod ledger;
mod memory;
mod open;
mod read;
mod restore;
mod schema;
mod verify;

pub use copies::{Copy, Counts, list_copies, save_copy};
pub use drift::DriftRow;
pub use error::StoreError;
pub use journal::Store;
pub use open::{leased_at, store_id_at};
pub use read::RunMatch;
pub use restore::{Restored, restore, should_refuse_empty};
pub use schema::VERSION;
pub use verify::{DamagedCopy, damaged_copies};
