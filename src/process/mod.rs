//! Layer 1: child processes that are never lost: a command as data, its supervisor, its end, the stop ladder,
//! deployment locks, output files.
//!
//! [`running::start`] re-executes otto as a small supervisor that outlives it; [`found::look`] finds what an earlier
//! otto left. A call's folder holds `command.json claim alive started stdout stderr exit.json` (see [`folder`]).
//! Limit: whatever ends a whole cgroup or container (a service stop without `KillMode=process`, a cancelled CI job)
//! ends supervisors too; the outcome is then `Lost`, never a guess.

pub mod command;
pub mod cwd;
pub mod disk;
pub mod folder;
pub mod found;
pub mod ladder;
mod launch;
pub mod leash;
pub mod listener;
pub mod lock;
pub mod output;
pub mod redact;
pub mod running;
pub mod session;
pub mod supervisor;
pub mod tail;

mod bound;
mod servants;

pub use command::Command;
pub use found::{Found, at_work, look};
pub use ladder::{Climbed, Ladder, Rung, Signal, Target};
pub use listener::{Listener, listeners};
pub use lock::{Holder, Lock, LockError};
pub use output::{Captured, capture};
pub use redact::Redactor;
pub use running::{Ended, ProcessError, Running, start};
pub use tail::{Batch, Tail};
