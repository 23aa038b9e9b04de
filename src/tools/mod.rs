//! Layer 2: the tools that otto drives. Finding and installing them, and one adapter each: typed arguments become a
//! call, its output becomes facts, its facts become hints.

pub mod ansible;
pub mod find;
pub mod install;
pub mod invocation;
pub mod orphans;
pub mod packer;
pub mod said;
pub mod script;
pub mod ssh;
pub mod terraform;
pub mod vagrant;

pub use invocation::{Invocation, Stop};
pub(crate) use said::one_line;
pub use said::{Reader, Said, Unread};
