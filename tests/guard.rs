//! Nothing is left running unnoticed: leases, reaping, orphans, protection, drift, CI; through the binary, with real Terraform.
//! The account is a stand-in: a folder (`tests/fixtures/slow`), or an API in Python with a real provider plugin built from Go
//! (`tests/fixtures/plugin`; without a Go toolchain these tests say so and end).
#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr)]

#[path = "guard/account.rs"]
mod account;
#[path = "guard/data.rs"]
mod data;
#[path = "guard/drift.rs"]
mod drift;
#[path = "guard/lab.rs"]
mod lab;
#[path = "guard/lease.rs"]
mod lease;
#[path = "support/mod.rs"]
mod support;
