//! Layer 2: what otto does beside running tools. No service imports a sibling.

pub mod certificates;
pub mod health;
pub mod spend;
