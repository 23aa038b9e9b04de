//! Vagrant: its calls, its machine-readable output, the host list that its Vagrantfile reads.

pub mod args;
pub mod explain;
pub mod list;
pub mod parse;
pub mod ssh_config;

pub use args::Vagrant;
pub use list::{HostList, Listed};
pub use parse::{Report, Stream};
