//! Reads: deployments, images, runs, events. Everything recorded through the same handle is visible.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::fold;
use super::journal::Store;
use crate::model::status::{RunSummary, UnitSummary};
use crate::model::{Deployment, DeploymentId, Event, Image, Name, RunId, Timestamp};

/// What the beginning of a run's id stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunMatch {
    /// No run begins so.
    None,
    /// This one.
    One(RunId),
    /// These, newest first, ten at most.
    Many(Vec<RunId>),
}

impl Store {
    /// All deployments by name, destroyed ones included.
    ///
    /// # Errors
    /// Unreadable or damaged; also below.
    pub fn deployments(&self) -> Result<Vec<Deployment>, StoreError> {
        self.read(|conn| documents(conn, "SELECT doc FROM deployments ORDER BY id", []))
    }

    /// One deployment.
    pub fn deployment(&self, id: &DeploymentId) -> Result<Option<Deployment>, StoreError> {
        self.read(|conn| {
            let sql = "SELECT doc FROM deployments WHERE id = ?1";
            conn.query_row(sql, params![id.to_string()], document).optional()
        })
    }

    /// All images, the newest of each provider and appliance first.
    pub fn images(&self) -> Result<Vec<Image>, StoreError> {
        let sql = "SELECT doc FROM images ORDER BY provider, appliance, built_at DESC, rowid DESC";
        self.read(|conn| documents(conn, sql, []))
    }

    /// The newest image of an appliance for a provider.
    pub fn image(&self, provider: &Name, appliance: &Name) -> Result<Option<Image>, StoreError> {
        self.read(|conn| {
            let sql = "SELECT doc FROM images WHERE provider = ?1 AND appliance = ?2
                       ORDER BY built_at DESC, rowid DESC LIMIT 1";
            conn.query_row(sql, params![provider.as_str(), appliance.as_str()], document).optional()
        })
    }

    /// The newest runs, newest first. The outcome of a run without a recorded end is `running`: whether it still is,
    /// its processes tell.
    pub fn runs(&self, limit: usize) -> Result<Vec<RunSummary>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|conn| summaries(conn, "ORDER BY started_at DESC, id DESC LIMIT ?1", params![limit]))
    }

    /// One run.
    pub fn run(&self, id: &RunId) -> Result<Option<RunSummary>, StoreError> {
        self.read(|conn| Ok(summaries(conn, "WHERE id = ?1", params![id.0])?.pop()))
    }

    /// The run that was started last.
    pub fn last_run(&self) -> Result<Option<RunSummary>, StoreError> {
        Ok(self.runs(1)?.pop())
    }

    /// Runs that were started and whose end was not recorded, oldest first.
    pub fn unended_runs(&self) -> Result<Vec<RunId>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare("SELECT id FROM runs WHERE ended_at IS NULL ORDER BY started_at, id")?;
            found.query_map([], |row| row.get(0).map(RunId))?.collect()
        })
    }

    /// Which run a beginning of its id means; the whole id always means itself.
    pub fn find_run(&self, prefix: &str) -> Result<RunMatch, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare(
                "SELECT id FROM runs WHERE substr(id, 1, length(?1)) = ?1 ORDER BY started_at DESC, id DESC LIMIT 10",
            )?;
            let mut ids: Vec<RunId> =
                found.query_map(params![prefix], |row| row.get(0).map(RunId))?.collect::<Result<_, _>>()?;
            if let Some(whole) = ids.iter().find(|id| id.0 == prefix) {
                return Ok(RunMatch::One(whole.clone()));
            }
            Ok(match ids.len() {
                0 => RunMatch::None,
                1 => RunMatch::One(ids.remove(0)),
                _ => RunMatch::Many(ids),
            })
        })
    }

    /// A run's events after a number (0: from its beginning), in order.
    pub fn events(&self, run: &RunId, after_seq: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let after = i64::try_from(after_seq).unwrap_or(i64::MAX);
        let sql = "SELECT doc FROM events WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
        self.read(|conn| documents(conn, sql, params![run.0, after, limit]))
    }

    /// The number of a run's last event, 0 without any.
    pub fn last_seq(&self, run: &RunId) -> Result<u64, StoreError> {
        self.read(|conn| fold::last_seq(conn, run))
    }

    /// No deployment was ever recorded: nothing that exists would be forgotten with this file.
    pub fn is_empty(&self) -> Result<bool, StoreError> {
        self.read(fold::holds_something).map(|something| !something)
    }

    /// SQLite's own full examination, slow on a large store: what is wrong, nothing when all is well.
    pub fn examine(&self) -> Result<Vec<String>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare("PRAGMA integrity_check(20)")?;
            let lines: Vec<String> = found.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(lines.into_iter().filter(|line| line != "ok").collect())
        })
    }
}

/// Deployments that exist and have a lease.
pub(super) fn leased(conn: &Connection) -> rusqlite::Result<Vec<Deployment>> {
    let sql = "SELECT doc FROM deployments WHERE phase NOT IN ('absent', 'destroyed')
               AND json_extract(doc, '$.expires_at') IS NOT NULL ORDER BY id";
    documents(conn, sql, [])
}

fn documents<T: DeserializeOwned>(conn: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<Vec<T>> {
    conn.prepare(sql)?.query_map(params, document)?.collect()
}

/// The first column read as JSON.
fn document<T: DeserializeOwned>(row: &Row<'_>) -> rusqlite::Result<T> {
    let text = row.get_ref(0)?.as_str()?;
    serde_json::from_str(text).map_err(|error| unreadable(0, error))
}

/// A word of the model, as its JSON writes it.
fn word<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_value(serde_json::Value::String(text)).map_err(|error| unreadable(column, error))
}

fn unreadable(column: usize, error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

fn summaries(conn: &Connection, which: &str, params: impl Params) -> rusqlite::Result<Vec<RunSummary>> {
    let mut runs = conn.prepare(&format!("SELECT id, verb, started_at, ended_at, outcome FROM runs {which}"))?;
    let mut units = conn.prepare("SELECT unit, outcome, took_ms, log FROM units WHERE run = ?1 ORDER BY n")?;
    let mut all: Vec<RunSummary> = runs.query_map(params, summary)?.collect::<Result<_, _>>()?;
    for run in &mut all {
        run.units = units.query_map(params![run.id.0], unit)?.collect::<Result<_, _>>()?;
    }
    Ok(all)
}

fn summary(row: &Row<'_>) -> rusqlite::Result<RunSummary> {
    Ok(RunSummary {
        id: RunId(row.get(0)?),
        verb: row.get(1)?,
        started_at: Timestamp(row.get(2)?),
        ended_at: row.get::<_, Option<i64>>(3)?.map(Timestamp),
        outcome: word(row, 4)?,
        units: Vec::new(),
    })
}

fn unit(row: &Row<'_>) -> rusqlite::Result<UnitSummary> {
    Ok(UnitSummary {
        id: word(row, 0)?,
        outcome: word(row, 1)?,
        took_ms: row.get::<_, Option<i64>>(2)?.map(|ms| u64::try_from(ms).unwrap_or(0)),
        log: row.get(3)?,
    })
}
