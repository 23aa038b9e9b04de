//! The ledger: what existed from when to when. Rows are added and closed once; what they cost is computed from them.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use super::journal::Store;
use crate::model::{Deployment, DeploymentId, Timestamp};

/// The kind under which hosts of a deployment's record are entered.
const HOST: &str = "host";

/// What begins to exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// To which deployment it belongs.
    pub deployment: DeploymentId,
    /// Its name within the deployment: a host's name, or a resource's address.
    pub address: String,
    /// Its provider's own name for it, where that is known.
    pub provider_id: Option<String>,
    /// `host`, or a resource's type.
    pub kind: String,
    /// In the project's or the provider's words.
    pub size: String,
    /// The provider's region, possibly empty.
    pub region: String,
}

/// What existed, since when, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// What.
    pub entry: LedgerEntry,
    /// Since when.
    pub from: Timestamp,
    /// Until when; nothing while it exists.
    pub to: Option<Timestamp>,
}

impl Store {
    /// Enters what begins to exist; false when a row of the same deployment and address is open already.
    ///
    /// # Errors
    /// As [`Store::flush`].
    pub fn ledger_open(&self, entry: &LedgerEntry, from: Timestamp) -> Result<bool, StoreError> {
        self.change(|conn| open(conn, entry, from))
    }

    /// Closes the open row of an address; false when there is none.
    ///
    /// # Errors
    /// As [`Store::flush`].
    pub fn ledger_close(&self, deployment: &DeploymentId, address: &str, to: Timestamp) -> Result<bool, StoreError> {
        self.change(|conn| close(conn, &deployment.to_string(), address, to))
    }

    /// All rows in the order they were opened, of one deployment or of all.
    ///
    /// # Errors
    /// Unreadable or damaged.
    pub fn ledger(&self, deployment: Option<&DeploymentId>) -> Result<Vec<LedgerRow>, StoreError> {
        let id = deployment.map(ToString::to_string);
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                r#"SELECT deployment, address, provider_id, kind, size, region, "from", "to" FROM ledger
                   WHERE ?1 IS NULL OR deployment = ?1 ORDER BY n"#,
            )?;
            found.query_map(params![id], row)?.collect()
        })
    }
}

/// Brings the rows of a deployment's hosts in line with its record.
pub(super) fn follow(conn: &Connection, record: &Deployment, at: Timestamp) -> rusqlite::Result<()> {
    let id = record.id.to_string();
    if !record.phase.exists() {
        conn.prepare_cached(r#"UPDATE ledger SET "to" = max(?2, "from") WHERE deployment = ?1 AND "to" IS NULL"#)?
            .execute(params![id, at.0])?;
        return Ok(());
    }
    let wanted: Vec<LedgerEntry> = record.hosts.iter().map(|host| entry(record, host)).collect();
    let mut open_now = conn
        .prepare_cached(r#"SELECT address, size FROM ledger WHERE deployment = ?1 AND kind = ?2 AND "to" IS NULL"#)?;
    let known: Vec<(String, String)> =
        open_now.query_map(params![id, HOST], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (address, size) in &known {
        // Another size is another price, so it is another row.
        if !wanted.iter().any(|entry| entry.address == *address && entry.size == *size) {
            close(conn, &id, address, at)?;
        }
    }
    for entry in &wanted {
        open(conn, entry, at)?;
    }
    Ok(())
}

fn entry(record: &Deployment, host: &crate::model::Host) -> LedgerEntry {
    let role = record.spec.roles.iter().find(|(name, _)| name.as_str() == host.role);
    let provider_id = host.vars.get("provider_id").and_then(|id| id.as_str()).map(ToOwned::to_owned);
    LedgerEntry {
        deployment: record.id.clone(),
        address: host.name.clone(),
        provider_id,
        kind: HOST.to_owned(),
        size: role.map(|(_, role)| role.size.clone()).unwrap_or_default(),
        region: record.spec.region.clone(),
    }
}

fn open(conn: &Connection, entry: &LedgerEntry, from: Timestamp) -> rusqlite::Result<bool> {
    let id = entry.deployment.to_string();
    let there = conn
        .query_row(
            r#"SELECT 1 FROM ledger WHERE deployment = ?1 AND address = ?2 AND "to" IS NULL"#,
            params![id, entry.address],
            |_| Ok(()),
        )
        .optional()?;
    if there.is_some() {
        return Ok(false);
    }
    conn.prepare_cached(
        r#"INSERT INTO ledger (deployment, address, provider_id, kind, size, region, "from")
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"#,
    )?
    .execute(params![id, entry.address, entry.provider_id, entry.kind, entry.size, entry.region, from.0])?;
    Ok(true)
}

fn close(conn: &Connection, deployment: &str, address: &str, to: Timestamp) -> rusqlite::Result<bool> {
    // A clock that was set back must not make a span negative.
    let changed = conn
        .prepare_cached(
            r#"UPDATE ledger SET "to" = max(?3, "from") WHERE deployment = ?1 AND address = ?2 AND "to" IS NULL"#,
        )?
        .execute(params![deployment, address, to.0])?;
    Ok(changed > 0)
}

fn row(row: &Row<'_>) -> rusqlite::Result<LedgerRow> {
    let id: String = row.get(0)?;
    let deployment = id
        .parse()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error)))?;
    let entry = LedgerEntry {
        deployment,
        address: row.get(1)?,
        provider_id: row.get(2)?,
        kind: row.get(3)?,
        size: row.get(4)?,
        region: row.get(5)?,
    };
    Ok(LedgerRow { entry, from: Timestamp(row.get(6)?), to: row.get::<_, Option<i64>>(7)?.map(Timestamp) })
}
