//! Opening: makes a store where none ever was, refuses one that cannot be trusted, and reads even where nothing can be
//! written.

use std::fs;
use std::io::Read;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::StoreError;
use super::files::{self, FileLock};
use super::journal::{About, Store};
use super::{fold, memory, read, schema};
use crate::model::{Deployment, DeploymentId, Timestamp};

/// The store's file in `.otto`.
pub(super) const FILE: &str = "otto.db";
/// Held while the file is made, migrated or put back.
pub(super) const LOCK: &str = "locks/store";
/// Up to this size the whole file is examined at every opening (a few milliseconds), above it what matters most.
const EXAMINED_WHOLE: u64 = 4 << 20;
/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is in the place of the store.
pub(super) enum Place {
    /// Nothing, and no sign that something was.
    Free,
    /// A file that begins as a database does.
    Taken,
}

impl Store {
    /// Opens the store of a `.otto` folder for writing; makes both where none ever was, private to the user.
    ///
    /// `otto` is the program's version, noted in a file it makes or migrates.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Damaged`], [`StoreError::Full`], [`StoreError::Busy`] or the system's.
    pub fn open(folder: &Utf8Path, otto: &str) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        files::private_folder(folder)?;
        let lock = FileLock::take(&folder.join(LOCK))?;
        let new = matches!(inspect(folder)?, Place::Free);
        if new {
            create(folder, otto)?;
        }
        files::keep_private(&path, 0o600);
        let mut conn = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let failed = |error| StoreError::sqlite(&path, error);
        if trust(&conn, &path)? < schema::VERSION {
            schema::migrate(&mut conn, otto).map_err(failed)?;
        }
        conn.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        conn.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        conn.pragma_update(None, "journal_size_limit", 8 << 20).map_err(failed)?;
        drop(lock);
        about(conn, path, new, false)
    }

    /// Opens the store of a `.otto` folder for reading, on a full or read-only disk too. Without a file, an empty store
    /// whose [`Store::is_new`] is true.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_read_only(folder: &Utf8Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        if matches!(inspect(folder)?, Place::Free) {
            let failed = |error| StoreError::sqlite(&path, error);
            let mut conn = Connection::open_in_memory().map_err(failed)?;
            schema::migrate(&mut conn, "").map_err(failed)?;
            let about = About { path, id: String::new(), created_at: Timestamp(0), new: true, read_only: true };
            return Ok(Self::around(conn, about));
        }
        let conn = connect_to_read(&path)?;
        about(conn, path, false, true)
    }
}

/// Deployments that have a lease, out of a store that is not examined: for a line beside what a command does, which examines
/// it itself. None where it cannot be read so.
pub fn leased_at(folder: &Utf8Path) -> Vec<Deployment> {
    let found = connect(&folder.join(FILE), OpenFlags::SQLITE_OPEN_READ_ONLY).ok();
    found.and_then(|conn| read::leased(&conn).ok()).unwrap_or_default()
}

/// The id of the store in a `.otto` folder; empty when a file is there that cannot be read; nothing without one.
pub fn store_id_at(folder: &Utf8Path) -> Option<String> {
    if !folder.join(FILE).exists() {
        return None;
    }
    Some(Store::open_read_only(folder).map(|store| store.id().to_owned()).unwrap_or_default())
}

fn about(conn: Connection, path: Utf8PathBuf, new: bool, read_only: bool) -> Result<Store, StoreError> {
    let meta = |key| {
        schema::meta(&conn, key).map_err(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => {
                StoreError::Damaged { path: path.clone(), what: format!("it does not hold its `{key}`") }
            }
            error => StoreError::sqlite(&path, error),
        })
    };
    let id = meta("id")?;
    let created_at = Timestamp(meta("created_at")?.parse().unwrap_or(0));
    Ok(Store::around(conn, About { path, id, created_at, new, read_only }))
}

/// Looks at the files before SQLite does: it would make an empty database of an empty file, and take a page that is
/// cut for one that ends in zeros.
pub(super) fn inspect(folder: &Utf8Path) -> Result<Place, StoreError> {
    let path = folder.join(FILE);
    let damaged = |what: String| Err(StoreError::Damaged { path: path.clone(), what });
    let log = || files::length(&folder.join(format!("{FILE}-wal"))).map(|found| found.unwrap_or(0) > 0);
    match files::length(&path)? {
        None if log()? => return damaged(format!("it is gone, though its log {FILE}-wal is there")),
        None => {
            return match sign_of_life(folder) {
                Some(sign) => damaged(format!("it is gone, though {sign} is there")),
                None => Ok(Place::Free),
            };
        }
        Some(0) => return damaged("it is empty".to_owned()),
        Some(_) => {}
    }
    let mut head = [0_u8; 100];
    match fs::File::open(&path).and_then(|mut file| file.read_exact(&mut head)) {
        Ok(()) if head.starts_with(b"SQLite format 3\0") => {}
        Ok(()) => return damaged("it is not a database".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            return damaged("it is cut short".to_owned());
        }
        Err(error) => return Err(StoreError::io("read", &path)(error)),
    }
    // In this order: a writer that is moving its log into the file has the log there until the file is whole.
    let wanted = promised_length(&head);
    if !log()? && files::length(&path)?.is_some_and(|found| found < wanted) {
        return damaged(format!("it is cut short: its {wanted} bytes are not all there"));
    }
    Ok(Place::Taken)
}

/// How long a database is by its own header; 0 when the header does not vouch for that number.
fn promised_length(head: &[u8; 100]) -> u64 {
    let word = |at: usize| u64::from(u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
    let page = match u64::from(u16::from_be_bytes([head[16], head[17]])) {
        1 => 65536,
        size => size,
    };
    if word(24) == word(92) { page * word(28) } else { 0 }
}

/// A folder that only a deployment leaves behind: `terraform/<deployment>` or `hosts/<deployment>`.
fn sign_of_life(folder: &Utf8Path) -> Option<String> {
    for parent in ["terraform", "hosts"] {
        let Ok(entries) = folder.join(parent).read_dir_utf8() else { continue };
        let mut names: Vec<String> =
            entries.flatten().filter(|e| e.path().is_dir()).map(|e| e.file_name().to_owned()).collect();
        names.sort();
        let lives = |name: &String| {
            let empty = folder.join(parent).join(name).read_dir().is_ok_and(|mut entries| entries.next().is_none());
            DeploymentId::from_key(name).is_ok() && !empty
        };
        if let Some(name) = names.into_iter().find(lives) {
            return Some(format!("{parent}/{name}"));
        }
    }
    None
}

/// Makes the file complete under another name first: nobody ever sees a half-made store.
fn create(folder: &Utf8Path, otto: &str) -> Result<(), StoreError> {
    let (path, draft) = (folder.join(FILE), folder.join("otto.db.new"));
    for end in ["", "-wal", "-shm", "-journal"] {
        files::remove(&Utf8PathBuf::from(format!("{draft}{end}")))?;
    }
    files::write_new(&draft, b"")?;
    let failed = |error| StoreError::sqlite(&draft, error);
    let mut conn = connect(&draft, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    schema::migrate(&mut conn, otto).map_err(failed)?;
    schema::christen(&conn, &files::random_id()?, files::now().0).map_err(failed)?;
    conn.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    conn.close().map_err(|(_, error)| failed(error))?;
    files::sync(&draft)?;
    files::rename(&draft, &path)
}

/// A connection with the settings that every one has. The file must be there.
pub(super) fn connect(path: &Utf8Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let failed = |error| StoreError::sqlite(path, error);
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(failed)?;
    conn.busy_timeout(PATIENCE).map_err(failed)?;
    conn.pragma_update(None, "trusted_schema", false).map_err(failed)?;
    conn.pragma_update(None, "cell_size_check", true).map_err(failed)?;
    conn.pragma_update(None, "temp_store", "MEMORY").map_err(failed)?;
    Ok(conn)
}

/// In place where that works; from memory where SQLite cannot make its index file, or where the format is an old one.
fn connect_to_read(path: &Utf8Path) -> Result<Connection, StoreError> {
    let in_place = || -> Result<Connection, StoreError> {
        let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let found = trust(&conn, path)?;
        if found < schema::VERSION {
            return Err(StoreError::ReadOnly { path: path.to_owned() });
        }
        Ok(conn)
    };
    let cannot_write = |error: &rusqlite::Error| {
        let codes =
            [ErrorCode::CannotOpen, ErrorCode::ReadOnly, ErrorCode::SystemIoFailure, ErrorCode::PermissionDenied];
        error.sqlite_error_code().is_some_and(|code| codes.contains(&code))
    };
    match in_place() {
        Err(StoreError::Full { .. } | StoreError::ReadOnly { .. }) => {}
        Err(StoreError::Sqlite { source, .. }) if cannot_write(&source) => {}
        other => return other,
    }
    let mut conn = memory::load(path)?;
    if trust(&conn, path)? < schema::VERSION {
        schema::migrate(&mut conn, "").map_err(|error| StoreError::sqlite(path, error))?;
    }
    Ok(conn)
}

/// Whether the file is otto's, of a format known here, and sound. Its format.
pub(super) fn trust(conn: &Connection, path: &Utf8Path) -> Result<u32, StoreError> {
    let failed = |error| StoreError::sqlite(path, error);
    let damaged = |what: String| Err(StoreError::Damaged { path: path.to_owned(), what });
    let found = schema::version(conn).map_err(failed)?;
    if !schema::is_otto(conn).map_err(failed)? {
        return damaged("it is a database of something else".to_owned());
    }
    if found > schema::VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: schema::VERSION });
    }
    if found == 0 || schema::missing(conn, found).map_err(failed)? {
        return damaged("its tables are not all there".to_owned());
    }
    let whole = files::length(path)?.unwrap_or(0) <= EXAMINED_WHOLE;
    let parts: &[&str] = if whole { &["1"] } else { &["meta", "deployments", "images", "ledger", "runs"] };
    for part in parts {
        let verdict: String =
            conn.query_row(&format!("PRAGMA quick_check({part})"), [], |row| row.get(0)).map_err(failed)?;
        if verdict != "ok" {
            return damaged(verdict.lines().last().unwrap_or_default().trim().to_owned());
        }
    }
    Ok(found)
}

/// Whether a usable store holds nothing that could be forgotten.
pub(super) fn is_blank(folder: &Utf8Path) -> Result<bool, StoreError> {
    let path = folder.join(FILE);
    let conn = connect_to_read(&path)?;
    fold::holds_something(&conn).map(|something| !something).map_err(|error| StoreError::sqlite(&path, error))
}
