//! What the doctor says, and the exit code that it amounts to.

use serde::Serialize;

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// Works, and should be looked at.
    Warn,
    /// Something will fail.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: `tools`, `locale`, `port`, ...
    pub check: &'static str,
    /// How it is.
    pub state: State,
    /// What was found.
    pub what: String,
    /// The line that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// The document of `--json`.
#[derive(Clone, Debug, Serialize)]
pub struct Examination {
    /// `otto.doctor/1`.
    pub schema: &'static str,
    /// otto's own version.
    pub version: &'static str,
    /// In the order of looking.
    pub findings: Vec<Finding>,
}

impl Finding {
    /// As it should be.
    pub(super) fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, state: State::Ok, what: what.into(), fix: None }
    }

    /// Works, and should be looked at.
    pub(super) fn warn(check: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, state: State::Warn, what: what.into(), fix: Some(fix.into()) }
    }

    /// Something will fail.
    pub(super) fn fail(check: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, state: State::Fail, what: what.into(), fix: Some(fix.into()) }
    }
}

/// 0 clean, 1 warnings, 2 faults.
pub fn code(examination: &Examination) -> u8 {
    match examination.findings.iter().map(|finding| finding.state).max() {
        None | Some(State::Ok) => 0,
        Some(State::Warn) => 1,
        Some(State::Fail) => 2,
    }
}
