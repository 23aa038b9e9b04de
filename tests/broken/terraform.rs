//! Terraform roots that are wrong, and applies that fail in the middle.

use serde_json::Value;

use crate::sandbox::{ROOT, Sandbox};

#[test]
fn a_root_that_cannot_be_read_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("clowd/provision/made/main.tf", &format!("{ROOT}resource \"terraform_data\" {{\n"));
    sandbox.otto(&["up", "--yes"]).code(30).says(&["clowd/provision/made/main.tf:20", "Unclosed configuration block"]);
    assert!(sandbox.is_empty());
    sandbox.write("clowd/provision/made/main.tf", ROOT);
    sandbox.heals();
}

#[test]
fn a_plan_that_fails_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("clowd/provision/made/extra.tf", "output \"x\" {\n  value = terraform_data.nothing.id\n}\n");
    let ran = sandbox.otto(&["up", "--yes"]).code(30);
    ran.says(&["clowd/provision/made/extra.tf:2", "Reference to undeclared resource", "log:", "hint:"]);
    assert!(sandbox.is_empty());
    std::fs::remove_file(sandbox.project().join("clowd/provision/made/extra.tf")).expect("removed");
    sandbox.heals();
}

#[test]
fn an_apply_that_fails_in_the_middle_is_continued() {
    let make = "mkdir -p \"$HOST\"; case $HOST in *-2) echo 'no room on this machine' >&2; exit 7;; esac\n";
    for by_resume in [true, false] {
        let sandbox = Sandbox::new();
        sandbox.write("clowd/provision/made/make", make);
        let ran = sandbox.otto(&["up", "--yes"]).code(32);
        ran.says(&["no room on this machine", "host[\"box-2\"]", "clowd/provision/made/main.tf:8", "blocked"]);
        let status = sandbox.status();
        assert_eq!(status["phase"], "partial", "{status}");
        assert_eq!(sandbox.otto(&["status"]).code, 2);
        // Again with the mistake still there: no better, no worse.
        sandbox.otto(&["up", "--yes"]).code(32);
        sandbox.write("clowd/provision/made/make", "mkdir -p \"$HOST\"; echo made >>\"$HOST/made\"\n");
        if by_resume { sandbox.repairs() } else { sandbox.heals() }
    }
}

#[test]
fn a_change_that_fails_leaves_the_next_command() {
    let sandbox = Sandbox::new();
    sandbox.otto(&["up", "--yes"]).code(0);
    sandbox.write("clowd/provision/made/make", "exit 3\n");
    sandbox.write("sites/hello/site.yaml", "domains: [hello.localhost]\nroles:\n  box: {count: 4}\n");
    sandbox.otto(&["up", "--yes"]).code(32).says(&["host[\"box-4\"]"]);
    assert_eq!(sandbox.status()["phase"], "partial");
    sandbox.write("clowd/provision/made/make", "mkdir -p \"$HOST\"\n");
    sandbox.repairs();
}

#[test]
fn one_deployment_that_fails_does_not_stop_the_other() {
    let sandbox = Sandbox::new();
    sandbox.write("sites/other/site.yaml", "domains: [other.localhost]\nroles: {box: {count: 1}}\n");
    sandbox.write("clowd/provision/made/make", "mkdir -p \"$HOST\"; case $HOST in *hello*) exit 7;; esac\n");
    sandbox.otto(&["up", "--yes"]).code(32).says(&["failed  dev/made/hello", "ok       dev/made/other  test"]);
    let all: Value = serde_json::from_str(&sandbox.otto(&["status", "--json"]).out).expect("JSON");
    let phases: Vec<_> = all["deployments"].as_array().into_iter().flatten().map(|d| d["phase"].clone()).collect();
    assert_eq!(phases, ["partial", "tested"]);
    sandbox.write("clowd/provision/made/make", "mkdir -p \"$HOST\"\n");
    sandbox.repairs();
}
