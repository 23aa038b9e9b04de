//! How things end: a child process, a unit, a check.

use serde::{Deserialize, Serialize};

/// How a unit or a run ended (or that it has not).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Did what it should, proven by its tool's own facts.
    Ok,
    /// The tool, or otto's check of what it left, says no.
    Failed,
    /// Ended because someone asked to stop.
    Cancelled,
    /// Ended because its time was over.
    TimedOut,
    /// Its end was seen by nobody; what it left has to be looked for.
    Lost,
    /// Never begun: what it stands on did not end well.
    Blocked,
    /// Not needed, and the reason is recorded.
    Skipped,
    /// At work.
    Running,
}

impl Outcome {
    /// The word used in JSON and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
            Self::Lost => "lost",
            Self::Blocked => "blocked",
            Self::Skipped => "skipped",
            Self::Running => "running",
        }
    }

    /// Units after this one may begin.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Ok | Self::Skipped)
    }
}

/// How a child process ended, as its supervisor saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum End {
    /// By itself, with this code.
    Exited {
        /// 0 to 255.
        code: i32,
    },
    /// By a signal.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// The program could not be started at all.
    NotStarted {
        /// The system's reason.
        why: String,
    },
    /// Its supervisor died with it unseen; it is over, but how is unknown.
    Unknown,
}

impl End {
    /// Ended by itself with code 0.
    pub fn is_zero(&self) -> bool {
        matches!(self, Self::Exited { code: 0 })
    }

    /// `exit code 1`, `signal 9`, ... as shown.
    pub fn describe(&self) -> String {
        match self {
            Self::Exited { code } => format!("exit code {code}"),
            Self::Signalled { signal } => format!("killed by signal {signal}"),
            Self::NotStarted { why } => format!("not started: {why}"),
            Self::Unknown => "ended unseen".to_owned(),
        }
    }
}

/// Health, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// All is well.
    Ok,
    /// Serving, but something needs attention.
    Warning,
    /// Not serving as it should.
    Critical,
    /// Could not be asked.
    Unknown,
}

impl Health {
    /// The word used in JSON and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }

    /// The worse of two for a summary: critical beats unknown beats warning beats ok.
    pub fn worst(self, other: Self) -> Self {
        let rank = |h: Self| match h {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Unknown => 2,
            Self::Critical => 3,
        };
        if rank(other) > rank(self) { other } else { self }
    }

    /// Nagios: 0 ok, 1 warning, 2 critical, 3 unknown.
    pub fn nagios(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }
}
