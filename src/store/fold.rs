//! What an event changes beside the journal: runs, units, deployments, images, ledger; in the event's own transaction.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde_json::json;

use super::drift;
use super::ledger;
use crate::model::{Deployment, Event, EventKind, Image, Outcome, RunId};

/// The version of documents written today.
const DOCUMENT: u32 = 1;

/// The number of the run's last event, 0 without any.
pub(super) fn last_seq(conn: &Connection, run: &RunId) -> rusqlite::Result<u64> {
    let last: Option<i64> =
        conn.query_row("SELECT max(seq) FROM events WHERE run = ?1", params![run.0], |row| row.get(0))?;
    Ok(last.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
}

/// Adds an event to the journal and to what stands on it.
pub(super) fn put(conn: &Connection, event: &Event, line: &str) -> rusqlite::Result<()> {
    let unit = event.unit.as_ref().map(ToString::to_string);
    conn.prepare_cached("INSERT INTO events (run, seq, at, unit, type, v, doc) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![event.run.0, event.seq.cast_signed(), event.at.0, unit, word(&event.kind), DOCUMENT, line])?;
    let run = &event.run.0;
    match &event.kind {
        EventKind::RunStarted { verb, argv, version, units } => {
            let doc = json!({"argv": argv, "version": version, "units": units}).to_string();
            conn.prepare_cached(
                "INSERT INTO runs (id, verb, started_at, outcome, v, doc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![run, verb, event.at.0, Outcome::Running.word(), DOCUMENT, doc])?;
        }
        EventKind::RunEnded { outcome, code, totals } => {
            let totals = text(totals)?;
            conn.prepare_cached(
                "UPDATE runs SET ended_at = ?2, outcome = ?3, code = ?4, doc = json_set(doc, '$.totals', json(?5))
                 WHERE id = ?1",
            )?
            .execute(params![run, event.at.0, outcome.word(), code, totals])?;
        }
        EventKind::UnitStarted { .. } if unit.is_some() => {
            conn.prepare_cached(
                "INSERT INTO units (run, unit, n, outcome) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET outcome = excluded.outcome, took_ms = NULL, log = NULL",
            )?
            .execute(params![run, unit, event.seq.cast_signed(), Outcome::Running.word()])?;
        }
        EventKind::UnitEnded { outcome, took_ms, log, .. } if unit.is_some() => {
            conn.prepare_cached(
                "INSERT INTO units (run, unit, n, outcome, took_ms, log) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET outcome = excluded.outcome, took_ms = excluded.took_ms, log = excluded.log",
            )?
            .execute(params![
                run,
                unit,
                event.seq.cast_signed(),
                outcome.word(),
                took_ms.cast_signed(),
                log
            ])?;
        }
        EventKind::Deployment { record } => {
            put_deployment(conn, record, event)?;
            ledger::follow(conn, record, event.at)?;
        }
        EventKind::Image { record } => put_image(conn, record)?,
        EventKind::ImageGone { reference } => {
            conn.prepare_cached("DELETE FROM images WHERE reference = ?1")?.execute(params![reference])?;
            ledger::image_gone(conn, reference, event.at)?;
        }
        EventKind::Drift { record } => drift::put(conn, record, run)?,
        EventKind::Ledger { owner, resources } => ledger::enter(conn, owner, resources, event.at)?,
        _ => {}
    }
    Ok(())
}

fn put_deployment(conn: &Connection, record: &Deployment, event: &Event) -> rusqlite::Result<()> {
    let doc = text(record)?;
    conn.prepare_cached(
        "INSERT INTO deployments (id, phase, at, v, doc) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET phase = excluded.phase, at = excluded.at, v = excluded.v, doc = excluded.doc",
    )?
    .execute(params![record.id.to_string(), record.phase.word(), event.at.0, DOCUMENT, doc])?;
    Ok(())
}

fn put_image(conn: &Connection, record: &Image) -> rusqlite::Result<()> {
    let doc = text(record)?;
    conn.prepare_cached(
        "INSERT INTO images (provider, appliance, reference, built_at, v, doc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET built_at = excluded.built_at, v = excluded.v, doc = excluded.doc",
    )?
    .execute(params![
        record.provider.as_str(),
        record.appliance.as_str(),
        record.reference,
        record.built_at.0,
        DOCUMENT,
        doc
    ])?;
    Ok(())
}

/// The file holds what only an otto that brought something up can have written.
pub(super) fn holds_something(conn: &Connection) -> rusqlite::Result<bool> {
    let any = "SELECT 1 FROM deployments UNION ALL SELECT 1 FROM ledger LIMIT 1";
    conn.query_row(any, [], |_| Ok(())).optional().map(|found| found.is_some())
}

fn text(document: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(document).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// The `type` of an event in JSON, for searching in the journal.
fn word(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::RunStarted { .. } => "run_started",
        EventKind::UnitStarted { .. } => "unit_started",
        EventKind::Intended { .. } => "intended",
        EventKind::Started { .. } => "started",
        EventKind::Ended { .. } => "ended",
        EventKind::Progress { .. } => "progress",
        EventKind::Diagnostic { .. } => "diagnostic",
        EventKind::Retry { .. } => "retry",
        EventKind::Checked { .. } => "checked",
        EventKind::Note { .. } => "note",
        EventKind::Deployment { .. } => "deployment",
        EventKind::Image { .. } => "image",
        EventKind::ImageGone { .. } => "image_gone",
        EventKind::Ledger { .. } => "ledger",
        EventKind::Drift { .. } => "drift",
        EventKind::UnitEnded { .. } => "unit_ended",
        EventKind::Stopping { .. } => "stopping",
        EventKind::RunEnded { .. } => "run_ended",
    }
}
