//! Processes that only serve a tool. It ends them itself; where it was killed (by a person, for want of memory) they are of
//! no use to anybody, and some wait for ever: measured, a provider plugin whose Terraform was killed while it began.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::folder::Started;
use super::session::{self, Proc};

/// Time to end by themselves, what they are about included.
const GRACE: Duration = Duration::from_secs(10);
/// From the polite signal to the other.
const PATIENCE: Duration = Duration::from_secs(5);
/// The system shortens names to this.
const NAME: usize = 15;

/// What is left of a tool's servants after its end.
#[derive(Debug)]
pub(super) struct Servants {
    names: Vec<String>,
    alone: Option<Instant>,
    last: Option<Signal>,
}

impl Servants {
    /// By the beginnings of their names.
    pub(super) fn named(names: &[String]) -> Self {
        let short = |name: &String| name.chars().take(NAME).collect();
        Self { names: names.iter().map(short).collect(), alone: None, last: None }
    }

    /// Ends those of the session that outlived their tool too long. Nothing happens while the tool lives, or is unknown.
    pub(super) fn tick(&mut self, started: &Started) {
        if self.names.is_empty() || started.tool.as_ref().is_none_or(Proc::lives) {
            return;
        }
        let alone = *self.alone.get_or_insert_with(Instant::now);
        let due = match alone.elapsed() {
            waited if waited < GRACE => return,
            waited if waited < GRACE + PATIENCE => Signal::TERM,
            _ => Signal::KILL,
        };
        if self.last == Some(due) {
            return;
        }
        self.last = Some(due);
        for one in started.session.living() {
            if let Some(process) = Proc::find(one.pid).filter(|_| self.names.iter().any(|n| one.name.starts_with(n))) {
                let _ = session::signal_process(&process, due);
            }
        }
    }
}
