//! Layer 1: the project's files, the environment and the selection, turned into `model` values.
//!
//! Every reader collects problems instead of stopping at the first one; each problem has its file, line and key.
//! Nothing here starts a tool or keeps state. [`vars`] is the only place that reads the process environment.

pub mod create;
pub mod dotenv;
pub mod embedded;
pub mod fingerprint;
pub mod load;
pub mod origin;
pub mod problem;
pub mod quantity;
pub mod rules;
pub mod select;
pub mod vars;

mod clash;
mod content;
mod machines;
mod merge;
mod near;
mod node;
mod otto_file;
mod prices_file;
mod provider_file;
mod read;
mod resolved;
mod roles;
mod roots;
mod shape;
mod site_file;
mod ssh_settings;
mod tls;
mod update;
mod yaml;

pub use create::{Choices, CreateError, create};
pub use fingerprint::Fingerprints;
pub use load::{Loaded, NoProject, find, load, load_frame};
pub use near::nearest;
pub use origin::{Origin, Origins, Values};
pub use problem::Problem;
pub use resolved::{resolved, written};
pub use select::{Selection, select};
pub use ssh_settings::settle;
pub use update::{Updated, update};
pub use vars::Vars;
