//! A lease that ends: warned of, over, reaped, still in the ledger; saved by `extend`; the same by tags alone.

use super::lab::{Account, Lab};

const ID: &str = "0f5c2d1e9b7a4c638d20";
const THINGS: &str = "dev/slow/things";

fn policy(ttl: &str) -> String {
    format!("reap: {{grace: 1s}}\nenvironments:\n  dev: {{ttl: {ttl}}}\n  prod: {{ttl: 1s, protect: true}}")
}

#[test]
fn a_deployment_past_its_lease_is_warned_of_and_reaped() {
    let account = Account::slow();
    let lab = Lab::new(&account, "one", ID, &policy("15s"));
    let up = lab.otto(&["provision", "--yes"]).ends(0);
    let up = up.says("its lease ends").says("`otto extend dev/slow/things --for 8h` prevents that");
    assert!(!up.stderr.contains("warning: the lease"), "{}", up.stderr);
    let lease = lab.deployment()["lease"].clone();
    assert_eq!((&lease["state"], &lease["protect"]), (&"ok".into(), &false.into()), "{lease}");
    lab.otto(&["reap", "--dry-run"]).ends(0);
    let left = u64::try_from(lease["left_s"].as_i64().expect("seconds")).unwrap_or(0);
    std::thread::sleep(std::time::Duration::from_secs(left.saturating_sub(1)));
    assert!(["ending", "over"].contains(&lab.deployment()["lease"]["state"].as_str().expect("a word")));
    lab.outlive(1);
    // Every command says it in one line, on stderr.
    let runs = lab.otto(&["runs", "--json"]).ends(0).says("warning: the lease is over of dev/slow/things");
    assert_eq!(runs.json()["schema"], "otto.runs/1");
    let status = lab.otto(&["status"]).ends(2);
    assert!(status.stdout.contains("lease over"), "{}", status.stdout);
    lab.otto(&["status", "--offline"]).ends(2);
    let planned = lab.otto(&["reap", "--dry-run", "--json"]).ends(10).json();
    assert_eq!(planned["deployments"][0]["fate"], "reap", "{planned}");
    assert_eq!(account.things().len(), 3);
    // Nobody is there to be asked.
    lab.otto(&["reap"]).ends(40).says("otto reap --yes");
    let reaped = lab.otto(&["reap", "--yes", "--json"]).ends(0).json();
    assert_eq!(
        (&reaped["deployments"][0]["fate"], &reaped["deployments"][0]["name"]),
        (&"gone".into(), &THINGS.into())
    );
    assert!(account.things().is_empty());
    lab.otto(&["status"]).ends(0);
    assert_eq!(lab.deployment()["phase"], "destroyed");
    lab.otto(&["reap", "--yes"]).ends(0);
    lab.otto(&["extend", THINGS, "--for", "1h"]).ends(2).says("is destroyed");
}

#[test]
fn an_extension_saves_it_and_is_on_record() {
    let account = Account::slow();
    let mut lab = Lab::new(&account, "one", ID, &policy("5s"));
    lab.env("USER", "ada");
    lab.otto(&["provision", "--yes"]).ends(0);
    let events = lab.otto(&["extend", THINGS, "--for", "1h", "--json"]).ends(0).events();
    let record = &events.iter().find(|e| e["type"] == "deployment").expect("a record")["record"];
    assert!(record["moved"]["by"].as_str().is_some_and(|who| who.starts_with("ada@")), "{record}");
    std::thread::sleep(std::time::Duration::from_secs(7));
    lab.otto(&["reap", "--yes"]).ends(0);
    assert_eq!(account.things().len(), 3, "it lives on");
    let until = "2199-01-01 12:00";
    lab.otto(&["extend", "things", "--until", until]).ends(0);
    assert_eq!(lab.deployment()["lease"]["expires_at"], "2199-01-01T12:00:00.000Z");
    lab.otto(&["extend", THINGS, "--never"]).ends(0);
    assert_eq!(lab.deployment()["lease"]["state"], "none");
    lab.otto(&["extend", THINGS, "--until", "2001-01-01"]).ends(2).says("is over");
    lab.otto(&["extend", THINGS]).ends(2);
    lab.otto(&["destroy", "--yes"]).ends(0);
}

#[test]
fn what_is_protected_or_within_its_grace_stays() {
    let account = Account::slow();
    let lab = Lab::new(
        &account,
        "one",
        ID,
        "reap: {grace: 1h}\nenvironments:\n  dev: {ttl: 1s}\n  prod: {ttl: 1s, protect: true}",
    );
    lab.otto(&["provision", "--yes"]).ends(0);
    lab.otto(&["provision", "--yes", "--env", "prod"]).ends(0);
    std::thread::sleep(std::time::Duration::from_secs(2));
    let planned = lab.otto(&["reap", "--yes", "--json"]).ends(0).json();
    let all = planned["deployments"].as_array().expect("a list");
    assert_eq!(all.len(), 2, "{planned}");
    assert!(all.iter().all(|one| one["fate"] == "stay"), "{planned}");
    assert!(all.iter().any(|one| one["why"].as_str().is_some_and(|why| why.contains("protected"))), "{planned}");
    assert_eq!(account.things().len(), 6);
    lab.otto(&["destroy", "--yes"]).ends(0);
    lab.otto(&["destroy", "--yes", "--env", "prod", "--confirm", "prod/slow/things"]).ends(0);
}

#[test]
fn a_site_has_a_lease_of_its_own() {
    let account = Account::slow();
    let lab = Lab::new(&account, "one", ID, &policy("8h"));
    let site = "domains: [things.localhost]\nttl: 90m\nroles: {www: {count: 1, size: small}}\nenvironments: {prod: {ttl: 2d}}\n";
    lab.write("sites/things/site.yaml", site);
    lab.otto(&["provision", "--yes"]).ends(0);
    let left = lab.deployment()["lease"]["left_s"].as_i64().expect("seconds");
    assert!((5300..=5400).contains(&left), "{left}");
    lab.otto(&["destroy", "--yes"]).ends(0);
}

#[test]
fn without_a_store_the_tags_decide() {
    let account = Account::slow();
    let lab = Lab::new(&account, "one", ID, &policy("5s"));
    let other = Lab::new(&account, "two", "aaaa2d1e9b7a4c638d20", &policy("5s"));
    lab.otto(&["provision", "--yes"]).ends(0);
    lab.otto(&["provision", "--yes", "--env", "prod"]).ends(0);
    other.otto(&["provision", "--yes"]).ends(0);
    let clone = lab.cloned("clone");
    let early = clone.otto(&["reap", "--dry-run", "--json"]).json();
    assert_eq!(early["by_store"], false, "{early}");
    lab.outlive(2);
    let planned = clone.otto(&["reap", "--dry-run", "--json"]).ends(10).json();
    let whose =
        |word: &str| planned["orphans"].as_array().expect("a list").iter().filter(|o| o["whose"] == word).count();
    assert_eq!((whose("ours"), whose("foreign")), (6, 3), "{planned}");
    let done = clone.otto(&["reap", "--yes"]).ends(0);
    assert!(done.stdout.contains("gone"), "{}", done.stdout);
    // Of this project all that was past its lease went, but what is protected; of the other nothing.
    assert_eq!(account.things().len(), 6, "{:?}", account.things());
    assert!(!clone.folder().join(".otto/otto.db").exists(), "a reaper without a store makes none");
    // Whoever has the store goes on from there.
    lab.otto(&["reap", "--yes"]).ends(0);
    assert_eq!(other.deployment()["phase"], "provisioned");
    other.otto(&["destroy", "--yes"]).ends(0);
    lab.otto(&["destroy", "--yes", "--env", "prod", "--confirm", "prod/slow/things"]).ends(0);
    assert!(account.things().is_empty());
}
