//! Disks that are read-only or full, and one that fills in the middle. They need a mount, that is root; who is not sees why
//! nothing was tried.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::sandbox::Sandbox;

/// The project of a sandbox on a small disk of its own, unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    fn new(sandbox: &Sandbox, size: &str) -> Option<Self> {
        let place = sandbox.project();
        let aside = sandbox.path("aside");
        fs::rename(&place, &aside).expect("moved");
        fs::create_dir(&place).expect("a folder");
        let made = mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "otto-test"], &place);
        let copied = Command::new("cp").arg("-a").arg(aside.join(".")).arg(&place).status();
        assert!(copied.is_ok_and(|status| status.success()));
        if let Err(why) = &made {
            println!("skipped: a disk cannot be mounted here: {why}");
        }
        made.is_ok().then_some(Self(place))
    }

    fn remount(&self, options: &str) {
        mount(&["-o", &format!("remount,{options}")], &self.0).expect("remounted");
    }

    /// All but some of its room is taken.
    fn fill(&self, but: u64) -> PathBuf {
        let free = rustix::fs::statvfs(&self.0).map(|s| s.f_bavail * s.f_frsize).expect("asked");
        let path = self.0.join("filling");
        let file = fs::File::create(&path).expect("a file");
        rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, free.saturating_sub(but).max(1))
            .expect("room");
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l"]).arg(&self.0).status();
    }
}

fn mount(args: &[&str], place: &PathBuf) -> Result<(), String> {
    let output = Command::new("mount").args(args).arg(place).output().map_err(|e| e.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

#[test]
fn a_read_only_disk_can_be_read() {
    let sandbox = Sandbox::new();
    let Some(disk) = Disk::new(&sandbox, "200m") else { return };
    sandbox.otto(&["up", "--yes"]).code(0);
    disk.remount("ro");
    for args in [&["status"][..], &["plan"], &["runs"], &["logs"], &["status", "--json"], &["state", "show"]] {
        let ran = sandbox.otto(args).code(0);
        assert!(!ran.out.is_empty() || !ran.err.is_empty(), "{args:?} says nothing");
    }
    for verb in ["up", "config", "destroy", "resume"] {
        let ran = sandbox.otto(&[verb, "--yes"]);
        if verb == "config" || ran.code == 2 {
            continue;
        }
        ran.code(24).says(&["Read-only file system", "hint: make it writable"]);
    }
    disk.remount("rw");
    sandbox.heals();
}

#[test]
fn a_full_disk_starts_nothing_and_can_be_read() {
    let sandbox = Sandbox::new();
    let Some(disk) = Disk::new(&sandbox, "200m") else { return };
    let filling = disk.fill(40 << 20);
    sandbox.otto(&["up", "--yes"]).code(24).says(&["MB are free", "64 MB are needed", "hint: free some space"]);
    assert!(sandbox.is_empty());
    fs::remove_file(&filling).expect("removed");
    sandbox.otto(&["up", "--yes"]).code(0);
    let filling = disk.fill(0);
    for args in [&["status"][..], &["plan"], &["runs"], &["logs"]] {
        sandbox.otto(args).code(0);
    }
    sandbox.otto(&["destroy", "--yes"]).code(24).says(&["64 MB are needed"]);
    assert_eq!(sandbox.status()["phase"], "tested");
    fs::remove_file(&filling).expect("removed");
    sandbox.heals();
}

/// The first host takes all the room there is, bit by bit; the second is quick; the third takes its time.
const FILLS: &str = "\
mkdir -p \"$HOST\"
case $HOST in
*-1) while dd if=/dev/zero bs=1M count=4 2>/dev/null; do sleep 0.1; done >\"$HOST/../../../filling\"; exec sleep 60 ;;
*-3) exec sleep 60 ;;
esac
";

#[test]
fn a_disk_that_fills_in_the_middle_loses_nothing() {
    let sandbox = Sandbox::new();
    let Some(disk) = Disk::new(&sandbox, "160m") else { return };
    sandbox.write("clowd/provision/made/make", FILLS);
    let began = std::time::Instant::now();
    let ran = sandbox.otto(&["up", "--yes"]).code(32);
    ran.says(&["MB are left on the disk", "was interrupted", "resume:"])
        .never_says(&["started  dev/made/hello  config"]);
    assert!(began.elapsed().as_secs() < 50, "it was stopped");
    assert!(!disk.0.join(".otto/reserve").exists());
    let status = sandbox.status();
    assert_eq!(status["phase"], "partial", "{status}");
    // Still no room: nothing is begun, and nothing forgotten.
    sandbox.otto(&["up", "--yes"]).code(24);
    fs::remove_file(disk.0.join(".otto/filling")).expect("removed");
    sandbox.write("clowd/provision/made/make", "mkdir -p \"$HOST\"\n");
    sandbox.repairs();
}
