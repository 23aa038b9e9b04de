//! Finds out what became of a call that an earlier otto began.

use std::io;

use camino::Utf8Path;
use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::folder::Folder;
use super::running::{Ended, ProcessError, Running};

/// What a call's folder tells.
#[derive(Debug)]
pub enum Found {
    /// Its tool was never started, and now never will be.
    NeverStarted,
    /// Some process of it lives (its supervisor may be dead): await it as any other.
    Running(Running),
    /// It is over, and how is on record.
    Ended(Ended),
    /// It is over, and nobody saw how: what it left has to be looked for.
    Lost,
}

/// Looks at a call's folder. Taking the claim here is what makes `NeverStarted` certain: a supervisor that comes late
/// finds it taken and starts nothing.
pub fn look(path: &Utf8Path) -> Result<Found, ProcessError> {
    find(&Folder::at(path)).map_err(|source| ProcessError::Folder { path: path.to_owned(), source })
}

/// Whether some process of a call lives. Reads only and takes nothing: for looking at what others do.
pub fn at_work(path: &Utf8Path) -> bool {
    let folder = Folder::at(path);
    let started = || folder.started().ok().flatten().is_some_and(|started| !started.session.living().is_empty());
    is_locked(&folder.file("alive")) || started()
}

/// Whether somebody holds the lock of this file. Neither makes the file nor writes into it.
fn is_locked(path: &Utf8Path) -> bool {
    let Ok(file) = std::fs::File::open(path) else { return false };
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
}

fn find(folder: &Folder) -> io::Result<Found> {
    // Held until the answer is there.
    let _alive = match folder.alive() {
        Ok(alive) => match rustix::fs::flock(&alive, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Some(alive),
            Err(Errno::WOULDBLOCK) => return running(folder),
            Err(error) => return Err(error.into()),
        },
        // The files are made before a supervisor is, and it starts nothing without this one.
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    match folder.claim("recovery\n") {
        Ok(true) => return Ok(Found::NeverStarted),
        Ok(false) => {}
        // Not even the folder.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::NeverStarted),
        Err(error) => return Err(error),
    }
    let started = match folder.started() {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(Found::Lost),
        other => other?,
    };
    if started.as_ref().is_some_and(|started| !started.session.living().is_empty()) {
        return running(folder);
    }
    Ok(match (folder.exit()?, started) {
        (Some(exit), _) => Found::Ended(exit),
        // The supervisor records itself before it starts the tool: this one was killed before, or the claim is that
        // of an earlier recovery.
        (None, None) => Found::NeverStarted,
        (None, Some(_)) => Found::Lost,
    })
}

fn running(folder: &Folder) -> io::Result<Found> {
    Ok(Found::Running(Running::adopted(folder.clone(), folder.command()?.ladder, folder.started()?)))
}
