//! The whole life of two sites on droplets that boot: images by Packer, hosts by Terraform, configuration by Ansible over SSH.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::digitalocean::{Account as _, Cloud};
use super::support::{Sandbox, summary, units};

const HELLO: &str = "dev/do/hello";
const BLOG: &str = "dev/do/blog";

#[test]
fn two_sites_come_up_change_are_mended_and_go() {
    let Some(cloud) = Cloud::machines() else { return };
    let sandbox = cloud.project("demo");
    // Where another site runs the images have to lie, too.
    sandbox.edit("sites/blog/site.yaml", "content: ", "region: nyc3\ncontent: ");
    images(&cloud, &sandbox);
    up(&cloud, &sandbox);
    served(&cloud, &sandbox, &["www-1", "www-2"]);
    let events = cloud.otto(&sandbox, &["test", "--failover", "--json", HELLO]).ends(0).events();
    assert_eq!(events.iter().filter(|e| e["check"]["kind"] == "failover").count(), 2, "{events:#?}");
    another_page(&cloud, &sandbox);
    a_third_comes_and_goes(&cloud, &sandbox);
    deleted_by_somebody_else(&cloud, &sandbox);
    powered_off(&cloud, &sandbox);
    billed(&cloud, &sandbox);
    destroy(&cloud, &sandbox);
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn images(cloud: &Cloud, sandbox: &Sandbox) {
    let events = cloud.otto(sandbox, &["up", "--yes", "--json", HELLO, BLOG]).ends(0).events();
    assert_eq!(units(&events, "ok").len(), 8, "{events:#?}");
}

/// Snapshots, their builders gone; hosts that boot them.
fn up(cloud: &Cloud, sandbox: &Sandbox) {
    let snapshots = cloud.all("images").iter().filter(|i| i["type"] == "snapshot").count();
    assert_eq!(snapshots, 2, "one for each appliance that is booted");
    assert_eq!(cloud.names("droplets"), ["dev-blog-www-1", "dev-hello-lb-1", "dev-hello-www-1", "dev-hello-www-2"]);
    let ids: BTreeSet<String> = cloud.all("droplets").iter().map(|d| d["image"]["type"].to_string()).collect();
    assert_eq!(ids, BTreeSet::from(["\"snapshot\"".to_owned()]));
    let region = |name: &str| cloud.droplet(name)["region"]["slug"].clone();
    assert_eq!((region("dev-blog-www-1"), region("dev-hello-lb-1")), ("nyc3".into(), "fra1".into()));
    // What follows from an apply, such as the counts of tags, is no drift.
    cloud.otto(sandbox, &["drift"]).ends(0);
    let events = cloud.otto(sandbox, &["up", "--yes", "--json"]).ends(0).events();
    assert_eq!(units(&events, "ok").iter().filter(|u| u.ends_with(":test")).count(), 2);
    assert_eq!(summary(&events, "dev/do/hello:provision"), "no changes");
}

fn address(cloud: &Cloud, sandbox: &Sandbox, name: &str) -> String {
    let endpoint = cloud.status_of(sandbox, name, 0)["endpoint"].as_str().expect("an endpoint").to_owned();
    endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned()
}

/// Who answers through the balancer.
#[track_caller]
fn served(cloud: &Cloud, sandbox: &Sandbox, names: &[&str]) {
    let front = address(cloud, sandbox, HELLO);
    let mut seen = BTreeSet::new();
    for _ in 0..4 * names.len() {
        let page = cloud.get(&front, "hello.localhost");
        let by =
            page.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("x-served-by: ").map(str::to_owned));
        seen.insert(by.unwrap_or_else(|| panic!("{page}")).trim().to_owned());
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), texts(names));
}

fn another_page(cloud: &Cloud, sandbox: &Sandbox) {
    let page = "sites/hello/html/index.html";
    sandbox.edit(page, "<h1>Hello from otto</h1>", "<h1>Hello from otto, again</h1>");
    let events = cloud.otto(sandbox, &["up", "--yes", "--json", HELLO]).ends(0).events();
    assert!(units(&events, "ok").contains(&"dev/do/hello:config".to_owned()));
    let front = address(cloud, sandbox, HELLO);
    assert!(cloud.get(&front, "hello.localhost").contains("Hello from otto, again"));
}

fn a_third_comes_and_goes(cloud: &Cloud, sandbox: &Sandbox) {
    let site = "sites/hello/site.yaml";
    sandbox.edit(site, "count: 2", "count: 3");
    cloud.otto(sandbox, &["up", "--yes", HELLO]).ends(0);
    served(cloud, sandbox, &["www-1", "www-2", "www-3"]);
    sandbox.edit(site, "count: 3", "count: 2");
    let refused = cloud.otto(sandbox, &["up", "--yes", HELLO]).ends(40);
    assert_eq!(refused.hint(), "otto up --yes dev/do/hello --allow-destroy");
    assert_eq!(cloud.names("droplets").len(), 5);
    cloud.otto(sandbox, &["up", "--yes", HELLO, "--allow-destroy"]).ends(0);
    assert_eq!(cloud.names("droplets").len(), 4);
    served(cloud, sandbox, &["www-1", "www-2"]);
}

fn states(status: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    status["hosts"].as_array().expect("hosts").iter().map(|h| (text(&h["name"]), text(&h["state"]))).collect()
}

fn deleted_by_somebody_else(cloud: &Cloud, sandbox: &Sandbox) {
    let gone = cloud.droplet("dev-hello-www-2");
    cloud.edit(&json!({"kind": "droplets", "id": gone["id"], "delete": true}));
    let status = cloud.status_of(sandbox, HELLO, 2);
    assert!(states(&status).contains(&("www-2".to_owned(), "down".to_owned())), "{status}");
    let drift = cloud.otto(sandbox, &["drift", "--json", HELLO]).ends(10).json();
    assert!(drift.to_string().contains("www-2"), "{drift}");
    cloud.otto(sandbox, &["up", "--yes", HELLO]).ends(0);
    assert_ne!(cloud.droplet("dev-hello-www-2")["id"], gone["id"]);
    served(cloud, sandbox, &["www-1", "www-2"]);
}

fn powered_off(cloud: &Cloud, sandbox: &Sandbox) {
    let off = cloud.droplet("dev-hello-www-1");
    cloud.edit(&json!({"kind": "droplets", "id": off["id"], "act": "power_off"}));
    let status = cloud.status_of(sandbox, HELLO, 2);
    assert!(states(&status).contains(&("www-1".to_owned(), "down".to_owned())), "{status}");
    let drift = cloud.otto(sandbox, &["drift", "--json", HELLO]).ends(10).json();
    let changes = drift["deployments"][0]["changes"].to_string();
    assert!(changes.contains("www-1") && changes.contains("status"), "a plain plan would not see it: {drift}");
    cloud.edit(&json!({"kind": "droplets", "id": off["id"], "act": "power_on"}));
    // Nothing starts services in a namespace that boots: the configuration does.
    cloud.otto(sandbox, &["up", "--yes", HELLO]).ends(0);
    assert_eq!(cloud.droplet("dev-hello-www-1")["id"], off["id"]);
    cloud.status_of(sandbox, HELLO, 0);
}

/// Everything has its price, snapshots by their size; an hour costs what the account's own prices add up to.
fn billed(cloud: &Cloud, sandbox: &Sandbox) {
    let report = cloud.otto(sandbox, &["spend", "--json"]).ends(0).json();
    assert_eq!(report["unpriced"], json!([]));
    let rows = report["rows"].as_array().expect("rows");
    let snapshots: Vec<&Value> = rows.iter().filter(|row| row["kind"] == "image").collect();
    assert_eq!(snapshots.len(), 2, "{rows:#?}");
    for row in snapshots {
        assert_eq!((&row["quantity"], &row["price"]["amount"]), (&json!("2.36"), &json!("0.06")), "{row}");
        assert!(
            cloud.all("images").iter().any(|image| Some(image["id"].to_string().as_str()) == row["address"].as_str())
        );
        // Vendors take a cent for the shortest life of a snapshot.
        assert_eq!(row["accrued"], "0.01", "{row}");
    }
    // In thousand-millionths: what the account asks for its droplets, and 2.36 GB at 0.06 USD for a 672nd of a month.
    let hourly = |droplet: &Value| (droplet["size"]["price_hourly"].as_f64().expect("a price") * 1e9).round() as i64;
    let expected: i64 =
        cloud.all("droplets").iter().map(hourly).sum::<i64>() + 2 * (236 * 60_000_000 / 100 + 336) / 672;
    let told = report["per_hour"].as_str().expect("an amount").parse::<f64>().expect("a number") * 1e9;
    assert!((told.round() as i64 - expected).abs() <= 2, "{told} {expected}");
}

fn destroy(cloud: &Cloud, sandbox: &Sandbox) {
    cloud.otto(sandbox, &["destroy", "--yes", BLOG]).ends(0);
    assert_eq!(cloud.names("droplets").len(), 3, "the other site stays");
    cloud.otto(sandbox, &["destroy", "--yes"]).ends(0).says("still billing: images");
    cloud.is_empty();
    let snapshots = || cloud.all("images").iter().filter(|i| i["type"] == "snapshot").count();
    assert_eq!(snapshots(), 2, "they go on billing, which is said");
    cloud.otto(sandbox, &["destroy", "--yes", "--images"]).ends(0);
    assert_eq!(snapshots(), 0);
    // What was removed is not believed to be there because its build is remembered.
    cloud.otto(sandbox, &["up", "--yes", BLOG]).ends(0);
    cloud.otto(sandbox, &["destroy", "--yes", "--images"]).ends(0);
    assert_eq!(snapshots(), 0);
    cloud.is_empty();
}
