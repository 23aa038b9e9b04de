//! A tool's own statement of what is wrong, in one shape for all tools.

use serde::{Deserialize, Serialize};

/// What a tool reported, with the place it named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// True for a warning, false for an error.
    pub warning: bool,
    /// One line.
    pub summary: String,
    /// More lines, possibly none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// A file as the tool named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// A line in it, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The resource, task or build that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The host, where the tool worked on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

impl Diagnostic {
    /// An error with a summary only.
    pub fn error(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), ..Self::default() }
    }

    /// `main.tf:5` when a place is known.
    pub fn place(&self) -> Option<String> {
        let file = self.file.as_ref()?;
        Some(self.line.map_or_else(|| file.clone(), |line| format!("{file}:{line}")))
    }
}
