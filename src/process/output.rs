//! Short questions to a tool (`terraform version`): its answer as text, within a time.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use crate::model::End;

/// Kept of each of stdout and stderr; what comes after it is read and dropped.
pub const MOST: usize = 4 << 20;
/// How long output is waited for after the end: a grandchild may hold the pipe open for ever.
const GRACE: Duration = Duration::from_millis(500);

/// A tool's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// Its exit code; of a signal 128 and its number.
    pub code: i32,
    /// What it printed; bytes that are not UTF-8 are shown as U+FFFD.
    pub stdout: String,
    /// What it printed on stderr.
    pub stderr: String,
}

/// There is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// No such program.
    #[error("{program} was not found")]
    Missing {
        /// As it was asked for.
        program: Utf8PathBuf,
    },
    /// It took too long and was killed.
    #[error("{program} did not answer within {} ms and was killed", .limit.as_millis())]
    TimedOut {
        /// As it was asked for.
        program: Utf8PathBuf,
        /// How long it had.
        limit: Duration,
    },
    /// It could not be run.
    #[error("{program} could not be run: {source}")]
    Failed {
        /// As it was asked for.
        program: Utf8PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl Captured {
    /// As an [`End`].
    pub fn end(&self) -> End {
        End::Exited { code: self.code }
    }
}

/// Asks: no shell, no stdin, `env` on top of the inherited environment, in a process group of its own, which is killed
/// when the time is over or the future dropped. Only for calls that change nothing.
pub async fn capture(
    program: &Utf8Path,
    args: &[&str],
    env: &BTreeMap<String, String>,
    limit: Duration,
) -> Result<Captured, CaptureError> {
    let named = || program.to_owned();
    let mut command = Command::new(program);
    command.args(args).envs(env).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.process_group(0).kill_on_drop(true).spawn().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => CaptureError::Missing { program: named() },
        _ => CaptureError::Failed { program: named(), source },
    })?;
    match tokio::time::timeout(limit, answer(Group(child))).await {
        Ok(answer) => answer.map_err(|source| CaptureError::Failed { program: named(), source }),
        Err(_) => Err(CaptureError::TimedOut { program: named(), limit }),
    }
}

/// Kills the group of a child that has not been waited for: until then nobody else can have its number.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let pid = self.0.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}

async fn answer(mut group: Group) -> io::Result<Captured> {
    let (stdout, stderr) = (group.0.stdout.take(), group.0.stderr.take());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = {
        let reading = async {
            tokio::join!(drain(stdout, &mut out), drain(stderr, &mut err));
        };
        tokio::pin!(reading);
        tokio::select! {
            biased;
            () = &mut reading => group.0.wait().await?,
            status = group.0.wait() => {
                let _ = tokio::time::timeout(GRACE, reading).await;
                status?
            }
        }
    };
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(Captured { code, stdout: text(out), stderr: text(err) })
}

async fn drain(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; 16 << 10];
    while let Ok(got @ 1..) = pipe.read(&mut buffer).await {
        into.extend_from_slice(&buffer[..got.min(MOST - into.len())]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    async fn ask(script: &str, limit: u64) -> Result<Captured, CaptureError> {
        let env = BTreeMap::from([("ASKED".to_owned(), "yes".to_owned())]);
        capture(Utf8Path::new("sh"), &["-c", script], &env, Duration::from_millis(limit)).await
    }

    #[tokio::test]
    async fn answers_come_whole_with_their_code() {
        let answer = ask("echo $ASKED; echo no >&2; cat; exit 3", 20_000).await.expect("an answer");
        assert_eq!((answer.code, answer.stdout.as_str(), answer.stderr.as_str()), (3, "yes\n", "no\n"));
        assert_eq!(ask("kill -TERM $$", 20_000).await.expect("an answer").code, 143);
        let much = ask("yes | head -c 9000000 & yes no | head -c 9000000 >&2; wait", 60_000).await.expect("an answer");
        assert_eq!((much.stdout.len(), much.stderr.len()), (MOST, MOST));
    }

    #[tokio::test]
    async fn silence_is_ended_and_a_held_pipe_is_not_waited_for() {
        let begin = Instant::now();
        assert!(matches!(ask("sleep 60 & sleep 60", 200).await, Err(CaptureError::TimedOut { .. })));
        let answer = ask("echo here; sleep 10 & echo $!", 60_000).await.expect("an answer");
        assert!(answer.stdout.starts_with("here\n") && begin.elapsed() < Duration::from_secs(9));
        let left =
            answer.stdout.lines().nth(1).and_then(|pid| pid.parse().ok()).and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(left.expect("a pid"), rustix::process::Signal::KILL).expect("it was left alone");
        let missing = capture(Utf8Path::new("no-such-tool"), &[], &BTreeMap::new(), Duration::from_secs(1)).await;
        assert!(matches!(missing, Err(CaptureError::Missing { .. })));
    }
}
