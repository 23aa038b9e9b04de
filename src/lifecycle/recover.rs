//! After an otto that ended without saying so: what was open, what still works, what it left.
//!
//! Nothing resumes by itself here. Calls that are still at work are waited for, ends that supervisors recorded are
//! read, and the record of each deployment says what has to be looked for before anything new is made.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::recorder::Recorder;
use super::stage::strays::left_open;
use super::unit_end::Trouble;
use crate::model::{
    Deployment, DeploymentId, Dirty, End, Event, EventKind, Outcome, Phase, RunId, Stage, Totals, UnitId,
};
use crate::process::{Command, Found, look};
use crate::tools::Reader;
use crate::tools::terraform::Stream;

/// A call that was begun and has no recorded end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCall {
    /// Whose.
    pub unit: UnitId,
    /// `terraform`, ...
    pub tool: String,
    /// `apply`, ...
    pub step: String,
    /// Below `.otto`.
    pub folder: String,
}

/// What a run without an end had open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interrupted {
    /// The run.
    pub run: RunId,
    /// The verb it was started with.
    pub verb: String,
    /// Its last recorded number.
    pub last_seq: u64,
    /// Calls without an end.
    pub calls: Vec<OpenCall>,
    /// Units without an end that had begun.
    pub begun: BTreeSet<UnitId>,
    /// Units without an end that had not.
    pub waiting: BTreeSet<UnitId>,
}

/// Reads a run's events. Pure.
pub fn interrupted(events: &[Event]) -> Option<Interrupted> {
    let first = events.first()?;
    let EventKind::RunStarted { verb, units, .. } = &first.kind else { return None };
    let mut found = Interrupted {
        run: first.run.clone(),
        verb: verb.clone(),
        last_seq: events.last()?.seq,
        calls: Vec::new(),
        begun: BTreeSet::new(),
        waiting: units.iter().map(|u| u.id.clone()).collect(),
    };
    for event in events {
        let Some(unit) = &event.unit else {
            if matches!(event.kind, EventKind::RunEnded { .. }) {
                return None;
            }
            continue;
        };
        match &event.kind {
            EventKind::UnitStarted { .. } => {
                found.waiting.remove(unit);
                found.begun.insert(unit.clone());
            }
            EventKind::Intended { tool, step, folder } => {
                // A call's beginning is durable, a unit's is not.
                found.waiting.remove(unit);
                found.begun.insert(unit.clone());
                let (unit, tool, step, folder) = (unit.clone(), tool.clone(), step.clone(), folder.clone());
                found.calls.push(OpenCall { unit, tool, step, folder });
            }
            EventKind::Ended { step, .. } => found.calls.retain(|c| !(c.unit == *unit && c.step == *step)),
            EventKind::UnitEnded { .. } => {
                found.waiting.remove(unit);
                found.begun.remove(unit);
                found.calls.retain(|c| c.unit != *unit);
            }
            _ => {}
        }
    }
    Some(found)
}

/// Waits for what is still at work, writes down how each call ended, ends the old run.
///
/// `say` shows a line while something is waited for. Returns the records that changed.
///
/// # Errors
/// When the journal cannot be written or a call's folder cannot be read.
pub async fn settle(
    recorder: &Recorder,
    old: &Interrupted,
    home: &Utf8Path,
    records: &mut BTreeMap<DeploymentId, Deployment>,
    say: &(dyn Fn(String) + Sync),
) -> Result<(), Trouble> {
    for open in &old.calls {
        let folder = home.join(&open.folder);
        let (end, took_ms, ran) = outcome_of(open, &folder, &old.run, say).await?;
        recorder.record(Some(&open.unit), EventKind::Ended { step: open.step.clone(), end: end.clone(), took_ms })?;
        // `apply-HOST` where hosts are replaced one after the other.
        let at_stake = ["destroy", "apply", "up", "destroy-some"].contains(&open.step.as_str());
        let state_at_stake = at_stake || open.step.starts_with("apply-");
        if let Some(record) = open.unit.deployment().and_then(|id| records.get_mut(id))
            && ran
            && state_at_stake
        {
            note_what_it_left(record, open, &folder, &end, &old.run);
            recorder.record(Some(&open.unit), EventKind::Deployment { record: Box::new(record.clone()) })?;
        }
    }
    for (units, outcome, why) in [
        (&old.begun, Outcome::Lost, "otto ended while it worked"),
        (&old.waiting, Outcome::Cancelled, "otto ended before it began"),
    ] {
        for unit in units {
            let kind = EventKind::UnitEnded {
                outcome,
                took_ms: 0,
                summary: why.to_owned(),
                changed: outcome == Outcome::Lost && unit.stage != Stage::Test,
                hints: vec![format!("otto resume {}", old.run)],
                log: old.calls.iter().find(|c| c.unit == *unit).map(|c| c.folder.clone()),
            };
            recorder.record(Some(unit), kind)?;
        }
    }
    wipe(&home.join("runs").join(&old.run.0));
    let totals = Totals::default();
    // 137: as a shell names a process that was killed.
    recorder.record(None, EventKind::RunEnded { outcome: Outcome::Lost, code: 137, totals })?;
    Ok(())
}

/// Empties what calls of a run printed that print secrets in clear: `Called::taken` does so, unless otto ended between their
/// end and its reading.
fn wipe(run: &Utf8Path) {
    for call in run.read_dir_utf8().into_iter().flatten().flatten() {
        let Ok(text) = std::fs::read(call.path().join("command.json")) else { continue };
        let output = call.path().join("stdout");
        if serde_json::from_slice::<Command>(&text).is_ok_and(|command| command.secret_output) && output.is_file() {
            let _ = std::fs::write(&output, b"");
        }
    }
}

/// How an open call ended, its time in milliseconds, and whether it ever ran.
async fn outcome_of(
    open: &OpenCall,
    folder: &Utf8PathBuf,
    run: &RunId,
    say: &(dyn Fn(String) + Sync),
) -> Result<(End, u64, bool), Trouble> {
    Ok(match look(folder)? {
        Found::NeverStarted => (End::NotStarted { why: "otto ended before it began".to_owned() }, 0, false),
        Found::Ended(ended) => (ended.end, ended.took_ms, true),
        Found::Lost => (End::Unknown, 0, true),
        Found::Running(running) => {
            say(format!(
                "{} {} of run {run} is still at work for {} (process {}): waiting for its end",
                open.tool,
                open.step,
                open.unit,
                running.pid().unwrap_or_default()
            ));
            let ended = running.ended().await;
            (ended.end, ended.took_ms, true)
        }
    })
}

/// From the stream file: what had begun and not ended is in flight, and has to be looked for.
fn note_what_it_left(record: &mut Deployment, open: &OpenCall, folder: &Utf8Path, end: &End, run: &RunId) {
    let mut stream = Stream::new();
    let text = std::fs::read(folder.join("stdout")).unwrap_or_default();
    for line in String::from_utf8_lossy(&text).lines() {
        stream.line(line);
    }
    let (in_flight, unfinished) = left_open(record.dirty.as_ref(), &stream.report());
    let repair = if record.phase == Phase::Destroying {
        format!("otto destroy {} --yes", record.id)
    } else if open.unit.stage == Stage::Extend {
        format!("otto up {} --yes", record.id)
    } else {
        format!("otto resume {run} --yes")
    };
    record.dirty = Some(Dirty {
        reason: format!("otto ended during `{} {}` of run {run}; it {}", open.tool, open.step, described(end)),
        repair,
        in_flight,
        unfinished,
    });
}

fn described(end: &End) -> String {
    match end {
        End::Exited { code } => format!("ended with exit code {code}"),
        End::Signalled { signal } => format!("was killed by signal {signal}"),
        End::NotStarted { .. } => "was not started".to_owned(),
        End::Unknown => "ended unseen".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Action, PlannedUnit, Timestamp, event::SCHEMA};

    fn events(kinds: Vec<(Option<&str>, EventKind)>) -> Vec<Event> {
        let event = |(n, (unit, kind)): (usize, (Option<&str>, EventKind))| Event {
            schema: SCHEMA.into(),
            at: Timestamp(0),
            run: RunId("r".into()),
            seq: n as u64 + 1,
            unit: unit.map(|u| u.parse().expect("an id")),
            kind,
        };
        kinds.into_iter().enumerate().map(event).collect()
    }

    fn started() -> EventKind {
        let id: UnitId = "dev/local/hello:provision".parse().expect("an id");
        let unit = PlannedUnit {
            stage: id.stage,
            deployment: id.deployment().cloned(),
            id,
            action: Action::Run,
            why: String::new(),
            after: vec![],
            destroys: vec![],
        };
        EventKind::RunStarted { verb: "up".into(), argv: vec![], version: "0".into(), units: vec![unit] }
    }

    #[test]
    fn an_intended_call_without_an_end_is_open() {
        let call = EventKind::Intended { tool: "terraform".into(), step: "apply".into(), folder: "runs/r/x".into() };
        let found =
            interrupted(&events(vec![(None, started()), (Some("dev/local/hello:provision"), call)])).expect("open");
        assert_eq!(found.calls.len(), 1);
        assert_eq!(found.begun.len(), 1);
        assert!(found.waiting.is_empty());
    }

    #[test]
    fn a_run_with_an_end_has_nothing_open() {
        let end = EventKind::RunEnded { outcome: Outcome::Ok, code: 0, totals: Totals::default() };
        assert_eq!(interrupted(&events(vec![(None, started()), (None, end)])), None);
    }
}
