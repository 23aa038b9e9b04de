//! The whole program through its binary: real Packer, Terraform, Ansible, nginx and haproxy, from `otto init` to
//! `otto destroy`. Every test has a folder, home and state of its own, so all of them may run at once.

#![allow(clippy::print_stderr)]

#[path = "e2e/alone.rs"]
mod alone;
#[path = "e2e/count.rs"]
mod count;
#[path = "e2e/forget.rs"]
mod forget;
#[path = "e2e/heal.rs"]
mod heal;
#[path = "e2e/locks.rs"]
mod locks;
#[path = "e2e/resume.rs"]
mod resume;
#[path = "e2e/schemas.rs"]
mod schemas;
#[path = "e2e/site.rs"]
mod site;
#[path = "support/mod.rs"]
mod support;
