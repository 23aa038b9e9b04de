//! Starts supervisors, and reaps them.
//!
//! By `posix_spawn`: a fork would copy otto's page tables, and each page that otto writes to afterwards, for every call.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal};
use rustix::process::{Pid, WaitOptions, WaitStatus, waitpid};

use super::folder::Folder;
use super::supervisor::{READY, WORD};
use crate::model::Secret;

/// `POSIX_SPAWN_SETSID`, which `nix` does not name.
const SETSID: i32 = if cfg!(target_os = "macos") { 0x400 } else { 0x80 };
/// How long a supervisor that let go of its locks may take to be gone.
const GOING: Duration = Duration::from_millis(200);

/// Starts the supervisor of a call and hands it the locks; returns when it says that the tool's fate is on record.
/// `secrets` are added to its environment, which the tool inherits.
pub(super) fn launch(
    exe: &Utf8Path,
    folder: &Folder,
    locks: Vec<OwnedFd>,
    secrets: &BTreeMap<String, Secret>,
) -> io::Result<Reaped> {
    let (mut ready, write) = io::pipe()?;
    let child = spawn(exe, folder, &locks, &write, secrets)?;
    // It holds the pipe's other end, and the locks, too.
    drop((write, locks));
    let mut said = Vec::new();
    let mut buffer = [0; 16];
    while said != READY {
        match ready.read(&mut buffer) {
            Ok(0) => break,
            Ok(got) => said.extend_from_slice(&buffer[..got]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // Silence after the claim means that the supervisor was killed: then the call is found as any other such.
    if said != READY && !folder.file("claim").exists() {
        return Err(io::Error::other("it ended without taking the claim"));
    }
    Ok(child)
}

fn spawn(
    exe: &Utf8Path,
    folder: &Folder,
    locks: &[OwnedFd],
    ready: &io::PipeWriter,
    secrets: &BTreeMap<String, Secret>,
) -> io::Result<Reaped> {
    let null = File::options().read(true).write(true).open("/dev/null")?;
    let mut actions = PosixSpawnFileActions::init()?;
    for (fd, becomes) in [(null.as_raw_fd(), 0), (ready.as_raw_fd(), 1), (null.as_raw_fd(), 2)] {
        actions.add_dup2(fd, becomes)?;
    }
    for lock in locks {
        // Onto itself: it stays open through exec, in this child alone; no other gets it by chance.
        actions.add_dup2(lock.as_raw_fd(), lock.as_raw_fd())?;
    }
    let mut attr = PosixSpawnAttr::init()?;
    let mut pipe = SigSet::empty();
    // Rust ignores it for itself, and what is ignored stays so through exec.
    pipe.add(Signal::SIGPIPE);
    attr.set_sigdefault(&pipe)?;
    attr.set_sigmask(&SigSet::empty())?;
    // A session of its own from the first instruction: a Ctrl-C before the supervisor's own would end it.
    let session = PosixSpawnFlags::from_bits_retain(SETSID);
    attr.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | session)?;
    let text = |bytes: Vec<u8>| CString::new(bytes).map_err(io::Error::other);
    let words = [exe.as_str(), WORD, folder.path().as_str()].map(str::to_owned).into_iter();
    let words = words.chain(locks.iter().map(|fd| fd.as_raw_fd().to_string()));
    let args = words.map(|word| text(word.into_bytes())).collect::<io::Result<Vec<_>>>()?;
    let inherited =
        std::env::vars_os().filter(|(name, _)| name.to_str().is_none_or(|name| !secrets.contains_key(name)));
    let pairs = inherited.map(|(name, value)| [name.into_vec(), value.into_vec()].join(&b'='));
    let added = secrets.iter().map(|(name, value)| format!("{name}={}", value.reveal()).into_bytes());
    let env = pairs.chain(added).map(text).collect::<io::Result<Vec<_>>>()?;
    let pid = posix_spawn(exe.as_std_path(), &actions, &attr, &args, &env)?;
    let pid = Pid::from_raw(pid.as_raw()).ok_or_else(|| io::Error::other("it has no process id"))?;
    Ok(Reaped { pid, ended: Mutex::new(None) })
}

/// A supervisor is this process's child: it has to be reaped, though nobody may wait for it any more.
#[derive(Debug)]
pub(super) struct Reaped {
    pid: Pid,
    /// Once it was reaped: its exit code, if it was not killed.
    ended: Mutex<Option<Option<i32>>>,
}

static LEFT: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Reaps it if it is dead; an error means that there is no such child (any more).
fn reaped(pid: Pid) -> io::Result<Option<WaitStatus>> {
    let found = rustix::io::retry_on_intr(|| waitpid(Some(pid), WaitOptions::NOHANG))?;
    Ok(found.map(|(_, status)| status))
}

impl Reaped {
    /// Whether it ended with 0; asked when its lock is free, so that it is ending or was killed.
    pub(super) fn did_its_work(&self) -> bool {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + GOING;
        loop {
            if let Some(code) = *ended {
                return code == Some(0);
            }
            match reaped(self.pid) {
                Ok(Some(status)) => *ended = Some(status.exit_status()),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_micros(200)),
                _ => return false,
            }
        }
    }
}

impl Drop for Reaped {
    fn drop(&mut self) {
        let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
        if self.ended.get_mut().unwrap_or_else(PoisonError::into_inner).is_none() {
            left.push(self.pid);
        }
        left.retain(|pid| matches!(reaped(*pid), Ok(None)));
    }
}
