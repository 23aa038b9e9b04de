//! What is made while nobody can write it down: found by its tags, and never made twice.

use serde_json::json;

use super::support::{processes, wait_for};
use super::{NAMES, PROVISION, THINGS, destroyed, is, things};

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
    cloud.set(&json!({"boot": 0}));
    cloud.otto(&sandbox, &["up", "--yes", THINGS]).says("no state holds it");
    assert_eq!(cloud.names("droplets"), NAMES, "none of them twice");
    let now: Vec<String> = cloud.all("droplets").iter().map(|d| d["id"].to_string()).collect();
    assert!(now.iter().all(|id| !orphans.contains(id)), "{now:?} {orphans:?}");
    destroyed(&cloud, &sandbox);
}

#[test]
fn killed_and_destroyed() {
    let Some((cloud, sandbox)) = things() else { return };
    cloud.set(&json!({"boot": 60}));
    let running = cloud.start(&sandbox, &PROVISION);
    wait_for("three droplets", || cloud.names("droplets").len() == 3);
    processes::end_all_in(&sandbox.folder);
    running.wait();
    destroyed(&cloud, &sandbox);
}
