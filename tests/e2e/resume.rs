//! A run that failed goes on where it stopped, once the cause is gone.

use super::support::http::get;
use super::support::{Sandbox, summary, units};

const BLOG: &str = "dev/local/blog";
const BROKEN: &str = "\n- name: Broken\n  hosts: all\n  gather_facts: false\n  tasks:\n    - name: This one fails\n      ansible.builtin.fail: {msg: for a reason}\n";

#[test]
fn a_failed_run_is_resumed() {
    let sandbox = Sandbox::new("demo");
    let playbook = std::fs::read_to_string(sandbox.path("clowd/config/site.yml")).expect("a playbook");
    sandbox.write("clowd/config/site.yml", &format!("{playbook}{BROKEN}"));
    let failed = sandbox.otto(&["up", "--yes", "--json", BLOG]).ends(32);
    let events = failed.events();
    assert!(summary(&events, "dev/local/blog:config").contains("for a reason"), "{events:#?}");
    assert_eq!(units(&events, "blocked"), ["dev/local/blog:test"]);
    let run = events[0]["run"].as_str().expect("a run").to_owned();
    let status = &sandbox.otto(&["status", "--offline", "--json"]).ends(0).json()["deployments"][0];
    assert_eq!((&status["phase"], &status["last_run"]["outcome"]), (&"provisioned".into(), &"failed".into()));

    sandbox.write("clowd/config/site.yml", &playbook);
    let events = sandbox.otto(&["resume", &run, "--yes", "--json"]).ends(0).events();
    assert_eq!(units(&events, "ok"), ["dev/local/blog:config", "dev/local/blog:test"]);
    for unit in ["local/nginx:images", "dev/local/blog:provision"] {
        let why = summary(&events, unit);
        assert!(why.contains("unchanged") || why == format!("done by run {run}"), "{unit}: {why}");
    }
    let port = sandbox.port(BLOG, 0);
    assert_eq!(get(port, "blog.localhost", "/").status, 200);
    sandbox.otto(&["destroy", "--yes"]).ends(0);
    sandbox.is_clean(&[port]);
}
