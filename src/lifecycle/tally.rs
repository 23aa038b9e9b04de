//! otto's own account of a run: time a stage, calls a tool, units by outcome.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::model::{Outcome, Stage, Timestamp, Totals};

/// Counts while a run goes on.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    spans: BTreeMap<Stage, (Timestamp, Timestamp)>,
    calls: BTreeMap<String, u32>,
    units: BTreeMap<String, u32>,
    retries: u32,
    /// Waiting for answers, in milliseconds: not otto's time.
    asked_ms: u64,
}

impl Tally {
    fn with(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A tool is called.
    pub fn call(&self, tool: &str) {
        self.with(|c| *c.calls.entry(tool.to_owned()).or_default() += 1);
    }

    /// A call is repeated.
    pub fn retry(&self) {
        self.with(|c| c.retries += 1);
    }

    /// Someone took this long to answer.
    pub fn asked(&self, ms: u64) {
        self.with(|c| c.asked_ms += ms);
    }

    /// A unit ended.
    pub fn unit(&self, stage: Stage, outcome: Outcome, span: Option<(Timestamp, Timestamp)>) {
        self.with(|c| {
            *c.units.entry(outcome.word().to_owned()).or_default() += 1;
            if let Some((from, to)) = span {
                let whole = c.spans.entry(stage).or_insert((from, to));
                *whole = (whole.0.min(from), whole.1.max(to));
            }
        });
    }

    /// The account of a run that took `wall_ms` in all, of which `install_ms` went into tools.
    pub fn totals(&self, wall_ms: u64, install_ms: u64) -> Totals {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Totals {
            wall_ms: wall_ms.saturating_sub(counts.asked_ms).saturating_sub(install_ms),
            install_ms,
            stages_ms: counts
                .spans
                .iter()
                .map(|(stage, (from, to))| (stage.word().to_owned(), to.since(*from)))
                .collect(),
            tool_calls: counts.calls.clone(),
            units: counts.units.clone(),
            retries: counts.retries,
        }
    }
}
