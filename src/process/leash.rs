//! A child that ends with otto, even with one that is killed: otto, re-executed, asks the system for a signal at its
//! parent's end and becomes the program. For children that hold no state: connections by SSH.
//!
//! `otto __leash PARENT PROGRAM [ARG…]`.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use camino::Utf8Path;

/// The word that asks for a leash.
const WORD: &str = "__leash";
/// As a shell says that a program cannot be run.
const CANNOT_RUN: u8 = 127;

/// The beginning of a command line that ends with this process; `program` and its arguments follow.
pub fn leashed(exe: &Utf8Path, program: &str) -> Vec<String> {
    let own = rustix::process::getpid().as_raw_nonzero().to_string();
    vec![exe.to_string(), WORD.to_owned(), own, program.to_owned()]
}

/// Becomes the program if the arguments (otto's name first) ask for that; returns only when it cannot, with a code.
pub fn main_if_asked(args: &mut impl Iterator<Item = OsString>) -> Option<u8> {
    if args.nth(1)? != WORD {
        return None;
    }
    let parent: Option<i32> = args.next().and_then(|pid| pid.to_str()?.parse().ok());
    let (Some(parent), Some(program)) = (parent, args.next()) else { return Some(2) };
    if rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM)).is_err() {
        return Some(1);
    }
    // It may have ended before it was asked to tell.
    if rustix::process::getppid().is_none_or(|now| now.as_raw_nonzero().get() != parent) {
        return Some(1);
    }
    let _ = Command::new(program).args(args).exec();
    Some(CANNOT_RUN)
}
