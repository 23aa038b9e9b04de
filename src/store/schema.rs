//! The format of `otto.db`, and how older ones become the current one.
//!
//! - `application_id` is `otto` in ASCII; `user_version` is the format, [`VERSION`] here. A later format is refused.
//! - Times are whole milliseconds since 1970 UTC. Words are those of the model's JSON.
//! - `doc` columns hold the model's own JSON; `v` beside them is the document's version (1). A reader ignores fields it
//!   does not know, so that fields are added without a new version; columns beside `doc` are copies for searching.
//! - `meta`: `id` (16 hexadecimal digits, made with the file), `created_at`, `version` (of the otto that wrote the format).
//! - `events`: the journal; `n` counts across runs, `seq` within a run from 1 without gaps; `doc` is the line of `--json`.
//! - `runs`: `doc` is `{"argv","version","units","totals"?}`; no `ended_at`: its end was not recorded.
//! - `units`: one row a unit that began or ended; `running` until its end is recorded.
//! - `deployments`, `images`: the last record of each.
//! - `ledger`: what existed from when to when; rows are only added, and closed once. `deployment` names the owner: a
//!   deployment, or for images `<provider>/<appliance>`. `price` points into `prices`, whose rows are never changed.
//! - `drift`: what each look for changes made outside otto found.

use rusqlite::{Connection, TransactionBehavior, params};

/// The format that this otto writes.
pub const VERSION: u32 = 2;

/// `otto`.
pub(super) const APPLICATION: i32 = 0x6f74_746f;

/// Step n leads from format n to n + 1. Never changed once released: old files pass through them for ever.
const STEPS: [&str; VERSION as usize] = [
    r#"
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
  n INTEGER PRIMARY KEY, run TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, unit TEXT, type TEXT NOT NULL,
  v INTEGER NOT NULL, doc TEXT NOT NULL, UNIQUE (run, seq));
CREATE TABLE runs (
  id TEXT PRIMARY KEY, verb TEXT NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER, outcome TEXT NOT NULL,
  code INTEGER, v INTEGER NOT NULL, doc TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE units (
  run TEXT NOT NULL, unit TEXT NOT NULL, n INTEGER NOT NULL, outcome TEXT NOT NULL, took_ms INTEGER, log TEXT,
  PRIMARY KEY (run, unit)) WITHOUT ROWID;
CREATE INDEX units_by_unit ON units (unit, n);
CREATE TABLE deployments (
  id TEXT PRIMARY KEY, phase TEXT NOT NULL, at INTEGER NOT NULL, v INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE TABLE images (
  provider TEXT NOT NULL, appliance TEXT NOT NULL, reference TEXT NOT NULL, built_at INTEGER NOT NULL,
  v INTEGER NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (provider, appliance, reference));
CREATE TABLE ledger (
  n INTEGER PRIMARY KEY, deployment TEXT NOT NULL, address TEXT NOT NULL, provider_id TEXT, kind TEXT NOT NULL,
  size TEXT NOT NULL, region TEXT NOT NULL, "from" INTEGER NOT NULL, "to" INTEGER);
CREATE UNIQUE INDEX ledger_open ON ledger (deployment, address) WHERE "to" IS NULL;
CREATE TRIGGER ledger_kept BEFORE DELETE ON ledger
  BEGIN SELECT RAISE(ABORT, 'ledger rows are never removed'); END;
CREATE TRIGGER ledger_closed_once BEFORE UPDATE ON ledger
  WHEN OLD."to" IS NOT NULL OR NEW."to" IS NULL OR OLD.n <> NEW.n OR OLD.deployment <> NEW.deployment
    OR OLD.address <> NEW.address OR OLD.provider_id IS NOT NEW.provider_id OR OLD.kind <> NEW.kind
    OR OLD.size <> NEW.size OR OLD.region <> NEW.region OR OLD."from" <> NEW."from"
  BEGIN SELECT RAISE(ABORT, 'ledger rows are only closed, once'); END;
"#,
    r#"
CREATE TABLE prices (n INTEGER PRIMARY KEY, v INTEGER NOT NULL, doc TEXT NOT NULL UNIQUE);
CREATE TRIGGER prices_kept BEFORE DELETE ON prices
  BEGIN SELECT RAISE(ABORT, 'prices that were used are never removed'); END;
CREATE TRIGGER prices_fixed BEFORE UPDATE ON prices
  BEGIN SELECT RAISE(ABORT, 'prices that were used are never changed'); END;
ALTER TABLE ledger ADD COLUMN quantity INTEGER;
ALTER TABLE ledger ADD COLUMN price INTEGER REFERENCES prices (n);
ALTER TABLE ledger ADD COLUMN v INTEGER;
ALTER TABLE ledger ADD COLUMN doc TEXT;
DROP TRIGGER ledger_closed_once;
CREATE TRIGGER ledger_closed_once BEFORE UPDATE ON ledger
  WHEN OLD."to" IS NOT NULL OR NEW."to" IS NULL OR OLD.n <> NEW.n OR OLD.deployment <> NEW.deployment
    OR OLD.address <> NEW.address OR OLD.provider_id IS NOT NEW.provider_id OR OLD.kind <> NEW.kind
    OR OLD.size <> NEW.size OR OLD.region <> NEW.region OR OLD."from" <> NEW."from"
    OR OLD.quantity IS NOT NEW.quantity OR OLD.price IS NOT NEW.price OR OLD.v IS NOT NEW.v OR OLD.doc IS NOT NEW.doc
  BEGIN SELECT RAISE(ABORT, 'ledger rows are only closed, once'); END;
CREATE TABLE drift (
  n INTEGER PRIMARY KEY, deployment TEXT NOT NULL, at INTEGER NOT NULL, run TEXT, changes INTEGER NOT NULL,
  v INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE INDEX drift_by_deployment ON drift (deployment, n);
"#,
];

/// The file's format; 0 for one without any content.
pub(super) fn version(conn: &Connection) -> rusqlite::Result<u32> {
    conn.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The file says that it is otto's.
pub(super) fn is_otto(conn: &Connection) -> rusqlite::Result<bool> {
    conn.query_row("PRAGMA application_id", [], |row| row.get::<_, i32>(0)).map(|found| found == APPLICATION)
}

/// The tables with the format that brought each.
const TABLES: [(u32, &str); 9] = [
    (1, "meta"),
    (1, "events"),
    (1, "runs"),
    (1, "units"),
    (1, "deployments"),
    (1, "images"),
    (1, "ledger"),
    (2, "prices"),
    (2, "drift"),
];

/// Some table of a format is not there.
pub(super) fn missing(conn: &Connection, format: u32) -> rusqlite::Result<bool> {
    let mut found = conn.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
    let there: Vec<String> = found.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(TABLES.iter().any(|(since, name)| *since <= format && !there.iter().any(|one| one == name)))
}

/// Brings the file to [`VERSION`] in one transaction; does nothing when it is there.
pub(super) fn migrate(conn: &mut Connection, otto: &str) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read inside of the transaction: another process may have been faster.
    let from = version(&tx)?;
    for step in STEPS.iter().skip(from as usize) {
        tx.execute_batch(step)?;
    }
    if from < VERSION {
        tx.pragma_update(None, "application_id", APPLICATION)?;
        tx.pragma_update(None, "user_version", VERSION)?;
        tx.execute("INSERT OR REPLACE INTO meta VALUES ('version', ?1)", params![otto])?;
    }
    tx.commit()
}

/// Writes what a store is born with.
pub(super) fn christen(conn: &Connection, id: &str, created_at: i64) -> rusqlite::Result<()> {
    conn.execute("INSERT INTO meta VALUES ('id', ?1), ('created_at', ?2)", params![id, created_at.to_string()])?;
    Ok(())
}

/// One value of `meta`.
pub(super) fn meta(conn: &Connection, key: &str) -> rusqlite::Result<String> {
    conn.query_row("SELECT value FROM meta WHERE key = ?1", params![key], |row| row.get(0))
}
