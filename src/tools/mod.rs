//! Layer 2: the tools that otto drives, and how they are found and installed.

pub mod find;
pub mod install;
//! Adapters of the tools that otto drives: typed arguments become a call, its output becomes facts, its facts become hints.

pub mod ansible;
pub mod invocation;
pub mod packer;
pub mod said;
pub mod terraform;

pub use invocation::{Invocation, Stop};
pub use said::{Reader, Said};
