//! The sweep of `gcp`, against the stand-in for the API: what is found, in which order, and what is not touched.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::repository;
use crate::support::google::Google;

/// Exit code, what it printed, and its last words.
fn orphans(google: &Google, args: &[&str]) -> (Option<i32>, Vec<Value>, String) {
    let vars = google.folder.path().join("vars.json");
    fs::write(&vars, json!({"tags": {"otto:project": "ours"}}).to_string()).expect("written");
    let mut command = Command::new("python3");
    command.arg(repository("clowd/provision/gcp/orphans")).args(args).env_remove("GOOGLE_OAUTH_ACCESS_TOKEN");
    let output = command.envs(google.env()).env("OTTO_VARS", vars).output().expect("python3");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    (output.status.code(), lines, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Two networks with a firewall each, an instance with its disk, and an image; one network and its firewall are somebody else's.
fn filled(google: &Google) {
    let said = json!({"otto:deployment": "dev_gcp_hello", "otto:project": "ours", "otto:store": "store"});
    let labels = json!({"otto_deployment": "dev_gcp_hello", "otto_project": "ours", "otto_store": "store"});
    let ours = said.to_string();
    let insert = |kind: &str, scope: &str, body: Value| {
        google.edit(&json!({"kind": kind, "scope": scope, "insert": body}));
    };
    let allowed = json!([{"IPProtocol": "icmp"}]);
    for (name, description) in [("net", ours.as_str()), ("theirs", "somebody else's")] {
        insert("networks", "global", json!({"name": name, "description": description}));
        let network = format!("projects/p/global/networks/{name}");
        let body = json!({"name": name, "description": description, "network": network, "allowed": allowed});
        insert("firewalls", "global", body);
    }
    let network = "projects/p/global/networks/net";
    let body = json!({"name": "sub", "description": ours, "network": network, "ipCidrRange": "10.10.0.0/24"});
    insert("subnetworks", "regions/us-central1", body);
    insert(
        "images",
        "global",
        json!({"name": "golden", "labels": labels, "diskSizeGb": "10", "archiveSizeBytes": "1503238553"}),
    );
    let image = "projects/p/global/images/golden";
    insert(
        "instances",
        "zones/us-central1-b",
        json!({
            "name": "www", "labels": labels, "machineType": "zones/us-central1-b/machineTypes/e2-micro",
            "disks": [{"boot": true, "autoDelete": true, "initializeParams": {"sourceImage": image, "labels": labels}}],
            "networkInterfaces": [{"subnetwork": "projects/p/regions/us-central1/subnetworks/sub"}],
        }),
    );
}

#[test]
fn what_is_ours_is_found_in_the_order_of_its_removal() {
    let Some(google) = Google::bare() else { return };
    filled(&google);
    assert_eq!(orphans(&google, &["check"]).0, Some(0));
    let listed = |google: &Google| -> Vec<String> {
        let (code, lines, said) = orphans(google, &["list"]);
        assert_eq!(code, Some(0), "{said}");
        lines.iter().map(|line| format!("{} {}", line["kind"], line["id"]).replace('"', "")).collect()
    };
    let found = listed(&google);
    let ids: Vec<&str> = found.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(
        found,
        [
            "host projects/p/zones/us-central1-b/instances/www",
            "firewall projects/p/global/firewalls/net",
            "subnetwork projects/p/regions/us-central1/subnetworks/sub",
            "network projects/p/global/networks/net",
            "image golden",
        ]
    );
    let lines = orphans(&google, &["list"]).1;
    assert_eq!(lines[0]["tags"]["otto:deployment"], "dev_gcp_hello");
    assert_eq!(lines[4]["size"], "1.400 GB", "what is stored and billed, not the disk that it makes");
    let (code, _, said) = orphans(&google, &["remove", "projects/p/global/firewalls/theirs"]);
    assert!(code == Some(1) && said.contains("it stays"), "{said}");
    for id in ids.iter().chain(&["golden"]) {
        let (code, _, said) = orphans(&google, &["remove", id]);
        assert_eq!(code, Some(0), "{id}: {said}");
    }
    assert!(listed(&google).is_empty());
    assert_eq!(google.names("firewalls"), ["theirs"]);
    assert_eq!(google.state()["unknown"], json!([]));
    fs::write(google.credentials(), json!({"type": "nonsense"}).to_string()).expect("written");
    assert_eq!(orphans(&google, &["check"]).0, Some(1));
}
