//! The whole life of a site on instances that boot: the user `otto`, whom Google's agent makes, becomes root by sudo.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::google::{Account as _, Google};
use crate::support::{Sandbox, summary};

const HELLO: &str = "dev/gcp/hello";

#[test]
fn a_site_comes_up_changes_is_mended_and_goes() {
    let Some(google) = Google::machines() else { return };
    let sandbox = google.project("demo");
    let roles = "roles:\n  www: {count: 2, size: small}\n  lb: {count: 1, size: small}\n";
    let site = format!("domains: [hello.localhost]\n{roles}content: html\n");
    sandbox.write("sites/hello/site.yaml", &site);
    google.otto(&sandbox, &["up", "--yes", HELLO]).ends(0);
    assert_eq!(google.names("instances"), ["dev-hello-lb-1", "dev-hello-www-1", "dev-hello-www-2"]);
    served(&google, &sandbox, &["www-1", "www-2"]);
    let events = google.otto(&sandbox, &["up", "--yes", "--json", HELLO]).ends(0).events();
    assert_eq!(summary(&events, "dev/gcp/hello:provision"), "no changes");
    google.otto(&sandbox, &["test", "--failover", HELLO]).ends(0);
    let spend = google.status_of(&sandbox, HELLO, 0)["spend"].clone();
    // Three times a machine, 10 GB of disk and an address.
    let per_hour: f64 = spend["per_hour"].as_str().and_then(|text| text.parse().ok()).expect("a number");
    assert!((per_hour - 3.0 * (0.008_376_4 + 10.0 * 0.04 / 730.0 + 0.005)).abs() < 1e-6, "{spend}");
    assert_eq!(spend["unpriced"], json!([]));
    changes(&google, &sandbox);
    mended(&google, &sandbox);
    google.otto(&sandbox, &["destroy", "--yes"]).ends(0);
    google.is_empty();
}

fn front(google: &Google, sandbox: &Sandbox) -> String {
    let endpoint = google.status_of(sandbox, HELLO, 0)["endpoint"].as_str().expect("an endpoint").to_owned();
    endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned()
}

/// Who answers through the balancer.
#[track_caller]
fn served(google: &Google, sandbox: &Sandbox, names: &[&str]) {
    let front = front(google, sandbox);
    let mut seen = BTreeSet::new();
    for _ in 0..4 * names.len() {
        let page = google.get(&front, "hello.localhost");
        let by =
            page.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("x-served-by: ").map(str::to_owned));
        seen.insert(by.unwrap_or_else(|| panic!("{page}")).trim().to_owned());
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), names);
}

/// A page, a third www, and a www less.
fn changes(google: &Google, sandbox: &Sandbox) {
    sandbox.edit("sites/hello/html/index.html", "<h1>Hello from otto</h1>", "<h1>Hello from otto, again</h1>");
    sandbox.edit("sites/hello/site.yaml", "count: 2", "count: 3");
    google.otto(sandbox, &["up", "--yes", HELLO]).ends(0);
    served(google, sandbox, &["www-1", "www-2", "www-3"]);
    assert!(google.get(&front(google, sandbox), "hello.localhost").contains("Hello from otto, again"));
    sandbox.edit("sites/hello/site.yaml", "count: 3", "count: 2");
    google.otto(sandbox, &["up", "--yes", HELLO]).ends(40);
    google.otto(sandbox, &["up", "--yes", HELLO, "--allow-destroy"]).ends(0);
    served(google, sandbox, &["www-1", "www-2"]);
}

/// Deleted by somebody else: down, drift, and made again; a longer lease touches no instance.
fn mended(google: &Google, sandbox: &Sandbox) {
    google.edit(&json!({"path": "zones/us-central1-b/instances/dev-hello-www-2", "delete": true}));
    google.status_of(sandbox, HELLO, 2);
    google.otto(sandbox, &["drift", HELLO]).ends(10);
    google.otto(sandbox, &["up", "--yes", HELLO]).ends(0);
    served(google, sandbox, &["www-1", "www-2"]);
    let before = google.instance("dev-hello-www-1")["id"].clone();
    google.otto(sandbox, &["extend", "--for", "9h", HELLO]).ends(0);
    assert_eq!(google.instance("dev-hello-www-1")["id"], before);
    google.status_of(sandbox, HELLO, 0);
}
