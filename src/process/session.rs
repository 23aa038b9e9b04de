//! Processes by identity: pid and start time, sessions and who still lives in one, signals that cannot hit a stranger.

use std::io;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

/// One process, for as long as the machine runs: a pid may be given out again, never with the same start time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proc {
    /// Process id.
    pub pid: i32,
    /// Clock ticks from boot to its start; 0 where the system does not tell.
    pub start_time: u64,
}

/// A session: all that descends from its leader, but for what made a session of its own (a daemon).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The supervisor.
    pub leader: Proc,
    /// Boot and pid namespace in which these numbers mean something.
    pub boot: String,
}

/// A living process of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Living {
    /// Process id.
    pub pid: i32,
    /// Its name, as the system shortens it.
    pub name: String,
}

impl Session {
    /// The session that this process leads.
    pub(super) fn own() -> Self {
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        Self { leader: Proc::find(pid).unwrap_or(Proc { pid, start_time: 0 }), boot: boot() }
    }

    /// Living processes other than the leader; zombies do not live. Looked for twice before it is called empty, as
    /// a process can be born behind the reader's back by one that dies before it.
    pub fn living(&self) -> Vec<Living> {
        let found = scan(self);
        if !found.is_empty() {
            return found;
        }
        thread::sleep(Duration::from_millis(2));
        scan(self)
    }

    /// Returns once nothing of it lives; `between` is called now and then.
    pub(super) fn wait_empty(&self, mut between: impl FnMut()) {
        loop {
            let living = self.living();
            between();
            if living.is_empty() {
                return;
            }
            wait_any(&living, Duration::from_millis(250));
        }
    }
}

fn pid(raw: i32) -> Option<Pid> {
    Pid::from_raw(raw).filter(|pid| pid.as_raw_nonzero().get() > 1)
}

/// Whether a process with this id exists, as a zombie too.
pub(super) fn exists(raw: i32) -> bool {
    // EPERM is somebody else's living process.
    pid(raw).is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

fn sent(result: Result<(), rustix::io::Errno>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::SRCH) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

use system::{boot, scan, wait_any};
pub(super) use system::{signal_group, signal_process};

#[cfg(target_os = "linux")]
mod system {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec};
    use rustix::process::{PidfdFlags, kill_process_group, pidfd_open, pidfd_send_signal};

    /// What `/proc/PID/stat` tells.
    struct Stat {
        name: String,
        zombie: bool,
        group: i32,
        session: i32,
        start_time: u64,
    }

    fn stat(pid: i32) -> Option<Stat> {
        let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        let text = String::from_utf8_lossy(&text);
        // The name stands in parentheses and may hold any character: the last one closes it.
        let (head, tail) = text.rsplit_once(')')?;
        let name = head.split_once('(')?.1.to_owned();
        let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse().ok();
        let state = fields.first()?;
        let dead = matches!(*state, "Z" | "X" | "x");
        Some(Stat {
            name,
            // A leader that ended while other threads of it work looks like a zombie, too.
            zombie: dead && threads(pid) <= 1,
            group: number(2)?,
            session: number(3)?,
            start_time: fields.get(19)?.parse().ok()?,
        })
    }

    fn threads(pid: i32) -> usize {
        std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
    }

    impl Proc {
        /// The process that has this id now, alive or zombie.
        pub fn find(pid: i32) -> Option<Self> {
            stat(pid).map(|stat| Self { pid, start_time: stat.start_time })
        }

        /// Whether this very process runs.
        pub fn lives(&self) -> bool {
            stat(self.pid).is_some_and(|stat| stat.start_time == self.start_time && !stat.zombie)
        }
    }

    pub(super) fn boot() -> String {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        format!("{} {}", id.trim(), namespace.display())
    }

    pub(super) fn scan(session: &Session) -> Vec<Living> {
        members(session, |_| true)
    }

    fn members(session: &Session, wanted: impl Fn(&Stat) -> bool) -> Vec<Living> {
        let leader = &session.leader;
        // The kernel gives a session's number to nobody while one of its processes is left. So when the leader's
        // number is somebody else's, or the machine was booted since, nothing of it is left.
        if stat(leader.pid).is_some_and(|now| now.start_time != leader.start_time) || session.boot != boot() {
            return Vec::new();
        }
        let ours = |pid, stat: &Stat| pid != leader.pid && stat.session == leader.pid && !stat.zombie && wanted(stat);
        let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
        entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(|pid: i32| {
                let stat = stat(pid)?;
                ours(pid, &stat).then_some(Living { pid, name: stat.name })
            })
            .collect()
    }

    /// Returns when one of them ended, or after the time.
    pub(super) fn wait_any(living: &[Living], time: Duration) {
        let open = |one: &Living| pidfd_open(pid(one.pid)?, PidfdFlags::empty()).ok();
        let handles: Vec<_> = living.iter().take(64).filter_map(open).collect();
        if handles.is_empty() {
            return thread::sleep(Duration::from_millis(20).min(time));
        }
        let mut polled: Vec<_> = handles.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
        // An interrupted or failed wait only means to look again; the pause keeps that from becoming a spin.
        let time = Timespec { tv_sec: 0, tv_nsec: i64::from(time.subsec_nanos()) };
        if rustix::event::poll(&mut polled, Some(&time)).is_err() {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Signals exactly this process; `false` when it is gone.
    pub(in crate::process) fn signal_process(to: &Proc, signal: Signal) -> io::Result<bool> {
        let Some(raw) = pid(to.pid) else { return Ok(false) };
        let handle = match pidfd_open(raw, PidfdFlags::empty()) {
            Ok(handle) => handle,
            Err(rustix::io::Errno::SRCH) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        // The handle stands for whoever has the pid now: looked at after it was opened, it cannot change any more.
        if !to.lives() {
            return Ok(false);
        }
        sent(pidfd_send_signal(handle, signal))
    }

    /// Signals the group that the tool leads, as long as one of this session is in it.
    pub(in crate::process) fn signal_group(session: &Session, leader: &Proc, signal: Signal) -> io::Result<bool> {
        let Some(raw) = pid(leader.pid) else { return Ok(false) };
        if members(session, |stat| stat.group == leader.pid).is_empty() {
            return Ok(false);
        }
        sent(kill_process_group(raw, signal))
    }
}

/// Systems without `/proc`: the leader's and the tool's groups stand for the session.
#[cfg(not(target_os = "linux"))]
mod system {
    use super::*;
    use rustix::process::{kill_process, kill_process_group, test_kill_process_group};

    impl Proc {
        /// The process that has this id now.
        pub fn find(raw: i32) -> Option<Self> {
            exists(raw).then_some(Self { pid: raw, start_time: 0 })
        }

        /// Whether a process with this id runs.
        pub fn lives(&self) -> bool {
            exists(self.pid)
        }
    }

    pub(super) fn boot() -> String {
        String::new()
    }

    pub(super) fn scan(_session: &Session) -> Vec<Living> {
        Vec::new()
    }

    pub(super) fn wait_any(_living: &[Living], time: Duration) {
        thread::sleep(time);
    }

    pub(in crate::process) fn signal_process(to: &Proc, signal: Signal) -> io::Result<bool> {
        pid(to.pid).map_or(Ok(false), |pid| sent(kill_process(pid, signal)))
    }

    pub(in crate::process) fn signal_group(_session: &Session, leader: &Proc, signal: Signal) -> io::Result<bool> {
        let Some(pid) = pid(leader.pid) else { return Ok(false) };
        if test_kill_process_group(pid).is_err() {
            return Ok(false);
        }
        sent(kill_process_group(pid, signal))
    }
}
