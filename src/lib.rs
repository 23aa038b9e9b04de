//! otto: from golden image to healthy web site and back, with plain Packer, Terraform and Ansible folders.
//!
//! The modules are layers, each importing only from those before it: see `ARCHITECTURE.md`.

pub mod cli;
pub mod lifecycle;
pub mod model;
pub mod net;
pub mod ops;
pub mod process;
pub mod project;
pub mod services;
pub mod store;
pub mod tools;
pub mod ui;
