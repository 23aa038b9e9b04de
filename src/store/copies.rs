//! Copies of the state outside of the project: `<state home>/<project id>/<time>-<n>/` with `otto.db`,
//! `terraform/<deployment key>/terraform.tfstate` and `copy.json` (a [`Copy`] with `"v": 1`). A copy is made under a name
//! with a leading dot and renamed when all of it is on the disk, so what can be listed is whole.

use std::fs;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::StoreError;
use super::files::{self, FileLock};
use super::journal::Store;
use super::open::{FILE, connect};
use crate::model::Timestamp;

/// So many copies are kept of a project.
const KEPT: usize = 20;
/// What a copy says about itself.
const MANIFEST: &str = "copy.json";
/// The state's name within its deployment's folder.
pub(super) const STATE: &str = "terraform.tfstate";

/// One copy, as its `copy.json` describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// Its folder.
    #[serde(skip)]
    pub folder: Utf8PathBuf,
    /// The version of this document.
    pub v: u32,
    /// Which store it is a copy of.
    pub store_id: String,
    /// The project that the store belonged to.
    pub project_folder: Utf8PathBuf,
    /// The `.otto` folder that the store was in.
    pub home: Utf8PathBuf,
    /// When it was made.
    pub at: Timestamp,
    /// Names of deployments of which something may exist.
    pub exists: Vec<String>,
    /// How much it holds.
    pub counts: Counts,
    /// Keys of the deployments with a Terraform state in it.
    #[serde(default)]
    pub states: Vec<String>,
    /// Equal for two copies of the same content.
    #[serde(default)]
    pub mark: String,
}

/// How much a copy holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Deployments, destroyed ones included.
    pub deployments: u64,
    /// Images.
    pub images: u64,
    /// Runs.
    pub runs: u64,
    /// Events of all runs.
    pub events: u64,
    /// Rows of the ledger.
    pub ledger: u64,
}

/// Copies the store, and the Terraform states named by deployment key (those that are there), below `state_home`
/// (`$XDG_STATE_HOME/otto`). The last 20 copies of a project are kept; older ones only if they are a store's newest and
/// list something that exists. When nothing has changed since the store's newest copy, that one is returned.
///
/// # Errors
/// Disk full, unreadable, or a name that is no deployment key. No half-made copy stays.
pub fn save_copy(
    store: &Store,
    state_home: &Utf8Path,
    project_id: &str,
    project_folder: &Utf8Path,
    states: &[(String, Utf8PathBuf)],
) -> Result<Utf8PathBuf, StoreError> {
    let place = place(state_home, project_id)?;
    let _lock = FileLock::take(&place.join(".lock"))?;
    let mut contents = Vec::new();
    for (name, path) in states {
        plain(name, &place)?;
        match fs::read(path) {
            Ok(bytes) => contents.push((name.clone(), bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io("read", path)(error)),
        }
    }
    let known = list_copies(state_home, project_id)?;
    let copy = describe(store, project_folder, &contents)?;
    let newest = known.iter().find(|other| other.store_id == copy.store_id);
    if let Some(newest) = newest
        && newest.mark == copy.mark
        && newest.project_folder == copy.project_folder
        && newest.home == copy.home
    {
        return Ok(newest.folder.clone());
    }
    let draft = place.join(".new");
    clear(&draft)?;
    let made = write(store, &draft, &copy, &contents, newest).and_then(|()| publish(&draft, &place, copy.at));
    let Ok(folder) = made else {
        // What is half made is of no use, and may be what fills the disk.
        let _ = fs::remove_dir_all(&draft);
        return made;
    };
    prune(&list_copies(state_home, project_id)?)?;
    Ok(folder)
}

/// The copies of a project, newest first. Folders without a readable `copy.json` are no copies.
///
/// # Errors
/// The folder is there and cannot be read.
pub fn list_copies(state_home: &Utf8Path, project_id: &str) -> Result<Vec<Copy>, StoreError> {
    let place = place(state_home, project_id)?;
    let entries = match place.read_dir_utf8() {
        Ok(entries) => entries,
        // Where no folder can be, no copy is.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io("read", &place)(error)),
    };
    let mut copies: Vec<Copy> = entries
        .flatten()
        .filter(|entry| !entry.file_name().starts_with('.'))
        .filter_map(|entry| {
            let text = fs::read(entry.path().join(MANIFEST)).ok()?;
            let copy: Copy = serde_json::from_slice(&text).ok()?;
            Some(Copy { folder: entry.path().to_owned(), ..copy })
        })
        .collect();
    copies.sort_by_key(|copy| std::cmp::Reverse((copy.at, number(&copy.folder))));
    Ok(copies)
}

/// The folder of a project's copies.
fn place(state_home: &Utf8Path, project_id: &str) -> Result<Utf8PathBuf, StoreError> {
    plain(project_id, state_home)?;
    Ok(state_home.join(project_id))
}

/// Refuses a name that would lead elsewhere.
fn plain(name: &str, below: &Utf8Path) -> Result<(), StoreError> {
    if !name.is_empty() && !name.starts_with('.') && !name.contains('/') {
        return Ok(());
    }
    let source = std::io::Error::other(format!("`{name}` cannot be the name of a folder in it"));
    Err(StoreError::io("write below", below)(source))
}

fn number(folder: &Utf8Path) -> u32 {
    folder.file_name().and_then(|name| name.rsplit_once('-')).and_then(|(_, n)| n.parse().ok()).unwrap_or(0)
}

fn describe(store: &Store, project_folder: &Utf8Path, states: &[(String, Vec<u8>)]) -> Result<Copy, StoreError> {
    let deployments = store.deployments()?;
    let exists = deployments.iter().filter(|one| one.phase.exists()).map(|one| one.id.to_string()).collect();
    let (counts, closed, last_at) = store.read(|conn| {
        let one = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
        let count = |table: &str| one(&format!("SELECT count(*) FROM {table}")).map(i64::cast_unsigned);
        let counts = Counts {
            deployments: count("deployments")?,
            images: count("images")?,
            runs: count("runs")?,
            events: count("events")?,
            ledger: count("ledger")?,
        };
        Ok((counts, one(r#"SELECT count("to") FROM ledger"#)?, one("SELECT coalesce(max(n), 0) FROM events")?))
    })?;
    let mut mark = Sha256::new();
    mark.update(format!("{} {counts:?} {closed} {last_at}", store.id()));
    for (name, bytes) in states {
        mark.update(format!("\n{name} {}\n", bytes.len()));
        mark.update(bytes);
    }
    Ok(Copy {
        folder: Utf8PathBuf::new(),
        v: 1,
        store_id: store.id().to_owned(),
        project_folder: project_folder.to_owned(),
        home: store.folder().to_owned(),
        at: files::now(),
        exists,
        counts,
        states: states.iter().map(|(name, _)| name.clone()).collect(),
        mark: mark.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

/// Writes all files of a copy and brings them to the disk. States that are as they were in the copy before are links to
/// those: they are on the disk already, and nobody changes a copy.
fn write(
    store: &Store,
    draft: &Utf8Path,
    copy: &Copy,
    states: &[(String, Vec<u8>)],
    before: Option<&Copy>,
) -> Result<(), StoreError> {
    files::private_folder(draft)?;
    let target = draft.join(FILE);
    files::write_new(&target, b"")?;
    store.read_with(|conn| copy_database(conn, &target))?;
    files::sync(&target)?;
    let place = |folder: &Utf8Path, name: &str| folder.join("terraform").join(name).join(STATE);
    let mut new = Vec::new();
    for (name, bytes) in states {
        let (folder, target) = (draft.join("terraform").join(name), place(draft, name));
        files::private_folder(&folder)?;
        let earlier = before.map(|copy| place(&copy.folder, name));
        let same = earlier.filter(|path| fs::read(path).is_ok_and(|old| old == *bytes));
        if same.is_none_or(|path| fs::hard_link(path, &target).is_err()) {
            files::write(&target, bytes)?;
            new.push(target);
        }
        new.push(folder);
    }
    // All is written before anything is synced: the first sync then brings most of it to the disk at once.
    new.iter().try_for_each(|path| files::sync(path))?;
    if !states.is_empty() {
        files::sync(&draft.join("terraform"))?;
    }
    let mut manifest = serde_json::to_vec_pretty(copy).unwrap_or_default();
    manifest.push(b'\n');
    files::write_new(&draft.join(MANIFEST), &manifest)?;
    files::sync(draft)
}

/// Page by page, from an open store into an empty file. The file is synced by the caller, so SQLite need not do it.
fn copy_database(from: &Connection, target: &Utf8Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::sqlite(target, error);
    let mut into = connect(target, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    into.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF").map_err(failed)?;
    let backup = Backup::new(from, &mut into).map_err(failed)?;
    match backup.step(-1).map_err(failed)? {
        rusqlite::backup::StepResult::Done => Ok(()),
        _ => Err(StoreError::Busy { path: target.to_owned() }),
    }
}

/// Gives the finished copy its name.
fn publish(draft: &Utf8Path, place: &Utf8Path, at: Timestamp) -> Result<Utf8PathBuf, StoreError> {
    let stamp = files::stamp(at);
    let folder = (1..)
        .map(|n| place.join(format!("{stamp}-{n}")))
        .find(|folder| fs::symlink_metadata(folder).is_err())
        .unwrap_or_else(|| place.join(stamp.clone()));
    files::rename(draft, &folder)?;
    Ok(folder)
}

/// Removes what is older than the last [`KEPT`], but never what would be the only memory of something that exists.
fn prune(copies: &[Copy]) -> Result<(), StoreError> {
    for (n, copy) in copies.iter().enumerate().skip(KEPT) {
        let newest_of_its_store = !copies[..n].iter().any(|newer| newer.store_id == copy.store_id);
        if newest_of_its_store && !copy.exists.is_empty() {
            continue;
        }
        // Out of the list first: a copy that is half removed must not look whole.
        files::remove(&copy.folder.join(MANIFEST))?;
        clear(&copy.folder)?;
    }
    Ok(())
}

fn clear(folder: &Utf8Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io("remove", folder)(error)),
        _ => Ok(()),
    }
}
