//! Whether copies outside of the project could be put back: asked by `otto doctor`, before one is needed.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, OpenFlags};

use super::copies::{Copy, STATE, list_copies};
use super::error::StoreError;
use super::open::FILE;

/// A copy that could not be put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedCopy {
    /// Its folder.
    pub folder: Utf8PathBuf,
    /// What is wrong with it.
    pub why: String,
}

/// Reads all copies of a project; those that are damaged, those without a readable description included. Nothing is
/// written, not even a log of the database.
///
/// # Errors
/// The folder of copies is there and cannot be read.
pub fn damaged_copies(state_home: &Utf8Path, project_id: &str) -> Result<Vec<DamagedCopy>, StoreError> {
    let copies = list_copies(state_home, project_id)?;
    let mut damaged: Vec<DamagedCopy> = copies
        .iter()
        .filter_map(|copy| Some(DamagedCopy { folder: copy.folder.clone(), why: verify(copy).err()? }))
        .collect();
    let place = state_home.join(project_id);
    for entry in place.read_dir_utf8().into_iter().flatten().flatten() {
        let known = copies.iter().any(|copy| copy.folder == entry.path());
        if !known && !entry.file_name().starts_with('.') && entry.path().is_dir() {
            let why = "its `copy.json` is missing or cannot be read".to_owned();
            damaged.push(DamagedCopy { folder: entry.path().to_owned(), why });
        }
    }
    Ok(damaged)
}

fn verify(copy: &Copy) -> Result<(), String> {
    let path = copy.folder.join(FILE);
    let wrong = |error: rusqlite::Error| format!("{FILE}: {error}");
    if !path.is_file() {
        return Err(format!("{FILE} is missing"));
    }
    // Immutable: no lock, no log, whoever else reads it.
    let uri = format!("file:{}?immutable=1", path.as_str().replace('%', "%25").replace('?', "%3f").replace('#', "%23"));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(uri, flags).map_err(wrong)?;
    let found: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(wrong)?;
    if found != "ok" {
        return Err(format!("{FILE}: {found}"));
    }
    let events: i64 = conn.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).map_err(wrong)?;
    // Counted before the copy was made: a run may have written more meanwhile.
    if events.cast_unsigned() < copy.counts.events {
        return Err(format!("{FILE} holds {events} events, and {} were to be copied", copy.counts.events));
    }
    for key in &copy.states {
        let path = copy.folder.join("terraform").join(key).join(STATE);
        let text = fs::read(&path).map_err(|error| format!("terraform/{key}/{STATE}: {error}"))?;
        serde_json::from_slice::<serde::de::IgnoredAny>(&text)
            .map_err(|error| format!("terraform/{key}/{STATE} is no JSON: {error}"))?;
    }
    Ok(())
}
