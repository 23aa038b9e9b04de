//! Hosts come and go under visitors: nobody sees a failed request, and those that stay are not touched.

use std::collections::BTreeSet;

use super::support::http::served_by;
use super::support::load::Load;
use super::support::processes::{Process, masters_in};
use super::support::{Sandbox, files};

const HELLO: &str = "dev/local/hello";
const COUNT: &str = "sites/hello/site.yaml";

fn masters(sandbox: &Sandbox) -> Vec<Process> {
    ["lb-1", "www-1", "www-2"].iter().flat_map(|host| masters_in(&sandbox.host("dev_local_hello", host))).collect()
}

fn backends(port: u16) -> BTreeSet<String> {
    served_by(port, "hello.localhost", 12)
}

#[test]
fn a_count_rises_and_falls_under_visitors() {
    let sandbox = Sandbox::new("demo");
    sandbox.otto(&["up", "--yes", HELLO]).ends(0);
    let port = sandbox.port(HELLO, 0);
    let before = masters(&sandbox);
    // `haproxy.real` where it came out of the cache.
    let names: Vec<&str> = before.iter().map(|p| p.name.trim_end_matches(".real")).collect();
    assert_eq!(names, ["haproxy", "nginx", "nginx"]);

    let load = Load::start(port, "hello.localhost");
    sandbox.edit(COUNT, "count: 2, size: small}", "count: 3, size: small}");
    sandbox.otto(&["up", "--yes", HELLO]).ends(0);
    load.all_was_well();
    assert_eq!(masters(&sandbox), before, "pid and start time");
    assert_eq!(backends(port).len(), 3);
    assert_eq!(sandbox.status_of(HELLO, 0)["hosts"].as_array().map(Vec::len), Some(4));

    sandbox.edit(COUNT, "count: 3, size: small}", "count: 2, size: small}");
    let everything = || (state(&sandbox), masters_in(&sandbox.folder), files(&sandbox.path(".otto/hosts")).len());
    let was = everything();
    let refused = sandbox.otto(&["up", "--yes", HELLO]).ends(40).says("www-3");
    assert_eq!(everything(), was, "nothing changed");
    assert_eq!(refused.hint(), "otto up --yes dev/local/hello --allow-destroy");

    let load = Load::start(port, "www.hello.localhost");
    sandbox.line(&refused.hint()).ends(0);
    load.all_was_well();
    assert_eq!(masters(&sandbox), before, "pid and start time");
    assert_eq!(masters_in(&sandbox.folder).len(), 3);
    assert_eq!(backends(port).len(), 2);
    assert!(!sandbox.host("dev_local_hello", "www-3").exists());
    sandbox.otto(&["destroy", "--yes"]).ends(0);
    sandbox.is_clean(&[port]);
}

fn state(sandbox: &Sandbox) -> Vec<u8> {
    std::fs::read(sandbox.path(".otto/terraform/dev_local_hello/terraform.tfstate")).expect("the state")
}
