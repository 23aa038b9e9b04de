//! A run as far as its events tell: the fold that frame, lines and summary are drawn from.
//!
//! Texts of tools are cleaned here, on the way in, and bounded: a screen holds a few kilobytes per unit.

use std::collections::HashMap;

use crate::model::{
    Action, CheckResult, Diagnostic, Event, EventKind, Health, Outcome, RunId, Stage, Timestamp, Totals, UnitId,
};

use super::text::{clean, clean_line, width};

/// Errors kept per unit; more are counted.
const KEPT: usize = 20;

/// One unit.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) id: UnitId,
    pub(super) after: Vec<UnitId>,
    pub(super) action: Action,
    /// Absent until it began.
    pub(super) started: Option<Timestamp>,
    /// `terraform apply`, of the tool call at work.
    pub(super) call: String,
    pub(super) done: u32,
    pub(super) total: u32,
    pub(super) what: String,
    pub(super) errors: Vec<Diagnostic>,
    pub(super) more_errors: usize,
    /// Checks that found something.
    pub(super) checks: Vec<CheckResult>,
    pub(super) end: Option<UnitEnd>,
}

/// How a unit ended.
#[derive(Debug)]
pub(super) struct UnitEnd {
    pub(super) outcome: Outcome,
    pub(super) took_ms: u64,
    pub(super) summary: String,
    pub(super) hints: Vec<String>,
    pub(super) log: Option<String>,
}

/// How the run ended.
#[derive(Debug)]
pub(super) struct RunEnd {
    pub(super) outcome: Outcome,
    pub(super) totals: Totals,
    pub(super) at: Timestamp,
}

/// The run.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) id: Option<RunId>,
    pub(super) verb: String,
    pub(super) started: Option<Timestamp>,
    /// In the plan's order.
    pub(super) units: Vec<Unit>,
    by_id: HashMap<UnitId, usize>,
    /// Units that ended, in that order.
    pub(super) ended: Vec<usize>,
    pub(super) checks_ok: usize,
    pub(super) stopping: u8,
    pub(super) end: Option<RunEnd>,
    /// Columns that the longest subject and stage take.
    pub(super) subject_width: usize,
    pub(super) stage_width: usize,
}

impl Unit {
    fn new(id: UnitId, after: Vec<UnitId>, action: Action) -> Self {
        Self {
            id,
            after,
            action,
            started: None,
            call: String::new(),
            done: 0,
            total: 0,
            what: String::new(),
            errors: Vec::new(),
            more_errors: 0,
            checks: Vec::new(),
            end: None,
        }
    }

    /// Began and did not end.
    pub(super) fn is_running(&self) -> bool {
        self.started.is_some() && self.end.is_none()
    }

    /// Ended badly by itself, rather than for another's sake.
    pub(super) fn failed(&self) -> bool {
        let outcome = self.end.as_ref().map(|end| end.outcome);
        matches!(outcome, Some(Outcome::Failed | Outcome::TimedOut | Outcome::Lost))
    }

    /// `12/30 resources`; empty while nothing is counted.
    pub(super) fn progress(&self) -> String {
        let noun = match self.id.stage {
            Stage::Images => "step",
            Stage::Provision | Stage::Destroy | Stage::Extend | Stage::Drift => "resource",
            Stage::Config => "task",
            Stage::Test => "check",
        };
        match (self.done, self.total) {
            (0, 0) => String::new(),
            (1, 0 | 1) if self.total == 0 => format!("1 {noun}"),
            (done, 0) => format!("{done} {noun}s"),
            (done, 1) => format!("{done}/1 {noun}"),
            (done, total) => format!("{done}/{total} {noun}s"),
        }
    }

    /// What happens now: the tool's words, else its name.
    pub(super) fn now(&self) -> &str {
        if self.what.is_empty() { &self.call } else { &self.what }
    }
}

impl Run {
    /// Takes the event in.
    pub(super) fn apply(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RunStarted { verb, units, .. } => {
                self.id = Some(event.run.clone());
                self.verb = clean_line(verb);
                self.started = Some(event.at);
                for planned in units {
                    let n = self.unit(&planned.id);
                    self.units[n].after.clone_from(&planned.after);
                    self.units[n].action = planned.action;
                }
            }
            EventKind::Stopping { level, .. } => self.stopping = self.stopping.max(*level),
            EventKind::RunEnded { outcome, totals, .. } => {
                self.end = Some(RunEnd { outcome: *outcome, totals: totals.clone(), at: event.at });
            }
            kind => {
                if let Some(id) = &event.unit {
                    let n = self.unit(id);
                    self.apply_to_unit(n, event.at, kind);
                }
            }
        }
        self.id.get_or_insert_with(|| event.run.clone());
        self.started.get_or_insert(event.at);
    }

    fn apply_to_unit(&mut self, n: usize, at: Timestamp, kind: &EventKind) {
        let unit = &mut self.units[n];
        match kind {
            EventKind::UnitStarted { .. } => {
                unit.started = Some(at);
                unit.end = None;
            }
            EventKind::Intended { tool, step, .. } => {
                unit.call = clean_line(&format!("{tool} {step}"));
                unit.what.clear();
            }
            EventKind::Ended { .. } => unit.call.clear(),
            EventKind::Progress { done, total, what } => {
                (unit.done, unit.total) = (*done, *total);
                unit.what = clean_line(what);
            }
            EventKind::Diagnostic { diagnostic } if !diagnostic.warning => {
                if unit.errors.len() < KEPT {
                    unit.errors.push(cleaned(diagnostic));
                } else {
                    unit.more_errors += 1;
                }
            }
            // What failed before a repetition is not why the unit failed in the end.
            EventKind::Retry { .. } => {
                unit.errors.clear();
                unit.more_errors = 0;
            }
            EventKind::Checked { check } if check.state == Health::Ok => self.checks_ok += 1,
            EventKind::Checked { check } if unit.checks.len() < KEPT => unit.checks.push(check.clone()),
            EventKind::UnitEnded { outcome, took_ms, summary, hints, log, .. } => {
                unit.end = Some(UnitEnd {
                    outcome: *outcome,
                    took_ms: *took_ms,
                    summary: clean_line(summary),
                    hints: hints.iter().map(|hint| clean(hint)).collect(),
                    log: log.clone(),
                });
                self.ended.push(n);
            }
            _ => {}
        }
    }

    fn unit(&mut self, id: &UnitId) -> usize {
        if let Some(n) = self.by_id.get(id) {
            return *n;
        }
        self.units.push(Unit::new(id.clone(), Vec::new(), Action::Run));
        self.by_id.insert(id.clone(), self.units.len() - 1);
        self.subject_width = self.subject_width.max(width(&id.subject.to_string())).min(40);
        self.stage_width = self.stage_width.max(id.stage.word().len());
        self.units.len() - 1
    }

    /// The unit with this id, once an event named it.
    pub(super) fn find(&self, id: &UnitId) -> Option<&Unit> {
        self.by_id.get(id).map(|n| &self.units[*n])
    }

    /// Units at work, the longest at work first.
    pub(super) fn running(&self) -> Vec<&Unit> {
        let mut running: Vec<&Unit> = self.units.iter().filter(|unit| unit.is_running()).collect();
        running.sort_by_key(|unit| unit.started);
        running
    }

    /// How many units ended so.
    pub(super) fn ended_as(&self, outcome: Outcome) -> usize {
        self.units.iter().filter(|unit| unit.end.as_ref().is_some_and(|end| end.outcome == outcome)).count()
    }

    /// Units that did not begin because `cause` ended badly, directly or through others.
    pub(super) fn blocked_by<'a>(&'a self, cause: &UnitId) -> Vec<&'a Unit> {
        let mut causes: Vec<&UnitId> = vec![cause];
        let mut blocked: Vec<&Unit> = Vec::new();
        // The plan's order puts each unit behind all it waits for, so one pass sees every chain.
        for unit in &self.units {
            let is_blocked = unit.end.as_ref().is_some_and(|end| end.outcome == Outcome::Blocked);
            if is_blocked && unit.after.iter().any(|id| causes.contains(&id)) {
                causes.push(&unit.id);
                blocked.push(unit);
            }
        }
        blocked
    }
}

/// A diagnostic whose texts are harmless; of its detail the last lines are kept.
fn cleaned(diagnostic: &Diagnostic) -> Diagnostic {
    let detail = clean(&diagnostic.detail);
    let lines: Vec<&str> = detail.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let kept = &lines[lines.len().saturating_sub(30)..];
    Diagnostic {
        warning: diagnostic.warning,
        summary: clean_line(&diagnostic.summary),
        detail: kept.join("\n"),
        file: diagnostic.file.as_deref().map(clean_line),
        line: diagnostic.line,
        about: diagnostic.about.as_deref().map(clean_line),
        host: diagnostic.host.as_deref().map(clean_line),
    }
}
