//! Why the store could not be opened, read or written.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::ErrorCode;

use crate::model::SinkError;

/// Every way in which the store fails. Nothing was changed on the disk when one of these is returned.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Written by a later otto.
    #[error(
        "{path} has format {found}, and this otto knows formats up to {known}: use the otto that wrote it or a later one"
    )]
    Newer {
        /// The file.
        path: Utf8PathBuf,
        /// Its format.
        found: u32,
        /// The latest one known here.
        known: u32,
    },
    /// There, and not usable: cut short, not a database, inconsistent; or gone although its deployments are there.
    #[error("{path} is damaged: {what}; `otto state restore` puts the last copy back")]
    Damaged {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// No space left.
    #[error("{path} cannot be written: the disk is full; free some space and repeat the command")]
    Full {
        /// The file.
        path: Utf8PathBuf,
    },
    /// Another process kept it locked for too long.
    #[error("{path} stayed locked by another otto; if none is at work, look for a stopped one")]
    Busy {
        /// The file.
        path: Utf8PathBuf,
    },
    /// A change was asked of a store opened for reading.
    #[error("{path} was opened for reading only")]
    ReadOnly {
        /// The file.
        path: Utf8PathBuf,
    },
    /// An event that does not continue its run.
    #[error("event {seq} of run {run} was refused: {why}")]
    Refused {
        /// The run.
        run: String,
        /// The event's number.
        seq: u64,
        /// The reason.
        why: String,
    },
    /// A usable store is there, so nothing is put over it.
    #[error("{path} is usable and was kept; move it away first if the copy shall take its place")]
    Present {
        /// The file.
        path: Utf8PathBuf,
    },
    /// The system refused.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// `create`, `read`, ...
        doing: &'static str,
        /// The file or folder.
        path: Utf8PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// Anything else that SQLite reports.
    #[error("{path}: {source}")]
    Sqlite {
        /// The file.
        path: Utf8PathBuf,
        /// Its reason.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// The disk is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// For `map_err`: the system's refusal, with what was tried.
    pub(super) fn io(doing: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Io { doing, path, source },
        }
    }

    /// SQLite's refusal, sorted into what a person can act on.
    pub(super) fn sqlite(path: &Utf8Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        if let rusqlite::Error::FromSqlConversionFailure(_, _, why) = &source {
            return Self::Damaged { what: format!("a record in it cannot be read ({why})"), path };
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { path, what: source.to_string() }
            }
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            // The index file beside the database fails with other codes than the database itself.
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) if no_space(&path) => Self::Full { path },
            _ => Self::Sqlite { path, source },
        }
    }
}

impl From<StoreError> for SinkError {
    fn from(error: StoreError) -> Self {
        Self { full: error.is_full(), what: error.to_string() }
    }
}

/// Not even one more index page fits on the file's disk.
fn no_space(path: &Utf8Path) -> bool {
    let folder = path.parent().unwrap_or(path);
    rustix::fs::statvfs(folder.as_std_path()).is_ok_and(|fs| fs.f_bavail.saturating_mul(fs.f_frsize) < 64 * 1024)
}
