//! Spend: its properties over arbitrary histories, the prices of recorded states, and the whole program with a made-up
//! provider that is two folders and a price table.

#![allow(clippy::print_stderr)]

mod support;

#[path = "spend/billing.rs"]
mod billing;
#[path = "spend/budget.rs"]
mod budget;
#[path = "spend/cloud.rs"]
mod cloud;
#[path = "spend/pricing.rs"]
mod pricing;
#[path = "spend/states.rs"]
mod states;
#[path = "spend/vapor.rs"]
mod vapor;
#[path = "spend/vendor.rs"]
mod vendor;
