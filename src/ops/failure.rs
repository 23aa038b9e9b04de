//! The one error type that faces see: its kind alone decides the exit code or the HTTP status.

use std::fmt::Display;

/// What kind of failure, in the words of the exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something that nobody foresaw.
    Unexpected,
    /// The command line.
    Usage,
    /// Project files.
    Project,
    /// A tool is missing or too old.
    Tool,
    /// Someone else holds the deployment.
    Locked,
    /// Credentials are missing.
    Credentials,
    /// The store or the disk cannot be used.
    Store,
    /// A stage failed and nothing changed.
    Failed,
    /// Time was over.
    TimedOut,
    /// A stage failed after something changed.
    Partial,
    /// Declined, or a consent is missing.
    Declined,
    /// A bug.
    Bug,
}

/// A failure as told to a person or a program.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its kind.
    pub kind: Kind,
    /// What failed.
    pub what: String,
    /// Why, outermost first; for project files one line a problem.
    pub causes: Vec<String>,
    /// What to do, one suggestion a line.
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure without causes or hints.
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// With every text of it changed.
    #[must_use]
    pub fn map(self, change: impl Fn(&str) -> String) -> Self {
        let all = |texts: Vec<String>| texts.iter().map(|text| change(text)).collect();
        Self { kind: self.kind, what: change(&self.what), causes: all(self.causes), hints: all(self.hints) }
    }

    /// With a cause.
    #[must_use]
    pub fn because(mut self, cause: impl Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// With something to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// What an operation returns.
pub type Result<T> = std::result::Result<T, Failure>;
