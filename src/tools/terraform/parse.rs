//! The event stream of `-json`: one object a line, read tolerantly, reported exactly.
//!
//! Facts come from here and from nowhere else: an apply that ended well has a final `change_summary`; a resource with
//! an `apply_start` and no end may exist although no state knows it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::model::Diagnostic;
use crate::tools::said::{Reader, Said, bounded, one_line};

/// What a call did as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `plan`
    Plan,
    /// `apply`
    Apply,
    /// `destroy`, or the apply of a plan that destroys
    Destroy,
}

impl Operation {
    fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Destroy => "destroy",
        }
    }
}

/// What is planned for one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlannedAction {
    /// Made.
    Create,
    /// Changed in place.
    Update,
    /// Taken down and made again, in either order.
    Replace,
    /// Taken down.
    Delete,
    /// A data source, read at apply.
    Read,
    /// Forgotten by the state, left alive.
    Forget,
    /// A word with no effect on infrastructure (`noop`, `move`, `import`), or one of a later version.
    Other(String),
}

impl PlannedAction {
    fn of(word: &str) -> Self {
        match word {
            "create" => Self::Create,
            "update" => Self::Update,
            "replace" => Self::Replace,
            "delete" => Self::Delete,
            "read" => Self::Read,
            "forget" | "remove" => Self::Forget,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Something that exists goes away.
    pub fn destroys(&self) -> bool {
        matches!(self, Self::Replace | Self::Delete)
    }

    /// The word used in JSON and on the screen.
    pub fn word(&self) -> &str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Read => "read",
            Self::Forget => "forget",
            Self::Other(word) => word,
        }
    }

    /// How many `apply_start` events it brings.
    fn steps(&self) -> u32 {
        match self {
            Self::Create | Self::Update | Self::Delete => 1,
            Self::Replace => 2,
            Self::Read | Self::Forget | Self::Other(_) => 0,
        }
    }
}

/// One planned change, or one found drift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// `terraform_data.boot["www-1"]`
    pub address: String,
    /// What will happen.
    pub action: PlannedAction,
    /// Why, in the tool's word: `tainted`, `cannot_update`, `requested`, ...
    pub reason: Option<String>,
}

/// Numbers of a `change_summary`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Made.
    pub add: u64,
    /// Changed in place.
    pub change: u64,
    /// Taken down.
    pub remove: u64,
    /// Of what.
    pub operation: Operation,
}

impl Summary {
    /// Anything at all.
    pub fn any(&self) -> bool {
        self.add + self.change + self.remove > 0
    }
}

/// What one stream says, so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The tool's version; absent when the stream ended before it.
    pub version: Option<String>,
    /// False once a stream of an unknown major version was met: nothing after it is read.
    pub ui_major_ok: bool,
    /// Every planned change but `noop`.
    pub planned: Vec<Planned>,
    /// What changed behind the tool's back.
    pub drift: Vec<Planned>,
    /// The numbers of the plan.
    pub plan_summary: Option<Summary>,
    /// The numbers of the apply or destroy: **absent when it did not end well**.
    pub final_summary: Option<Summary>,
    /// Values of the last `outputs` message that carried any.
    pub outputs: Map<String, Value>,
    /// Outputs of that message without a value, because they are sensitive.
    pub sensitive_outputs: Vec<String>,
    /// Addresses with an `apply_start` and no `apply_complete` or `apply_errored`, in order of their start.
    pub in_flight: Vec<String>,
    /// Those of them that were being made or taken down, and those whose destruction failed: they may be half there.
    pub unfinished: Vec<String>,
    /// Addresses whose creation was completed.
    pub made: Vec<String>,
    /// Addresses that were completed.
    pub completed: Vec<String>,
    /// Addresses whose change failed.
    pub errored: Vec<String>,
    /// Ids that the stream named, by address: of what was made, and of what is being taken down.
    pub ids: BTreeMap<String, String>,
    /// Error diagnostics.
    pub errors: Vec<Diagnostic>,
    /// Warning diagnostics.
    pub warnings: Vec<Diagnostic>,
}

impl Report {
    /// The final summary of this operation is there and no error is.
    pub fn succeeded(&self, operation: Operation) -> bool {
        let summary = if operation == Operation::Plan { self.plan_summary } else { self.final_summary };
        self.ui_major_ok && self.errors.is_empty() && summary.is_some_and(|s| s.operation == operation)
    }

    /// Addresses that a plan would take down or replace.
    pub fn destroys(&self) -> Vec<String> {
        self.planned.iter().filter(|p| p.action.destroys()).map(|p| p.address.clone()).collect()
    }

    /// Something was made, changed or taken down, or may have been.
    pub fn touched(&self) -> bool {
        !self.completed.is_empty() || !self.errored.is_empty() || !self.in_flight.is_empty()
    }
}

/// The reader of one stream.
#[derive(Debug, Default)]
pub struct Stream {
    report: Report,
    refused: bool,
    /// Started and not ended, with the action: a replacement may end one object while it makes another.
    open: Vec<(String, String)>,
    seen_errors: BTreeSet<(String, String, String)>,
    done: u32,
}

impl Stream {
    /// A reader that has read nothing.
    pub fn new() -> Self {
        Self { report: Report { ui_major_ok: true, ..Report::default() }, ..Self::default() }
    }

    /// What was read so far; final once the stream is at its end.
    pub fn report(&self) -> Report {
        let mut report = self.report.clone();
        for (address, action) in &self.open {
            if !report.in_flight.contains(address) {
                report.in_flight.push(address.clone());
            }
            if action != "update" {
                report.unfinished.push(address.clone());
            }
        }
        report
    }

    fn total(&self) -> u32 {
        self.report.planned.iter().map(|p| p.action.steps()).sum()
    }

    fn progress(&self, what: String) -> Vec<Said> {
        vec![Said::Progress { done: self.done, total: self.total().max(self.done), what }]
    }

    fn version(&mut self, event: &Value) -> Vec<Said> {
        self.report.version = text(event, "terraform").or_else(|| text(event, "tofu"));
        let ui = text(event, "ui").unwrap_or_default();
        if ui.split('.').next() == Some("1") {
            return Vec::new();
        }
        self.refused = true;
        self.report.ui_major_ok = false;
        let diagnostic = Diagnostic::error(format!(
            "the event stream has version `{ui}`, otto reads 1.x: install a Terraform or OpenTofu 1.x, or a newer otto"
        ));
        self.report.errors.push(diagnostic.clone());
        vec![Said::Diagnostic(diagnostic)]
    }

    fn diagnostic(&mut self, event: &Value) -> Vec<Said> {
        let body = &event["diagnostic"];
        let line = body.pointer("/range/start/line").and_then(Value::as_u64);
        let diagnostic = Diagnostic {
            warning: text(body, "severity").as_deref() == Some("warning"),
            summary: text(body, "summary").or_else(|| text(event, "@message")).unwrap_or_default(),
            detail: bounded(text(body, "detail").unwrap_or_default().trim()),
            file: body.pointer("/range/filename").and_then(Value::as_str).map(str::to_owned),
            line: line.and_then(|n| u32::try_from(n).ok()),
            about: text(body, "address").filter(|a| !a.is_empty()),
            host: None,
        };
        self.add(diagnostic)
    }

    fn add(&mut self, diagnostic: Diagnostic) -> Vec<Said> {
        let about = diagnostic.about.clone().unwrap_or_default();
        if !self.seen_errors.insert((diagnostic.summary.clone(), diagnostic.detail.clone(), about)) {
            return Vec::new();
        }
        let list = if diagnostic.warning { &mut self.report.warnings } else { &mut self.report.errors };
        list.push(diagnostic.clone());
        vec![Said::Diagnostic(diagnostic)]
    }

    fn change(&mut self, event: &Value, drift: bool) {
        let change = &event["change"];
        let Some(address) = address(change) else { return };
        let action = PlannedAction::of(&text(change, "action").unwrap_or_default());
        if action == PlannedAction::Other("noop".to_owned()) {
            return;
        }
        let planned = Planned { address, action, reason: text(change, "reason") };
        if drift { &mut self.report.drift } else { &mut self.report.planned }.push(planned);
    }

    fn summary(&mut self, event: &Value) {
        let changes = &event["changes"];
        let number = |name: &str| changes.get(name).and_then(Value::as_u64).unwrap_or(0);
        let word = text(changes, "operation").unwrap_or_default();
        let all = [Operation::Plan, Operation::Apply, Operation::Destroy];
        let Some(operation) = all.into_iter().find(|o| o.word() == word) else { return };
        let summary = Summary { add: number("add"), change: number("change"), remove: number("remove"), operation };
        if operation == Operation::Plan {
            self.report.plan_summary = Some(summary);
        } else {
            self.report.final_summary = Some(summary);
        }
    }

    /// A plan's `outputs` message has actions and no values: only one with values (or sensitive ones) is kept.
    fn outputs(&mut self, event: &Value) {
        let Some(all) = event.get("outputs").and_then(Value::as_object) else { return };
        if all.values().any(|output| output.get("action").is_some()) {
            return;
        }
        self.report.outputs.clear();
        self.report.sensitive_outputs.clear();
        for (name, output) in all {
            match output.get("value") {
                Some(value) => {
                    self.report.outputs.insert(name.clone(), value.clone());
                }
                None => self.report.sensitive_outputs.push(name.clone()),
            }
        }
    }

    fn hook(&mut self, event: &Value, kind: &str) -> Vec<Said> {
        let hook = &event["hook"];
        let Some(address) = address(hook) else { return Vec::new() };
        let action = text(hook, "action").unwrap_or_default();
        if matches!(action.as_str(), "read" | "noop") {
            return Vec::new();
        }
        if let (Some(id), "id") = (text(hook, "id_value"), text(hook, "id_key").as_deref().unwrap_or("id")) {
            self.report.ids.insert(address.clone(), id);
        }
        match kind {
            "apply_start" => {
                self.open.push((address.clone(), action.clone()));
                self.progress(format!("{} {address}", doing(&action)))
            }
            "apply_complete" | "apply_errored" => {
                self.open.retain(|open| *open != (address.clone(), action.clone()));
                self.done += 1;
                let failed = kind == "apply_errored";
                let list = if failed { &mut self.report.errored } else { &mut self.report.completed };
                list.push(address.clone());
                match (failed, action.as_str()) {
                    (false, "create") => self.report.made.push(address.clone()),
                    (true, "delete") => self.report.unfinished.push(address.clone()),
                    _ => {}
                }
                self.progress(format!("{address}: {}", if failed { "failed" } else { "done" }))
            }
            "apply_progress" => {
                let seconds = hook.get("elapsed_seconds").and_then(Value::as_u64).unwrap_or(0);
                self.progress(format!("{} {address} ({seconds} s)", doing(&action)))
            }
            _ => self.progress(format!("reading {address}")),
        }
    }

    /// Lines of no known type: `tofu init` has only such, and the lock is announced by one.
    fn other(&mut self, event: &Value, kind: &str) -> Vec<Said> {
        let message = text(event, "@message").unwrap_or_default();
        let level = text(event, "@level").unwrap_or_default();
        match (level.as_str(), kind) {
            ("error", "" | "log" | "init_output") => {
                let summary = message.strip_prefix("Error: ").unwrap_or(&message);
                self.add(Diagnostic::error(one_line(summary)))
            }
            (_, "state_lock_acquire" | "log" | "init_output" | "") if !message.trim().is_empty() => {
                vec![Said::Note(one_line(message.trim()))]
            }
            _ => Vec::new(),
        }
    }
}

impl Reader for Stream {
    fn line(&mut self, line: &str) -> Vec<Said> {
        if self.refused {
            return Vec::new();
        }
        let Ok(event) = serde_json::from_str::<Value>(line.trim()) else { return Vec::new() };
        if !event.is_object() || event.get("@level").is_none() {
            return Vec::new();
        }
        let kind = text(&event, "type").unwrap_or_default();
        match kind.as_str() {
            "version" => return self.version(&event),
            "diagnostic" => return self.diagnostic(&event),
            "planned_change" => self.change(&event, false),
            "resource_drift" => self.change(&event, true),
            "change_summary" => self.summary(&event),
            "outputs" => self.outputs(&event),
            "apply_start" | "apply_complete" | "apply_errored" | "apply_progress" | "refresh_start" => {
                return self.hook(&event, &kind);
            }
            _ => return self.other(&event, &kind),
        }
        Vec::new()
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

fn address(body: &Value) -> Option<String> {
    body.pointer("/resource/addr").and_then(Value::as_str).map(str::to_owned)
}

fn doing(action: &str) -> &str {
    match action {
        "create" => "creating",
        "update" => "changing",
        "delete" => "destroying",
        other => other,
    }
}
