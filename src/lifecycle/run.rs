//! The engine: units of all deployments in one graph, as many at once as allowed, until nothing is left or a stop is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use tokio::task::JoinSet;

use super::context::Context;
use super::order::Queue;
use super::stage;
use super::unit_end::{Trouble, UnitEnd};
use crate::model::{Action, EventKind, Outcome, Plan, UnitId};

/// How a run ended.
#[derive(Debug)]
pub struct RunEnd {
    /// The worst of its units.
    pub outcome: Outcome,
    /// Units with their ends; blocked and skipped ones have one too.
    pub units: BTreeMap<UnitId, UnitEnd>,
    /// The journal could not be written to the end.
    pub journal: Option<String>,
}

/// Executes a plan; returns when no unit is at work any more.
pub async fn execute(context: &Arc<Context>, plan: &Plan, jobs: usize) -> RunEnd {
    let mut queue = Queue::new(plan);
    let mut at_work: JoinSet<(UnitId, UnitEnd)> = JoinSet::new();
    let mut end = RunEnd { outcome: Outcome::Ok, units: BTreeMap::new(), journal: None };
    let passed_over = plan.units.iter().filter(|u| u.action != Action::Run).map(|unit| {
        let outcome = if unit.action == Action::Skip { Outcome::Skipped } else { Outcome::Blocked };
        (unit.id.clone(), UnitEnd { outcome, ..UnitEnd::ok(&unit.why, false) })
    });
    close(context, &mut end, passed_over.collect());
    let unreached = unreachable(&queue, &end).into_iter().map(|id| (id, blocked("what it stands on is blocked")));
    close(context, &mut end, unreached.collect());
    loop {
        while at_work.len() < jobs.max(1) && !context.stop.borrow().requested() && end.journal.is_none() {
            let Some(id) = queue.take() else { break };
            let why = plan.unit(&id).map(|u| u.why.clone()).unwrap_or_default();
            let context = context.clone();
            at_work.spawn(async move {
                let end = work(&context, &id, why).await;
                (id, end)
            });
        }
        let Some(joined) = at_work.join_next().await else { break };
        let Ok((id, unit_end)) = joined else {
            end.journal = Some("a unit's task ended by a bug".to_owned());
            continue;
        };
        let outcome = unit_end.outcome;
        end.units.insert(id.clone(), unit_end);
        let others = queue.finish(&id, outcome).into_iter();
        let others = others.map(|other| (other, blocked(&format!("{id} {}", outcome.word()))));
        close(context, &mut end, others.collect());
    }
    let why = context.stop.borrow().why.clone();
    let cancelled = UnitEnd { outcome: Outcome::Cancelled, ..UnitEnd::ok(format!("not begun: {why}"), false) };
    let waiting = queue.waiting().into_iter().map(|id| (id.clone(), cancelled.clone()));
    close(context, &mut end, waiting.collect());
    end.outcome = overall(context, &end);
    end
}

fn blocked(why: &str) -> UnitEnd {
    UnitEnd { outcome: Outcome::Blocked, ..UnitEnd::ok(format!("not begun: {why}"), false) }
}

/// Units that were blocked before anything began.
fn unreachable(queue: &Queue, end: &RunEnd) -> Vec<UnitId> {
    queue
        .ended()
        .iter()
        .filter(|(id, o)| **o == Outcome::Blocked && !end.units.contains_key(id))
        .map(|(id, _)| id.clone())
        .collect()
}

/// One unit from its start to its recorded end.
async fn work(context: &Context, id: &UnitId, why: String) -> UnitEnd {
    let started = context.now();
    let end = match context.record(id, EventKind::UnitStarted { why }) {
        Ok(()) => match stage::run(context, id).await {
            Ok(end) => end,
            Err(trouble) => {
                let changed = matches!(&trouble, Trouble::Journal(_)) || trouble_may_have_changed(context, id);
                trouble.into_end(changed)
            }
        },
        Err(trouble) => trouble.into_end(false),
    };
    let end = with_reason(context, end);
    let ended = context.now();
    context.tally.unit(id.stage, end.outcome, Some((started, ended)));
    record_end(context, id, &end, ended.since(started));
    end
}

/// What otto stopped by itself (a disk that fills) says why: nobody pressed a key.
fn with_reason(context: &Context, mut end: UnitEnd) -> UnitEnd {
    let stop = context.stop.borrow();
    if end.outcome == Outcome::Cancelled && stop.signal.is_none() && !stop.why.is_empty() {
        end.summary = format!("{}: {}", end.summary, stop.why);
    }
    end
}

/// Whether the unit had begun a call that can change things.
fn trouble_may_have_changed(context: &Context, id: &UnitId) -> bool {
    context.call_folder(id, "", true).join("claim").exists()
}

fn record_end(context: &Context, id: &UnitId, end: &UnitEnd, took_ms: u64) {
    let log = log_of(context, id).map(|folder| context.shown(&folder));
    let kind = ended(end, took_ms, log);
    if end.abandoned {
        context.recorder.show(Some(id), kind);
    } else {
        // A journal that cannot take this is noticed by the next unit, and by recovery: this unit then has no end.
        let _ = context.record(id, kind);
    }
}

/// The folder of the unit's main call; where it did not come to that, of its last one.
fn log_of(context: &Context, id: &UnitId) -> Option<Utf8PathBuf> {
    let folder = context.call_folder(id, "", true);
    if folder.exists() {
        return Some(folder);
    }
    let start = format!("{}.", folder.file_name()?);
    let calls = folder.parent()?.read_dir_utf8().ok()?.flatten();
    let calls = calls.filter(|e| e.file_name().starts_with(&start) && e.path().join("claim").exists());
    calls.max_by_key(|e| e.metadata().and_then(|m| m.modified()).ok()).map(|e| e.path().to_owned())
}

fn ended(end: &UnitEnd, took_ms: u64, log: Option<String>) -> EventKind {
    let (summary, hints) = (end.summary.clone(), end.hints.clone());
    EventKind::UnitEnded { outcome: end.outcome, took_ms, summary, changed: end.changed, hints, log }
}

/// Ends units that never began, all in one write: there may be hundreds.
fn close(context: &Context, end: &mut RunEnd, units: Vec<(UnitId, UnitEnd)>) {
    if units.is_empty() {
        return;
    }
    let kinds = units.iter().map(|(id, unit_end)| {
        context.tally.unit(id.stage, unit_end.outcome, None);
        (Some(id.clone()), ended(unit_end, 0, None))
    });
    let kinds = kinds.collect();
    let _ = context.record_all(kinds);
    end.units.extend(units);
}

fn overall(context: &Context, end: &RunEnd) -> Outcome {
    let has = |wanted: Outcome| end.units.values().any(|u| u.outcome == wanted);
    let worst = [Outcome::Failed, Outcome::Lost, Outcome::TimedOut, Outcome::Cancelled, Outcome::Blocked];
    let found = worst.into_iter().find(|o| has(*o));
    match found {
        // Whatever otto interrupted is not a success, even when every unit says so.
        None if context.stop.borrow().requested() => Outcome::Cancelled,
        None => Outcome::Ok,
        Some(_) if context.stop.borrow().signal.is_some() => Outcome::Cancelled,
        Some(outcome) => outcome,
    }
}
