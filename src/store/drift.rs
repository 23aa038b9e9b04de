//! What each look for changes made outside otto found. Rows are only added: the last one is a deployment's drift, all of
//! them its history.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};
use serde_json::Value;

use super::error::StoreError;
use super::journal::Store;
use crate::model::plan::Drift;
use crate::model::{DeploymentId, RunId, Timestamp};

/// The version of documents written today.
const DOCUMENT: u32 = 1;

/// One look at one deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct DriftRow {
    /// At which.
    pub deployment: DeploymentId,
    /// When.
    pub at: Timestamp,
    /// In which run, if in one.
    pub run: Option<RunId>,
    /// How many resources differed.
    pub changes: u32,
    /// What differed, in the terms of `otto drift --json`.
    pub doc: Value,
}

impl Store {
    /// Adds what a look found.
    ///
    /// # Errors
    /// As [`Store::flush`].
    pub fn drift_add(&self, found: &DriftRow) -> Result<(), StoreError> {
        let run = found.run.as_ref().map(|run| run.0.as_str());
        self.change(|conn| add(conn, (&found.deployment, found.at), run, found.changes, &found.doc.to_string()))
    }

    /// What the last look at each deployment found, of those that anybody ever looked at.
    ///
    /// # Errors
    /// Unreadable or damaged.
    pub fn drift_last(&self) -> Result<BTreeMap<DeploymentId, DriftRow>, StoreError> {
        let sql = "SELECT deployment, at, run, changes, doc FROM drift
                   WHERE n IN (SELECT max(n) FROM drift GROUP BY deployment)";
        self.read(|conn| {
            let mut found = conn.prepare_cached(sql)?;
            found.query_map([], row)?.map(|row| row.map(|row| (row.deployment.clone(), row))).collect()
        })
    }

    /// The newest looks, newest first, at one deployment or at all.
    ///
    /// # Errors
    /// Unreadable or damaged.
    pub fn drift_history(&self, deployment: Option<&DeploymentId>, limit: usize) -> Result<Vec<DriftRow>, StoreError> {
        let id = deployment.map(ToString::to_string);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|conn| {
            let sql = match id {
                Some(_) => {
                    "SELECT deployment, at, run, changes, doc FROM drift WHERE deployment = ?1 ORDER BY n DESC LIMIT ?2"
                }
                None => "SELECT deployment, at, run, changes, doc FROM drift WHERE ?1 IS NULL ORDER BY n DESC LIMIT ?2",
            };
            conn.prepare_cached(sql)?.query_map(params![id, limit], row)?.collect()
        })
    }
}

/// Adds what a run found.
pub(super) fn put(conn: &Connection, found: &Drift, run: &str) -> rusqlite::Result<()> {
    let changes = serde_json::to_string(&found.changes)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let count = u32::try_from(found.changes.len()).unwrap_or(u32::MAX);
    add(conn, (&found.name, found.at), Some(run), count, &changes)
}

fn add(
    conn: &Connection,
    (deployment, at): (&DeploymentId, Timestamp),
    run: Option<&str>,
    changes: u32,
    doc: &str,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO drift (deployment, at, run, changes, v, doc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    conn.prepare_cached(sql)?.execute(params![deployment.to_string(), at.0, run, changes, DOCUMENT, doc])?;
    Ok(())
}

fn row(row: &Row<'_>) -> rusqlite::Result<DriftRow> {
    let id: String = row.get(0)?;
    let doc: String = row.get(4)?;
    let wrong = |column, error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error)
    };
    Ok(DriftRow {
        deployment: id.parse().map_err(|error| wrong(0, Box::new(error)))?,
        at: Timestamp(row.get(1)?),
        run: row.get::<_, Option<String>>(2)?.map(RunId),
        changes: row.get(3)?,
        doc: serde_json::from_str(&doc).map_err(|error| wrong(4, Box::new(error)))?,
    })
}
