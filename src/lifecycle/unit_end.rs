//! How a unit's work comes back to the engine: an end with a summary, or trouble on the way.

use super::call::Called;
use crate::model::{End, Outcome, SinkError};
use crate::process::ProcessError;

/// The end of a unit.
#[derive(Clone, Debug)]
pub struct UnitEnd {
    /// How.
    pub outcome: Outcome,
    /// It made, changed or removed something, or may have.
    pub changed: bool,
    /// It did not begin because a consent was missing; nothing changed.
    pub refused: bool,
    /// The provider did not take the credentials, or could not be asked; nothing changed.
    pub denied: bool,
    /// A tool of it was left running: its end is for the next otto to find, so none is written.
    pub abandoned: bool,
    /// One line.
    pub summary: String,
    /// What to do, one suggestion a line.
    pub hints: Vec<String>,
}

impl UnitEnd {
    /// All went well.
    pub fn ok(summary: impl Into<String>, changed: bool) -> Self {
        Self {
            outcome: Outcome::Ok,
            changed,
            refused: false,
            denied: false,
            abandoned: false,
            summary: summary.into(),
            hints: Vec::new(),
        }
    }

    /// It did not.
    pub fn failed(summary: impl Into<String>, changed: bool) -> Self {
        Self { outcome: Outcome::Failed, ..Self::ok(summary, changed) }
    }

    /// A consent is missing; the hints hold the full command line that gives it.
    pub fn refused(summary: impl Into<String>, command: impl Into<String>) -> Self {
        Self { refused: true, hints: vec![command.into()], ..Self::failed(summary, false) }
    }

    /// The provider cannot be used.
    pub fn denied(summary: impl Into<String>) -> Self {
        Self { denied: true, ..Self::failed(summary, false) }
    }

    /// With one more thing to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// What ends a unit early.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The journal cannot be written.
    #[error("the journal cannot be written: {0}")]
    Journal(#[from] SinkError),
    /// A child could not be started or watched.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A stop was asked for before the next call began.
    #[error("stopped before `{step}` began")]
    Stopped {
        /// The call that was not made.
        step: String,
    },
    /// A third request to stop: a tool was left running.
    #[error("left running: {what}; what it does from now on is unknown until the next otto looks")]
    Abandoned {
        /// Tool and step.
        what: String,
    },
    /// The unit's own end, found inside a helper.
    #[error("{}", .0.summary)]
    End(UnitEnd),
}

impl Trouble {
    /// A file's trouble.
    pub fn file(path: impl ToString) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_string();
        move |source| Self::File { path, source }
    }

    /// As an end; `changed` says whether something may have happened before.
    pub fn into_end(self, changed: bool) -> UnitEnd {
        match self {
            Self::End(end) => end,
            Self::Stopped { .. } => {
                UnitEnd { outcome: Outcome::Cancelled, ..UnitEnd::failed(self.to_string(), changed) }
            }
            Self::Abandoned { .. } => {
                UnitEnd { outcome: Outcome::Lost, abandoned: true, ..UnitEnd::failed(self.to_string(), true) }
            }
            other => UnitEnd::failed(other.to_string(), changed),
        }
    }
}

/// The outcome of a call that did not end well.
pub(super) fn outcome_of(called: &Called) -> Outcome {
    if called.interrupted || called.abandoned {
        Outcome::Cancelled
    } else if called.timed_out {
        Outcome::TimedOut
    } else if called.end == End::Unknown {
        Outcome::Lost
    } else {
        Outcome::Failed
    }
}

impl From<UnitEnd> for Trouble {
    fn from(end: UnitEnd) -> Self {
        Self::End(end)
    }
}
