//! Stores that cannot be trusted: never begun anew, never written to, and the way back works.

use std::fs;

use crate::sandbox::Sandbox;

const VERBS: [&str; 5] = ["up", "destroy", "plan", "runs", "config"];

fn breaks(damage: impl Fn(&[u8]) -> Vec<u8>, says: &str) {
    let sandbox = Sandbox::new();
    sandbox.otto(&["up", "--yes"]).code(0);
    let home = sandbox.project().join(".otto");
    let broken = damage(&fs::read(home.join("otto.db")).expect("a store"));
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(home.join(format!("otto.db{end}")));
    }
    fs::write(home.join("otto.db"), &broken).expect("written");
    for verb in VERBS {
        sandbox.otto(&[verb, "--json"]).code(24).says(&["otto.db", says, "hint: otto state restore"]);
    }
    for verb in ["status", "test"] {
        sandbox.otto(&[verb]).code(3).says(&["otto.db", says]);
    }
    assert_eq!(fs::read(home.join("otto.db")).expect("a store"), broken, "it is left as it was found");
    assert_eq!(sandbox.hosts().len(), 3);
    sandbox.line("otto state restore").code(0).says(&["dev/made/hello"]);
    assert_eq!(sandbox.status()["phase"], "tested");
    sandbox.heals();
}

#[test]
fn a_store_that_is_cut() {
    breaks(|all| all[..all.len() / 2].to_vec(), "cut short");
    breaks(|all| all[..50].to_vec(), "cut short");
}

#[test]
fn a_store_that_is_empty() {
    breaks(|_| Vec::new(), "it is empty");
}

#[test]
fn a_store_that_is_something_else() {
    breaks(|all| b"words ".repeat(all.len() / 6), "not a database");
}

#[test]
fn a_store_with_a_page_of_rubbish() {
    breaks(
        |all| {
            let mut all = all.to_vec();
            all[4096..8192].fill(0x5a);
            all
        },
        "damaged",
    );
}

#[test]
fn a_store_of_a_later_otto() {
    let sandbox = Sandbox::new();
    sandbox.otto(&["up", "--yes"]).code(0);
    let path = sandbox.project().join(".otto/otto.db");
    let before = fs::read(&path).expect("a store");
    let mut newer = before.clone();
    // `user_version`, as the format of SQLite has it.
    newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&path, &newer).expect("written");
    for verb in VERBS {
        sandbox.otto(&[verb]).code(24).says(&["has format 99", "knows formats up to", "hint:"]);
    }
    sandbox.otto(&["state", "restore"]).code(24).says(&["has format 99"]);
    sandbox.otto(&["status"]).code(3).says(&["has format 99"]);
    assert_eq!(fs::read(&path).expect("a store"), newer);
    fs::write(&path, &before).expect("written");
    sandbox.heals();
}

#[test]
fn a_store_that_is_gone() {
    let sandbox = Sandbox::new();
    sandbox.otto(&["up", "--yes"]).code(0);
    let hosts = sandbox.path("hosts");
    fs::rename(sandbox.project().join(".otto/hosts"), &hosts).expect("moved");
    fs::remove_dir_all(sandbox.project().join(".otto")).expect("removed");
    let ran = sandbox.otto(&["up", "--yes"]).code(24);
    ran.says(&["holds no store", "dev/made/hello", "hint: otto state restore"]);
    sandbox.line("otto state restore").code(0);
    fs::rename(hosts, sandbox.project().join(".otto/hosts")).expect("moved back");
    assert_eq!(sandbox.status()["phase"], "tested");
    sandbox.heals();
}
