//! otto: from golden image to healthy web site and back, with plain Packer, Terraform and Ansible folders.
pub mod model;
pub mod process;
pub mod store;
pub mod ui;
pub mod net;
pub mod services;
pub mod tools;
