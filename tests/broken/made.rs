//! A provider made up of one folder, and images of it in another, with no Rust: up, status, a sweep, destroy.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::sandbox::Sandbox;

/// Tells of every folder below the deployment's that has tags, as the cloud of this provider would.
const ORPHANS: &str = r#"#!/usr/bin/env python3
import json, os, shutil, sys
given = json.load(open(os.environ["OTTO_VARS"]))
folder = given["folder"]
if sys.argv[1] == "list":
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name)
        tags = os.path.join(path, "tags.json")
        tags = json.load(open(tags)) if os.path.exists(tags) else given["tags"]
        print(json.dumps({"id": path, "kind": "host", "name": name, "tags": tags, "created_at": "2026-01-01T00:00:00Z", "region": "", "size": ""}))
elif sys.argv[1] == "remove":
    shutil.rmtree(sys.argv[2])
"#;

const IMAGE: &str = r#"
variable "output_dir" { type = string }
variable "run" { type = string }
variable "name" { type = string }
variable "base" { type = string }
source "null" "image" { communicator = "none" }
build {
  sources = ["source.null.image"]
  provisioner "shell-local" { inline = ["echo system > ${var.output_dir}/${var.name}"] }
  post-processors {
    post-processor "artifice" { files = ["${var.output_dir}/${var.name}"] }
    post-processor "manifest" { output = "${var.output_dir}/manifest.json" }
  }
}
"#;

fn with_orphans() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("clowd/provision/made/orphans", ORPHANS);
    let path = sandbox.project().join("clowd/provision/made/orphans");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode");
    sandbox
}

#[test]
fn two_folders_are_a_provider() {
    let sandbox = with_orphans();
    sandbox.write("images/disk/made/image.pkr.hcl", IMAGE);
    sandbox.write(
        "clowd/provision/made/provider.yaml",
        "kind: terraform\nprices: free\nimage: {from: file}\nsizes: {small: tiny}\n",
    );
    let root = crate::sandbox::ROOT.replace("role = string }", "role = string, image = string, size = string }");
    let root = root.replace(
        "role = each.value.role }",
        "role = each.value.role, image = each.value.image, size = each.value.size }",
    );
    sandbox.write("clowd/provision/made/main.tf", &root);
    sandbox.write(
        "sites/hello/site.yaml",
        "domains: [hello.localhost]\nroles:\n  box: {image: disk, count: 2, size: small}\n",
    );
    sandbox.otto(&["plan"]).code(0);
    sandbox.otto(&["up", "--yes"]).code(0).says(&["made/disk", "2 created"]);
    let state = fs::read_to_string(sandbox.project().join(".otto/terraform/dev_made_hello/terraform.tfstate"))
        .expect("a state");
    assert!(state.contains("images/made/disk-") && state.contains("tiny"), "{state}");
    let status = sandbox.status();
    assert_eq!((&status["phase"], &status["health"]), (&Value::from("tested"), &Value::from("ok")), "{status}");
    let again = sandbox.otto(&["up", "--yes"]).code(0);
    again.says(&["skipped", "no changes"]).never_says(&["created"]);
    sandbox.heals();
}

#[test]
fn what_is_in_no_state_is_swept() {
    let sandbox = with_orphans();
    sandbox.otto(&["up", "--yes"]).code(0);
    // A host of this deployment that no state holds, and one of somebody else.
    let folder = sandbox.project().join(".otto/hosts/dev_made_hello");
    fs::create_dir(folder.join("box-9")).expect("a stray");
    sandbox.otto(&["destroy", "--yes"]).code(0).says(&["3 destroyed", "1 found beside it"]);
    assert!(sandbox.is_empty());
    fs::create_dir_all(folder.join("box-7")).expect("a stray");
    sandbox.otto(&["up", "--yes"]).code(0).says(&["box-7", "no state holds it"]);
    assert_eq!(sandbox.hosts(), ["box-1", "box-2", "box-3"]);
    sandbox.otto(&["destroy", "--yes"]).code(0);
}

#[test]
fn what_another_store_made_is_left_alone() {
    let sandbox = with_orphans();
    sandbox.otto(&["up", "--yes"]).code(0);
    sandbox.otto(&["destroy", "--yes"]).code(0);
    let folder = sandbox.project().join(".otto/hosts/dev_made_hello/theirs");
    fs::create_dir_all(&folder).expect("a stray");
    let tags = r#"{"otto:deployment": "dev_made_hello", "otto:store": "other", "otto:project": "5d1c0ffee0ddba11"}"#;
    fs::write(folder.join("tags.json"), tags).expect("tags");
    let ran = sandbox.otto(&["up", "--yes"]).code(30);
    ran.says(&["theirs", "another store", "hint:"]);
    assert!(folder.is_dir() && sandbox.hosts() == ["theirs"]);
}

#[test]
fn a_sweep_that_fails_stops_before_anything_is_made() {
    let sandbox = with_orphans();
    for (script, says) in [
        ("#!/bin/sh\necho 'the cloud is away' >&2; exit 4\n", "the cloud is away"),
        ("#!/bin/sh\necho '{\"name\": 7}'\n", "no JSON object with an id"),
    ] {
        sandbox.write("clowd/provision/made/orphans", script);
        sandbox.otto(&["up", "--yes"]).code(30).says(&["orphans list", says, "hint:"]);
        assert!(sandbox.is_empty());
    }
    sandbox.write("clowd/provision/made/orphans", ORPHANS);
    sandbox.heals();
}
