//! The folder of one call: the truth about its outcome.
//!
//! | file | made by | holds |
//! |---|---|---|
//! | `command.json` | otto | the [`Command`] |
//! | `alive` | otto | nothing; locked by the supervisor as long as a process of the call lives |
//! | `claim` | whoever is first | made exclusively: by the supervisor before it starts the tool, or by a recovery that thereby knows that it never will |
//! | `started` | otto, then the supervisor in place | [`Started`] |
//! | `exit.json` | otto, then the supervisor in place | [`Exit`]; spaces fill it to its size, so that the outcome fits on a full disk |
//! | `stdout`, `stderr` | the tool, appending | its output |

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::command::Command;
use super::session::{Proc, Session};
use crate::model::End;

const SCHEMA: u32 = 1;
const EXIT_SIZE: usize = 1024;
const STARTED_SIZE: usize = 512;

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    schema: u32,
    #[serde(flatten)]
    value: T,
}

/// Who runs a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The supervisor's session, in which the tool and its children live.
    pub session: Session,
    /// The tool itself; `None` between the supervisor's start and the tool's.
    pub tool: Option<Proc>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The tool's end.
    pub end: End,
    /// The time limit was over before.
    pub timed_out: bool,
    /// From the tool's start to its end, in milliseconds.
    pub took_ms: u64,
}

/// The folder of one call.
#[derive(Clone, Debug)]
pub struct Folder(Utf8PathBuf);

impl Folder {
    /// Names it; nothing is touched.
    pub fn at(path: impl Into<Utf8PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its path.
    pub fn path(&self) -> &Utf8Path {
        &self.0
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> Utf8PathBuf {
        self.0.join(name)
    }

    /// Makes the folder (0700) and all files but `claim`. Fails where a call's files are already.
    pub(super) fn make(&self, command: &Command) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        let mut text = serde_json::to_vec_pretty(&Versioned { schema: SCHEMA, value: command })?;
        text.push(b'\n');
        self.add("command.json", &text)?;
        self.add("exit.json", &blank(EXIT_SIZE))?;
        self.add("started", &blank(STARTED_SIZE))?;
        for name in ["alive", "stdout", "stderr"] {
            self.add(name, b"")?;
        }
        Ok(())
    }

    fn add(&self, name: &str, content: &[u8]) -> io::Result<File> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.file(name))?;
        file.write_all(content)?;
        Ok(file)
    }

    /// Takes the claim: `false` when someone has it already.
    pub(super) fn claim(&self, who: &str) -> io::Result<bool> {
        match self.add("claim", who.as_bytes()) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Opens the file whose lock means that a process of the call lives.
    pub(super) fn alive(&self) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(self.file("alive"))
    }

    /// The command.
    pub fn command(&self) -> io::Result<Command> {
        let text = fs::read(self.file("command.json"))?;
        let stored: Versioned<Command> = serde_json::from_slice(&text)?;
        known(stored)
    }

    /// Who runs it; `None` before anyone does: it is durable before the tool is started. An error of kind `InvalidData`
    /// means that somebody did, and that the record is spoilt.
    pub fn started(&self) -> io::Result<Option<Started>> {
        self.record("started")
    }

    /// How it ended; `None` before that is known. To be believed as final only while `alive` is not locked: before,
    /// processes of the call may still be at work.
    pub fn exit(&self) -> io::Result<Option<Exit>> {
        match self.record("exit.json") {
            // What a power cut left: no outcome.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
            other => other,
        }
    }

    fn record<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        let mut text = Vec::new();
        match File::open(self.file(name)) {
            Ok(file) => file.take(EXIT_SIZE as u64).read_to_end(&mut text)?,
            // Its otto was killed while it made the folder.
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        Ok(Some(known(serde_json::from_slice(&text)?)?))
    }

    /// Writes `started` in place. While there is no tool yet, the whole folder is durable afterwards: from then on a
    /// power cut cannot make it look as if the tool had never been started.
    pub(super) fn set_started(&self, started: &Started) -> io::Result<()> {
        let file = self.overwrite("started", STARTED_SIZE, started)?;
        if started.tool.is_some() {
            return Ok(());
        }
        file.sync_all()?;
        File::open(&self.0)?.sync_all()?;
        match self.0.parent() {
            Some(parent) if !parent.as_str().is_empty() => File::open(parent)?.sync_all(),
            _ => Ok(()),
        }
    }

    /// Writes `exit.json` in place, durably.
    pub(super) fn set_exit(&self, exit: &Exit) -> io::Result<()> {
        let mut exit = exit.clone();
        if let End::NotStarted { why } = &mut exit.end {
            // Every character may need six bytes in JSON.
            let keep = why.char_indices().map(|(at, _)| at).take_while(|at| *at <= 128).last().unwrap_or(0);
            why.truncate(if why.len() > 128 { keep } else { why.len() });
        }
        self.overwrite("exit.json", EXIT_SIZE, &exit)?.sync_all()
    }

    /// One write of the file's whole size: no moment in which half of it could be read, and no block to allocate.
    fn overwrite<T: Serialize>(&self, name: &str, size: usize, value: &T) -> io::Result<File> {
        let mut text = serde_json::to_vec(&Versioned { schema: SCHEMA, value })?;
        if text.len() >= size {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{name} would not fit into {size} bytes")));
        }
        text.resize(size - 1, b' ');
        text.push(b'\n');
        let file = OpenOptions::new().write(true).open(self.file(name))?;
        file.write_all_at(&text, 0)?;
        Ok(file)
    }
}

fn blank(size: usize) -> Vec<u8> {
    let mut text = vec![b' '; size];
    text[size - 1] = b'\n';
    text
}

fn known<T>(stored: Versioned<T>) -> io::Result<T> {
    match stored.schema {
        SCHEMA => Ok(stored.value),
        newer => Err(io::Error::new(io::ErrorKind::Unsupported, format!("written by a newer otto (schema {newer})"))),
    }
}
