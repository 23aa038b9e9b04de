//! `otto status` for people: a line per deployment, then what needs attention.

use crate::model::status::{DeploymentStatus, StatusReport};
use crate::model::time::span;
use crate::model::{HostState, LeaseState, Money};

use super::status_detail::details;
use super::table::{Column, Table};
use super::theme::{Theme, Tone, health_tone, outcome_tone};

/// The table and the details below it; `width` as for [`Table::render`].
pub fn render_status(report: &StatusReport, theme: Theme, width: Option<usize>) -> String {
    if report.deployments.is_empty() && report.orphans.is_empty() {
        return "no deployments: nothing was brought up here yet".to_owned();
    }
    let mut blocks = Vec::new();
    let mut left_out = Vec::new();
    if !report.deployments.is_empty() {
        let (table, columns) = table(report).render_and_tell(theme, width);
        blocks.push(table);
        left_out = columns;
    }
    let below = details(report, &left_out, theme, width);
    if !below.is_empty() {
        blocks.push(below.join("\n"));
    }
    blocks.join("\n\n")
}

fn table(report: &StatusReport) -> Table {
    let mut table = Table::new(vec![
        Column::new("deployment").whole(),
        Column::new("phase"),
        Column::new("hosts").right(),
        Column::new("health"),
        Column::new("latency").right().may_go(2),
        Column::new("age").right().may_go(1),
        Column::new("lease").right().may_go(5),
        Column::new("last run").may_go(3),
        Column::new("image").may_go(6),
        Column::new("cost").may_go(4),
        Column::new("month").right().may_go(2),
        Column::new("month's end").right().may_go(1),
    ]);
    for one in &report.deployments {
        let exists = one.phase.exists();
        let age = one.created_at.filter(|_| exists).map_or_else(dash, |at| span(report.at.since(at)));
        let phase = match &one.dirty {
            Some(_) => (Tone::Failed, format!("{}, dirty", one.phase.word())),
            None => (Tone::Plain, one.phase.word().to_owned()),
        };
        let health = match exists || !one.checks.is_empty() {
            true => (health_tone(one.health), one.health.word().to_owned()),
            false => (Tone::Dim, dash()),
        };
        table.row(vec![
            (Tone::Plain, one.name.to_string()),
            phase,
            hosts(one),
            health,
            (Tone::Plain, latency(one)),
            (Tone::Plain, age),
            lease(one),
            last_run(one),
            if one.stale.is_empty() { (Tone::Plain, dash()) } else { (Tone::Warning, "stale".to_owned()) },
            cost(one),
            (Tone::Plain, amount(one, &one.spend.month)),
            (Tone::Plain, amount(one, &one.spend.forecast)),
        ]);
    }
    table
}

fn dash() -> String {
    "-".to_owned()
}

fn hosts(one: &DeploymentStatus) -> (Tone, String) {
    if one.hosts.is_empty() {
        return (Tone::Plain, dash());
    }
    let up = one.hosts.iter().filter(|host| host.state == HostState::Up).count();
    let bad = one.hosts.iter().any(|host| matches!(host.state, HostState::Down | HostState::Missing));
    let tone = match (up == one.hosts.len(), bad) {
        (true, _) => Tone::Ok,
        (false, true) => Tone::Failed,
        (false, false) => Tone::Warning,
    };
    (tone, format!("{up}/{}", one.hosts.len()))
}

/// `4/12 ms`: median and worst of all checks that answered.
fn latency(one: &DeploymentStatus) -> String {
    let mut all: Vec<u64> = one.checks.iter().filter_map(|check| check.latency_ms).collect();
    all.sort_unstable();
    match all[..] {
        [] => dash(),
        [only] => format!("{only} ms"),
        _ => format!("{}/{} ms", all[(all.len() - 1) / 2], all[all.len() - 1]),
    }
}

fn lease(one: &DeploymentStatus) -> (Tone, String) {
    let Some(lease) = one.lease.as_ref().filter(|_| one.phase.exists()) else { return (Tone::Plain, dash()) };
    match lease.left_s {
        Some(_) if lease.state == LeaseState::Over => (Tone::Failed, "over".to_owned()),
        Some(left) => {
            let tone = if lease.state == LeaseState::Ending { Tone::Warning } else { Tone::Plain };
            (tone, span(left.unsigned_abs() * 1000))
        }
        None if lease.protect => (Tone::Plain, "protected".to_owned()),
        None => (Tone::Plain, dash()),
    }
}

fn last_run(one: &DeploymentStatus) -> (Tone, String) {
    one.last_run.as_ref().map_or_else(
        || (Tone::Plain, dash()),
        |run| (outcome_tone(run.outcome), format!("{} {}", run.verb, run.outcome.word())),
    )
}

/// An amount in cents; nothing where nothing costs.
fn amount(one: &DeploymentStatus, text: &str) -> String {
    let found = text.parse::<Money>().unwrap_or_default();
    let gone = !one.phase.exists() && found.is_zero();
    if found.is_zero() && one.spend.per_hour.parse::<Money>().is_ok_and(Money::is_zero) || gone {
        return dash();
    }
    found.rounded(2)
}

fn cost(one: &DeploymentStatus) -> (Tone, String) {
    // What its destruction left behind goes on billing.
    if !one.phase.exists() && one.kept.is_empty() {
        return (Tone::Plain, dash());
    }
    let spend = &one.spend;
    let nothing = spend.per_hour.chars().all(|c| matches!(c, '0' | '.' | ' '));
    match (nothing, spend.unpriced.len()) {
        (true, 0) => (Tone::Plain, "free".to_owned()),
        (true, n) => (Tone::Warning, format!("{n} unpriced")),
        (false, 0) => (Tone::Plain, format!("{} {}/h", spend.per_hour, spend.currency)),
        (false, _) => (Tone::Warning, format!("> {} {}/h", spend.per_hour, spend.currency)),
    }
}
