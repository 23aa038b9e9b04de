//! What is lost behind otto's back: processes (a reboot), folders, images. `status` says so, `up` heals it.

use std::fs;

use serde_json::Value;

use super::support::http::served_by;
use super::support::processes::{Process, living_in, masters_in};
use super::support::{Sandbox, units, wait_for};

const HELLO: &str = "dev/local/hello";

fn states(status: &Value) -> Vec<&str> {
    status["hosts"].as_array().expect("hosts").iter().filter_map(|h| h["state"].as_str()).collect()
}

#[test]
fn what_is_lost_comes_back() {
    let sandbox = Sandbox::new("demo");
    sandbox.otto(&["up", "--yes", HELLO]).ends(0);
    let port = sandbox.port(HELLO, 0);

    living_in(&sandbox.folder).iter().for_each(Process::kill);
    wait_for("all processes to end", || living_in(&sandbox.folder).is_empty());
    let status = sandbox.status_of(HELLO, 2);
    assert_eq!((states(&status), &status["health"]), (vec!["down"; 3], &"critical".into()));
    sandbox.otto(&["up", "--yes", HELLO]).ends(0);
    assert_eq!(sandbox.port(HELLO, 0), port);
    assert_eq!(served_by(port, "hello.localhost", 8).len(), 2);

    // One folder goes, with its processes still in it; the other hosts are not touched.
    let lost = sandbox.host("dev_local_hello", "www-1");
    let others: Vec<Process> =
        ["lb-1", "www-2"].iter().flat_map(|h| masters_in(&sandbox.host("dev_local_hello", h))).collect();
    living_in(&lost).iter().for_each(Process::kill);
    fs::remove_dir_all(&lost).expect("a removed folder");
    assert!(states(&sandbox.status_of(HELLO, 2)).contains(&"down"));
    let image = image(&sandbox);
    fs::remove_file(&image).expect("a removed image");
    let events = sandbox.otto(&["up", "--yes", "--json", HELLO]).ends(0).events();
    assert!(units(&events, "ok").contains(&"local/nginx:images".to_owned()), "the image is built again");
    assert!(fs::metadata(&image).is_ok(), "the same inputs, the same image");
    sandbox.status(0);
    assert_eq!(served_by(port, "hello.localhost", 8).len(), 2);
    let now: Vec<Process> =
        ["lb-1", "www-2"].iter().flat_map(|h| masters_in(&sandbox.host("dev_local_hello", h))).collect();
    assert_eq!(now, others);

    destroy_of_a_half(&sandbox, port);
}

/// One host's folder gone, another host's processes dead, the image gone: everything else goes as well.
fn destroy_of_a_half(sandbox: &Sandbox, port: u16) {
    fs::remove_dir_all(sandbox.host("dev_local_hello", "www-2")).expect("a removed folder");
    masters_in(&sandbox.host("dev_local_hello", "www-1")).iter().for_each(Process::kill);
    wait_for("workers alone", || masters_in(&sandbox.host("dev_local_hello", "www-1")).is_empty());
    fs::remove_file(image(sandbox)).expect("a removed image");
    assert!(!living_in(&sandbox.folder).is_empty(), "workers live on without their master");
    sandbox.otto(&["destroy", "--yes"]).ends(0);
    sandbox.is_clean(&[port]);
    assert_eq!(sandbox.status_of(HELLO, 0)["phase"], "destroyed");
}

fn image(sandbox: &Sandbox) -> String {
    let status: Value =
        serde_json::from_str(&sandbox.otto(&["status", "--json", "--offline"]).stdout).expect("a document");
    let hosts = status["deployments"][0]["hosts"].as_array().expect("hosts").clone();
    let www = hosts.iter().find(|h| h["name"] == "www-1").expect("a web server");
    www["image"].as_str().expect("an image").to_owned()
}
