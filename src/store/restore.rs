//! Putting a copy back, and when an empty store must be refused because a copy knows better.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::OpenFlags;

use super::copies::{Copy, STATE};
use super::error::StoreError;
use super::files::{self, FileLock};
use super::open::{FILE, LOCK, Place, connect, inspect, is_blank, trust};

/// What [`restore`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Files put back.
    pub put_back: Vec<Utf8PathBuf>,
    /// Unusable files and the names under which they were kept.
    pub moved_aside: Vec<(Utf8PathBuf, Utf8PathBuf)>,
    /// State files that were there, usable, and so were left alone.
    pub kept: Vec<Utf8PathBuf>,
}

/// Puts a copy's store and states into a `.otto` folder. Nothing is ever overwritten: an unusable store (with its log)
/// is moved aside as `otto.db.damaged-<time>`, one that holds nothing as `otto.db.empty-<time>`; a usable state stays.
/// Repeating it after an interruption completes it.
///
/// # Errors
/// [`StoreError::Present`] when a usable store with content is there, [`StoreError::Newer`] when a later otto's is,
/// [`StoreError::Damaged`] when the copy itself is; disk full.
pub fn restore(copy: &Copy, folder: &Utf8Path) -> Result<Restored, StoreError> {
    let path = folder.join(FILE);
    files::private_folder(folder)?;
    let _lock = FileLock::take(&folder.join(LOCK))?;
    let why = match condition(folder)? {
        Condition::Usable => return Err(StoreError::Present { path }),
        Condition::Blank => "empty",
        Condition::Unusable => "damaged",
    };
    let mut done = Restored::default();
    // First everything new beside its place, checked and on the disk; only then is anything moved.
    let draft = folder.join("otto.db.restored");
    for end in ["", "-wal", "-shm", "-journal"] {
        files::remove(&Utf8PathBuf::from(format!("{draft}{end}")))?;
    }
    let origin = copy.folder.join(FILE);
    let bytes = fs::read(&origin).map_err(StoreError::io("read", &origin))?;
    if let Err(error) = files::write_new(&draft, &bytes).and_then(|()| check(&draft, &origin)) {
        files::remove(&draft)?;
        return Err(error);
    }
    for key in &copy.states {
        restore_state(copy, key, folder, &mut done)?;
    }
    let stamp = files::stamp(files::now());
    // The log goes first: left beside another database, SQLite would take it for that one's.
    for end in ["-shm", "-wal", ""] {
        let from = Utf8PathBuf::from(format!("{path}{end}"));
        if files::length(&from)?.is_some() {
            let to = free_name(&folder.join(format!("{FILE}.{why}-{stamp}")), end);
            files::rename(&from, &to)?;
            done.moved_aside.push((from, to));
        }
    }
    files::rename(&draft, &path)?;
    done.put_back.push(path);
    Ok(done)
}

enum Condition {
    Usable,
    Blank,
    Unusable,
}

fn condition(folder: &Utf8Path) -> Result<Condition, StoreError> {
    let blank = inspect(folder).and_then(|place| match place {
        Place::Free => Ok(None),
        Place::Taken => is_blank(folder).map(Some),
    });
    match blank {
        Ok(Some(false)) => Ok(Condition::Usable),
        Ok(Some(true)) => Ok(Condition::Blank),
        Ok(None) | Err(StoreError::Damaged { .. }) => Ok(Condition::Unusable),
        Err(error) => Err(error),
    }
}

/// The draft opens and is sound; else the copy is what is damaged.
fn check(draft: &Utf8Path, origin: &Utf8Path) -> Result<(), StoreError> {
    let blame = |error| match error {
        StoreError::Damaged { what, .. } => StoreError::Damaged { path: origin.to_owned(), what },
        StoreError::Newer { found, known, .. } => StoreError::Newer { path: origin.to_owned(), found, known },
        error => error,
    };
    let conn = connect(draft, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(blame)?;
    trust(&conn, draft).map_err(blame)?;
    conn.close().map_err(|(_, error)| StoreError::sqlite(draft, error))?;
    files::sync(draft)
}

fn restore_state(copy: &Copy, key: &str, folder: &Utf8Path, done: &mut Restored) -> Result<(), StoreError> {
    let origin = copy.folder.join("terraform").join(key).join(STATE);
    let home = folder.join("terraform").join(key);
    let target = home.join(STATE);
    let bytes = fs::read(&origin).map_err(StoreError::io("read", &origin))?;
    files::private_folder(&home)?;
    match fs::read(&target) {
        Ok(found) if is_state(&found) => {
            done.kept.push(target);
            return Ok(());
        }
        Ok(_) => {
            let aside = free_name(&home.join(format!("{STATE}.damaged-{}", files::stamp(files::now()))), "");
            files::rename(&target, &aside)?;
            done.moved_aside.push((target.clone(), aside));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::io("read", &target)(error)),
    }
    let draft = home.join(format!("{STATE}.restored"));
    files::remove(&draft)?;
    files::write_new(&draft, &bytes)?;
    files::rename(&draft, &target)?;
    done.put_back.push(target);
    Ok(())
}

/// Terraform can read it: a JSON object with a version (a killed one leaves 0 bytes, a full disk a cut file).
fn is_state(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(bytes).is_ok_and(|state| state.get("version").is_some())
}

fn free_name(wanted: &Utf8Path, end: &str) -> Utf8PathBuf {
    let first = Utf8PathBuf::from(format!("{wanted}{end}"));
    let more = (2..).map(|n| Utf8PathBuf::from(format!("{wanted}.{n}{end}")));
    std::iter::once(first.clone()).chain(more).find(|name| fs::symlink_metadata(name).is_err()).unwrap_or(first)
}

/// Whether beginning with an empty store would forget something: the newest copy of some store lists what still exists,
/// and that store was this project's (`project_folder`, or its `.otto` folder `home`), or is no longer where it was.
/// Otherwise the copy belongs to another clone of the project, which still has its store.
///
/// `store_id_in` tells the id of the store in a `.otto` folder: [`super::store_id_at`].
pub fn should_refuse_empty<'a>(
    copies: &'a [Copy],
    home: &Utf8Path,
    project_folder: &Utf8Path,
    store_id_in: impl Fn(&Utf8Path) -> Option<String>,
) -> Option<&'a Copy> {
    let newest = |n: usize| !copies[..n].iter().any(|newer| newer.store_id == copies[n].store_id);
    copies.iter().enumerate().filter(|(n, copy)| newest(*n) && !copy.exists.is_empty()).map(|(_, copy)| copy).find(
        |copy| {
            let ours = copy.project_folder == project_folder || copy.home == home;
            // A store that is there and cannot be read (an empty id) is that clone's own trouble.
            ours || store_id_in(&copy.home).is_none_or(|id| !id.is_empty() && id != copy.store_id)
        },
    )
}
