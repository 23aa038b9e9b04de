//! Completion of names: the shell asks otto itself, by a variable that its script sets.

use std::ffi::OsStr;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};

use crate::ops::names::{Names, names};
use crate::project::Vars;

/// The variable by which a shell asks.
const ASKED_BY: &str = "_OTTO_COMPLETE";

/// Answers a shell, when one asks; whether it did.
pub(super) fn answered() -> bool {
    let here = std::env::current_dir().ok();
    CompleteEnv::with_factory(super::command)
        .var(ASKED_BY)
        .try_complete(std::env::args_os(), here.as_deref())
        .unwrap_or(true)
}

/// The script for a shell; nothing for one that cannot ask.
pub(super) fn script(shell: &str) -> Option<String> {
    let mut text = Vec::new();
    Shells::builtins().completer(shell)?.write_registration(ASKED_BY, "otto", "otto", "otto", &mut text).ok()?;
    String::from_utf8(text).ok()
}

fn beginning(current: &OsStr, all: impl IntoIterator<Item = String>) -> Vec<CompletionCandidate> {
    let start = current.to_string_lossy().into_owned();
    all.into_iter().filter(|name| name.starts_with(&start)).map(CompletionCandidate::new).collect()
}

fn completer(pick: fn(Names) -> Vec<String>) -> ArgValueCompleter {
    ArgValueCompleter::new(move |current: &OsStr| beginning(current, pick(names(&Vars::capture()))))
}

/// Deployments, and sites.
pub(super) fn deployments() -> ArgValueCompleter {
    completer(|names| names.sites.into_iter().chain(names.deployments).collect())
}

/// Sites.
pub(super) fn sites() -> ArgValueCompleter {
    completer(|names| names.sites)
}

/// Environments.
pub(super) fn environments() -> ArgValueCompleter {
    completer(|names| names.environments)
}

/// Providers.
pub(super) fn providers() -> ArgValueCompleter {
    completer(|names| names.providers)
}

/// Runs, the newest first.
pub(super) fn runs() -> ArgValueCompleter {
    completer(|names| names.runs)
}
