//! The supervisor: otto, re-executed, one per call of a tool. It starts the tool, outlives otto, writes down how the
//! tool ended, and keeps `alive` locked until nothing of the tool's session lives.
//!
//! `otto __supervise FOLDER [LOCK-FD…]`. Single-threaded, small, and never ended by a terminal or by otto.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode};
use signal_hook::consts as signals;

use super::bound::Bound;
use super::command::Command;
use super::folder::{Exit, Folder, Started};
use super::ladder::Ladder;
use super::servants::Servants;
use super::session::{Proc, Session};
use crate::model::End;

/// The word that asks for a supervisor.
pub const WORD: &str = "__supervise";
/// What it says on stdout once the tool's fate is on record.
pub(super) const READY: &[u8] = b"started\n";
/// How often output and time are looked at.
const TICK: Duration = Duration::from_millis(200);

/// Runs as a supervisor if the arguments (the program's name first) ask for one, and returns its exit code:
/// 0 when the outcome is on record, 3 when someone else has the claim, 1 when nothing could be done.
pub fn main_if_asked(args: &mut impl Iterator<Item = OsString>) -> Option<u8> {
    if args.nth(1)? != WORD {
        return None;
    }
    let folder = args.next().and_then(|path| path.into_string().ok());
    let locks: Option<Vec<RawFd>> = args.map(|fd| fd.to_str()?.parse().ok().filter(|fd| *fd > 2)).collect();
    let (Some(folder), Some(locks)) = (folder, locks) else { return Some(2) };
    Some(match supervise(&Folder::at(folder), &locks) {
        Ok(true) => 0,
        Ok(false) => 3,
        Err(_) => 1,
    })
}

fn supervise(folder: &Folder, locks: &[RawFd]) -> io::Result<bool> {
    let _locks = only(locks)?;
    deaf()?;
    lead_session()?;
    let alive = folder.alive()?;
    rustix::io::retry_on_intr(|| rustix::fs::flock(&alive, FlockOperation::LockExclusive))?;
    let session = Session::own();
    if !folder.claim(&format!("{}\n", session.leader.pid))? {
        return Ok(false);
    }
    // From here on the claim promises an outcome.
    let mut started = Started { session, tool: None };
    let spawned = spawn(folder, &mut started);
    let (handle, mut watch) = match spawned {
        Ok(spawned) => spawned,
        Err(error) => {
            let end = End::NotStarted { why: error.to_string() };
            folder.set_exit(&Exit { end, timed_out: false, took_ms: 0 })?;
            ready();
            return Ok(true);
        }
    };
    ready();
    let status = loop {
        match handle.wait_timeout(TICK) {
            Ok(Some(output)) => break Ok(output.status),
            Ok(None) => {
                orphans(&started);
                watch.tick(&started);
            }
            Err(error) => break Err(error),
        }
    };
    let mut exit = Exit { end: end(status), timed_out: watch.timed_out, took_ms: watch.begun() };
    let recorded = folder.set_exit(&exit);
    if !reap() {
        started.session.wait_empty(|| {
            reap();
            watch.tick(&started);
            watch.servants.tick(&started);
        });
    }
    watch.bound();
    if recorded.is_err() || watch.timed_out != exit.timed_out {
        exit.timed_out = watch.timed_out;
        folder.set_exit(&exit)?;
    }
    Ok(true)
}

/// Keeps of all inherited descriptors only the locks, and those from the tool.
fn only(locks: &[RawFd]) -> io::Result<Vec<OwnedFd>> {
    let listed: Vec<RawFd> = std::fs::read_dir("/dev/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd > 2)
        .collect();
    let mut kept = Vec::new();
    // The one that listed them is closed again.
    for fd in listed.into_iter().filter(|fd| std::fs::symlink_metadata(format!("/dev/fd/{fd}")).is_ok()) {
        #[expect(unsafe_code, reason = "descriptors inherited through exec have no owner yet")]
        // SAFETY: this is the first thing the process does: nothing has opened a descriptor above 2 that is still
        // open, so all that are listed came through exec, belong to nobody, and each is taken once.
        let owned = unsafe { OwnedFd::from_raw_fd(fd) };
        if locks.contains(&fd) {
            rustix::io::fcntl_setfd(&owned, rustix::io::FdFlags::CLOEXEC)?;
            kept.push(owned);
        }
    }
    if kept.len() == locks.len() { Ok(kept) } else { Err(io::Error::other("a lock was not handed over")) }
}

/// Signals that end or stop others do nothing here. They are caught rather than ignored: what is caught is reset to
/// its default for the tool by exec, even if otto itself was started with it ignored.
fn deaf() -> io::Result<()> {
    let seen = Arc::new(AtomicBool::new(false));
    for signal in [
        signals::SIGHUP,
        signals::SIGINT,
        signals::SIGQUIT,
        signals::SIGTERM,
        signals::SIGPIPE,
        signals::SIGALRM,
        signals::SIGUSR1,
        signals::SIGUSR2,
        signals::SIGCHLD,
        signals::SIGTSTP,
        signals::SIGTTIN,
        signals::SIGTTOU,
        signals::SIGXFSZ,
    ] {
        signal_hook::flag::register(signal, Arc::clone(&seen))?;
    }
    Ok(())
}

fn lead_session() -> io::Result<()> {
    match rustix::process::setsid() {
        Ok(_) => {}
        // Already: otto does it between fork and exec, so that no Ctrl-C can come before.
        Err(_) if rustix::process::getsid(None)? == rustix::process::getpid() => {}
        Err(error) => return Err(error.into()),
    }
    rustix::process::umask(Mode::from_raw_mode(0o077));
    #[cfg(target_os = "linux")]
    // Orphans of the tool come to this process instead of to one that may never reap them.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    Ok(())
}

fn ready() {
    // Nobody may be listening any more.
    let mut out = io::stdout().lock();
    let _ = out.write_all(READY).and_then(|()| out.flush());
}

fn spawn(folder: &Folder, started: &mut Started) -> io::Result<(duct::Handle, Watch)> {
    let command = folder.command()?;
    let append = |name| OpenOptions::new().append(true).open(folder.file(name));
    let mut expression = duct::cmd(command.program.as_str(), &command.args)
        .dir(&command.cwd)
        .stdin_null()
        .stdout_file(append("stdout")?)
        .stderr_file(append("stderr")?)
        .unchecked()
        .before_spawn(|tool| {
            tool.process_group(0);
            Ok(())
        });
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| command.removes(name)) {
            expression = expression.env_remove(name);
        }
    }
    let defaults = command.env_default.iter().filter(|(name, _)| std::env::var_os(name).is_none());
    for (name, value) in defaults.chain(&command.env) {
        expression = expression.env(name, value);
    }
    let watch = Watch::new(folder, command)?;
    // The session is on record before the tool can be: were this process killed in between, it would still be found.
    folder.set_started(started)?;
    let handle = expression.start()?;
    started.tool = handle.pids().first().and_then(|pid| Proc::find(i32::try_from(*pid).ok()?));
    // The tool runs, whatever becomes of this record; the session above is enough to find it.
    let _ = folder.set_started(started);
    Ok((handle, watch))
}

fn end(status: io::Result<ExitStatus>) -> End {
    let Ok(status) = status else { return End::Unknown };
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited { code },
        (None, Some(signal)) => End::Signalled { signal },
        (None, None) => End::Unknown,
    }
}

/// Reaps dead orphans while the tool runs; its own end is not for here to take.
fn orphans(started: &Started) {
    let me = started.session.leader.pid;
    let children = std::fs::read_to_string(format!("/proc/{me}/task/{me}/children")).unwrap_or_default();
    let tool = started.tool.as_ref().map(|tool| tool.pid);
    // Unknown, the tool could be among them.
    let Some(tool) = tool else { return };
    for child in children.split_whitespace().filter_map(|pid| pid.parse().ok()).filter(|pid| *pid != tool) {
        let child = rustix::process::Pid::from_raw(child);
        let _ = child.map(|pid| rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG));
    }
}

/// Reaps all that is dead; only once the tool itself has been waited for. `true` proves that nothing descends from this
/// process any more, and so that its session is empty: orphans would have come to it. Cheaper than looking at all processes.
fn reap() -> bool {
    loop {
        match rustix::process::wait(rustix::process::WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(error) => return cfg!(target_os = "linux") && error == rustix::io::Errno::CHILD,
        }
    }
}

/// Output and time of a running tool.
struct Watch {
    began: Instant,
    limit: Option<Duration>,
    ladder: Ladder,
    next: usize,
    last: Instant,
    timed_out: bool,
    outputs: Vec<Bound>,
    servants: Servants,
}

impl Watch {
    fn new(folder: &Folder, command: Command) -> io::Result<Self> {
        let outputs = ["stdout", "stderr"];
        let outputs = outputs.map(|name| Bound::open(&folder.file(name), command.output_limit));
        let now = Instant::now();
        Ok(Self {
            began: now,
            limit: command.limit_ms.map(Duration::from_millis),
            ladder: command.ladder,
            next: 0,
            last: now,
            servants: Servants::named(&command.servants),
            timed_out: false,
            outputs: outputs.into_iter().collect::<io::Result<_>>()?,
        })
    }

    fn begun(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn bound(&mut self) {
        for output in &mut self.outputs {
            // A full or failing disk must not end the supervision.
            let _ = output.check();
        }
    }

    fn tick(&mut self, started: &Started) {
        self.bound();
        if self.limit.is_none_or(|limit| self.began.elapsed() < limit) {
            return;
        }
        self.timed_out = true;
        let Some(rung) = self.ladder.rungs.get(self.next) else { return };
        let due = match (self.next, rung.after_s) {
            (0, _) => true,
            (_, Some(after)) => self.last.elapsed() >= Duration::from_secs(after),
            (_, None) => false,
        };
        if due {
            let _ = rung.climb(started);
            self.next += 1;
            self.last = Instant::now();
        }
    }
}
