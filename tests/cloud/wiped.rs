//! What Terraform prints in clear does not stay behind an otto that was killed before it could read it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::support::digitalocean::Account as _;
use super::support::{Running, files, processes, wait_for};
use super::{PROVISION, destroyed, things};

/// Ends otto, whose supervisor has started it, as soon as a plan was printed.
const PROGRAM: &str = r#"#!/bin/sh
TERRAFORM "$@"
code=$?
[ "$1" != show ] || kill -9 "$(awk '/^PPid/ {print $2}' "/proc/$PPID/status")"
exit $code
"#;

#[test]
fn a_plan_that_was_printed_in_clear_is_wiped_by_the_next_otto() {
    let Some((cloud, sandbox)) = things() else { return };
    let path = std::env::var("PATH").expect("a PATH");
    let terraform = std::env::split_paths(&path).map(|folder| folder.join("terraform")).find(|file| file.is_file());
    let Some(terraform) = terraform else {
        eprintln!("SKIPPED: no `terraform` on PATH");
        return;
    };
    let bin = sandbox.base().join("bin");
    let program = bin.join("terraform");
    fs::create_dir(&bin).expect("a folder");
    fs::write(&program, PROGRAM.replace("TERRAFORM", &terraform.display().to_string())).expect("a file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its mode");
    let mut command = cloud.command(&sandbox, &PROVISION);
    command.env("PATH", format!("{}:{path}", bin.display()));
    assert_eq!(Running::spawn(command, &sandbox.base()).wait().code, -1);
    wait_for("the supervisor's end", || processes::living_in(&sandbox.folder).is_empty());
    let printed = || -> Vec<(PathBuf, u64)> {
        let all = files(&sandbox.path(".otto/runs")).into_iter();
        let shown = all.filter(|file| file.ends_with("dev_do_things.provision.show/stdout"));
        shown.map(|file| (file.clone(), fs::metadata(file).expect("a file").len())).collect()
    };
    let left = printed();
    assert!(matches!(left[..], [(_, length)] if length > 0), "{left:?}");
    cloud.otto(&sandbox, &PROVISION).ends(0);
    assert!(printed().iter().all(|(_, length)| *length == 0), "{:?}", printed());
    destroyed(&cloud, &sandbox);
}
