//! Layer 2: the tools that otto drives, and how they are found and installed.

pub mod find;
pub mod install;
