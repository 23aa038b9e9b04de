//! The ledger: what existed from when to when. Rows are added and closed once; what they cost is computed from them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use super::journal::Store;
use crate::model::ledger::LedgerNote;
use crate::model::{Deployment, LedgerRow, Price, Quantity, Resource, Subject, Timestamp};

/// The kind under which hosts of a deployment's record are entered.
const HOST: &str = "host";
/// The version of documents written today.
const DOCUMENT: u32 = 1;
/// A clock of the provider's may be ahead of this one by so much; what was made later than that was not.
const AHEAD_MS: i64 = 300_000;

const COLUMNS: &str =
    r#"deployment, address, provider_id, kind, size, region, quantity, price, "from", "to", doc FROM ledger"#;

impl Store {
    /// Brings the open rows of an owner in line with what exists, as [`crate::model::EventKind::Ledger`] does.
    ///
    /// # Errors
    /// As [`Store::flush`].
    pub fn ledger_enter(&self, owner: &Subject, resources: &[Resource], at: Timestamp) -> Result<(), StoreError> {
        self.change(|conn| enter(conn, owner, resources, at))
    }

    /// Closes the open row of an address; false when there is none.
    ///
    /// # Errors
    /// As [`Store::flush`].
    pub fn ledger_close(&self, owner: &Subject, address: &str, to: Timestamp) -> Result<bool, StoreError> {
        self.change(|conn| close(conn, &owner.to_string(), address, to))
    }

    /// All rows in the order they were opened, of one owner or of all.
    ///
    /// # Errors
    /// Unreadable or damaged.
    pub fn ledger(&self, owner: Option<&Subject>) -> Result<Vec<LedgerRow>, StoreError> {
        let id = owner.map(ToString::to_string);
        self.read(|conn| {
            let mut reader = Reader::default();
            let mut found =
                conn.prepare_cached(&format!("SELECT {COLUMNS} WHERE ?1 IS NULL OR deployment = ?1 ORDER BY n"))?;
            let mut rows = found.query(params![id])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                all.push(reader.row(conn, row)?);
            }
            Ok(all)
        })
    }
}

/// Reads rows; what many of them share is read once. Rows that follow each other mostly have the same.
#[derive(Default)]
struct Reader {
    owners: HashMap<String, Arc<Subject>>,
    prices: HashMap<i64, Arc<Price>>,
    /// Kinds, sizes, regions, notes: few words in many rows.
    words: HashSet<Arc<str>>,
    /// The last one of each column.
    last: [Option<Arc<str>>; 4],
}

impl Reader {
    fn row(&mut self, conn: &Connection, row: &Row<'_>) -> rusqlite::Result<LedgerRow> {
        Ok(LedgerRow {
            owner: self.owner(row)?,
            address: row.get(1)?,
            provider_id: row.get(2)?,
            kind: self.word(0, row.get_ref(3)?)?,
            size: self.word(1, row.get_ref(4)?)?,
            region: self.word(2, row.get_ref(5)?)?,
            quantity: row.get::<_, Option<i64>>(6)?.map(|n| Quantity::from_thousandths(n.unsigned_abs())),
            price: row.get::<_, Option<i64>>(7)?.map(|n| self.price(conn, n)).transpose()?,
            from: Timestamp(row.get(8)?),
            to: row.get::<_, Option<i64>>(9)?.map(Timestamp),
            note: match row.get_ref(10)? {
                ValueRef::Null => None,
                note => Some(self.word(3, note)?),
            },
        })
    }

    fn owner(&mut self, row: &Row<'_>) -> rusqlite::Result<Arc<Subject>> {
        let id = row.get_ref(0)?.as_str()?;
        if let Some(owner) = self.owners.get(id) {
            return Ok(Arc::clone(owner));
        }
        let owner: Subject =
            id.parse().map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))?;
        Ok(Arc::clone(self.owners.entry(id.to_owned()).or_insert(Arc::new(owner))))
    }

    fn word(&mut self, column: usize, value: ValueRef<'_>) -> rusqlite::Result<Arc<str>> {
        if let (ValueRef::Text(text), Some(last)) = (value, &self.last[column])
            && last.as_bytes() == text
        {
            return Ok(Arc::clone(last));
        }
        let text = value.as_str()?;
        let word = match self.words.get(text) {
            Some(known) => Arc::clone(known),
            None => {
                let new: Arc<str> = Arc::from(text);
                self.words.insert(Arc::clone(&new));
                new
            }
        };
        self.last[column] = Some(Arc::clone(&word));
        Ok(word)
    }

    fn price(&mut self, conn: &Connection, n: i64) -> rusqlite::Result<Arc<Price>> {
        if let Some(price) = self.prices.get(&n) {
            return Ok(Arc::clone(price));
        }
        let doc: String =
            conn.prepare_cached("SELECT doc FROM prices WHERE n = ?1")?.query_row(params![n], |row| row.get(0))?;
        let price: Price = serde_json::from_str(&doc)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(7, Type::Text, Box::new(error)))?;
        Ok(Arc::clone(self.prices.entry(n).or_insert(Arc::new(price))))
    }
}

/// Brings the rows of an owner in line with what exists now. What bills on by the same terms keeps its row; what is gone
/// is closed; what changed is closed and opened again.
pub(super) fn enter(conn: &Connection, owner: &Subject, resources: &[Resource], at: Timestamp) -> rusqlite::Result<()> {
    let id = owner.to_string();
    let mut open_now = Vec::new();
    {
        let mut reader = Reader::default();
        let mut found = conn.prepare_cached(&format!(r#"SELECT {COLUMNS} WHERE deployment = ?1 AND "to" IS NULL"#))?;
        let mut rows = found.query(params![id])?;
        while let Some(row) = rows.next()? {
            open_now.push(reader.row(conn, row)?);
        }
    }
    let now: HashMap<&str, &Resource> = resources.iter().map(|one| (one.address.as_str(), one)).collect();
    let mut kept: Vec<&str> = Vec::new();
    for row in &open_now {
        match now.get(row.address.as_str()) {
            Some(resource) if resource.goes_on_as(row) => kept.push(&row.address),
            // An owner that is an image is not told whole: others of it go on.
            None if owner.deployment().is_none() => {}
            _ => drop(close(conn, &id, &row.address, at)?),
        }
    }
    kept.sort_unstable();
    let begun = begun(conn, &id)?.filter(|begun| *begun <= at);
    for resource in resources.iter().filter(|one| kept.binary_search(&one.address.as_str()).is_err()) {
        let (from, basis) = since(conn, &id, resource, begun, at)?;
        open(conn, &id, resource, from, basis)?;
    }
    Ok(())
}

/// When the apply began whose end is not recorded: what has no time of its own was made since then.
fn begun(conn: &Connection, id: &str) -> rusqlite::Result<Option<Timestamp>> {
    conn.prepare_cached("SELECT at FROM deployments WHERE id = ?1 AND phase = 'partial'")?
        .query_row(params![id], |row| row.get(0).map(Timestamp))
        .optional()
}

/// Since when something new bills, and where that is from.
fn since(
    conn: &Connection,
    id: &str,
    resource: &Resource,
    begun: Option<Timestamp>,
    at: Timestamp,
) -> rusqlite::Result<(Timestamp, &'static str)> {
    let known: Option<i64> = conn
        .prepare_cached(
            r#"SELECT max("to") FROM ledger WHERE deployment = ?1 AND address = ?2 AND provider_id IS ?3
               AND "to" IS NOT NULL"#,
        )?
        .query_row(params![id, resource.address, resource.provider_id], |row| row.get(0))?;
    match known {
        // The same thing at another size or price goes on where it stood.
        Some(to) if to == at.0 => return Ok((at, "change")),
        // Seen again after a while without it; what has no id of its own is another one of that name.
        Some(to) if resource.provider_id.is_some() => {
            return Ok((Timestamp(to.max(begun.unwrap_or(at).0)), "change"));
        }
        _ => {}
    }
    match resource.created_at.filter(|made| made.0 <= at.0 + AHEAD_MS) {
        Some(made) => Ok((made, "state")),
        None => Ok((begun.unwrap_or(at), "journal")),
    }
}

/// An image was removed: it bills no longer.
pub(super) fn image_gone(conn: &Connection, reference: &str, at: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        r#"UPDATE ledger SET "to" = max(?2, "from") WHERE kind = 'image' AND address = ?1 AND "to" IS NULL"#,
    )?
    .execute(params![reference, at.0])?;
    Ok(())
}

/// Brings the rows of a deployment's hosts in line with its record, where nothing was entered from a state.
pub(super) fn follow(conn: &Connection, record: &Deployment, at: Timestamp) -> rusqlite::Result<()> {
    let id = record.id.to_string();
    if !record.phase.exists() {
        let mut open_now =
            conn.prepare_cached(r#"SELECT address FROM ledger WHERE deployment = ?1 AND "to" IS NULL"#)?;
        let open: Vec<String> = open_now.query_map(params![id], |row| row.get(0))?.collect::<Result<_, _>>()?;
        // What was left behind goes on billing, with its parts.
        let stays = |address: &str| {
            let of =
                |kept: &str| address.strip_prefix(kept).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            record.kept.iter().any(|kept| of(&kept.address))
        };
        for address in open.iter().filter(|address| !stays(address)) {
            close(conn, &id, address, at)?;
        }
        return Ok(());
    }
    let entered: bool = conn
        .prepare_cached(
            r#"SELECT EXISTS (SELECT 1 FROM ledger WHERE deployment = ?1 AND "to" IS NULL AND doc IS NOT NULL)"#,
        )?
        .query_row(params![id], |row| row.get(0))?;
    if entered {
        return Ok(());
    }
    let wanted: Vec<Resource> = record.hosts.iter().map(|host| host_entry(record, host)).collect();
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
    for entry in wanted
        .iter()
        .filter(|entry| !known.iter().any(|(address, size)| *address == entry.address && *size == entry.size))
    {
        open(conn, &id, entry, at, "")?;
    }
    Ok(())
}

fn host_entry(record: &Deployment, host: &crate::model::Host) -> Resource {
    let size = record.spec.role(&host.role).map_or("", |role| &role.size);
    Resource {
        provider_id: host.vars.get("provider_id").and_then(|id| id.as_str()).map(ToOwned::to_owned),
        ..Resource::bare(&host.name, HOST, size, &record.spec.region)
    }
}

/// Opens a row; with an empty basis one that only follows a record.
fn open(conn: &Connection, id: &str, resource: &Resource, from: Timestamp, basis: &str) -> rusqlite::Result<()> {
    let text = |error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
    let price = match &resource.price {
        Some(price) => {
            let doc = serde_json::to_string(price).map_err(text)?;
            conn.prepare_cached("INSERT INTO prices (v, doc) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
                .execute(params![DOCUMENT, doc])?;
            let n: i64 = conn
                .prepare_cached("SELECT n FROM prices WHERE doc = ?1")?
                .query_row(params![doc], |row| row.get(0))?;
            Some(n)
        }
        None => None,
    };
    let note = LedgerNote { basis: basis.to_owned(), why: resource.why.clone(), facts: resource.facts.clone() };
    let note = (!basis.is_empty()).then(|| serde_json::to_string(&note)).transpose().map_err(text)?;
    conn.prepare_cached(
        r#"INSERT INTO ledger (deployment, address, provider_id, kind, size, region, "from", quantity, price, v, doc)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"#,
    )?
    .execute(params![
        id,
        resource.address,
        resource.provider_id,
        resource.kind,
        resource.size,
        resource.region,
        from.0,
        resource.quantity.map(|gb| gb.thousandths().cast_signed()),
        price,
        note.is_some().then_some(DOCUMENT),
        note
    ])?;
    Ok(())
}

fn close(conn: &Connection, owner: &str, address: &str, to: Timestamp) -> rusqlite::Result<bool> {
    // A clock that was set back must not make a span negative.
    let changed = conn
        .prepare_cached(
            r#"UPDATE ledger SET "to" = max(?3, "from") WHERE deployment = ?1 AND address = ?2 AND "to" IS NULL"#,
        )?
        .execute(params![owner, address, to.0])?;
    Ok(changed > 0)
}
