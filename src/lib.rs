//! otto: from golden image to healthy web site and back, with plain Packer, Terraform and Ansible folders.
pub mod model;
pub mod project;
