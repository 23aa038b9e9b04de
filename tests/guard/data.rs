//! What holds data outlives a destruction unless it is named, stays known, and is used again by the next `up`.

use std::fs;

use serde_json::Value;

use super::lab::{Account, Lab};

const ID: &str = "1a6d3e2f0c8b5d749e31";
const NAME: &str = "dev/cloud/things";
const VOLUME: &str = "digitalocean_volume.data[\"www-1\"]";

/// A volume for each host, with the tags of all that otto makes.
const VOLUMES: &str = r#"
resource "digitalocean_volume" "data" {
  for_each = { for host in var.hosts : host.name => host }
  name     = "data-${each.key}"
  size     = "10"
  tags     = [for name, value in var.tags : "${name}=${value}"]
}
"#;

fn lab(account: &std::sync::Arc<Account>) -> Lab {
    let lab = Lab::new(account, "one", ID, "reap: {grace: 1s}\nenvironments: {dev: {ttl: 1h}}");
    lab.write("clowd/provision/cloud/volumes.tf", VOLUMES);
    lab.write(
        "clowd/provision/cloud/provider.yaml",
        "kind: terraform\nsizes: {small: s-1vcpu-1gb}\nregion: fra1\ncredentials: [DIGITALOCEAN_TOKEN, DIGITALOCEAN_API_URL]\nprices: do\n",
    );
    let prices = concat!(env!("CARGO_MANIFEST_DIR"), "/clowd/prices/do.yaml");
    lab.write("clowd/prices/do.yaml", &fs::read_to_string(prices).expect("prices"));
    lab.write("sites/things/site.yaml", "domains: [things.localhost]\nroles: {www: {count: 2, size: small}}\n");
    lab
}

/// What `otto spend` counts on.
fn open_rows(lab: &Lab) -> Vec<String> {
    let spend = lab.otto(&["spend", "--json"]).ends(0).json();
    let rows = spend["rows"].as_array().cloned().unwrap_or_default();
    let open = rows.iter().filter(|row| row["to"].is_null());
    let mut all: Vec<String> = open.filter_map(|row| row["address"].as_str().map(str::to_owned)).collect();
    all.sort();
    all
}

fn ids(account: &Account) -> Vec<Value> {
    let all = account.ask("GET", "/v2/volumes", "");
    all["volumes"].as_array().expect("a list").iter().map(|one| one["id"].clone()).collect()
}

#[test]
fn volumes_stay_and_the_next_up_uses_them_again() {
    let Some(account) = Account::api() else { return };
    let lab = lab(&account);
    lab.otto(&["provision", "--yes"]).ends(0);
    let made = ids(&account);
    assert_eq!((account.names("droplets").len(), made.len()), (2, 2));
    let gone = lab.otto(&["destroy", "--yes"]).ends(0);
    let gone = gone.says("holds data and stays").says("2 resources left behind");
    assert!(gone.stderr.contains("--with 'digitalocean_volume.data[\"www-1\"]'"), "{}", gone.stderr);
    assert_eq!((account.names("droplets").len(), ids(&account)), (0, made.clone()));
    let status = lab.deployment();
    assert_eq!(status["phase"], "destroyed");
    assert_eq!(status["kept"][0]["address"], VOLUME, "{status}");
    assert_eq!(open_rows(&lab), [VOLUME, "digitalocean_volume.data[\"www-2\"]"], "what stays goes on billing");
    assert!(lab.otto(&["status"]).ends(0).stdout.contains("left behind"));
    // Neither an orphan nor the reaper's.
    assert_eq!(lab.status()["orphans"], Value::Array(Vec::new()));
    lab.otto(&["reap", "--yes"]).ends(0);
    assert_eq!(ids(&account), made);
    lab.otto(&["provision", "--yes"]).ends(0);
    assert_eq!((account.names("droplets").len(), ids(&account)), (2, made.clone()), "the same volumes");
    assert_eq!(lab.deployment()["kept"], Value::Null);
    // One by its name, with the rest; the other one later.
    lab.otto(&["destroy", "--yes", "--with", VOLUME]).ends(0);
    assert_eq!(account.names("volumes"), ["data-www-2"]);
    lab.otto(&["destroy", "--yes"]).ends(0);
    assert_eq!(account.names("volumes"), ["data-www-2"]);
    lab.otto(&["destroy", "--yes", "--with", "digitalocean_volume.data"]).ends(0);
    assert!(account.names("volumes").is_empty() && account.names("droplets").is_empty());
    assert_eq!(lab.deployment()["kept"], Value::Null);
    assert!(!lab.folder().join(".otto/terraform/dev_cloud_things").exists());
    assert_eq!(open_rows(&lab), Vec::<String>::new());
}

#[test]
fn a_volume_in_no_state_goes_only_by_its_name() {
    let Some(account) = Account::api() else { return };
    let lab = lab(&account);
    lab.otto(&["provision", "--yes"]).ends(0);
    let like = account.ask("GET", "/v2/volumes", "")["volumes"][0].clone();
    let body = serde_json::json!({"name": "data-lost", "tags": like["tags"]}).to_string();
    let lost = account.ask("POST", "/v2/volumes", &body)["volume"]["id"].to_string();
    assert_eq!(lab.status()["orphans"][0]["id"], Value::from(lost.clone()));
    let told = lab.otto(&["reap", "--yes"]).ends(0);
    assert!(told.stdout.contains("it holds data"), "{}", told.stdout);
    lab.otto(&["destroy", "--yes", "--with", "digitalocean_volume.data"]).ends(0).says("goes only by its name");
    assert_eq!(account.names("volumes"), ["data-lost"]);
    lab.otto(&["reap", "--yes", "--with", &lost]).ends(0);
    assert!(account.names("volumes").is_empty());
}

/// Builds nothing; its artifact has an id all the same.
const IMAGE: &str = r#"
variable "output_dir" { type = string }
source "null" "image" { communicator = "none" }
build {
  sources = ["source.null.image"]
  post-processor "manifest" { output = "${var.output_dir}/manifest.json" }
}
"#;

/// The account's image, until it is removed, beside the things.
const WITH_IMAGE: &str = r#"#!/bin/sh
[ "$1 $2" != "remove Null" ] || exec touch "GONE"
[ "$1" != list ] || [ -e "GONE" ] || echo '{"id": "Null", "kind": "image", "name": "disk", "tags": {}}'
exec python3 "$(dirname "$0")/things" "$@"
"#;

#[test]
fn images_that_go_on_billing_are_said_and_removed_when_asked_for() {
    let Some(account) = Account::api() else { return };
    let lab = lab(&account);
    let folder = lab.folder().join("clowd/provision/cloud");
    fs::remove_file(folder.join("volumes.tf")).expect("removed");
    fs::rename(folder.join("orphans"), folder.join("things")).expect("moved");
    lab.write("clowd/provision/cloud/orphans", &WITH_IMAGE.replace("GONE", &folder.join("gone").display().to_string()));
    lab.write("images/disk/cloud/image.pkr.hcl", IMAGE);
    lab.write(
        "sites/things/site.yaml",
        "domains: [things.localhost]\nroles: {www: {image: disk, count: 1, size: small}}\n",
    );
    lab.otto(&["images", "--yes"]).ends(0);
    lab.otto(&["provision", "--yes"]).ends(0);
    let said = lab.otto(&["destroy", "--yes"]).ends(0).says("still billing: images cloud/disk");
    said.says("otto destroy --yes --images");
    lab.otto(&["destroy", "--yes", "--images"]).ends(0).says("removed  image cloud/disk");
    let again = lab.otto(&["destroy", "--yes"]).ends(0);
    assert!(!again.stderr.contains("billing"), "{}", again.stderr);
}

#[test]
fn an_extension_reaches_the_tags() {
    let Some(account) = Account::api() else { return };
    let lab = lab(&account);
    lab.otto(&["provision", "--yes"]).ends(0);
    let before = account.ask("GET", "/v2/droplets", "");
    lab.otto(&["extend", NAME, "--until", "2199-01-01"]).ends(0);
    let after = account.ask("GET", "/v2/droplets", "");
    for (then, now) in
        before["droplets"].as_array().expect("a list").iter().zip(after["droplets"].as_array().expect("a list"))
    {
        assert_eq!(then["id"], now["id"], "nothing is made anew");
        assert!(now["tags"].as_array().is_some_and(|tags| tags.contains(&"otto:expires=7226582400".into())), "{now}");
    }
    let up = lab.otto(&["provision", "--yes", "--json"]).ends(0).events();
    assert!(up.iter().any(|e| e["type"] == "unit_ended" && e["summary"] == "no changes"), "{up:?}");
    lab.otto(&["destroy", "--yes", "--with", "digitalocean_volume.data"]).ends(0);
}
