//! Processes by the folder they work in: how a local host's are told from all others.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// One process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    /// Clock ticks since boot.
    pub(crate) start_time: u64,
    pub(crate) name: String,
    /// It leads its session: the master of a service.
    pub(crate) master: bool,
}

impl Process {
    pub(crate) fn kill(&self) {
        let _ = Pid::from_raw(self.pid).map(|pid| kill_process(pid, Signal::KILL));
    }
}

/// Living processes that work in a folder or below it, the folder deleted or not.
pub(crate) fn living_in(folder: &Path) -> Vec<Process> {
    let own = std::process::id().to_string();
    let pids = fs::read_dir("/proc").expect("/proc").flatten().map(|e| e.file_name().to_string_lossy().into_owned());
    let mut found: Vec<Process> = pids
        .filter(|pid| pid.bytes().all(|b| b.is_ascii_digit()) && *pid != own)
        .filter(|pid| {
            let link = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
            let gone = link.to_string_lossy().strip_suffix(" (deleted)").map(str::to_owned);
            link.starts_with(folder) || gone.is_some_and(|path| Path::new(&path).starts_with(folder))
        })
        .filter_map(|pid| read(&pid))
        .collect();
    found.sort();
    found
}

/// The masters of nginx and haproxy below a folder.
pub(crate) fn masters_in(folder: &Path) -> Vec<Process> {
    living_in(folder).into_iter().filter(|p| p.master).collect()
}

/// What `/proc` says of a process; nothing when it is gone.
pub(crate) fn read(pid: &str) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    Some(Process {
        pid: pid.parse().ok()?,
        start_time: fields.get(19)?.parse().ok()?,
        name: head.split_once('(')?.1.to_owned(),
        master: fields.get(3)? == &pid,
    })
}

/// Kills all that lives in a folder and waits until it is gone.
pub(crate) fn end_all_in(folder: &Path) {
    end(|| living_in(folder));
}

/// The same for all that was called with a path in this folder, or by such a process, wherever it works.
pub(crate) fn end_all_of(folder: &Path) {
    let folder = folder.display().to_string();
    let has = |pid: &str, file: &str| {
        let text = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        String::from_utf8_lossy(&text).contains(&folder)
    };
    let own = std::process::id().to_string();
    end(|| {
        let pids =
            fs::read_dir("/proc").expect("/proc").flatten().map(|e| e.file_name().to_string_lossy().into_owned());
        let pids = pids.filter(|pid| pid.bytes().all(|b| b.is_ascii_digit()) && *pid != own);
        pids.filter(|pid| has(pid, "cmdline") || has(pid, "environ")).filter_map(|pid| read(&pid)).collect()
    });
}

fn end(left: impl Fn() -> Vec<Process>) {
    for _ in 0..100 {
        let living = left();
        if living.is_empty() {
            return;
        }
        living.iter().for_each(Process::kill);
        std::thread::sleep(Duration::from_millis(20));
    }
}
