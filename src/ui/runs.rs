//! Runs, newest first.

use std::collections::BTreeMap;

use crate::model::status::{RunSummary, RunsReport};
use crate::model::time::span;
use crate::model::{Outcome, Timestamp};

use super::table::{Column, Table};
use super::theme::{Theme, Tone, outcome_tone};

/// A line per run; `width` as for [`Table::render`].
pub fn render_runs(report: &RunsReport, theme: Theme, width: Option<usize>) -> String {
    if report.runs.is_empty() {
        return "no runs yet".to_owned();
    }
    let mut table = Table::new(vec![
        Column::new("run").whole(),
        Column::new("verb").whole(),
        Column::new("started").whole(),
        Column::new("took").right(),
        Column::new("outcome").whole(),
        Column::new("units").wrapped(),
    ]);
    for run in &report.runs {
        table.row(vec![
            (Tone::Hint, run.id.to_string()),
            (Tone::Plain, run.verb.clone()),
            (Tone::Plain, moment(run.started_at)),
            (Tone::Plain, run.ended_at.map_or_else(|| "-".to_owned(), |end| span(end.since(run.started_at)))),
            (outcome_tone(run.outcome), run.outcome.word().to_owned()),
            (Tone::Plain, units(run)),
        ]);
    }
    table.render(theme, width)
}

/// The units of one run; `width` as for [`Table::render`].
pub fn render_run(run: &RunSummary, theme: Theme, width: Option<usize>) -> String {
    let mut table = Table::new(vec![
        Column::new("unit").whole(),
        Column::new("outcome"),
        Column::new("took").right(),
        Column::new("log").may_go(1),
    ]);
    for unit in &run.units {
        table.row(vec![
            (Tone::Plain, unit.id.to_string()),
            (outcome_tone(unit.outcome), unit.outcome.word().to_owned()),
            (Tone::Plain, unit.took_ms.map_or_else(|| "-".to_owned(), span)),
            (Tone::Plain, unit.log.clone().unwrap_or_else(|| "-".to_owned())),
        ]);
    }
    table.render(theme, width)
}

/// `2026-11-21 06:25Z`
pub(super) fn moment(at: Timestamp) -> String {
    let (year, month, day, hour, minute, ..) = at.civil();
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}Z")
}

/// `1 failed, 2 blocked, 3 ok`: the outcomes' own order puts ok first, what needs a look goes before it.
fn units(run: &RunSummary) -> String {
    let mut counted: BTreeMap<Outcome, usize> = BTreeMap::new();
    for unit in &run.units {
        *counted.entry(unit.outcome).or_default() += 1;
    }
    let good = |outcome: &Outcome| outcome.is_good();
    let (ok, bad): (Vec<_>, Vec<_>) = counted.into_iter().partition(|(outcome, _)| good(outcome));
    bad.into_iter().chain(ok).map(|(outcome, n)| format!("{n} {}", outcome.word())).collect::<Vec<_>>().join(", ")
}
