//! Runs a short program to its end within a limit and keeps a bounded part of what it printed.
//!
//! Only for what may be ended at any time: version questions, downloads, unpacking. What can hold state is run by
//! `process`.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::model::End;

/// Bytes kept of each stream: the first half from its beginning, the rest from its end.
const KEPT: usize = 64 << 10;
/// How long streams may stay open after the program's end (something in the background holds them).
const AFTERMATH: Duration = Duration::from_secs(1);

/// What to run.
#[derive(Debug)]
pub(in crate::tools) struct Call {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, Option<OsString>)>,
    folder: Option<PathBuf>,
    limit: Duration,
    hold: Option<File>,
}

impl Call {
    pub(in crate::tools) fn new<A: AsRef<OsStr>>(
        program: impl Into<PathBuf>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let limit = Duration::from_secs(60);
        Self { program: program.into(), args, env: Vec::new(), folder: None, limit, hold: None }
    }

    pub(in crate::tools) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.into(), Some(value.as_ref().to_owned())));
        self
    }

    pub(in crate::tools) fn without(mut self, name: &str) -> Self {
        self.env.push((name.into(), None));
        self
    }

    pub(in crate::tools) fn folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    pub(in crate::tools) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// A locked file, given to the program as its (empty) input: the lock lives as long as the program does, even
    /// when otto is killed.
    pub(in crate::tools) fn hold(mut self, lock: &File) -> Self {
        self.hold = lock.try_clone().ok();
        self
    }
}

/// How it ended and what it printed.
#[derive(Debug)]
pub(in crate::tools) struct Captured {
    pub(in crate::tools) end: End,
    pub(in crate::tools) stdout: Vec<u8>,
    pub(in crate::tools) stderr: Vec<u8>,
    /// It was ended because this time was over.
    pub(in crate::tools) over: Option<Duration>,
}

impl Captured {
    pub(in crate::tools) fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// How it ended, with the last words that look like a reason.
    pub(in crate::tools) fn describe(&self) -> String {
        if let Some(limit) = self.over {
            return format!("did not end within {} s and was ended", limit.as_secs());
        }
        let words = last_words(&self.stderr).or_else(|| last_words(&self.stdout));
        words.map_or_else(|| self.end.describe(), |words| format!("{} ({words})", self.end.describe()))
    }
}

/// The last line that names an error (else the last line), with the first one that says what the network did.
fn last_words(stream: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(stream);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let is_error = |line: &&&str| ["ERROR", "Error", "E:", "error:"].iter().any(|head| line.starts_with(head));
    let is_cause = |line: &&&str| ["Failed to fetch", "connection broken"].iter().any(|words| line.contains(words));
    let cut = |line: &str| line.chars().take(300).collect::<String>();
    let last = lines.iter().rev().find(is_error).or(lines.last())?;
    match lines.iter().find(is_cause) {
        Some(cause) if cause != last => Some(format!("{}; {}", cut(last), cut(cause))),
        _ => Some(cut(last)),
    }
}

/// Runs it. The program is in a process group of its own, which is ended when the limit is over or the future dropped.
pub(in crate::tools) async fn capture(call: Call) -> Captured {
    let mut command = tokio::process::Command::new(&call.program);
    command.args(&call.args).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
    command.stdin(call.hold.map_or_else(Stdio::null, Stdio::from));
    for (name, value) in &call.env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(folder) = &call.folder {
        command.current_dir(folder);
    }
    let mut child = match spawn(&mut command).await {
        Ok(child) => child,
        Err(error) => {
            let why = match error.kind() {
                // A script's `#!` line names what runs it.
                std::io::ErrorKind::NotFound if call.program.is_file() => "what runs it is gone".to_owned(),
                _ => error.to_string(),
            };
            let end = End::NotStarted { why };
            return Captured { end, stdout: Vec::new(), stderr: Vec::new(), over: None };
        }
    };
    let mut group = Group(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw));
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let finished = {
        let reading = async { tokio::join!(keep(out, &mut stdout), keep(err, &mut stderr)) };
        tokio::pin!(reading);
        let work = async {
            tokio::select! {
                biased;
                status = child.wait() => {
                    let _ = tokio::time::timeout(AFTERMATH, &mut reading).await;
                    status
                }
                _ = &mut reading => child.wait().await,
            }
        };
        tokio::time::timeout(call.limit, work).await
    };
    let (end, over) = match finished {
        Ok(Ok(status)) => {
            group.0 = None;
            (ended(status), None)
        }
        Ok(Err(_)) => (End::Unknown, None),
        Err(_) => {
            group.end();
            let status = child.wait().await;
            (status.map_or(End::Unknown, ended), Some(call.limit))
        }
    };
    Captured { end, stdout, stderr, over }
}

/// A program just written may be "busy" for a moment: a process forked meanwhile still holds it open.
async fn spawn(command: &mut tokio::process::Command) -> std::io::Result<tokio::process::Child> {
    for _ in 0..20 {
        match command.spawn() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => return other,
        }
    }
    command.spawn()
}

fn ended(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited { code },
        (None, Some(signal)) => End::Signalled { signal },
        (None, None) => End::Unknown,
    }
}

/// Reads a stream to its end and keeps its beginning and its end.
async fn keep(stream: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    let Some(mut stream) = stream else { return };
    let mut part = vec![0_u8; 16 << 10];
    while let Ok(n) = stream.read(&mut part).await {
        if n == 0 {
            return;
        }
        into.extend_from_slice(&part[..n]);
        if into.len() > KEPT {
            let surplus = into.len() - KEPT;
            into.drain(KEPT / 2..KEPT / 2 + surplus);
        }
    }
}

/// Ends a process group when it is dropped before its leader's end was seen.
struct Group(Option<Pid>);

impl Group {
    fn end(&mut self) {
        if let Some(pid) = self.0.take() {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(call: Call) -> Captured {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(capture(call))
    }

    #[test]
    fn ends_and_output_are_kept() {
        let done = run(Call::new("/bin/sh", ["-c", "echo out; echo E: no such thing >&2; echo last >&2; exit 3"]));
        assert_eq!((done.end.clone(), done.stdout_text().as_str()), (End::Exited { code: 3 }, "out\n"));
        assert_eq!(done.describe(), "exit code 3 (E: no such thing)");
        assert!(matches!(run(Call::new("/nonexistent", ["x"])).end, End::NotStarted { .. }));
    }

    #[test]
    fn what_hangs_is_ended_with_its_children() {
        let done = run(Call::new("/bin/sh", ["-c", "sleep 30 & sleep 30"]).limit(Duration::from_millis(200)));
        assert_eq!(done.over, Some(Duration::from_millis(200)));
        assert_eq!(done.end, End::Signalled { signal: 9 });
    }

    #[test]
    fn floods_are_bounded_and_background_holders_do_not_block() {
        let script = "echo begin; head -c 1000000 /dev/zero | tr '\\0' x; echo end; sleep 3 &";
        let done = run(Call::new("/bin/sh", ["-c", script]).limit(Duration::from_secs(20)));
        assert!(done.stdout.len() <= KEPT && done.stdout.starts_with(b"begin") && done.stdout.ends_with(b"end\n"));
        assert!(done.end.is_zero());
    }
}
