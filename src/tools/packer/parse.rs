//! `-machine-readable`: `unix_ts,target,type,data...`. Facts are the artifact lines and the error lines with a target;
//! everything of type `ui` is for people and only moves the progress line.

use std::collections::VecDeque;

use crate::model::Diagnostic;
use crate::tools::said::{Reader, Said, bounded, one_line};

/// How many `ui` error lines are kept for a failure that has no typed error.
const KEPT: usize = 20;
/// How many of them are shown with a typed error.
const WORDS: usize = 5;

/// One artifact of one build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Artifact {
    /// `null.nginx`, `digitalocean.web`
    pub build: String,
    /// Which builder or post-processor made it.
    pub builder_id: String,
    /// `nyc3:1031`; empty, `File` or `Null` where there is none.
    pub id: String,
    /// The tool's sentence about it.
    pub text: String,
    /// Files, as the tool names them.
    pub files: Vec<String>,
}

/// What one output says, so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Without repetitions: every kept post-processor lists the build's artifact again.
    pub artifacts: Vec<Artifact>,
    /// Errors of builds; of the template, where none could start.
    pub errors: Vec<Diagnostic>,
    /// Failed builds, as Packer counts them.
    pub error_count: u32,
    /// Packer said that it was interrupted. From a sentence for people, so only good for showing: that otto itself
    /// sent a signal is known to the caller.
    pub cancelled: bool,
    /// Steps announced.
    pub steps: u32,
}

impl Report {
    /// There is an artifact, there is no error. The caller adds: exit code 0, no signal sent, and the manifest's entry.
    pub fn succeeded(&self) -> bool {
        !self.artifacts.is_empty() && self.errors.is_empty() && self.error_count == 0 && !self.cancelled
    }
}

/// The reader of one output.
#[derive(Debug, Default)]
pub struct Stream {
    report: Report,
    open: Option<Artifact>,
    ui_errors: VecDeque<String>,
}

impl Stream {
    /// A reader that has read nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was read so far; final once the output is at its end.
    pub fn report(&self) -> Report {
        let mut report = self.report.clone();
        if report.errors.is_empty() && report.artifacts.is_empty() {
            report.errors = self.ui_errors.iter().map(|text| located(text, None)).collect();
        }
        report
    }

    fn ui(&mut self, kind: &str, text: &str) -> Vec<Said> {
        let shown = text.trim().trim_start_matches("==>").trim();
        if text.contains("Cleanly cancelled builds after being interrupted") {
            self.report.cancelled = true;
        }
        match kind {
            "error" => {
                // What a provisioner writes to stderr comes this way too: no error by itself.
                if self.ui_errors.len() == KEPT {
                    self.ui_errors.pop_front();
                }
                self.ui_errors.push_back(bounded(shown));
                Vec::new()
            }
            "say" if text.starts_with("==> ") => {
                self.report.steps += 1;
                vec![Said::Progress { done: self.report.steps, total: 0, what: one_line(shown) }]
            }
            _ => Vec::new(),
        }
    }

    /// What the build's own programs said last: a provisioner's standard error, most often the cause.
    fn last_words(&self, build: &str) -> String {
        let start = format!("{build}: ");
        let said: Vec<&str> = self.ui_errors.iter().filter_map(|text| text.strip_prefix(&start)).collect();
        bounded(&said[said.len().saturating_sub(WORDS)..].join("\n"))
    }

    fn artifact(&mut self, build: &str, data: &[String]) {
        let field = |n: usize| data.get(n).cloned().unwrap_or_default();
        let open = self.open.get_or_insert_with(|| Artifact { build: build.to_owned(), ..Artifact::default() });
        match data.get(1).map(String::as_str) {
            Some("builder-id") => open.builder_id = field(2),
            Some("id") => open.id = field(2),
            Some("string") => open.text = field(2),
            Some("file") => open.files.push(field(3)),
            Some("end") => {
                if let Some(done) = self.open.take()
                    && !self.report.artifacts.contains(&done)
                {
                    self.report.artifacts.push(done);
                }
            }
            _ => {}
        }
    }
}

impl Reader for Stream {
    fn line(&mut self, line: &str) -> Vec<Said> {
        let mut parts = line.trim_end_matches('\r').split(',');
        let (Some(stamp), Some(target), Some(kind)) = (parts.next(), parts.next(), parts.next()) else {
            return Vec::new();
        };
        if stamp.is_empty() || !stamp.bytes().all(|b| b.is_ascii_digit()) {
            return Vec::new();
        }
        let data: Vec<String> = parts.map(unescaped).collect();
        let first = data.first().map_or("", String::as_str);
        match kind {
            "ui" => return self.ui(first, &data.get(1..).unwrap_or_default().join(",")),
            "artifact" => self.artifact(target, &data),
            "error-count" => self.report.error_count = first.parse().unwrap_or(0),
            "error" => {
                let mut diagnostic = located(&data.join(","), Some(target).filter(|t| !t.is_empty()));
                if diagnostic.detail.is_empty() {
                    diagnostic.detail = self.last_words(target);
                }
                self.report.errors.push(diagnostic.clone());
                return vec![Said::Diagnostic(diagnostic)];
            }
            _ => {}
        }
        Vec::new()
    }
}

/// Undoes Packer's escapes, as far as they can be undone (a backslash itself is not escaped).
fn unescaped(text: &str) -> String {
    text.replace("%!(PACKER_COMMA)", ",").replace("\\n", "\n").replace("\\r", "\r")
}

/// An error text as a diagnostic, with the place that HCL errors name in their second line.
fn located(text: &str, build: Option<&str>) -> Diagnostic {
    let text = text.trim();
    let place = text.lines().find_map(|line| {
        let (file, rest) = line.trim().strip_prefix("on ")?.split_once(" line ")?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some((file.to_owned(), digits.parse().ok()))
    });
    let (file, line) = place.map_or((None, None), |(file, line)| (Some(file), line));
    let (summary, detail) = text.split_once('\n').unwrap_or((text, ""));
    Diagnostic {
        summary: one_line(summary.trim_start_matches("Error: ")),
        detail: bounded(detail.trim()),
        file,
        line,
        about: build.map(str::to_owned),
        ..Diagnostic::default()
    }
}
