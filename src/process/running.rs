//! Starts a call under its supervisor, waits for its end, and climbs its stop ladder: the same for own and adopted.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::FlockOperation;
use tokio::sync::oneshot;

use super::command::Command;
use super::folder::{Exit, Folder, Started};
use super::ladder::{Climbed, Ladder};
use super::launch::{Reaped, launch};
use super::lock::Lock;
use super::servants::Servants;
use super::session::Living;
use crate::model::End;

/// How a call ended, and that nothing of it is left.
pub type Ended = Exit;

/// A call could not be started, found or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// A file of the call's folder.
    #[error("{path}: {source}")]
    Folder {
        /// The folder.
        path: Utf8PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The supervisor could not be started: the tool was not.
    #[error("supervisor {exe} did not start: {source}")]
    Supervisor {
        /// Which program was to be it.
        exe: Utf8PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// A call whose processes may still be at work. Dropping it stops nothing.
#[derive(Debug)]
pub struct Running {
    folder: Folder,
    ladder: Box<Ladder>,
    started: Mutex<Option<Started>>,
    supervisor: Option<Arc<Reaped>>,
}

/// Starts a command under a supervisor of its own: makes `folder`, hands the locks over (the supervisor holds them as
/// long as a process of the call lives; the tool never does), and returns once the tool runs or its failure to start
/// is on record (then [`Running::ended`] says [`End::NotStarted`]). `exe` is otto itself.
///
/// Goes on in the background when the future is dropped.
pub async fn start(
    exe: &Utf8Path,
    folder: &Utf8Path,
    command: &Command,
    locks: &[&Lock],
) -> Result<Running, ProcessError> {
    let at = |source| ProcessError::Folder { path: folder.to_owned(), source };
    let locks = locks.iter().map(|lock| lock.share()).collect::<io::Result<Vec<_>>>().map_err(at)?;
    let (exe, command) = (exe.to_owned(), command.clone());
    let call = Folder::at(folder);
    let task = tokio::task::spawn_blocking(move || {
        call.make(&command).map_err(|source| ProcessError::Folder { path: call.path().to_owned(), source })?;
        let supervisor = launch(&exe, &call, locks, &command.secret_env)
            .map_err(|source| ProcessError::Supervisor { exe, source })?;
        let started = call.started().ok().flatten();
        Ok(Running {
            folder: call,
            ladder: Box::new(command.ladder),
            started: Mutex::new(started),
            supervisor: Some(Arc::new(supervisor)),
        })
    });
    task.await.map_err(|gone| at(io::Error::other(gone)))?
}

impl Running {
    /// One that was found instead of started.
    pub(super) fn adopted(folder: Folder, ladder: Ladder, started: Option<Started>) -> Self {
        Self { folder, ladder: Box::new(ladder), started: Mutex::new(started), supervisor: None }
    }

    /// The call's folder.
    pub fn folder(&self) -> &Utf8Path {
        self.folder.path()
    }

    /// The tool's process; `None` if it could not be started, or if its supervisor was killed in that very moment.
    pub fn pid(&self) -> Option<i32> {
        self.started().and_then(|started| started.tool).map(|tool| tool.pid)
    }

    /// Its start time in clock ticks since boot: with the pid, an identity.
    pub fn start_time(&self) -> Option<u64> {
        self.started().and_then(|started| started.tool).map(|tool| tool.start_time)
    }

    /// What still lives of the call, supervisor excluded: for saying what is waited for.
    pub fn living(&self) -> Vec<Living> {
        self.started().map(|started| started.session.living()).unwrap_or_default()
    }

    fn started(&self) -> Option<Started> {
        let mut known = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|started| started.tool.is_none()) {
            *known = self.folder.started().ok().flatten().or(known.take());
        }
        known.clone()
    }

    /// Waits, for as long as it takes, until nothing of the call lives, and tells how the tool ended. May be asked
    /// more than once, and dropped: the wait is in a thread of its own that keeps no process from exiting.
    pub async fn ended(&self) -> Ended {
        loop {
            let (tell, told) = oneshot::channel();
            let (folder, known, supervisor) = (self.folder.clone(), self.started(), self.supervisor.clone());
            let work = move || drop(tell.send(settle(&folder, known.as_ref(), supervisor.as_deref())));
            let thread = std::thread::Builder::new().name("otto-wait".to_owned()).stack_size(128 << 10).spawn(work);
            if thread.is_ok()
                && let Ok(ended) = told.await
            {
                return ended;
            }
            // No more threads for now; the child's end is on record whenever one can be had.
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Climbs to a rung of the stop ladder: 1 for the first request, 3 for the third and all after it.
    pub fn climb(&self, level: u8) -> Result<Climbed, ProcessError> {
        let Some(started) = self.started() else { return Ok(Climbed::Gone) };
        let climbed = self.ladder.rung(level).climb(&started);
        climbed.map_err(|source| ProcessError::Folder { path: self.folder().to_owned(), source })
    }

    /// The ladder, for saying what a rung does.
    pub fn ladder(&self) -> &Ladder {
        &self.ladder
    }
}

/// Blocks until nothing of a call lives.
fn settle(folder: &Folder, known: Option<&Started>, supervisor: Option<&Reaped>) -> Ended {
    // Locked while the session is waited for: others that ask meanwhile hear that it lives.
    let alive = folder.alive();
    if let Ok(alive) = &alive {
        let _ = rustix::io::retry_on_intr(|| rustix::fs::flock(alive, FlockOperation::LockExclusive));
    }
    // A supervisor that says so itself has waited for the session and has written down the outcome.
    if supervisor.is_some_and(Reaped::did_its_work)
        && let Ok(Some(exit)) = folder.exit()
    {
        return exit;
    }
    conclude(folder, known)
}

/// How a call ended whose `alive` is free: its supervisor is gone, its session perhaps not yet.
pub(super) fn conclude(folder: &Folder, known: Option<&Started>) -> Ended {
    let recorded = folder.started();
    if let Some(started) = recorded.as_ref().ok().and_then(Option::as_ref).or(known) {
        let mut servants = Servants::named(&folder.command().map(|command| command.servants).unwrap_or_default());
        started.session.wait_empty(|| servants.tick(started));
    }
    let end = match (folder.exit(), recorded) {
        (Ok(Some(exit)), _) => return exit,
        (Ok(None), Ok(None)) if known.is_none() => {
            End::NotStarted { why: "its supervisor ended before it could start it".to_owned() }
        }
        _ => End::Unknown,
    };
    Exit { end, timed_out: false, took_ms: 0 }
}
