//! Wrong inputs, through the binary and with the real tools: for each the exit code, what is said (what, where, why,
//! what to do), and that either nothing changed or the next command that is named works as it stands.

#[path = "broken/ansible.rs"]
mod ansible;
#[path = "broken/files.rs"]
mod files;
#[path = "broken/outputs.rs"]
mod outputs;
#[path = "broken/sandbox.rs"]
mod sandbox;
#[path = "broken/terraform.rs"]
mod terraform;
