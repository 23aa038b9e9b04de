//! Machines that are there already, through the binary: real sshd's in network namespaces, one of them behind another; and
//! several sites on one host, there and on `local`.

#![allow(clippy::print_stderr)]

#[path = "static/acme.rs"]
mod acme;
#[path = "static/own_machines.rs"]
mod own_machines;
#[path = "static/shared.rs"]
mod shared;
#[path = "support/mod.rs"]
mod support;

use support::Sandbox;
use support::hosts::Hosts;

/// A project whose site `hello` has the three machines.
fn project(hosts: &Hosts, user: &str) -> Sandbox {
    let sandbox = Sandbox::new("own");
    let key = hosts.key().display().to_string();
    sandbox.edit(
        "otto.yaml",
        "environment: dev ",
        &format!("ssh: {{user: {user}, identity: {key}, wait: 20s}}\nenvironment: dev "),
    );
    sandbox.edit(
        "sites/hello/site.yaml",
        "\nenvironments:",
        "
static:
  hosts:
    - {name: lb-a, role: lb, address: 10.88.0.10}
    - {name: web-a, role: www, address: 10.88.0.11}
    - {name: web-b, role: www, address: 10.99.0.12, jump: lb-a}

environments:",
    );
    sandbox
}
