//! What is wrong in a project, where, and what to do about it: the one shape for every reader's findings.

use std::fmt;

use crate::model::Diagnostic;

/// One finding in the project's files, in the environment or in a selection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// Relative to the project, with `/`; empty when it is about no file.
    pub file: String,
    /// From 1.
    pub line: Option<u32>,
    /// From 1, in characters.
    pub column: Option<u32>,
    /// Path of the key with dots, such as `roles.www.count`; empty when it is about the whole file.
    pub key: String,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What is expected, or what to do.
    pub hint: Option<String>,
    /// Worth saying, yet nothing stops.
    pub warning: bool,
}

impl Problem {
    /// A problem of no file.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// A problem of a whole file.
    pub fn of(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.into(), message: message.into(), ..Self::default() }
    }

    /// The same at a line and column.
    #[must_use]
    pub fn at(mut self, line: u32, column: u32) -> Self {
        (self.line, self.column) = (Some(line), Some(column));
        self
    }

    /// The same about a key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same as a warning.
    #[must_use]
    pub fn warn(mut self) -> Self {
        self.warning = true;
        self
    }

    /// `sites/hello/site.yaml:7`, the file alone, or nothing.
    pub fn place(&self) -> Option<String> {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        (!self.file.is_empty()).then(|| format!("{}{line}", self.file))
    }
}

/// `sites/hello/site.yaml:7: unknown key `cont`: did you mean `count`?`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place() {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, ": {hint}"))
    }
}

impl std::error::Error for Problem {}

impl From<&Problem> for Diagnostic {
    fn from(problem: &Problem) -> Self {
        Self {
            warning: problem.warning,
            summary: problem.message.clone(),
            detail: problem.hint.clone().unwrap_or_default(),
            file: (!problem.file.is_empty()).then(|| problem.file.clone()),
            line: problem.line,
            about: (!problem.key.is_empty()).then(|| problem.key.clone()),
            host: None,
        }
    }
}

/// Sorts by place and drops what was found twice (a base value is read again for every environment that overrides).
pub(super) fn tidy(problems: &mut Vec<Problem>) {
    let place = |p: &Problem| (p.file.clone(), p.line, p.column, p.message.clone());
    // otto.yaml first: its mistakes often explain the others.
    problems.sort_by_cached_key(|p| (p.file != "otto.yaml", place(p)));
    problems.dedup_by_key(|p| place(p));
}
