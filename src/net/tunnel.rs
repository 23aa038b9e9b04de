//! A connection through a program: what it reads and writes is the other end (`ssh -W`). It ends with the program, and
//! the program ends with it.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// What a program says is read up to this.
const SAID: u64 = 4096;
/// How long its last words are waited for.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// An open connection.
#[derive(Debug)]
pub(super) struct Tunnel {
    input: ChildStdin,
    output: ChildStdout,
}

/// What tells why a connection came to nothing.
#[derive(Debug)]
pub(super) struct Program {
    child: Child,
    said: ChildStderr,
}

impl Tunnel {
    /// Starts the program; whether it reaches anything is seen by reading.
    pub(super) fn open(argv: &[String]) -> io::Result<(Self, Program)> {
        let (program, args) = argv.split_first().ok_or_else(|| io::Error::other("no program is named"))?;
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn()?;
        let missing = || io::Error::other("a pipe is missing");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        let said = child.stderr.take().ok_or_else(missing)?;
        Ok((Self { input, output }, Program { child, said }))
    }
}

impl Program {
    /// Its last line, when it ended by itself.
    pub(super) async fn last_words(mut self) -> Option<String> {
        let mut text = Vec::new();
        let reading = async {
            let _ = (&mut self.said).take(SAID).read_to_end(&mut text).await;
            let _ = self.child.wait().await;
        };
        let _ = tokio::time::timeout(LAST_WORDS, reading).await;
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        // ssh ends with what it cannot do; before that stands why.
        let why =
            lines.iter().find(|line| line.contains("IDENTIFICATION HAS CHANGED") || line.contains("Permission denied"));
        why.or(lines.last()).map(|line| line.trim_matches('@').trim().to_owned())
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_read(cx, into)
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.input).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(cx)
    }
}
