//! The lock of a deployment: one writer, held by otto and, through inheritance, by every supervisor that it starts.
//!
//! It is the kernel's (`flock`), so it is never stale: it is free exactly when the last holder is gone. The file's
//! content only tells who holds it.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::thread;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::session;
use crate::model::{RunId, Timestamp};

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// otto's process.
    pub pid: u32,
    /// Its run, if it has one.
    pub run: Option<RunId>,
    /// `up`, `destroy`, ...
    pub verb: String,
    /// On which machine.
    pub host: String,
    /// Since when.
    pub since: Timestamp,
}

/// A lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Someone has it.
    #[error("locked by {0}")]
    Held(Holder),
    /// The file could not be used.
    #[error("{path}: {source}")]
    File {
        /// The lock's file.
        path: Utf8PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl Holder {
    /// Whether that otto itself still runs (if it ran on this machine, which `host` names). When not, the lock is held
    /// by what it started: a tool is still at work under its supervisor.
    pub fn lives(&self, host: &str) -> bool {
        self.host != host || i32::try_from(self.pid).is_ok_and(session::exists)
    }

    fn unknown() -> Self {
        Self { pid: 0, run: None, verb: "?".to_owned(), host: "?".to_owned(), since: Timestamp(0) }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == 0 {
            return f.write_str("an otto that did not say who it is");
        }
        write!(f, "`otto {}` (pid {} on {}, since {}", self.verb, self.pid, self.host, self.since)?;
        match &self.run {
            Some(run) => write!(f, ", run {run})"),
            None => f.write_str(")"),
        }
    }
}

/// A held lock. Dropping it gives it up, for this process; supervisors that got it keep it until they end.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: Utf8PathBuf,
}

impl Lock {
    /// Takes the lock, or tells who has it. Makes file (0600) and folder (0700).
    pub fn try_take(path: &Utf8Path, holder: &Holder) -> Result<Self, LockError> {
        let lock = attempt(path, FlockOperation::NonBlockingLockExclusive)?;
        lock.sign(holder)?;
        Ok(lock)
    }

    /// Takes the lock for reading: several may, while nobody has it for writing. Says nothing about itself in the file.
    pub fn try_share(path: &Utf8Path) -> Result<Self, LockError> {
        attempt(path, FlockOperation::NonBlockingLockShared)
    }

    /// Waits for the lock. Dropping the future ends the wait (its thread gives the lock up as soon as it gets it).
    pub async fn wait(path: &Utf8Path, holder: &Holder) -> Result<Self, LockError> {
        let (tell, told) = oneshot::channel();
        let place = path.to_owned();
        let work = move || drop(tell.send(open(&place, FlockOperation::LockExclusive)));
        let thread = thread::Builder::new().name("otto-lock".to_owned()).stack_size(128 << 10).spawn(work);
        thread.map_err(|source| failed(path, source))?;
        let lock = told.await.map_err(|_| failed(path, io::Error::other("the waiting thread ended")))??;
        lock.sign(holder)?;
        Ok(lock)
    }

    /// Its file.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// One more handle of the same lock, for a supervisor.
    pub(super) fn share(&self) -> io::Result<OwnedFd> {
        Ok(self.file.try_clone()?.into())
    }

    fn sign(&self, holder: &Holder) -> Result<(), LockError> {
        let text = serde_json::to_vec(holder).map_err(io::Error::from);
        // On a full disk the lock holds all the same, only nameless.
        let write = |text: Vec<u8>| self.file.set_len(0).and_then(|()| self.file.write_all_at(&text, 0));
        match text.and_then(write) {
            Err(error) if error.kind() != io::ErrorKind::StorageFull => Err(failed(&self.path, error)),
            _ => Ok(()),
        }
    }
}

fn failed(path: &Utf8Path, source: io::Error) -> LockError {
    LockError::File { path: path.to_owned(), source }
}

/// Not blocking, but patient for an instant: a lock that was just given up is still open in a child that has been
/// forked and has not reached its exec.
fn attempt(path: &Utf8Path, how: FlockOperation) -> Result<Lock, LockError> {
    for _ in 0..10 {
        match open(path, how) {
            Err(LockError::File { source, .. }) if source.kind() == io::ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(4096).read_to_string(&mut text));
    let holder = read.ok().and_then(|_| serde_json::from_str(&text).ok());
    Err(LockError::Held(holder.unwrap_or_else(Holder::unknown)))
}

fn open(path: &Utf8Path, how: FlockOperation) -> Result<Lock, LockError> {
    let at = |source| failed(path, source);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at)?;
    }
    loop {
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let file = options.map_err(at)?;
        match rustix::fs::flock(&file, how) {
            Ok(()) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(at(error.into())),
        }
        // A file that was removed meanwhile (`git clean`) locks nothing: the one that has the name now counts.
        let held = file.metadata().map_err(at)?;
        match fs::metadata(path) {
            Ok(named) if (named.dev(), named.ino()) == (held.dev(), held.ino()) => {
                return Ok(Lock { file, path: path.to_owned() });
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(at(error)),
        }
    }
}
