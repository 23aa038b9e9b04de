//! Ansible: its call, the inventory it is given, the events of otto's own callback and what they prove.

pub mod args;
pub mod callback;
pub mod classify;
pub mod config;
pub mod explain;
pub mod galaxy;
pub mod inventory;
pub mod parse;

pub use args::Playbook;
pub use classify::{AnsibleOutcome, classify};
pub use inventory::{Access, inventory};
pub use parse::{Events, Failure, HostStats, Report};
