//! Clouds from end to end, through the binary: the unchanged roots `clowd/provision/{do,gcp,aws}` and the unchanged templates `images/*/do`, real
//! Terraform, Packer and Ansible, on stand-ins of the APIs, whose droplets and instances boot; with every fault that clouds have.

#![allow(clippy::print_stderr)]

#[path = "cloud/accounts.rs"]
mod accounts;
#[path = "cloud/faults.rs"]
mod faults;
#[path = "cloud/google.rs"]
mod google;
#[path = "cloud/life.rs"]
mod life;
#[path = "cloud/mixed.rs"]
mod mixed;
#[path = "cloud/orphans.rs"]
mod orphans;
#[path = "cloud/spend.rs"]
mod spend;
#[path = "support/mod.rs"]
mod support;
#[path = "cloud/tofu.rs"]
mod tofu;
#[path = "cloud/wiped.rs"]
mod wiped;
#[path = "cloud/zones.rs"]
mod zones;

use support::digitalocean::{Account as _, Cloud};
use support::{Output, Sandbox};

const THINGS: &str = "dev/do/things";
const NAMES: [&str; 3] = ["dev-things-www-1", "dev-things-www-2", "dev-things-www-3"];
const PROVISION: [&str; 3] = ["provision", "--yes", THINGS];

/// Phase, and whether it says that something is wrong.
fn phase(cloud: &Cloud, sandbox: &Sandbox) -> (String, bool) {
    let status = cloud.otto(sandbox, &["status", "--json", THINGS]).json();
    let one = &status["deployments"][0];
    (one["phase"].as_str().unwrap_or("absent").to_owned(), !one["dirty"].is_null())
}

#[track_caller]
fn is(cloud: &Cloud, sandbox: &Sandbox, expected: &str, dirty: bool) {
    assert_eq!(phase(cloud, sandbox), (expected.to_owned(), dirty));
}

/// The command that the status names as the repair.
fn repair(cloud: &Cloud, sandbox: &Sandbox) -> Output {
    let status = cloud.otto(sandbox, &["status", "--json", THINGS]).json();
    let line = status["deployments"][0]["dirty"]["repair"].as_str().expect("a repair").to_owned();
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    cloud.otto(sandbox, &words)
}

#[track_caller]
fn destroyed(cloud: &Cloud, sandbox: &Sandbox) {
    cloud.otto(sandbox, &["destroy", "--yes"]).ends(0);
    is(cloud, sandbox, "destroyed", false);
    cloud.is_empty();
}

/// A project with one site `things` of three web servers that boot the stock image. Nobody answers at their addresses.
fn things() -> Option<(Cloud, Sandbox)> {
    let cloud = Cloud::records()?;
    let sandbox = cloud.project("things");
    site_things(&sandbox);
    Some((cloud, sandbox))
}

fn site_things(sandbox: &Sandbox) {
    sandbox.write("sites/things/site.yaml", "domains: [things.localhost]\nroles:\n  www: {count: 3, size: small}\n");
}
