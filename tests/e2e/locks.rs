//! One writer per deployment, whoever comes: a second otto, one for another deployment, one after a killed one.

use super::support::toy::Toy;
use super::support::{Running, Sandbox, wait_for};

const SHELF: &str = "dev/toy/shelf";

fn began(toy: &Toy, run: &Running, count: usize) {
    wait_for(&format!("the hosts to begin: {}", run.said()), || {
        toy.log().iter().filter(|line| line.starts_with('+')).count() == count
    });
}

#[test]
fn the_second_of_two_waits_or_is_told_who_holds_it() {
    let sandbox = Sandbox::new("demo");
    let toy = Toy::add(&sandbox, 2);
    let other = "sites/drawer/site.yaml";
    sandbox.write(other, "domains: [drawer.localhost]\nproviders: [toy]\nroles: {box: {count: 1}}\n");
    toy.close();
    let first = sandbox.start(["provision", "--yes", SHELF]);
    began(&toy, &first, 2);
    let refused = sandbox.otto(&["provision", "--yes", SHELF]).ends(22);
    assert!(refused.stderr.contains(&format!("pid {}", first.pid())), "{}", refused.stderr);
    assert!(refused.stderr.contains("otto provision"), "{}", refused.stderr);
    assert_eq!(refused.hint(), "otto provision --yes dev/toy/shelf --wait");
    let waiting = sandbox.start(["provision", "--yes", "--wait", SHELF]);
    wait_for("it to wait", || waiting.said().contains("waiting"));
    let another = sandbox.start(["provision", "--yes", "dev/toy/drawer"]);
    began(&toy, &another, 3);
    // Reading needs no lock; what is at work is no fault.
    let running = sandbox.status(3);
    assert_eq!(running["deployments"][0]["last_run"]["outcome"], "running", "{running}");
    toy.open();
    first.wait().ends(0);
    another.wait().ends(0);
    waiting.wait().ends(0);
    let made: Vec<String> = toy.log().into_iter().filter(|line| line.starts_with('=')).collect();
    assert_eq!(made.len(), 3, "nothing is made twice: {made:?}");
    sandbox.otto(&["destroy", "--yes", SHELF, "dev/toy/drawer"]).ends(0);
    assert_eq!(toy.log().iter().filter(|line| line.starts_with('-')).count(), 3);
    sandbox.is_clean(&[]);
}

#[test]
fn what_a_killed_otto_left_at_work_is_waited_for() {
    let sandbox = Sandbox::new("demo");
    let toy = Toy::serving(&sandbox);
    toy.close();
    let first = sandbox.start(["up", "--yes", SHELF]);
    began(&toy, &first, 1);
    first.kill();
    let status = sandbox.status_of(SHELF, 2);
    assert!(status["dirty"]["reason"].as_str().is_some_and(|why| why.contains("still at work")), "{status}");
    let second = sandbox.start(["up", "--yes", "--json", SHELF]);
    wait_for("it to wait", || second.said().contains("still at work"));
    toy.open();
    second.wait().ends(0).events();
    assert_eq!(toy.log(), ["+www-1", "=www-1"], "nothing lost, nothing made twice");
    let status = sandbox.status_of(SHELF, 0);
    assert_eq!((&status["phase"], &status["dirty"]), (&"tested".into(), &serde_json::Value::Null));
    sandbox.otto(&["destroy", "--yes", SHELF]).ends(0);
    sandbox.is_clean(&[]);
}
