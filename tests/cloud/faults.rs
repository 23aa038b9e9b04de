//! What clouds do wrong: each fault ends in a truthful state, and the next command works. Droplets are records here.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::support::digitalocean::Account as _;
use super::support::wait_for;
use super::{NAMES, PROVISION, THINGS, destroyed, is, repair, things};

#[test]
fn limits_and_short_errors_are_waited_out() {
    let Some((cloud, sandbox)) = things() else { return };
    cloud.fault(&json!({"match": "POST /v2/droplets", "times": 2, "status": 429, "headers": {"Retry-After": "1"}}));
    cloud.fault(&json!({"match": "POST /v2/firewalls", "times": 2, "status": 500}));
    cloud.set(&json!({"late": 3})); // made, and seen by nobody for so many seconds
    cloud.otto(&sandbox, &PROVISION).ends(0);
    assert_eq!(cloud.names("droplets"), NAMES);
    is(&cloud, &sandbox, "provisioned", false);
    cloud.fault(&json!({"match": "DELETE /v2/droplets", "times": 3, "status": 500}));
    destroyed(&cloud, &sandbox);
}

#[test]
fn errors_that_last_leave_a_part_that_is_finished_later() {
    let Some((cloud, sandbox)) = things() else { return };
    cloud.fault(&json!({"match": "POST /v2/droplets", "times": 1}));
    cloud.fault(&json!({"match": "POST /v2/droplets", "times": 50, "status": 500}));
    cloud.otto(&sandbox, &PROVISION).ends(32);
    is(&cloud, &sandbox, "partial", true);
    assert_eq!(cloud.names("droplets").len(), 1);
    cloud.forgive();
    repair(&cloud, &sandbox).ends(0);
    assert_eq!(cloud.names("droplets"), NAMES);
    cloud.fault(&json!({"match": "DELETE /v2/droplets", "times": 50, "status": 500}));
    cloud.otto(&sandbox, &["destroy", "--yes"]).ends(32).says("otto destroy dev/do/things --yes");
    is(&cloud, &sandbox, "destroying", true);
    assert_eq!(cloud.names("droplets"), NAMES);
    cloud.forgive();
    destroyed(&cloud, &sandbox);
}

#[test]
fn droplets_that_never_become_active_are_given_up_and_made_anew() {
    let Some((cloud, sandbox)) = things() else { return };
    cloud.set(&json!({"boot": null}));
    let running = cloud.start(&sandbox, &PROVISION);
    wait_for("three droplets", || cloud.names("droplets").len() == 3);
    kill_process(Pid::from_raw(running.pid()).expect("a pid"), Signal::INT).expect("a signal");
    running.wait().ends(130);
    is(&cloud, &sandbox, "partial", true);
    assert_eq!(cloud.names("droplets"), NAMES);
    cloud.set(&json!({"boot": 0}));
    repair(&cloud, &sandbox).ends(0);
    assert_eq!(cloud.names("droplets"), NAMES);
    let states: Vec<Value> = cloud.all("droplets").iter().map(|d| d["status"].clone()).collect();
    assert_eq!(states, ["active"; 3]);
    destroyed(&cloud, &sandbox);
}

#[test]
fn a_quota_is_named_and_what_was_made_is_kept() {
    let Some((cloud, sandbox)) = things() else { return };
    cloud.set(&json!({"droplet_limit": 2}));
    cloud.otto(&sandbox, &PROVISION).ends(32).says("will exceed your droplet limit").says("the account's limit");
    is(&cloud, &sandbox, "partial", true);
    assert_eq!(cloud.names("droplets").len(), 2);
    cloud.set(&json!({"droplet_limit": 25}));
    cloud.otto(&sandbox, &PROVISION).ends(0);
    assert_eq!(cloud.names("droplets"), NAMES);
    destroyed(&cloud, &sandbox);
}

#[test]
fn a_bad_token_is_told_before_anything_is_made() {
    let Some((cloud, sandbox)) = things() else { return };
    cloud.set(&json!({"token": "another"}));
    cloud.otto(&sandbox, &["plan", THINGS]).ends(0);
    let refused = cloud.otto(&sandbox, &PROVISION).ends(23);
    refused.says("DigitalOcean refuses the token").says("DIGITALOCEAN_TOKEN");
    cloud.otto(&sandbox, &["images", "--yes"]).ends(23).says("refuses the token");
    assert_eq!(cloud.asked("POST"), 0);
    is(&cloud, &sandbox, "absent", false);
    cloud.set(&json!({"token": "token-of-the-team"}));
    cloud.otto(&sandbox, &PROVISION).ends(0);
    cloud.set(&json!({"token": "another"}));
    for verb in [&PROVISION[..], &["destroy", "--yes", THINGS]] {
        cloud.otto(&sandbox, verb).ends(23).says("refuses the token");
        is(&cloud, &sandbox, "provisioned", false);
    }
    let env = [("DIGITALOCEAN_TOKEN", "another")];
    cloud.otto_with(&sandbox, &["destroy", "--yes"], &env).ends(0);
    is(&cloud, &sandbox, "destroyed", false);
    cloud.is_empty();
}

#[test]
fn a_token_that_is_revoked_in_mid_run() {
    let Some((cloud, sandbox)) = things() else { return };
    cloud.fault(&json!({"match": "POST /v2/droplets", "times": 1}));
    cloud.fault(&json!({"match": "POST /v2/droplets", "times": 1, "set": {"token": "the-new-one"}}));
    cloud.otto(&sandbox, &PROVISION).ends(32).says("no valid credentials");
    is(&cloud, &sandbox, "partial", true);
    let made = cloud.names("droplets").len();
    repair(&cloud, &sandbox).ends(23).says("refuses the token");
    is(&cloud, &sandbox, "partial", true);
    assert_eq!(cloud.names("droplets").len(), made);
    let env = [("DIGITALOCEAN_TOKEN", "the-new-one")];
    cloud.otto_with(&sandbox, &PROVISION, &env).ends(0);
    assert_eq!(cloud.names("droplets"), NAMES);
    cloud.otto_with(&sandbox, &["destroy", "--yes"], &env).ends(0);
    cloud.is_empty();
}

#[test]
fn an_api_that_is_not_there() {
    let Some((cloud, sandbox)) = things() else { return };
    cloud.set(&json!({"refuse": true}));
    cloud.otto(&sandbox, &PROVISION).ends(23).says("does not answer");
    is(&cloud, &sandbox, "absent", false);
    cloud.set(&json!({"refuse": false}));
    cloud.otto(&sandbox, &PROVISION).ends(0);
    cloud.set(&json!({"refuse": true}));
    cloud.otto(&sandbox, &["destroy", "--yes"]).ends(23).says("does not answer");
    is(&cloud, &sandbox, "provisioned", false);
    cloud.set(&json!({"refuse": false}));
    // And one that goes away while it is at work.
    cloud.fault(&json!({"match": "DELETE /v2/droplets", "late": true, "drop": true, "set": {"refuse": true}}));
    cloud.otto(&sandbox, &["destroy", "--yes"]).ends(32).says("otto destroy dev/do/things --yes");
    is(&cloud, &sandbox, "destroying", true);
    cloud.set(&json!({"refuse": false}));
    destroyed(&cloud, &sandbox);
}
