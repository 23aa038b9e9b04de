//! Full and read-only disks. Small disks of memory are mounted where that is allowed (root); else these say so and pass.

use super::*;
use otto::store::{StoreError, list_copies, restore, save_copy};

/// A disk of its own, unmounted when dropped.
struct Disk {
    path: Utf8PathBuf,
    _folder: Folder,
}

impl Disk {
    fn new(kib: u32) -> Option<Self> {
        let folder = Folder::new();
        let path = folder.path.join("disk");
        fs::create_dir(&path).expect("creates");
        let size = format!("size={kib}k");
        mount(&["-t", "tmpfs", "-o", &size, "otto-test", path.as_str()]).then_some(Self { path, _folder: folder })
    }

    fn home(&self) -> Utf8PathBuf {
        self.path.join(".otto")
    }

    /// Takes all space that is left.
    fn fill(&self) {
        let mut file = fs::File::create(self.path.join("filler")).expect("a file");
        for block in [65536, 4096, 512, 1] {
            while file.write_all(&vec![1; block]).is_ok() {}
        }
    }

    fn relieve(&self) {
        fs::remove_file(self.path.join("filler")).expect("removes");
    }

    fn read_only(&self) {
        assert!(mount(&["-o", "remount,ro", self.path.as_str()]), "remounts");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.path).status();
    }
}

fn mount(args: &[&str]) -> bool {
    Command::new("mount").args(args).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// A store whose writer was killed, so that its log has content: the files copied while it was open.
fn killed(home: &Utf8Path, with_index: bool) {
    let folder = Folder::new();
    let store = folder.open();
    record(&store, "r1", vec![recorded("dev/local/hello", "tested", &["www-1"]), note("a"), intended("x")]);
    fs::create_dir_all(home).expect("creates");
    let ends: &[&str] = if with_index { &["", "-wal", "-shm"] } else { &["", "-wal"] };
    for end in ends {
        let name = format!("otto.db{end}");
        fs::copy(folder.home().join(&name), home.join(&name)).expect("copies");
    }
    assert!(fs::metadata(home.join("otto.db-wal")).expect("a log").len() > 0);
}

fn reads(home: &Utf8Path) {
    let store = Store::open_read_only(home).unwrap_or_else(|error| panic!("{error}"));
    assert!(!store.is_new());
    assert_eq!(store.deployments().expect("reads").len(), 1);
    assert_eq!(store.last_seq(&run("r1")).expect("reads"), 4);
}

#[test]
fn a_read_only_disk_is_read() {
    for (log, index) in [(false, false), (true, false), (true, true)] {
        let Some(disk) = Disk::new(4096) else { return };
        killed(&disk.home(), index);
        if !log {
            drop(Store::open(&disk.home(), "0.1.0").expect("opens"));
        }
        disk.read_only();
        assert_eq!(disk.home().join("otto.db-wal").exists(), log);
        reads(&disk.home());
        let error = Store::open(&disk.home(), "0.1.0").err().expect("cannot be written");
        assert!(!matches!(error, StoreError::Damaged { .. }), "{error}");
    }
}

#[test]
fn a_full_disk_is_read() {
    for (log, index) in [(false, false), (true, false), (true, true)] {
        let Some(disk) = Disk::new(4096) else { return };
        killed(&disk.home(), index);
        if !log {
            drop(Store::open(&disk.home(), "0.1.0").expect("opens"));
        }
        disk.fill();
        reads(&disk.home());
        if !index {
            let error = Store::open(&disk.home(), "0.1.0").err().expect("cannot be written");
            assert!(matches!(error, StoreError::Full { .. }), "{error}");
        }
        disk.relieve();
        let store = Store::open(&disk.home(), "0.1.0").expect("opens");
        assert_eq!(store.last_seq(&run("r1")).expect("reads"), 4);
    }
}

#[test]
fn events_that_a_full_disk_refused_are_written_once_there_is_room() {
    let Some(disk) = Disk::new(4096) else { return };
    let store = Store::open(&disk.home(), "0.1.0").expect("opens");
    record(&store, "r1", vec![]);
    disk.fill();
    let mut refused = 0;
    for seq in 2..=40 {
        let kind = if seq % 3 == 0 { note(&"n".repeat(3000)) } else { intended(&"i".repeat(3000)) };
        if let Err(error) = store.record(&event("r1", seq, None, kind)) {
            assert!(error.full, "{error}");
            refused += 1;
        }
    }
    assert!(refused > 5, "{refused}");
    assert!(store.deployments().is_ok(), "reading goes on");
    disk.relieve();
    store.record(&event("r1", 41, None, run_ended())).expect("there is room");
    let all = store.events(&run("r1"), 0, 99).expect("reads");
    assert!(all.len() == 41 && all.iter().zip(1..).all(|(event, seq)| event.seq == seq));
    assert!(store.examine().expect("reads").is_empty());
}

#[test]
fn a_store_is_not_begun_on_a_full_disk_and_no_copy_is_half_made() {
    let Some(disk) = Disk::new(1024) else { return };
    disk.fill();
    let error = Store::open(&disk.home(), "0.1.0").err().expect("no room");
    assert!(error.is_full(), "{error}");
    assert!(!disk.home().join("otto.db").exists());
    disk.relieve();

    let folder = Folder::new();
    let store = folder.open();
    record(&store, "r1", vec![recorded("dev/local/hello", "tested", &["www-1"])]);
    let first = save_copy(&store, &disk.path, "p", &folder.path, &[]).expect("copies");
    store.record(&event("r1", 3, None, run_ended())).expect("recorded");
    disk.fill();
    let error = save_copy(&store, &disk.path, "p", &folder.path, &[]).expect_err("no room");
    assert!(error.is_full(), "{error}");
    let copies = list_copies(&disk.path, "p").expect("lists");
    assert_eq!(copies.iter().map(|copy| &copy.folder).collect::<Vec<_>>(), [&first]);
    let error = restore(&copies[0], &disk.home()).expect_err("no room");
    assert!(error.is_full(), "{error}");
    disk.relieve();
    restore(&copies[0], &disk.home()).expect("restores");
    assert_eq!(Store::open(&disk.home(), "0.1.0").expect("opens").id(), store.id());
}

#[test]
fn a_folder_that_may_not_be_written_is_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    killed(&folder.home(), false);
    drop(folder.open());
    fs::set_permissions(folder.home(), fs::Permissions::from_mode(0o500)).expect("sets");
    reads(&folder.home());
    fs::set_permissions(folder.home(), fs::Permissions::from_mode(0o700)).expect("sets");
}
