//! Playbooks that fail, match nobody, cannot be read, and hosts that are not reached: four different outcomes.

use serde_json::Value;

use crate::sandbox::{PLAYBOOK, Sandbox};

const BREAKS: &str = "\
- hosts: all
  gather_facts: false
  tasks:
    - name: Change
      ansible.builtin.command: echo changed
    - name: Break
      ansible.builtin.shell: echo 'the cellar is dark' >&2; exit 3
      when: inventory_hostname == 'box-2'
";

fn up() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("sites/hello/site.yaml", "domains: [hello.localhost]\nroles:\n  box: {count: 2}\n");
    sandbox.otto(&["provision", "--yes"]).code(0);
    sandbox
}

#[test]
fn a_task_that_fails_on_one_host_of_two() {
    let sandbox = Sandbox::new();
    sandbox.write("clowd/config/site.yml", BREAKS);
    let ran = sandbox.otto(&["up", "--yes"]).code(32);
    ran.says(&["task `Break` failed on box-2", "clowd/config/site.yml:6", "the cellar is dark", "blocked", "log:"]);
    let status = sandbox.status();
    assert!(status["dirty"]["reason"].as_str().unwrap_or_default().contains("box-2"), "{status}");
    assert_eq!(status["phase"], "provisioned", "{status}");
    sandbox.write("clowd/config/site.yml", PLAYBOOK);
    let done = sandbox.line(status["dirty"]["repair"].as_str().unwrap_or_default()).code(0);
    done.says(&["config", "nothing to change"]).never_says(&["terraform"]);
    sandbox.heals();
}

#[test]
fn a_playbook_that_matches_no_host() {
    let sandbox = up();
    sandbox.write("clowd/config/site.yml", "- hosts: nowhere\n  tasks: []\n");
    let ran = sandbox.otto(&["config"]).code(30);
    ran.says(&["no play matched any host", "hint:", "clowd/config/site.yml"]).never_says(&["unreachable"]);
    assert_eq!(sandbox.status()["dirty"], Value::Null);
    sandbox.write("clowd/config/site.yml", PLAYBOOK);
    sandbox.heals();
}

#[test]
fn a_playbook_that_cannot_be_read() {
    let sandbox = up();
    sandbox.write("clowd/config/site.yml", "- hosts: all\n  tasks: [\n");
    sandbox.otto(&["config"]).code(30).says(&["the playbook cannot be run", "clowd/config/site.yml:", "hint:"]);
    let unknown = PLAYBOOK.replace("ansible.builtin.debug", "nonsense");
    sandbox.write("clowd/config/site.yml", &unknown);
    let ran = sandbox.otto(&["config"]).code(30);
    ran.says(&["the playbook cannot be run", "nonsense", "clowd/config/site.yml:", "hint:"]);
    std::fs::remove_file(sandbox.project().join("clowd/config/site.yml")).expect("removed");
    sandbox.otto(&["config"]).code(30).says(&["site.yml", "hint:"]);
    assert_eq!(sandbox.status()["dirty"], Value::Null);
    sandbox.write("clowd/config/site.yml", PLAYBOOK);
    sandbox.heals();
}

#[test]
fn a_playbook_that_cannot_be_run_on_hosts_just_made() {
    let sandbox = Sandbox::new();
    sandbox.write("clowd/config/site.yml", "- hosts: all\n  tasks: [\n");
    // The stage changed nothing, the run did: hosts are there now.
    sandbox.otto(&["up", "--yes"]).code(32).says(&["the playbook cannot be run"]);
    assert_eq!(sandbox.status()["phase"], "provisioned");
    sandbox.write("clowd/config/site.yml", PLAYBOOK);
    sandbox.heals();
}

#[test]
fn a_host_that_is_not_reached() {
    let sandbox = Sandbox::new();
    sandbox.write("clowd/config/site.yml", &PLAYBOOK.replace("debug: {msg: hello}", "ping:"));
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let hosts = format!(
        "output \"hosts\" {{\n  value = [for name, host in terraform_data.host : {{ name = name, role = \"box\", address = \"127.0.0.1\", port = {port}, user = \"nobody\" }}]\n}}\n"
    );
    sandbox.outputs(&hosts);
    let settings = format!("{}ssh: {{wait: 2s}}\n", crate::sandbox::OTTO_YAML);
    sandbox.write("otto.yaml", &settings);
    sandbox.otto(&["provision", "--yes"]).code(0);
    let ran = sandbox.otto(&["config"]).code(30);
    ran.says(&["box-1", "does not let otto in by SSH", "hint:"])
        .never_says(&["the playbook cannot be run", "no play matched"]);
    assert_eq!(sandbox.otto(&["status"]).code, 2);
    sandbox.otto(&["destroy", "--yes"]).code(0);
    assert!(sandbox.is_empty());
}
