//! The events that otto's callback writes: progress while it runs, facts at its end.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::model::Diagnostic;
use crate::tools::said::{Reader, Said, one_line};

/// What the final stats say of one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct HostStats {
    /// Tasks that ended well.
    pub ok: u32,
    /// Of these, tasks that changed something.
    pub changed: u32,
    /// Tasks that failed.
    pub failures: u32,
    /// Tasks for which the host was not reached.
    pub unreachable: u32,
    /// Tasks left out.
    pub skipped: u32,
    /// Failures that a `rescue` caught.
    pub rescued: u32,
    /// Failures that the playbook ignores.
    pub ignored: u32,
}

/// One failed task on one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The task's name.
    pub task: String,
    /// On which host.
    pub host: String,
    /// What it said, cut.
    pub msg: String,
    /// Where the task stands.
    pub file: Option<String>,
    /// Its line.
    pub line: Option<u32>,
}

impl Failure {
    fn diagnostic(&self) -> Diagnostic {
        let (summary, detail) = self.msg.trim().split_once('\n').unwrap_or((self.msg.trim(), ""));
        Diagnostic {
            warning: false,
            summary: one_line(summary),
            detail: detail.trim().to_owned(),
            file: self.file.clone(),
            line: self.line,
            about: Some(self.task.clone()),
            host: Some(self.host.clone()),
        }
    }
}

/// What one event file says, so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The playbook began.
    pub started: bool,
    /// The final stats by host; **absent when the playbook did not come to its end**.
    pub stats: Option<BTreeMap<String, HostStats>>,
    /// Failed tasks in order, those that a `rescue` caught included (the stats tell).
    pub failures: Vec<Failure>,
    /// Hosts that were not reached, with what was said.
    pub unreachable: BTreeMap<String, String>,
    /// A play matched no host.
    pub no_hosts_matched: bool,
    /// Hosts that a task was tried on.
    pub hosts: BTreeSet<String>,
    /// Tasks begun.
    pub tasks: u32,
    /// Tasks there seem to be; 0 while unknown. Includes, loops over plays and handlers make it a guess.
    pub total: u32,
    /// Results that changed something.
    pub changed: u32,
}

/// The reader of one event file.
#[derive(Debug, Default)]
pub struct Events {
    report: Report,
}

#[derive(Deserialize)]
struct Event {
    event: String,
    #[serde(default)]
    task: String,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    handler: bool,
    #[serde(default)]
    host: String,
    #[serde(default)]
    hosts: Option<serde_json::Value>,
    #[serde(default)]
    tasks: Option<u32>,
    #[serde(default)]
    status: String,
    #[serde(default)]
    msg: Option<String>,
    #[serde(default)]
    attempt: Option<u32>,
    #[serde(default)]
    of: Option<u32>,
}

impl Events {
    /// A reader that has read nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was read so far; final once the file is at its end.
    pub fn report(&self) -> Report {
        self.report.clone()
    }

    fn result(&mut self, event: Event) -> Vec<Said> {
        self.report.hosts.insert(event.host.clone());
        match event.status.as_str() {
            "changed" => self.report.changed += 1,
            "failed" | "unreachable" => {
                let (file, line) = place(event.path.as_deref());
                let msg = event.msg.unwrap_or_default();
                let failure = Failure { task: event.task, host: event.host, msg, file, line };
                let diagnostic = failure.diagnostic();
                if event.status == "unreachable" {
                    self.report.unreachable.insert(failure.host, failure.msg);
                } else {
                    self.report.failures.push(failure);
                }
                return vec![Said::Diagnostic(diagnostic)];
            }
            _ => {}
        }
        Vec::new()
    }

    fn task(&mut self, event: &Event) -> Vec<Said> {
        self.report.tasks += 1;
        // Handlers are in no count made beforehand.
        let more = u32::from(event.handler && self.report.total > 0);
        self.report.total = (self.report.total + more).max(if self.report.total > 0 { self.report.tasks } else { 0 });
        // A task that begins is not done yet.
        vec![Said::Progress { done: self.report.tasks - 1, total: self.report.total, what: one_line(&event.task) }]
    }
}

impl Reader for Events {
    fn line(&mut self, line: &str) -> Vec<Said> {
        let Ok(event) = serde_json::from_str::<Event>(line.trim()) else { return Vec::new() };
        match event.event.as_str() {
            "playbook_start" => {
                self.report.started = true;
                self.report.total += event.tasks.unwrap_or(0);
            }
            "task_start" => return self.task(&event),
            "host_result" => return self.result(event),
            "no_hosts" => self.report.no_hosts_matched = true,
            "retry" => {
                return vec![Said::Retrying {
                    attempt: event.attempt.unwrap_or(0),
                    of: event.of.unwrap_or(0),
                    why: one_line(&format!("{} on {}", event.task, event.host)),
                }];
            }
            "stats" => {
                if let Some(Ok(stats)) = event.hosts.map(serde_json::from_value) {
                    self.report.stats = Some(stats);
                }
            }
            _ => {}
        }
        Vec::new()
    }
}

fn place(path: Option<&str>) -> (Option<String>, Option<u32>) {
    let Some((file, line)) = path.and_then(|path| path.rsplit_once(':')) else { return (None, None) };
    (Some(file.to_owned()), line.parse().ok())
}
