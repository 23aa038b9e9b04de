//! DigitalOcean from end to end, through the binary: the unchanged root `clowd/provision/do` and the unchanged templates `images/*/do`, real
//! Terraform, Packer and Ansible, on a stand-in of the API whose droplets boot; with every fault that clouds have.

#![allow(clippy::print_stderr)]

#[path = "cloud/faults.rs"]
mod faults;
#[path = "support/mod.rs"]
mod support;

use support::Sandbox;
use support::digitalocean::Cloud;

/// A project with one site `things` of three web servers that boot the stock image, and otto told to make it.
fn things() -> Option<(Cloud, Sandbox)> {
    let cloud = Cloud::records()?;
    let sandbox = cloud.project("things");
    sandbox.write("sites/things/site.yaml", "domains: [things.localhost]\nroles:\n  www: {count: 3, size: small}\n");
    Some((cloud, sandbox))
}
