//! The last run of each deployment, for `status`: read run by run from the newest, because most deployments were in one of
//! the last few, and one look into a run answers for hundreds.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};

use super::error::StoreError;
use super::journal::Store;
use crate::model::{DeploymentId, LastRun, Outcome, RunId, Timestamp};

impl Store {
    /// By deployment, the last run that had a unit of it at work; its outcome is the worst of these units, and `running`
    /// where its end was not recorded. Runs of the verbs `besides` do not count.
    ///
    /// # Errors
    /// Unreadable or damaged.
    pub fn last_runs(
        &self,
        meant: &[DeploymentId],
        besides: &[&str],
    ) -> Result<BTreeMap<DeploymentId, LastRun>, StoreError> {
        self.read(|conn| {
            let mut missing: BTreeMap<String, &DeploymentId> = meant.iter().map(|id| (id.to_string(), id)).collect();
            let mut found = BTreeMap::new();
            let mut runs =
                conn.prepare_cached("SELECT id, verb, ended_at FROM runs ORDER BY started_at DESC, id DESC")?;
            let mut rows = runs.query([])?;
            while let Some(row) = rows.next()? {
                if missing.is_empty() {
                    break;
                }
                let (run, verb, ended_at): (String, String, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?);
                if besides.contains(&verb.as_str()) {
                    continue;
                }
                for (name, worst) in worst_of(conn, &run)? {
                    let Some(id) = missing.remove(&name) else { continue };
                    let outcome = if ended_at.is_none() { Outcome::Running } else { worst };
                    let ended_at = ended_at.map(Timestamp);
                    let last = LastRun { id: RunId(run.clone()), verb: verb.clone(), outcome, ended_at };
                    found.insert(id.clone(), last);
                }
            }
            Ok(found)
        })
    }
}

/// Deployments that a run worked on, by name: the worst outcome of their units. Where all were skipped, it did nothing.
fn worst_of(conn: &Connection, run: &str) -> rusqlite::Result<BTreeMap<String, Outcome>> {
    let mut units = conn.prepare_cached("SELECT unit, outcome FROM units WHERE run = ?1")?;
    let mut worst: BTreeMap<String, Outcome> = BTreeMap::new();
    let mut at_work: BTreeSet<String> = BTreeSet::new();
    let mut rows = units.query(params![run])?;
    while let Some(row) = rows.next()? {
        let (unit, word): (String, String) = (row.get(0)?, row.get(1)?);
        let Some((name, stage)) = unit.rsplit_once(':') else { continue };
        // A comparison does nothing to it.
        if stage == "images" || stage == "drift" {
            continue;
        }
        let outcome = serde_json::from_value(serde_json::Value::String(word)).unwrap_or(Outcome::Lost);
        if outcome != Outcome::Skipped {
            at_work.insert(name.to_owned());
        }
        let known = worst.entry(name.to_owned()).or_insert(Outcome::Ok);
        if weight(outcome) > weight(*known) {
            *known = outcome;
        }
    }
    worst.retain(|name, _| at_work.contains(name));
    Ok(worst)
}

/// Worse is heavier.
fn weight(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Ok | Outcome::Skipped => 0,
        Outcome::Blocked => 1,
        Outcome::Cancelled => 2,
        Outcome::TimedOut => 3,
        Outcome::Running => 4,
        Outcome::Lost => 5,
        Outcome::Failed => 6,
    }
}
