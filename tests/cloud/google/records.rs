//! Everything that the root makes, as records: nobody answers at the addresses of instances.

use serde_json::{Value, json};

use crate::support::google::{Account as _, Google};
use crate::support::{Output, Sandbox, processes, schema, wait_for};

const SHOP: &str = "dev/gcp/shop";
const PROVISION: [&str; 3] = ["provision", "--yes", SHOP];
const NAMES: [&str; 2] = ["dev-shop-www-1", "dev-shop-www-2"];
const FRONT: &str = "  lb: {kind: cloud}\nvars: {dns_zone: shop.example}\n";

/// One site of two www that boot the stock image, and these lines.
fn shop(name: &str, lines: &str) -> Option<(Google, Sandbox)> {
    let google = Google::records()?;
    let sandbox = google.project(name);
    let text = format!("domains: [shop.example, www.shop.example]\nroles:\n  www: {{count: 2, size: small}}\n{lines}");
    sandbox.write("sites/shop/site.yaml", &text);
    google.set(&json!({"zone": "shop.example"}));
    Some((google, sandbox))
}

/// Names of the instances in the balancer's group.
fn members(google: &Google) -> Vec<String> {
    let groups = google.all("instanceGroups");
    let links = groups.iter().flat_map(|group| group["members"].as_array().cloned().unwrap_or_default());
    let mut names: Vec<String> =
        links.filter_map(|link| link.as_str()?.rsplit('/').next().map(str::to_owned)).collect();
    names.sort();
    names
}

fn ids(google: &Google) -> Vec<(Value, Value)> {
    NAMES.map(|name| google.instance(name)).iter().map(|one| (one["name"].clone(), one["id"].clone())).collect()
}

/// Addresses of every record of the zone.
fn records(google: &Google) -> Vec<Value> {
    let all = google.state()["records"]["shop.example"].as_array().cloned().unwrap_or_default();
    all.iter().map(|one| one["rrdatas"].clone()).collect()
}

/// Which names a firewall's source ranges are, by the end of its name.
fn ranges(google: &Google, end: &str) -> Value {
    let all = google.all("firewalls");
    let found = all.iter().find(|one| one["name"].as_str().is_some_and(|name| name.ends_with(end)));
    found.unwrap_or_else(|| panic!("no {end} in {all:?}"))["sourceRanges"].clone()
}

#[track_caller]
fn destroyed(google: &Google, sandbox: &Sandbox) {
    google.otto(sandbox, &["destroy", "--yes"]).ends(0);
    assert_eq!(records(google), [] as [Value; 0], "the zone itself is not otto's");
    google.is_empty();
}

#[test]
fn a_site_behind_googles_own_balancer_with_names_in_a_zone() {
    let Some((google, sandbox)) = shop("front", FRONT) else { return };
    google.otto(&sandbox, &["plan", SHOP]).ends(0);
    google.otto(&sandbox, &PROVISION).ends(0);
    assert_eq!(google.names("instances"), NAMES);
    assert_eq!(members(&google), NAMES);
    let front = google.all("forwardingRules").remove(0);
    assert_eq!(records(&google), [json!([front["IPAddress"]]), json!([front["IPAddress"]])]);
    let status = google.status_of(&sandbox, SHOP, 2);
    assert_eq!(status["endpoint"], format!("http://{}/", front["IPAddress"].as_str().expect("an address")));
    google.otto(&sandbox, &PROVISION).ends(0).says("no changes");
    explained(&google, &sandbox);
    longer(&google, &sandbox);
    somebody_else(&google, &sandbox);
    anew(&google, &sandbox);
    destroyed(&google, &sandbox);
    let report = google.otto(&sandbox, &["spend", "--json"]).ends(0).json();
    assert_eq!(report["per_hour"], "0.00", "{report}");
}

/// Every row has a price, and says where it is from.
fn explained(google: &Google, sandbox: &Sandbox) {
    let report = google.otto(sandbox, &["spend", "--json"]).ends(0).json();
    let mut kinds: Vec<&str> =
        report["rows"].as_array().expect("rows").iter().filter_map(|row| row["kind"].as_str()).collect();
    kinds.sort_unstable();
    let each = ["google_compute_disk", "google_compute_instance", "google_external_ip"];
    assert_eq!(kinds, [each[0], each[0], "google_compute_forwarding_rule", each[1], each[1], each[2], each[2]]);
    assert_eq!(report["unpriced"], json!([]), "{report}");
    says(
        &google.otto(sandbox, &["spend", "--explain", "google_compute_forwarding_rule.front[0]"]).ends(0),
        &[
            "0.025 USD an hour",
            "for the first 5 together, 0.01 USD for each more",
            "Cloud Load Balancing pricing page",
            "read 2026-07-30",
            "gcp.yaml:",
        ],
    );
    let words =
        ["0.0083764 USD an hour × seconds / 3600, at least 60 s", "10 GB × 0.04 USD", "0.005 USD an hour", "Cyclenerd"];
    says(&google.otto(sandbox, &["spend", "--explain", "www-1"]).ends(0), &words);
}

#[track_caller]
fn says(output: &Output, words: &[&str]) {
    for word in words {
        assert!(output.stdout.contains(word), "{word} in\n{}", output.stdout);
    }
}

/// Another end of the lease and other administrators are changes of what there is: no instance is made anew.
fn longer(google: &Google, sandbox: &Sandbox) {
    let before = ids(google);
    google.otto(sandbox, &["extend", "--for", "9h", SHOP]).ends(0);
    let ends = google.instance(NAMES[0])["labels"]["otto_expires"].clone();
    assert!(ends.as_str().is_some_and(|text| text.parse::<u64>().is_ok_and(|n| n > 0)), "{ends}");
    assert_eq!(google.all("forwardingRules")[0]["labels"]["otto_expires"], ends);
    assert_eq!(ranges(google, "-ssh"), json!(["0.0.0.0/0"]));
    // Of an address with a length its network, which is all that the API takes; IPv6 is nothing for this network.
    sandbox.edit("otto.yaml", "# admin_cidrs: [203.0.113.7] ", "admin_cidrs: [203.0.113.7/24, \"2001:db8::1/64\"] #");
    google.otto(sandbox, &PROVISION).ends(0);
    assert_eq!(
        (ranges(google, "-ssh"), ranges(google, "-inner")),
        (json!(["203.0.113.0/24"]), json!(["203.0.113.0/24"]))
    );
    assert_eq!(ids(google), before);
    google.otto(sandbox, &PROVISION).ends(0).says("no changes");
}

/// One instance is stopped, one deleted, and labels of theirs are put on: each is seen, what is gone is made again.
fn somebody_else(google: &Google, sandbox: &Sandbox) {
    let path = |name: &str| format!("zones/us-central1-b/instances/{name}");
    google.otto(sandbox, &["drift", SHOP]).ends(0);
    google.edit(&json!({"path": path(NAMES[1]), "act": "stop"}));
    let drift =
        google.otto(sandbox, &["drift", "--json", SHOP]).ends(10).json()["deployments"][0]["changes"].to_string();
    assert!(drift.contains("www-2") && drift.contains("current_status"), "{drift}");
    google.edit(&json!({"path": path(NAMES[1]), "act": "start"}));
    google.edit(&json!({"path": path(NAMES[0]), "delete": true}));
    let drift = google.otto(sandbox, &["drift", "--json", SHOP]).ends(10).json().to_string();
    assert!(drift.contains("www-1"), "{drift}");
    google.otto(sandbox, &PROVISION).ends(0);
    assert_eq!((google.names("instances").len(), members(google).len()), (2, 2));
    google.otto(sandbox, &PROVISION).ends(0).says("no changes");
}

/// An instance that is made anew has the name that it had, and is behind the balancer at once.
fn anew(google: &Google, sandbox: &Sandbox) {
    let before = google.instance(NAMES[0])["id"].clone();
    let replace = ["--allow-destroy", "--", "-replace=google_compute_instance.host[\"www-1\"]"];
    google.otto(sandbox, &[&PROVISION[..], &replace].concat()).ends(0);
    assert_ne!(google.instance(NAMES[0])["id"], before);
    assert_eq!(members(google), NAMES);
    google.otto(sandbox, &PROVISION).ends(0).says("no changes");
    // A size that is another is no other instance, one www less is the other's end.
    sandbox.edit("sites/shop/site.yaml", "count: 2, size: small", "count: 1, size: medium");
    google.otto(sandbox, &PROVISION).ends(40);
    google.otto(sandbox, &[&PROVISION[..], &["--allow-destroy"]].concat()).ends(0);
    let left = google.instance(NAMES[0]);
    assert!(left["machineType"].as_str().is_some_and(|kind| kind.ends_with("/e2-small")), "{left}");
    assert_eq!((left["status"].as_str(), members(google)), (Some("RUNNING"), vec![NAMES[0].to_owned()]));
}

/// Names as long as they get: cut where Google takes no longer ones, and told whole to whoever looks for what is lost.
#[test]
fn long_names_are_cut_to_what_google_takes() {
    let Some(google) = Google::records() else { return };
    let sandbox = google.project("long");
    let site = "a-site-with-a-name-of-thirty-c";
    let roles = "roles:\n  www: {count: 1, size: small}\n  lb: {count: 1, size: small}\n";
    sandbox.write(&format!("sites/{site}/site.yaml"), &format!("domains: [long.example]\n{roles}"));
    sandbox.edit("otto.yaml", "environments:\n", "environments:\n  an-environment-of-thirty-chars: {}\n");
    let on = format!("an-environment-of-thirty-chars/gcp/{site}");
    let provision = ["provision", "--yes", &on];
    google.set(&json!({"boot": 60}));
    let running = google.start(&sandbox, &provision);
    wait_for("two instances", || google.names("instances").len() == 2);
    processes::end_all_in(&sandbox.folder);
    running.wait();
    let status = google.otto(&sandbox, &["status", "--json"]).json();
    let orphans = status["orphans"].as_array().expect("a list");
    let mine = orphans.iter().filter(|one| one["kind"] == "host" && one["deployment"] == *on).count();
    assert_eq!(mine, 2, "{orphans:?}");
    google.set(&json!({"boot": 0}));
    google.otto(&sandbox, &provision).ends(0).says("no state holds it");
    let names = google.names("instances");
    assert!(names.len() == 2 && names.iter().all(|name| name.len() <= 63), "{names:?}");
    google.otto(&sandbox, &provision).ends(0).says("no changes");
    google.otto(&sandbox, &["destroy", "--yes", &on]).ends(0);
    google.is_empty();
}

#[test]
fn killed_between_made_and_written() {
    let Some((google, sandbox)) = shop("killed", "") else { return };
    google.set(&json!({"boot": 60}));
    let running = google.start(&sandbox, &PROVISION);
    wait_for("two instances", || google.names("instances").len() == 2);
    // otto, its supervisor, Terraform and the provider: nobody is left to write anything.
    processes::end_all_in(&sandbox.folder);
    assert_ne!(running.wait().code, 0);
    let lost: Vec<(Value, Value)> = ids(&google);
    let status = google.otto(&sandbox, &["status", "--json"]).json();
    schema::STATUS.holds(&status);
    let found: Vec<&Value> = status["orphans"].as_array().expect("a list").iter().collect();
    let hosts: Vec<&&Value> = found.iter().filter(|one| one["kind"] == "host" && one["whose"] == "ours").collect();
    assert!(hosts.len() == 2 && hosts.iter().all(|one| one["deployment"] == SHOP), "{found:?}");
    google.set(&json!({"boot": 0}));
    google.otto(&sandbox, &["up", "--yes", SHOP]).says("no state holds it");
    assert_eq!(google.names("instances"), NAMES, "none of them twice");
    assert!(ids(&google).iter().all(|one| !lost.contains(one)));
    destroyed(&google, &sandbox);
}

#[test]
fn killed_and_reaped() {
    let Some((google, sandbox)) = shop("reaped", "") else { return };
    google.set(&json!({"boot": 60}));
    let running = google.start(&sandbox, &PROVISION);
    wait_for("two instances", || google.names("instances").len() == 2);
    processes::end_all_in(&sandbox.folder);
    running.wait();
    google.otto(&sandbox, &["reap", "--dry-run"]).ends(10);
    google.otto(&sandbox, &["reap", "--yes"]).ends(0);
    assert_eq!(google.names("instances").len(), 0);
    google.set(&json!({"boot": 0}));
    google.otto(&sandbox, &PROVISION).ends(0);
    assert_eq!(google.names("instances"), NAMES);
    destroyed(&google, &sandbox);
}

#[test]
fn a_quota_and_refused_credentials_are_told() {
    let Some((google, sandbox)) = shop("refused", "") else { return };
    google.set(&json!({"token": "another"}));
    google.otto(&sandbox, &PROVISION).ends(23).says("GOOGLE_APPLICATION_CREDENTIALS");
    assert!(google.names("networks").is_empty());
    google.set(&json!({"token": "", "instance_limit": 1}));
    google.otto(&sandbox, &PROVISION).ends(32).says("Quota 'INSTANCES' exceeded");
    assert_eq!(google.names("instances").len(), 1);
    google.set(&json!({"instance_limit": 24}));
    google.otto(&sandbox, &PROVISION).ends(0);
    assert_eq!(google.names("instances"), NAMES);
    destroyed(&google, &sandbox);
}
