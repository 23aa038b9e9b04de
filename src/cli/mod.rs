//! Layer 7: the command line. One file per command; its doc comment is its help.

mod add;
mod app;
mod complete;
mod completions;
mod config;
mod destroy;
mod doctor;
mod drift;
mod exec;
mod explain;
mod extend;
mod globals;
mod help;
mod images;
mod init;
mod logs;
mod man;
mod open;
mod plan;
mod prices;
mod provision;
mod reap;
mod resume;
mod run_args;
mod runs;
mod selection;
mod site;
mod spend;
mod ssh;
mod state;
mod status;
mod test;
mod tools;
mod up;

pub use app::{command, main};
