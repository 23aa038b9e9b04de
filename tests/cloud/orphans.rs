//! What is made while nobody can write it down: found by its tags, and never made twice.

use serde_json::{Value, json};

use super::support::digitalocean::{Account as _, Cloud};
use super::support::{Sandbox, processes, schema, wait_for};
use super::{NAMES, PROVISION, THINGS, destroyed, is, things};

/// What `status` lists as this store's own and in no state.
fn adrift(cloud: &Cloud, sandbox: &Sandbox) -> Vec<Value> {
    let status = cloud.otto(sandbox, &["status", "--json"]).json();
    schema::STATUS.holds(&status);
    let all = status["orphans"].as_array().expect("a list");
    all.iter().filter(|one| one["whose"] == "ours").cloned().collect()
}

#[test]
fn killed_between_made_and_written() {
    let Some((cloud, sandbox)) = things() else { return };
    cloud.set(&json!({"boot": 60}));
    let running = cloud.start(&sandbox, &PROVISION);
    wait_for("three droplets", || cloud.names("droplets").len() == 3);
    // otto, its supervisor, Terraform and the provider: nobody is left to write anything.
    processes::end_all_in(&sandbox.folder);
    assert_ne!(running.wait().code, 0);
    let orphans: Vec<String> = cloud.all("droplets").iter().map(|d| d["id"].to_string()).collect();
    is(&cloud, &sandbox, "partial", true);
    assert_eq!(cloud.names("droplets"), NAMES, "nothing is touched before somebody says so");
    let found = adrift(&cloud, &sandbox);
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|one| one["per_hour"] == "0.00893" && one["deployment"] == THINGS), "{found:?}");
    cloud.set(&json!({"boot": 0}));
    cloud.otto(&sandbox, &["up", "--yes", THINGS]).says("no state holds it");
    assert_eq!(cloud.names("droplets"), NAMES, "none of them twice");
    let now: Vec<String> = cloud.all("droplets").iter().map(|d| d["id"].to_string()).collect();
    assert!(now.iter().all(|id| !orphans.contains(id)), "{now:?} {orphans:?}");
    destroyed(&cloud, &sandbox);
}

#[test]
fn killed_and_reaped() {
    let Some((cloud, sandbox)) = things() else { return };
    cloud.set(&json!({"boot": 60}));
    let running = cloud.start(&sandbox, &PROVISION);
    wait_for("three droplets", || cloud.names("droplets").len() == 3);
    processes::end_all_in(&sandbox.folder);
    running.wait();
    cloud.otto(&sandbox, &["reap", "--dry-run"]).ends(10);
    assert_eq!(cloud.names("droplets"), NAMES);
    cloud.otto(&sandbox, &["reap", "--yes"]).ends(0);
    assert_eq!(cloud.names("droplets").len(), 0);
    cloud.set(&json!({"boot": 0}));
    cloud.otto(&sandbox, &PROVISION).ends(0);
    assert_eq!(cloud.names("droplets"), NAMES);
    destroyed(&cloud, &sandbox);
}

#[test]
fn what_terraform_is_still_making_is_not_reaped() {
    let Some((cloud, sandbox)) = things() else { return };
    cloud.set(&json!({"boot": 60}));
    let running = cloud.start(&sandbox, &PROVISION);
    wait_for("three droplets", || cloud.names("droplets").len() == 3);
    // otto and its supervisor: Terraform goes on, and no lock says so.
    for process in processes::living_in(&sandbox.folder).into_iter().filter(|one| one.name == "otto") {
        process.kill();
    }
    running.wait();
    let told = cloud.otto(&sandbox, &["reap", "--yes"]).ends(0);
    assert!(told.stdout.contains("stays") && told.stdout.contains("is still at work"), "{}", told.stdout);
    assert_eq!(cloud.names("droplets"), NAMES);
    processes::end_all_in(&sandbox.folder);
    cloud.otto(&sandbox, &["reap", "--yes"]).ends(0);
    assert_eq!(cloud.names("droplets").len(), 0, "nobody is at work any more");
    cloud.set(&json!({"boot": 0}));
    cloud.otto(&sandbox, &PROVISION).ends(0);
    assert_eq!(cloud.names("droplets"), NAMES);
    destroyed(&cloud, &sandbox);
}

#[test]
fn a_lost_answer_makes_a_twin_that_is_found_and_reaped() {
    let Some((cloud, sandbox)) = things() else { return };
    cloud.fault(&json!({"match": "POST /v2/droplets", "drop": true, "late": true}));
    cloud.otto(&sandbox, &PROVISION).ends(0);
    assert_eq!(cloud.names("droplets").len(), 4, "the provider asks again, and there are two");
    let found = adrift(&cloud, &sandbox);
    assert_eq!((found.len(), &found[0]["per_hour"], &found[0]["kind"]), (1, &"0.00893".into(), &"host".into()));
    cloud.otto(&sandbox, &["reap", "--yes"]).ends(0);
    assert_eq!(cloud.names("droplets"), NAMES);
    let twin = found[0]["id"].as_str().and_then(|id| id.parse::<i64>().ok());
    assert!(cloud.all("droplets").iter().all(|d| d["id"].as_i64() != twin));
    assert_eq!(adrift(&cloud, &sandbox).len(), 0);
    cloud.otto(&sandbox, &PROVISION).ends(0).says("no changes");
    destroyed(&cloud, &sandbox);
}

#[test]
fn a_twin_does_not_outlive_its_deployment() {
    let Some((cloud, sandbox)) = things() else { return };
    cloud.fault(&json!({"match": "POST /v2/droplets", "drop": true, "late": true}));
    cloud.otto(&sandbox, &PROVISION).ends(0);
    assert_eq!(cloud.names("droplets").len(), 4);
    destroyed(&cloud, &sandbox);
}

#[test]
fn a_builder_that_nobody_waits_for_is_reaped() {
    let Some((cloud, sandbox)) = things() else { return };
    let site = "domains: [things.localhost]\nroles:\n  www: {image: nginx, size: small}\n";
    sandbox.write("sites/things/site.yaml", site);
    let running = cloud.start(&sandbox, &["up", "--yes", THINGS]);
    wait_for("a builder", || cloud.names("droplets").len() == 1);
    assert!(cloud.names("droplets")[0].starts_with("otto-builder-nginx-"), "{:?}", cloud.names("droplets"));
    // Packer itself starts its plugins in folders of their own.
    running.kill();
    processes::end_all_of(&sandbox.base());
    let found = adrift(&cloud, &sandbox);
    assert_eq!((found.len(), &found[0]["kind"], &found[0]["per_hour"]), (1, &"builder".into(), &"0.00893".into()));
    cloud.otto(&sandbox, &["reap", "--yes"]).ends(0);
    assert_eq!(cloud.names("droplets").len(), 0);
}
