//! `otto exec`: one command on many hosts at once, their output as it comes, the worst exit code.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::exit;
use super::failure::{Failure, Kind, Result};
use super::on_host::{Place, Started, not_started, places};
use super::world::World;
use crate::project::Selection;

/// Hosts at the same time, unless told otherwise.
pub const AT_ONCE: usize = 10;
/// Bytes of a line that is passed on in one piece.
const LINE: usize = 64 << 10;

/// What is run where.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Deployments.
    pub selection: Selection,
    /// Only hosts with one of these roles.
    pub roles: Vec<String>,
    /// Only these hosts.
    pub hosts: Vec<String>,
    /// Hosts at the same time.
    pub jobs: usize,
    /// The command.
    pub words: Vec<String>,
}

/// What comes back from a host.
#[derive(Clone, Debug)]
pub enum Said {
    /// A line of its standard output.
    Out(String),
    /// A line of its standard error.
    Err(String),
    /// Its end.
    End {
        /// The exit code; of a signal 128 and its number; 255 when ssh itself failed.
        code: u8,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
}

/// One host's word.
#[derive(Clone, Debug)]
pub struct Word {
    /// `dev/local/hello`.
    pub deployment: String,
    /// `www-1`.
    pub host: String,
    /// What it said.
    pub said: Said,
}

/// Runs a command on every host that is meant; `names` is told first which these are. Returns the worst exit code.
///
/// # Errors
/// No host is meant, or nothing can be started.
pub async fn exec(
    world: &World,
    request: &Request,
    names: impl FnOnce(&[(String, String)]),
    mut say: impl FnMut(Word),
) -> Result<u8> {
    let opened = world.open()?;
    let mut all = places(world, &opened, &request.selection)?;
    let unknown = |wanted: &[String], has: &dyn Fn(&Place, &str) -> bool| {
        wanted.iter().find(|word| !all.iter().any(|place| has(place, word))).cloned()
    };
    if let Some(role) = unknown(&request.roles, &|place, word| place.host.role == word) {
        return Err(Failure::new(Kind::Usage, format!("no host has the role `{role}`")).hint("otto status"));
    }
    let named = |place: &Place, word: &str| place.host.name == word || place.name() == word;
    if let Some(host) = unknown(&request.hosts, &named) {
        return Err(Failure::new(Kind::Usage, format!("no host is called `{host}`")).hint("otto status"));
    }
    all.retain(|place| request.roles.is_empty() || request.roles.contains(&place.host.role));
    all.retain(|place| request.hosts.is_empty() || request.hosts.iter().any(|word| named(place, word)));
    if all.is_empty() {
        return Err(Failure::new(Kind::Usage, "no host is there to run it on").hint("otto up").hint("otto status"));
    }
    names(&all.iter().map(|place| (place.record.id.to_string(), place.host.name.clone())).collect::<Vec<_>>());
    let permits = Arc::new(Semaphore::new(request.jobs.max(1)));
    let (sender, mut words) = mpsc::channel(256);
    let mut at_work = JoinSet::new();
    for place in all {
        let started = place.command(world, &opened, &request.words, false).leashed(&world.exe);
        let (permits, sender) = (permits.clone(), sender.clone());
        at_work.spawn(async move {
            let _permit = permits.acquire().await.expect("the semaphore is never closed");
            on_one(place, started, sender).await
        });
    }
    drop(sender);
    let told = async {
        let mut worst = 0;
        while let Some(word) = words.recv().await {
            if let Said::End { code, .. } = &word.said {
                worst = worst.max(*code);
            }
            say(word);
        }
        let mut failure = None;
        while let Some(joined) = at_work.join_next().await {
            failure = failure.or(joined.ok().and_then(std::result::Result::err));
        }
        failure.map_or(Ok(worst), Err)
    };
    // Whoever is still at work ends with its task.
    tokio::select! {
        ended = told => ended,
        number = signalled() => Ok(exit::SIGNAL + number),
    }
}

async fn signalled() -> u8 {
    let listen = |kind| signal(kind).ok();
    let (mut int, mut term, mut hup) =
        (listen(SignalKind::interrupt()), listen(SignalKind::terminate()), listen(SignalKind::hangup()));
    let next = async |one: &mut Option<tokio::signal::unix::Signal>| match one {
        Some(one) => one.recv().await,
        None => std::future::pending().await,
    };
    tokio::select! {
        _ = next(&mut int) => 2,
        _ = next(&mut term) => 15,
        _ = next(&mut hup) => 1,
    }
}

/// Ends a command that has not been waited for, and all that it started here.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw) {
            let _ = kill_process_group(pid, Signal::TERM);
        }
    }
}

async fn on_one(place: Place, started: Started, words: mpsc::Sender<Word>) -> Result<()> {
    let began = Instant::now();
    let mut command = Command::new(&started.argv[0]);
    command.args(&started.argv[1..]).envs(&started.env).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(folder) = &started.folder {
        command.current_dir(folder);
    }
    let mut group = Group(command.spawn().map_err(|error| not_started(&started.argv[0], &error))?);
    let (out, err) = (group.0.stdout.take(), group.0.stderr.take());
    let word = |said| Word { deployment: place.record.id.to_string(), host: place.host.name.clone(), said };
    let pass = async |pipe: Option<Box<dyn AsyncRead + Send + Unpin>>, make: fn(String) -> Said| {
        let Some(pipe) = pipe else { return };
        let mut reader = BufReader::with_capacity(LINE, pipe);
        let mut line = Vec::new();
        while next_line(&mut reader, &mut line).await {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
            let _ = words.send(word(make(text))).await;
            line.clear();
        }
    };
    let (out, err) = (out.map(|pipe| Box::new(pipe) as _), err.map(|pipe| Box::new(pipe) as _));
    tokio::join!(pass(out, Said::Out), pass(err, Said::Err));
    let status = group.0.wait().await.map_err(|error| not_started(&started.argv[0], &error))?;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let _ = words.send(word(Said::End { code: u8::try_from(code).unwrap_or(u8::MAX), took_ms })).await;
    Ok(())
}

/// A line, or as much of it as fits; whether there was any.
async fn next_line(reader: &mut BufReader<Box<dyn AsyncRead + Send + Unpin>>, line: &mut Vec<u8>) -> bool {
    loop {
        let Ok(part) = reader.fill_buf().await else { return !line.is_empty() };
        if part.is_empty() {
            return !line.is_empty();
        }
        let end = part.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let take = end.unwrap_or(part.len());
        line.extend_from_slice(&part[..take]);
        reader.consume(take);
        if end.is_some() || line.len() >= LINE {
            return true;
        }
    }
}
