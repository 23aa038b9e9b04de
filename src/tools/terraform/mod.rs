//! Terraform and OpenTofu: their calls, their event stream, their state and the files of a root.

pub mod args;
pub mod backend;
pub mod billed;
pub mod changes;
pub mod explain;
pub mod hcl;
pub mod keep;
pub mod outputs;
pub mod parse;
pub mod root;
pub mod show;
pub mod state;

pub use args::{Extra, Terraform};
pub use backend::{Addresses, Backend};
pub use keep::{Leaving, leaving};
pub use outputs::Declared;
pub use parse::{Operation, Planned, PlannedAction, Report, Stream, Summary};
pub use state::{State, StateFile, Unsure};
