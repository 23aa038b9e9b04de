//! Invariants 1 to 5 through the binary: the kill matrix (`benches/kill_matrix`), with few trials. Every trial interrupts otto in a real
//! terminal, looks at what is left, heals it, takes it down; every finding makes the script fail.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::sync::Mutex;

const OTTO: &str = env!("CARGO_BIN_EXE_otto");

/// One part at a time: instants are measured against an undisturbed run.
static ONE: Mutex<()> = Mutex::new(());

fn matrix(args: &[&str]) {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/kill_matrix");
    let mut command = Command::new("python3");
    command.arg("-B").arg(script).args(["--otto", OTTO]).args(args).stdin(Stdio::null());
    let done = command.output().expect("python3 is there");
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{}\n{out}\n{err}", done.status);
}

#[test]
fn what_is_made_while_otto_is_killed_is_neither_lost_nor_made_twice() {
    matrix(&["--part", "slow", "--trials", "2", "--jobs", "4"]);
}

#[test]
fn whole_sites_survive_every_way_of_being_interrupted() {
    matrix(&["--part", "site", "--stage-trials", "0", "--jobs", "2"]);
}

#[test]
fn a_real_provider_plugin_may_be_killed() {
    // Without a Go toolchain the script says so and has nothing to run.
    if Command::new("go").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    {
        matrix(&["--part", "plugin", "--trials", "2", "--jobs", "4", "--modes", "kill-plugin,kill-tool,kill-all"]);
    }
}
