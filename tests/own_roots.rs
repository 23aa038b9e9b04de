//! Roots and playbooks that were written without otto become deployments: modules, backends of their own, vaults, collections;
//! and what plain Terraform made is taken over. Real Terraform, Ansible and PostgreSQL; the `http` backend is a strict one of ours.

#![allow(clippy::print_stderr)]

#[path = "own_roots/adopted.rs"]
mod adopted;
#[path = "own_roots/backends.rs"]
mod backends;
#[path = "own_roots/playbook.rs"]
mod playbook;
#[path = "own_roots/servers.rs"]
mod servers;
#[path = "own_roots/shop.rs"]
mod shop;
#[path = "support/mod.rs"]
mod support;
