//! The folders of clouds: every word in them is one of the real providers', every template one that Packer takes, and what
//! a project says of clouds is understood. Clouds are stand-ins here, or a folder.

#![allow(clippy::print_stderr)]

mod support;

#[path = "clouds/amazon.rs"]
mod amazon;
#[path = "clouds/front.rs"]
mod front;
#[path = "clouds/google.rs"]
mod google;
#[path = "clouds/made.rs"]
mod made;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use otto::tools::terraform::hcl::{Block, Body, scan};
use serde_json::{Value, json};
use support::{Sandbox, cache, tools};

/// Of Terraform itself, in every resource.
const META: &[&str] = &["count", "for_each", "depends_on", "provider"];
const META_BLOCKS: &[&str] = &["lifecycle", "provisioner", "connection", "timeouts"];

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// All files of a root as one body.
fn root(provider: &str) -> Body {
    let mut all = Body { whole: true, ..Body::default() };
    let folder = repository(&format!("clowd/provision/{provider}"));
    for entry in
        fs::read_dir(folder).expect("a root").flatten().filter(|e| e.path().extension().is_some_and(|e| e == "tf"))
    {
        let body = scan(&fs::read_to_string(entry.path()).expect("a file"));
        all.whole &= body.whole;
        all.blocks.extend(body.blocks);
    }
    assert!(all.whole && !all.blocks.is_empty(), "{provider}");
    all
}

/// What a body of a resource says that its schema does not know, or lacks that it wants.
fn strange(body: &Body, schema: &Value, place: &str, found: &mut Vec<String>) {
    let attributes = schema["attributes"].as_object().cloned().unwrap_or_default();
    let blocks = schema["block_types"].as_object().cloned().unwrap_or_default();
    let mut said: BTreeSet<&str> = BTreeSet::new();
    for (name, _) in body.attributes.iter().filter(|(name, _)| !META.contains(&name.as_str())) {
        said.insert(name);
        match attributes.get(name) {
            None => found.push(format!("{place}.{name} is not in the schema")),
            Some(known) if known["required"] != true && known["optional"] != true => {
                found.push(format!("{place}.{name} cannot be set"));
            }
            Some(known) if known["deprecated"] == true => found.push(format!("{place}.{name} is deprecated")),
            Some(_) => {}
        }
    }
    for (name, known) in &attributes {
        if known["required"] == true && !said.contains(name.as_str()) {
            found.push(format!("{place}.{name} is wanted"));
        }
    }
    for block in body.blocks.iter().filter(|block| !META_BLOCKS.contains(&block.kind.as_str())) {
        let (name, inner) = written(block);
        match blocks.get(name) {
            None => found.push(format!("{place}.{name} is no block of the schema")),
            Some(known) => strange(inner, &known["block"], &format!("{place}.{name}"), found),
        }
    }
}

/// A block's name and body, those of a `dynamic` one as well.
fn written(block: &Block) -> (&str, &Body) {
    if block.kind != "dynamic" {
        return (&block.kind, &block.body);
    }
    let content = block.body.of_kind("content").next().expect("a content");
    (&block.labels[0], &content.body)
}

#[test]
fn every_word_of_the_roots_is_in_the_real_providers_schemas() {
    for (provider, schema) in [("do", "digitalocean"), ("gcp", "google")] {
        let text =
            fs::read_to_string(repository(&format!("tests/data/schemas/schema-{schema}.json"))).expect("a schema");
        let schema: Value = serde_json::from_str(&text).expect("JSON");
        let root = root(provider);
        let mut found = Vec::new();
        let mut kinds = BTreeSet::new();
        for (word, known) in [("resource", "resources"), ("data", "data_sources")] {
            for block in root.of_kind(word) {
                let (kind, name) = (&block.labels[0], &block.labels[1]);
                kinds.insert(kind.clone());
                match schema[known].get(kind) {
                    None => found.push(format!("{word} {kind} is not in the schema")),
                    Some(known) => strange(&block.body, known, &format!("{kind}.{name}"), &mut found),
                }
            }
        }
        assert!(found.is_empty(), "{provider}:\n{}", found.join("\n"));
        assert!(kinds.len() >= 6, "{provider}: {kinds:?}");
    }
}

#[test]
fn roots_take_what_otto_passes_and_give_what_it_reads() {
    for provider in ["do", "gcp", "aws"] {
        let root = root(provider);
        let names =
            |kind: &str| -> BTreeSet<String> { root.of_kind(kind).map(|block| block.labels[0].clone()).collect() };
        let variables = names("variable");
        for name in
            ["deployment", "hosts", "tags", "ssh_public_keys", "admin_cidrs", "cloud_balancer", "region", "vars"]
        {
            assert!(variables.contains(name), "{provider}: {name}");
        }
        assert_eq!(names("output"), BTreeSet::from(["endpoint".to_owned(), "hosts".to_owned()]), "{provider}");
        // With its host: OpenTofu would take its own registry for it.
        let versions =
            fs::read_to_string(repository(&format!("clowd/provision/{provider}/versions.tf"))).expect("a file");
        assert!(versions.contains("source  = \"registry.terraform.io/"), "{provider}");
    }
}

/// Packer as otto installs it where a machine has none.
fn packer() -> PathBuf {
    tools();
    let own = cache().join("otto/packages/root/usr/bin/packer");
    if own.is_file() { own } else { PathBuf::from("packer") }
}

#[test]
fn every_template_is_one_that_packer_takes() {
    let packer = packer();
    let folder = tempfile::tempdir().expect("a folder");
    let env = [
        ("DIGITALOCEAN_TOKEN", "token"),
        ("GOOGLE_PROJECT", "project"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:1"),
        ("CHECKPOINT_DISABLE", "1"),
    ];
    let bases = BTreeMap::from([
        ("do", ("debian-12-x64", "fra1", "s-1vcpu-1gb")),
        ("gcp", ("debian-12", "us-central1", "e2-micro")),
        ("aws", ("debian-12-amd64-*", "us-east-1", "t3.micro")),
    ]);
    for appliance in ["nginx", "haproxy", "otto", "clowd"] {
        for (provider, (base, region, size)) in &bases {
            let place = repository(&format!("images/{appliance}/{provider}"));
            let vars = folder.path().join("vars.json");
            let values = json!({
                "run": "20261121-062531-a3f9", "output_dir": folder.path(), "name": format!("{appliance}-0123456789ab"),
                "base": base, "region": region, "size": size, "tags": {"otto:project": "p", "otto:store": "s"},
            });
            fs::write(&vars, values.to_string()).expect("written");
            let mut command = Command::new(&packer);
            command.arg("validate").arg(format!("-var-file={}", vars.display())).arg(place.join("image.pkr.hcl"));
            let output = command.envs(env).env("OTTO_BIN", env!("CARGO_BIN_EXE_otto")).output().expect("packer");
            let said =
                [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
            assert!(output.status.success() && !said.contains("Warning"), "{}: {said}", place.display());
            // Later versions are given the folder: what 1.6 refuses is in a file of its own.
            let plugins = scan(&fs::read_to_string(place.join("plugins.pkr.hcl")).expect("plugins"));
            let packer = plugins.of_kind("packer").next().expect("a block");
            assert!(packer.body.of_kind("required_plugins").next().is_some(), "{}", place.display());
        }
    }
}

#[test]
fn images_forget_the_machine_that_they_were_made_on() {
    let tidy = fs::read_to_string(repository("images/base/debian/tidy.sh")).expect("a script");
    for word in ["ssh_host_", "machine-id", "authorized_keys", "apt/lists", "cloud-init clean"] {
        assert!(tidy.contains(word), "{word}");
    }
    for appliance in ["nginx", "haproxy", "otto", "clowd"] {
        for provider in ["do", "gcp", "aws"] {
            let path = repository(&format!("images/{appliance}/{provider}/image.pkr.hcl"));
            let template = fs::read_to_string(path).expect("a template");
            let scripts = template.lines().find(|line| line.trim_start().starts_with("scripts")).expect("scripts");
            assert!(scripts.trim_end().ends_with("tidy.sh\"]"), "{appliance} {provider}: tidy.sh comes last");
        }
    }
}

#[test]
fn a_balancer_of_the_clouds_own_needs_a_cloud_that_has_one() {
    let sandbox = Sandbox::bare("front");
    sandbox.edit("sites/hello/site.yaml", "lb:", "lb: {kind: cloud}\n  idle:");
    let text = fs::read_to_string(sandbox.path("sites/hello/site.yaml")).expect("a file");
    let text: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("idle:")).collect();
    sandbox.write("sites/hello/site.yaml", &text.join("\n"));
    let line = 1 + text.iter().position(|line| line.contains("kind: cloud")).expect("a line");
    let refused = sandbox.otto(&["plan", "hello", "--provider", "local"]).ends(20);
    refused.says(&format!("sites/hello/site.yaml:{line}")).says("`local` has no load balancer of its own");
    let plan = |args: &[&str], code: i32| {
        let mut command = sandbox.command(["plan", "hello", "--json"], &sandbox.folder);
        let output = command.args(args).env("DIGITALOCEAN_TOKEN", "none").output().expect("otto");
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        document["units"].as_array().expect("units").clone()
    };
    let units = plan(&["--provider", "do"], 0);
    let why = |units: &[Value], id: &str| {
        units.iter().find(|unit| unit["id"] == id).and_then(|unit| unit["why"].as_str()).unwrap_or_default().to_owned()
    };
    assert!(why(&units, "dev/do/hello:provision").starts_with("new: 2 hosts; SSH from any address"), "{units:?}");
    assert!(units.iter().all(|unit| unit["id"] != "do/haproxy:images"), "nobody boots it: {units:?}");
    sandbox.edit("otto.yaml", "# admin_cidrs: [203.0.113.7] ", "admin_cidrs: [203.0.113.7, 2001:db8::/32] #");
    assert_eq!(why(&plan(&["--provider", "do"], 0), "dev/do/hello:provision"), "new: 2 hosts");
    sandbox.edit("otto.yaml", "2001:db8::/32", "10.0.0.0/33");
    sandbox.otto(&["plan"]).ends(20).says("admin_cidrs");
}

#[test]
fn a_provider_without_its_credentials_blocks_its_own_units() {
    let sandbox = Sandbox::bare("lacking");
    let plan = |env: &[(&str, &str)], providers: &str| {
        let mut command = sandbox.command(["plan", "blog", "--json"], &sandbox.folder);
        for name in ["DIGITALOCEAN_TOKEN", "GOOGLE_PROJECT", "GOOGLE_APPLICATION_CREDENTIALS"] {
            command.env_remove(name);
        }
        let output = command.env("CLOWD_PROVIDERS", providers).envs(env.iter().copied()).output().expect("otto");
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (output.status.code(), document["units"].as_array().expect("units").clone())
    };
    let (code, units) = plan(&[("DIGITALOCEAN_TOKEN", "a token")], "do, gcp, local");
    assert_eq!(code, Some(23));
    for unit in &units {
        let blocked = unit["id"].as_str().expect("an id").contains("gcp");
        assert_eq!(unit["action"], if blocked { "blocked" } else { "run" }, "{unit}");
        let why = unit["why"].as_str().expect("a reason");
        assert_eq!(
            why.contains("`gcp` needs the environment variables GOOGLE_PROJECT, GOOGLE_APPLICATION_CREDENTIALS"),
            blocked
        );
    }
    assert!(units.iter().any(|unit| unit["id"] == "dev/do/blog:provision"));
    assert_eq!(plan(&[("DIGITALOCEAN_TOKEN", "a token")], "do, local").0, Some(0));
    let mut command = sandbox.command(["up", "--yes", "--provider", "do"], &sandbox.folder);
    let output = command.env_remove("DIGITALOCEAN_TOKEN").output().expect("otto");
    assert_eq!(output.status.code(), Some(23), "nothing is left that could be done");
    assert!(!sandbox.path(".otto/runs").exists(), "no run began");
}
