//! Copies outside of the project: made whole, kept, put back, and when they forbid an empty store.

use super::*;
use otto::store::{StoreError, list_copies, restore, save_copy, should_refuse_empty, store_id_at};
use std::os::unix::fs::PermissionsExt;

const ID: &str = "7f3c";

/// A project with a store and a state, and the folder for its copies.
struct Place {
    folder: Folder,
    state_home: Utf8PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = Folder::new();
        let state_home = folder.path.join("state/otto");
        let place = Self { folder, state_home };
        fs::create_dir_all(place.state().parent().expect("a folder")).expect("creates");
        let store = Store::open(&place.folder.home(), "0.1.0").expect("opens");
        record(&store, "r1", vec![recorded("dev/local/hello", "tested", &["www-1"])]);
        fs::write(place.state(), r#"{"version": 4, "serial": 1}"#).expect("writes");
        place
    }

    fn state(&self) -> Utf8PathBuf {
        self.folder.home().join("terraform/dev_local_hello/terraform.tfstate")
    }

    fn save(&self, store: &Store) -> Utf8PathBuf {
        let states = [
            ("dev_local_hello".to_owned(), self.state()),
            ("dev_local_other".to_owned(), self.folder.path.join("not there")),
        ];
        save_copy(store, &self.state_home, ID, &self.folder.path, &states).expect("copies")
    }

    fn copies(&self) -> Vec<otto::store::Copy> {
        list_copies(&self.state_home, ID).expect("lists")
    }
}

#[test]
fn a_copy_is_whole_private_and_only_made_when_something_changed() {
    let place = Place::new();
    assert!(place.copies().is_empty());
    let store = place.folder.open();
    store.record(&event("r1", 3, None, note("waits"))).expect("recorded");
    let first = place.save(&store);
    assert_eq!(place.save(&store), first, "nothing changed");
    fs::write(place.state(), r#"{"version": 4, "serial": 2}"#).expect("writes");
    let second = place.save(&store);
    store.record(&event("r1", 4, None, recorded("dev/local/hello", "destroyed", &[]))).expect("recorded");
    let third = place.save(&store);
    let copies = place.copies();
    assert_eq!(copies.iter().map(|copy| &copy.folder).collect::<Vec<_>>(), [&third, &second, &first]);
    assert_eq!(copies[2].exists, ["dev/local/hello"]);
    assert!(copies[0].exists.is_empty());
    assert_eq!((copies[2].counts.events, copies[2].counts.deployments), (3, 1));
    assert_eq!((copies[2].store_id.as_str(), &copies[2].project_folder), (store.id(), &place.folder.path));
    assert_eq!(copies[2].states, ["dev_local_hello"]);
    let mode = |path: &Utf8Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(&first), 0o700);
    assert_eq!(mode(&first.join("otto.db")), 0o600);
    assert_eq!(mode(&first.join("terraform/dev_local_hello/terraform.tfstate")), 0o600);
    let names: Vec<_> = fs::read_dir(&first).expect("reads").map(|e| e.expect("an entry").file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for bad in ["../x", "", "a/b", ".hidden"] {
        assert!(save_copy(&store, &place.state_home, bad, &place.folder.path, &[]).is_err(), "{bad}");
        let states = [(bad.to_owned(), place.state())];
        assert!(save_copy(&store, &place.state_home, ID, &place.folder.path, &states).is_err(), "{bad}");
    }
}

#[test]
fn twenty_copies_are_kept_and_what_alone_remembers_something() {
    let place = Place::new();
    let other = Place::new();
    let lone = save_copy(&other.folder.open(), &place.state_home, ID, &other.folder.path, &[]).expect("copies");
    let store = place.folder.open();
    for seq in 3..30 {
        store.record(&event("r1", seq, None, intended("x"))).expect("recorded");
        place.save(&store);
    }
    let copies = place.copies();
    assert_eq!(copies.len(), 21);
    assert_eq!(copies[20].folder, lone);
    assert_eq!(copies[0].counts.events, 29);
    assert!(copies[..20].windows(2).all(|pair| pair[0].counts.events == pair[1].counts.events + 1));
}

#[test]
fn a_copy_brings_everything_back_after_a_git_clean() {
    let place = Place::new();
    let store = place.folder.open();
    let (id, before) = (store.id().to_owned(), store.deployments().expect("reads"));
    place.save(&store);
    drop(store);
    fs::remove_dir_all(place.folder.home()).expect("removes");
    let copies = place.copies();
    let done = restore(&copies[0], &place.folder.home()).expect("restores");
    assert_eq!((done.put_back.len(), done.moved_aside.len(), done.kept.len()), (2, 0, 0));
    let store = place.folder.open();
    assert_eq!((store.id(), store.deployments().expect("reads")), (id.as_str(), before));
    assert!(!store.is_new() && store.examine().expect("reads").is_empty());
    assert!(fs::read_to_string(place.state()).expect("reads").contains("serial"));
    drop(store);
    assert!(matches!(restore(&copies[0], &place.folder.home()), Err(StoreError::Present { .. })), "never over a store");
}

#[test]
fn a_damaged_store_and_state_are_moved_aside_and_a_sound_state_is_kept() {
    let place = Place::new();
    let store = place.folder.open();
    place.save(&store);
    // As a killed writer leaves it: with a log that belongs to the damaged file.
    let log = fs::read(place.folder.home().join("otto.db-wal")).expect("reads");
    drop(store);
    let file = place.folder.home().join("otto.db");
    fs::write(&file, "rubbish").expect("writes");
    fs::write(place.folder.home().join("otto.db-wal"), &log).expect("writes");
    fs::write(place.state(), "").expect("writes");
    assert!(matches!(Store::open(&place.folder.home(), "0.1.0"), Err(StoreError::Damaged { .. })));
    let done = restore(&place.copies()[0], &place.folder.home()).expect("restores");
    assert_eq!((done.put_back.len(), done.moved_aside.len()), (2, 3));
    assert!(done.moved_aside.iter().all(|(_, to)| to.as_str().contains(".damaged-") && to.exists()));
    assert_eq!(fs::read_to_string(&done.moved_aside[2].1).expect("reads"), "rubbish");
    let store = place.folder.open();
    assert_eq!(store.deployments().expect("reads").len(), 1);
    drop(store);

    fs::write(&file, "rubbish").expect("writes");
    fs::write(place.state(), r#"{"version": 4, "serial": 9}"#).expect("writes");
    let done = restore(&place.copies()[0], &place.folder.home()).expect("restores");
    assert_eq!((done.kept.len(), done.put_back.len()), (1, 1));
    assert!(fs::read_to_string(place.state()).expect("reads").contains('9'));
}

#[test]
fn an_empty_store_gives_way_and_a_later_one_or_a_broken_copy_does_not_get_through() {
    let place = Place::new();
    let store = place.folder.open();
    place.save(&store);
    drop(store);
    fs::remove_dir_all(place.folder.home()).expect("removes");
    let empty = place.folder.open();
    record(&empty, "r9", vec![run_ended()]);
    drop(empty);
    let copy = place.copies().remove(0);
    let done = restore(&copy, &place.folder.home()).expect("restores");
    assert!(done.moved_aside[0].1.as_str().contains(".empty-"), "{done:?}");
    assert_eq!(place.folder.open().deployments().expect("reads").len(), 1);

    let conn = rusqlite::Connection::open(place.folder.home().join("otto.db")).expect("opens");
    conn.execute_batch("PRAGMA user_version = 9").expect("sets");
    drop(conn);
    assert!(matches!(restore(&copy, &place.folder.home()), Err(StoreError::Newer { found: 9, .. })));

    fs::remove_dir_all(place.folder.home()).expect("removes");
    let bytes = fs::read(copy.folder.join("otto.db")).expect("reads");
    fs::write(copy.folder.join("otto.db"), &bytes[..bytes.len() / 2]).expect("writes");
    let error = restore(&copy, &place.folder.home()).expect_err("the copy is damaged");
    assert!(matches!(&error, StoreError::Damaged { path, .. } if path.starts_with(&place.state_home)), "{error}");
    assert!(!place.folder.home().join("otto.db").exists());
    assert!(place.folder.open().is_new(), "nothing was left that looks alive");
}

#[test]
fn an_empty_store_is_refused_where_a_copy_knows_better() {
    let place = Place::new();
    let store = place.folder.open();
    place.save(&store);
    let copies = place.copies();
    let (project, home) = (place.folder.path.clone(), place.folder.home());
    let clone = Folder::new();
    let refuse = |copies: &[otto::store::Copy], home: &Utf8Path, project: &Utf8Path| {
        should_refuse_empty(copies, home, project, store_id_at).is_some()
    };
    assert!(refuse(&copies, &home, &project), "this folder lost its store");
    assert!(!refuse(&copies, &clone.home(), &clone.path), "another clone, whose store is in its place");
    drop(store);
    let moved = place.folder.path.join("moved");
    fs::rename(&home, &moved).expect("moves");
    assert!(refuse(&copies, &clone.home(), &clone.path), "that folder no longer holds it");
    drop(Store::open(&home, "0.1.0").expect("a new one"));
    assert!(refuse(&copies, &clone.home(), &clone.path), "that folder holds another one");
    fs::write(home.join("otto.db"), "rubbish").expect("writes");
    assert!(!refuse(&copies, &clone.home(), &clone.path), "that one's own trouble");
    assert!(refuse(&copies, &home, &project));

    let store = Store::open(&moved, "0.1.0").expect("opens");
    store.record(&event("r1", 3, None, recorded("dev/local/hello", "destroyed", &[]))).expect("recorded");
    save_copy(&store, &place.state_home, ID, &project, &[]).expect("copies");
    assert!(!refuse(&place.copies(), &home, &project), "all is destroyed since");
    assert!(!refuse(&[], &home, &project));
}
