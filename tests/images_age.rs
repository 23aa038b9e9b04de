//! Images age: a host keeps the one it was born with, says that it is stale, and is replaced under visitors who see nothing of it.

#![allow(clippy::print_stderr)]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use support::http::served_by;
use support::load::Load;
use support::processes::masters_in;
use support::{Sandbox, outcomes, summary};

const HELLO: &str = "dev/local/hello";
const UNIT: &str = "dev/local/hello:provision";

/// What each host boots.
fn images(sandbox: &Sandbox) -> BTreeMap<String, String> {
    images_at(sandbox, 0)
}

fn stale(sandbox: &Sandbox, code: i32) -> Vec<String> {
    let status = sandbox.status_of(HELLO, code);
    status["stale"].as_array().expect("a list").iter().map(|s| s.as_str().unwrap_or_default().to_owned()).collect()
}

/// Folders below `.otto/images/local`.
fn built(sandbox: &Sandbox) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(sandbox.path(".otto/images/local")).expect("images").flatten().map(|e| e.path()).collect();
    all.sort();
    all
}

/// The number of a page, told by each request a second.
fn rate(seconds: f64, load: Load) {
    let (requests, failures) = load.end();
    eprintln!("{requests} requests in {seconds:.1} s, {} failed", failures.len());
    assert!(failures.is_empty(), "{} of {requests}: {failures:?}", failures.len());
    assert!(requests as f64 / seconds > 100.0, "{requests} requests in {seconds} s");
}

#[test]
fn hosts_get_a_newer_image_one_after_the_other() {
    let sandbox = Sandbox::new("demo");
    sandbox.otto(&["up", "--yes", HELLO]).ends(0);
    let port = sandbox.port(HELLO, 0);
    let born = images(&sandbox);
    assert!(stale(&sandbox, 0).is_empty());
    a_newer_image_changes_no_host(&sandbox, &born);
    let old = masters_in(&sandbox.folder);

    let refused = sandbox.otto(&["up", "--refresh-images", HELLO]).ends(40);
    assert_eq!(refused.hint(), "otto up --refresh-images dev/local/hello --yes");
    let plan = sandbox.otto(&["plan", "--refresh-images", "--json", HELLO]).ends(0).json();
    let unit = plan["units"].as_array().expect("units").iter().find(|u| u["id"] == UNIT).expect("a unit").clone();
    assert_eq!(unit["destroys"], serde_json::json!(["www-1", "www-2"]), "{unit}");

    let (load, began) = (Load::start(port, "hello.localhost"), std::time::Instant::now());
    let events = sandbox.line(&format!("{} --json", refused.hint())).ends(0).events();
    rate(began.elapsed().as_secs_f64(), load);
    assert_eq!(
        summary(&events, UNIT),
        "2 hosts replaced, one after the other: www-1, www-2",
        "{:?}",
        outcomes(&events)
    );
    one_at_a_time(&events);
    let now = images(&sandbox);
    assert_eq!(now["lb-1"], born["lb-1"]);
    assert!(now["www-1"] != born["www-1"] && now["www-1"] == now["www-2"], "{now:?}");
    let new = masters_in(&sandbox.folder);
    let kept: Vec<&str> = new.iter().filter(|p| old.contains(p)).map(|p| p.name.as_str()).collect();
    assert_eq!(kept.iter().map(|n| n.trim_end_matches(".real")).collect::<Vec<_>>(), ["haproxy"]);
    assert!(stale(&sandbox, 0).is_empty());
    assert_eq!(served_by(port, "hello.localhost", 8).len(), 2);
    let events = sandbox.otto(&["up", "--refresh-images", "--yes", "--json", HELLO]).ends(0).events();
    assert!(outcomes(&events).contains(&(UNIT.to_owned(), "skipped".to_owned())), "{:?}", outcomes(&events));

    pruned(&sandbox);
    too_old(&sandbox);
    sandbox.otto(&["destroy", "--yes"]).ends(0);
    sandbox.is_clean(&[port]);
}

fn a_newer_image_changes_no_host(sandbox: &Sandbox, born: &BTreeMap<String, String>) {
    let before = masters_in(&sandbox.folder);
    sandbox.edit("images/nginx/local/image.pkr.hcl", "# nginx: a web server.", "# nginx: a web server, newer.");
    sandbox.otto(&["up", "--yes", HELLO]).ends(0);
    assert_eq!(&images(sandbox), born);
    assert_eq!(masters_in(&sandbox.folder), before, "pid and start time");
    let stale = stale(sandbox, 0);
    assert_eq!(stale.len(), 1, "{stale:?}");
    assert!(stale[0].starts_with("www-1, www-2: the nginx image they boot is "), "{stale:?}");
    assert!(stale[0].contains(" old, a newer one was built ") && stale[0].contains("--refresh-images"), "{stale:?}");
    let plan = sandbox.otto(&["plan", HELLO]).ends(0);
    assert!(format!("{}{}", plan.stdout, plan.stderr).contains("a newer one was built"), "{plan:?}");
}

/// Drain, apply, configure of one host before those of the next.
fn one_at_a_time(events: &[Value]) {
    let of_unit = events.iter().filter(|e| e["unit"] == UNIT && e["type"] == "intended");
    let steps: Vec<&str> = of_unit.filter_map(|e| e["step"].as_str()).filter(|s| s.contains("-www-")).collect();
    let wanted = ["plan", "drain", "apply", "configure"];
    let wanted: Vec<String> =
        ["www-1", "www-2"].iter().flat_map(|host| wanted.iter().map(move |step| format!("{step}-{host}"))).collect();
    assert_eq!(steps, wanted);
}

/// What nothing boots from goes, and only that.
fn pruned(sandbox: &Sandbox) {
    let broken = sandbox.path(".otto/images/local/nginx-half");
    std::fs::create_dir_all(&broken).expect("a build that did not end");
    let before = built(sandbox);
    assert_eq!(before.len(), 4, "{before:?}");
    let refused = sandbox.otto(&["images", "prune"]).ends(40).says("nothing boots from these");
    assert_eq!(built(sandbox), before);
    sandbox.line(&refused.hint()).ends(0).says("2 removed");
    let after = built(sandbox);
    let booted: Vec<String> = images(sandbox).into_values().collect();
    assert_eq!(after.len(), 2, "{after:?}");
    assert!(
        after.iter().all(|folder| booted.iter().any(|image| PathBuf::from(image).starts_with(folder))),
        "{after:?}"
    );
    sandbox.otto(&["images", "prune", "--yes"]).ends(0).says("nothing to remove");
}

/// An image that is older than allowed is warned of, and built anew when hosts are refreshed.
fn too_old(sandbox: &Sandbox) {
    let text = std::fs::read_to_string(sandbox.path("otto.yaml")).expect("otto.yaml");
    sandbox.write("otto.yaml", &format!("{text}\nimages: {{max_age: 1s}}\n"));
    let status = stale(sandbox, 1);
    assert!(status.iter().any(|line| line.contains("more than `images.max_age`")), "{status:?}");
    let born = images_at(sandbox, 1);
    // From here on nothing is older than a year.
    sandbox.write("otto.yaml", &format!("{text}\nimages: {{max_age: 365d}}\n"));
    assert!(stale(sandbox, 0).is_empty());
    sandbox.otto(&["up", "--rebuild", "--refresh-images", "--yes", HELLO]).ends(0);
    let now = images(sandbox);
    assert!(now.iter().all(|(host, image)| born[host] != *image), "{now:?}");
}

fn images_at(sandbox: &Sandbox, code: i32) -> BTreeMap<String, String> {
    let status = sandbox.status_of(HELLO, code);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    status["hosts"].as_array().expect("hosts").iter().map(|h| (text(&h["name"]), text(&h["image"]))).collect()
}
