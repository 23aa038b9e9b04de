//! A file that cannot be used is an error, never a panic and never an empty store.

use super::*;
use otto::model::Resource;
use otto::store::{DriftRow, StoreError};
use std::os::unix::fs::PermissionsExt;

/// A closed store with some content.
fn filled() -> Folder {
    let folder = Folder::new();
    let store = folder.open();
    let kinds = (0..40).map(|n| recorded(&format!("dev/local/s{n}"), "provisioned", &["www-1", "www-2"])).collect();
    record(&store, "r1", kinds);
    drop(store);
    assert!(!folder.home().join("otto.db-wal").exists(), "closed cleanly");
    folder
}

fn is_damaged(home: &Utf8Path) -> String {
    for (how, opened) in [("write", Store::open(home, "0.1.0")), ("read", Store::open_read_only(home))] {
        match opened {
            Err(StoreError::Damaged { what, .. }) if how == "read" => return what,
            Err(StoreError::Damaged { .. }) => {}
            Err(other) => panic!("to {how}: {other}"),
            Ok(_) => panic!("opened to {how}"),
        }
    }
    unreachable!("both ways were tried")
}

#[test]
fn a_file_cut_anywhere_is_damaged() {
    let folder = filled();
    let file = folder.home().join("otto.db");
    let whole = fs::read(&file).expect("reads");
    let mut lengths: Vec<usize> = (0..whole.len()).step_by(977).collect();
    lengths.extend([1, 15, 16, 17, 18, 24, 40, 99, 100, 101, 511, 512, 4095, 4096, 4097, whole.len() - 1]);
    for length in lengths {
        fs::write(&file, &whole[..length]).expect("writes");
        is_damaged(&folder.home());
        assert_eq!(fs::read(&file).expect("reads").len(), length, "left as it was");
    }
    fs::write(&file, &whole).expect("writes");
    assert_eq!(folder.open().deployments().expect("reads").len(), 40);
}

#[test]
fn overwritten_parts_never_panic_and_never_read_as_less() {
    let folder = filled();
    let file = folder.home().join("otto.db");
    let whole = fs::read(&file).expect("reads");
    let mut noticed = 0;
    for at in (100..whole.len() - 600).step_by(1500) {
        let mut broken = whole.clone();
        broken[at..at + 500].fill(0xa5);
        fs::write(&file, &broken).expect("writes");
        let read = Store::open(&folder.home(), "0.1.0").and_then(|store| {
            let all = store.deployments()?;
            store.events(&run("r1"), 0, 1000)?;
            Ok(all.len())
        });
        match read {
            Ok(count) => assert_eq!(count, 40, "at {at}"),
            Err(StoreError::Damaged { .. }) => noticed += 1,
            Err(other) => panic!("at {at}: {other}"),
        }
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{file}{end}"));
        }
    }
    assert!(noticed > 5, "{noticed}");
}

#[test]
fn what_is_no_store_of_otto_is_damaged() {
    let folder = filled();
    let file = folder.home().join("otto.db");
    fs::write(&file, "not a database at all, though long enough for a header of one".repeat(99)).expect("writes");
    assert!(is_damaged(&folder.home()).contains("not a database"));
    fs::remove_file(&file).expect("removes");
    let other = rusqlite::Connection::open(&file).expect("opens");
    other.execute_batch("CREATE TABLE t (a)").expect("creates");
    drop(other);
    assert!(is_damaged(&folder.home()).contains("something else"));

    let folder = filled();
    let file = rusqlite::Connection::open(folder.home().join("otto.db")).expect("opens");
    file.execute_batch("DROP TABLE deployments").expect("drops");
    drop(file);
    assert!(is_damaged(&folder.home()).contains("tables"));
}

#[test]
fn a_record_that_cannot_be_read_is_damage_and_names_itself() {
    let folder = filled();
    let file = rusqlite::Connection::open(folder.home().join("otto.db")).expect("opens");
    file.execute("UPDATE deployments SET doc = '{}' WHERE id = 'dev/local/s1'", []).expect("updates");
    drop(file);
    let error = folder.open().deployments().expect_err("unreadable");
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn a_later_format_is_refused_with_both_numbers() {
    let folder = filled();
    let file = rusqlite::Connection::open(folder.home().join("otto.db")).expect("opens");
    file.execute_batch("PRAGMA user_version = 7").expect("sets");
    drop(file);
    for opened in [Store::open(&folder.home(), "0.1.0"), Store::open_read_only(&folder.home())] {
        let Err(StoreError::Newer { found, known, path }) = opened else { panic!("refused") };
        assert_eq!((found, known, path), (7, otto::store::VERSION, folder.home().join("otto.db")));
    }
}

#[test]
fn a_store_that_is_gone_is_not_begun_anew_where_something_lives() {
    for sign in ["otto.db-wal", "terraform/dev_local_hello/terraform.tfstate", "hosts/dev_local_hello/www-1/pid"] {
        let folder = Folder::new();
        let file = folder.home().join(sign);
        fs::create_dir_all(file.parent().expect("a folder")).expect("creates");
        fs::write(&file, "x").expect("writes");
        assert!(is_damaged(&folder.home()).contains("gone"), "{sign}");
        assert!(!folder.home().join("otto.db").exists());
        fs::write(folder.home().join("otto.db"), "").expect("writes");
        assert!(is_damaged(&folder.home()).contains("empty"), "{sign}");
    }
    let folder = Folder::new();
    for harmless in ["terraform/dev_local_hello", "terraform/cache/x", "locks", "runs/r1/u"] {
        fs::create_dir_all(folder.home().join(harmless)).expect("creates");
    }
    fs::write(folder.home().join("otto.db.new"), "left by one that was killed").expect("writes");
    assert!(folder.open().is_new());
}

#[test]
fn an_absent_store_reads_as_a_new_one_and_nothing_is_made() {
    let folder = Folder::new();
    let store = Store::open_read_only(&folder.home()).expect("opens");
    assert!(store.is_new() && store.id().is_empty() && store.is_empty().expect("reads"));
    assert!(store.deployments().expect("reads").is_empty() && store.last_run().expect("reads").is_none());
    assert!(!folder.home().exists());
}

#[test]
fn files_are_private() {
    let folder = Folder::new();
    fs::create_dir(folder.home()).expect("creates");
    fs::set_permissions(folder.home(), fs::Permissions::from_mode(0o755)).expect("sets");
    let store = folder.open();
    record(&store, "r1", vec![]);
    let mode = |name: &str| fs::metadata(folder.home().join(name)).expect("is there").permissions().mode() & 0o777;
    assert_eq!([mode(""), mode("locks")], [0o700; 2]);
    assert_eq!([mode("otto.db"), mode("otto.db-wal"), mode("otto.db-shm"), mode("locks/store")], [0o600; 4]);
}

/// Format 1 as written by the first otto. It opens for ever, and becomes the current one.
#[test]
fn a_file_of_format_1_opens() {
    let folder = Folder::new();
    fs::create_dir(folder.home()).expect("creates");
    let old = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/store/v1.db");
    fs::copy(&old, folder.home().join("otto.db")).expect("copies");
    for store in [Store::open_read_only(&folder.home()).expect("opens"), folder.open()] {
        assert_eq!(store.deployments().expect("reads"), [deployment("dev/local/hello", "tested", &["www-1"])]);
        assert_eq!(store.images().expect("reads"), [image("nginx", "/images/nginx.tar.gz", 1)]);
        assert_eq!(store.events(&run("r1"), 0, 100).expect("reads").len(), 7);
        let last = store.last_run().expect("reads").expect("a run");
        assert_eq!((last.outcome, last.units.len()), (Outcome::Ok, 1));
        assert_eq!(store.ledger(None).expect("reads").len(), 1);
        assert_eq!(store.id(), "5eed5eed5eed5eed");
    }
    let store = folder.open();
    assert_eq!(store.ledger(None).expect("reads")[0].price, None);
    let kind = EventKind::Ledger { owner: "dev/local/hello".parse().expect("an owner"), resources: Vec::new() };
    store.record(&event("r2", 1, None, kind)).expect("recorded");
    assert!(store.ledger(None).expect("reads")[0].to.is_some(), "old rows are closed as new ones are");
    assert_eq!(store.drift_history(None, 9).expect("reads"), []);
}

/// Format 2: ledger rows with prices, rows of images, drift.
#[test]
fn a_file_of_format_2_opens() {
    let folder = Folder::new();
    fs::create_dir(folder.home()).expect("creates");
    let old = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/store/v2.db");
    fs::copy(&old, folder.home().join("otto.db")).expect("copies");
    for store in [Store::open_read_only(&folder.home()).expect("opens"), folder.open()] {
        assert_eq!(store.id(), "5eed5eed5eed5eed");
        assert_eq!(store.deployments().expect("reads").len(), 1);
        let rows = store.ledger(None).expect("reads");
        let owners: Vec<String> = rows.iter().map(|row| row.owner.to_string()).collect();
        assert_eq!(owners, ["prod/do/hello", "prod/do/hello", "do/nginx"]);
        assert_eq!(rows[0].price.as_ref().map(|price| price.amount.to_string()).as_deref(), Some("0.00893"));
        assert_eq!((rows[0].note().basis.as_str(), rows[0].to.is_some()), ("journal", true));
        assert_eq!((&*rows[1].size, rows[1].to), ("s-1vcpu-2gb", None));
        let drift =
            store.drift_last().expect("reads").remove(&"prod/do/hello".parse().expect("an id")).expect("a look");
        assert_eq!((drift.changes, drift.run), (1, Some(run("r1"))));
    }
}

/// Wrote `tests/data/store/v2.db`. Not to be repeated: the file stands for what is out there.
#[test]
#[ignore = "writes a file of the repository"]
fn write_the_file_of_format_2() {
    let folder = Folder::new();
    let store = folder.open();
    let id = "prod/do/hello";
    let droplet = |size: &str, amount: &str| super::journal::resource("digitalocean_droplet.host", "77", size, amount);
    let image = Resource { kind: "image".into(), ..super::journal::resource("fra1:9", "9", "", "0.06") };
    record(&store, "r1", vec![recorded(id, "partial", &[])]);
    for (n, kind) in [
        super::journal::ledger(id, vec![droplet("s-1vcpu-1gb", "0.00893")]),
        recorded(id, "provisioned", &["www-1"]),
        super::journal::ledger(id, vec![droplet("s-1vcpu-2gb", "0.01786")]),
        super::journal::ledger("do/nginx", vec![image]),
        run_ended(),
    ]
    .into_iter()
    .enumerate()
    {
        store.record(&event("r1", 3 + n as u64, None, kind)).expect("recorded");
    }
    let at = Timestamp(1_800_000_000_009);
    let doc = json!({"name": id, "at": at, "changes": [{"address": "a.b", "action": "delete", "fields": []}]});
    let row = DriftRow { deployment: id.parse().expect("an id"), at, run: Some(run("r1")), changes: 1, doc };
    store.drift_add(&row).expect("added");
    drop(store);
    let file = rusqlite::Connection::open(folder.home().join("otto.db")).expect("opens");
    file.execute_batch("UPDATE meta SET value = '5eed5eed5eed5eed' WHERE key = 'id'; VACUUM").expect("updates");
    drop(file);
    let target = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/store/v2.db");
    assert!(!target.exists(), "{target} is never written again");
    fs::copy(folder.home().join("otto.db"), target).expect("copies");
}

/// Wrote `tests/data/store/v1.db`. Not to be repeated: the file stands for what is out there.
#[test]
#[ignore = "writes a file of the repository"]
fn write_the_file_of_format_1() {
    let folder = Folder::new();
    let store = folder.open();
    let unit = Some("dev/local/hello:test");
    record(&store, "r1", vec![EventKind::Image { record: image("nginx", "/images/nginx.tar.gz", 1) }]);
    store.record(&event("r1", 3, unit, EventKind::UnitStarted { why: "new".into() })).expect("recorded");
    store.record(&event("r1", 4, unit, intended("runs/r1/x"))).expect("recorded");
    store.record(&event("r1", 5, unit, recorded("dev/local/hello", "tested", &["www-1"]))).expect("recorded");
    store.record(&event("r1", 6, unit, unit_ended(Outcome::Ok))).expect("recorded");
    store.record(&event("r1", 7, None, run_ended())).expect("recorded");
    drop(store);
    let file = rusqlite::Connection::open(folder.home().join("otto.db")).expect("opens");
    file.execute_batch("UPDATE meta SET value = '5eed5eed5eed5eed' WHERE key = 'id'; VACUUM").expect("updates");
    drop(file);
    let target = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/store/v1.db");
    assert!(!target.exists(), "{target} is never written again");
    fs::copy(folder.home().join("otto.db"), target).expect("copies");
}
