//! A cloud that no line of Rust knows: two folders in the shape of Hetzner's. Plan, images, hosts, a sweep, and what an account
//! has only once.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Output, Sandbox};

const PROVIDER: &str = "kind: terraform
sizes: {small: cx22}
base: debian-12
region: nbg1
credentials: [HCLOUD_TOKEN]
image: {from: id, match: '[0-9]+$'}
";

const ROOT: &str = r#"
variable "hosts" { type = list(object({ name = string, role = string, image = string, size = string })) }
variable "tags" { type = map(string) }
variable "region" { type = string }
variable "ssh_fingerprints" { type = list(string) }
variable "admin_cidrs" { type = list(string) }

resource "terraform_data" "server" {
  for_each = { for host in var.hosts : host.name => host }
  input    = { path = abspath("${path.module}/thing"), name = each.key }

  provisioner "local-exec" {
    command     = "sh \"$THING\" make \"$ID\""
    environment = { THING = self.input.path, ID = self.id, SAYS = jsonencode({ name = each.key, kind = "host", image = each.value.image, size = each.value.size, region = var.region, tags = var.tags, keys = var.ssh_fingerprints, from = var.admin_cidrs }) }
  }

  provisioner "local-exec" {
    when        = destroy
    command     = "sh \"$THING\" drop \"$ID\""
    environment = { THING = self.output.path, ID = self.id }
  }
}

output "hosts" {
  value = [for name, server in terraform_data.server : { name = name, role = "www", address = "127.0.0.1", connection = "local", probe = "none", vars = { id = server.id } }]
}
"#;

/// The cloud is a folder of JSON files.
const THING: &str = r#"case $1 in
  make) printf '%s' "$SAYS" >"$HCLOUD/$2.json" ;;
  drop) rm -f "$HCLOUD/$2.json" ;;
esac
"#;

const ORPHANS: &str = r#"#!/usr/bin/env python3
import json, os, sys
cloud = os.environ["HCLOUD"]
if sys.argv[1] == "list":
    for name in sorted(os.listdir(cloud)):
        thing = json.load(open(os.path.join(cloud, name)))
        print(json.dumps({"id": name[:-5], "kind": thing["kind"], "name": thing["name"], "tags": thing["tags"], "created_at": "2026-01-01T00:00:00Z", "region": "nbg1", "size": ""}))
elif sys.argv[1] == "check":
    sys.exit(os.environ["HCLOUD_TOKEN"] != "right" and "this token is unknown here")
elif sys.argv[1] == "remove":
    os.remove(os.path.join(cloud, sys.argv[2] + ".json"))
"#;

const SHARED: &str = r#"#!/bin/sh
echo "$1 $(grep -o '"otto:deployment":"[^"]*' "$OTTO_VARS" | cut -d '"' -f 4)" >>"$HCLOUD.shared"
"#;

/// The id of what was built stands in the manifest, as that of a cloud's builder does.
const IMAGE: &str = r#"
variable "output_dir" { type = string }
variable "name" { type = string }
variable "region" { type = string }
variable "size" { type = string }
variable "tags" { type = map(string) }
source "null" "image" { communicator = "none" }
build {
  sources = ["source.null.image"]
  post-processors {
    post-processor "manifest" { output = "${var.output_dir}/manifest.json" }
    post-processor "shell-local" {
      environment_vars = ["SAYS=${jsonencode({ name = var.name, kind = "image", tags = var.tags, region = var.region, size = var.size })}", "MANIFEST=${var.output_dir}/manifest.json"]
      inline = [
        "id=$(date +%s%N)",
        "printf '%s' \"$SAYS\" >\"$HCLOUD/$id.json\"",
        "sed -i \"s/\\\"artifact_id\\\": *\\\"[^\\\"]*\\\"/\\\"artifact_id\\\": \\\"nbg1:$id\\\"/\" \"$MANIFEST\"",
      ]
    }
  }
}
"#;

struct Cloud {
    sandbox: Sandbox,
    folder: PathBuf,
}

impl Cloud {
    fn new() -> Self {
        let sandbox = Sandbox::new("made");
        sandbox.write("clowd/provision/hetzner/provider.yaml", PROVIDER);
        sandbox.write("clowd/provision/hetzner/main.tf", ROOT);
        sandbox.write("clowd/provision/hetzner/thing", THING);
        for (name, text) in [("orphans", ORPHANS), ("shared", SHARED)] {
            sandbox.write(&format!("clowd/provision/hetzner/{name}"), text);
            let path = sandbox.path(&format!("clowd/provision/hetzner/{name}"));
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode");
        }
        sandbox.write("images/nginx/hetzner/image.pkr.hcl", IMAGE);
        sandbox.write("sites/blog/site.yaml", "domains: [blog.test]\nroles: {www: {image: nginx}}\n");
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA me@home";
        let otto = fs::read_to_string(sandbox.path("otto.yaml")).expect("a file");
        sandbox.write("otto.yaml", &format!("{otto}\nssh: {{public_keys: [\"{key}\"]}}\nadmin_cidrs: [203.0.113.7]\n"));
        let folder = sandbox.base().join("cloud");
        fs::create_dir_all(&folder).expect("a cloud");
        Self { sandbox, folder }
    }

    fn otto(&self, args: &[&str]) -> Output {
        self.with_token(args, "right")
    }

    fn with_token(&self, args: &[&str], token: &str) -> Output {
        let mut command = self.sandbox.command(args, &self.sandbox.folder);
        let output = command.env("HCLOUD", &self.folder).env("HCLOUD_TOKEN", token).output().expect("otto");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Output { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// What there is of a kind, by id.
    fn there(&self, kind: &str) -> Vec<(String, Value)> {
        let entries = fs::read_dir(&self.folder).expect("a cloud").flatten();
        let things = entries.map(|entry| {
            let text = fs::read_to_string(entry.path()).expect("a thing");
            let id = entry.path().file_stem().expect("an id").to_string_lossy().into_owned();
            (id, serde_json::from_str::<Value>(&text).expect("JSON"))
        });
        things.filter(|(_, thing)| thing["kind"] == kind).collect()
    }
}

#[test]
fn a_cloud_is_two_folders() {
    let cloud = Cloud::new();
    let on = ["blog", "--provider", "hetzner"];
    let with = |verb: &str, more: &[&str]| cloud.otto(&[&[verb], &on[..], more].concat());

    // Images: told where and whose they are, kept as long as the cloud has them, built anew when it has not.
    with("images", &[]).ends(0);
    let images = cloud.there("image");
    assert_eq!(images.len(), 1, "{images:?}");
    let (first, image) = &images[0];
    assert_eq!((&image["region"], &image["size"]), (&json!("nbg1"), &json!("cx22")));
    assert!(image["tags"]["otto:store"].is_string() && image["tags"]["otto:image"].is_string(), "{image}");
    with("images", &[]).ends(0).says("image is there");
    fs::remove_file(cloud.folder.join(format!("{first}.json"))).expect("lost");
    with("images", &[]).ends(0).says("the image is gone");
    let images = cloud.there("image");
    assert_eq!(images.len(), 1, "{images:?}");
    assert_ne!(images[0].0, *first);

    // A token that is not taken changes nothing.
    cloud.with_token(&["provision", "blog", "--provider", "hetzner", "--yes"], "wrong").ends(23).says("unknown here");
    assert!(cloud.there("host").is_empty());

    with("provision", &["--yes"]).ends(0);
    let hosts = cloud.there("host");
    let (id, host) = &hosts[0];
    assert_eq!((&host["name"], &host["image"]), (&json!("www-1"), &json!(images[0].0)));
    assert_eq!(host["keys"], json!(["3d:52:38:ce:ff:94:f5:d7:81:a4:a4:f9:2b:4f:fe:a0"]));
    assert_eq!(host["from"], json!(["203.0.113.7/32"]));
    let shared = || fs::read_to_string(cloud.sandbox.base().join("cloud.shared")).unwrap_or_default();
    assert_eq!(shared(), "add dev_hetzner_blog\n");

    // A twin that no state holds goes with the deployment; another project's does not.
    let mut foreign = host.clone();
    foreign["tags"]["otto:project"] = json!("another");
    for (name, thing) in [("twin", host), ("foreign", &foreign)] {
        fs::write(cloud.folder.join(format!("{name}.json")), thing.to_string()).expect("made");
    }
    with("destroy", &["--yes"]).ends(0).says("1 found beside it");
    let left: Vec<String> = cloud.there("host").into_iter().map(|(id, _)| id).collect();
    assert_eq!(left, ["foreign"], "{id}");
    assert_eq!(shared(), "add dev_hetzner_blog\nremove dev_hetzner_blog\n");
    assert_eq!(cloud.there("image").len(), 1, "images stay");
}
