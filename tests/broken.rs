//! Wrong inputs, through the binary and with the real tools: for each the exit code, what is said (what, where, why,
//! what to do), and that either nothing changed or the next command that is named works as it stands.

#![allow(clippy::print_stdout)]

#[path = "broken/ansible.rs"]
mod ansible;
#[path = "broken/consent.rs"]
mod consent;
#[path = "broken/disk.rs"]
mod disk;
#[path = "broken/environment.rs"]
mod environment;
#[path = "broken/files.rs"]
mod files;
#[path = "broken/made.rs"]
mod made;
#[path = "broken/outputs.rs"]
mod outputs;
#[path = "broken/packer.rs"]
mod packer;
#[path = "broken/sandbox.rs"]
mod sandbox;
#[path = "broken/store.rs"]
mod store;
#[path = "broken/terraform.rs"]
mod terraform;
#[path = "broken/tools.rs"]
mod tools;
