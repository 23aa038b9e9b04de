//! The whole life of a site on machines of one's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::project;
use super::support::hosts::Hosts;
use super::support::{Sandbox, summary, units};

const HELLO: &str = "dev/static/hello";

#[test]
fn machines_are_configured_tested_shown_and_left_as_they_were() {
    let Some(mut hosts) = Hosts::start() else { return };
    let sandbox = project(&hosts, "root");
    somebody_else_is_there(&hosts);
    up_and_no_op(&hosts, &sandbox);
    let events = hosts.otto(&sandbox, &["test", "--failover", "--json", HELLO]).ends(0).events();
    assert_eq!(events.iter().filter(|e| e["check"]["kind"] == "failover").count(), 2, "{events:#?}");
    commands(&hosts, &sandbox);
    a_changed_key(&mut hosts, &sandbox);
    a_dead_machine(&mut hosts, &sandbox);
    keys_of_ones_own(&hosts, &sandbox);
    destroyed(&hosts, &sandbox);
}

/// A site of the machine's own, and its nginx at work.
fn somebody_else_is_there(hosts: &Hosts) {
    let site = "server { listen 80 default_server; server_name theirs.test; return 200 theirs; }";
    hosts.on(
        "web-a",
        &format!("rm -f /etc/nginx/sites-enabled/default; echo '{site}' >/etc/nginx/sites-enabled/theirs; nginx"),
    );
    assert!(hosts.get("10.88.0.11", "theirs.test").ends_with("theirs"));
}

fn up_and_no_op(hosts: &Hosts, sandbox: &Sandbox) {
    let refused = hosts.otto(sandbox, &["up", HELLO]).ends(40);
    assert_eq!(refused.hint(), "otto up dev/static/hello --yes");
    let events = hosts.otto(sandbox, &["up", "--yes", "--json", HELLO]).ends(0).events();
    assert_eq!(units(&events, "ok").len(), 3);
    assert_eq!(summary(&events, "dev/static/hello:provision"), "SSH answers on 3 machines");
    assert_eq!(summary(&events, "dev/static/hello:test"), "13 checks passed");
    let events = hosts.otto(sandbox, &["up", "--json", HELLO]).ends(0).events();
    assert_eq!(units(&events, "skipped"), ["dev/static/hello:provision"]);
    assert_eq!(summary(&events, "dev/static/hello:config"), "nothing to change");
    let status = hosts.otto(sandbox, &["status", "--json"]).ends(0).json();
    let shown = &status["deployments"][0];
    assert_eq!((&shown["phase"], &shown["endpoint"]), (&"tested".into(), &"http://10.88.0.10/".into()));
    let states: Vec<&Value> = shown["hosts"].as_array().expect("hosts").iter().map(|h| &h["state"]).collect();
    assert_eq!(states, ["up", "up", "up"], "one of them is seen through another: {status}");
    assert!(hosts.get("10.88.0.11", "theirs.test").ends_with("theirs"));
}

fn commands(hosts: &Hosts, sandbox: &Sandbox) {
    let exec = |args: &[&str]| {
        let all: Vec<&str> = ["exec", "--provider", "static"].iter().chain(args).copied().collect();
        hosts.otto(sandbox, &all)
    };
    let all = exec(&["--", "hostname; echo to err >&2"]).ends(0);
    let mut lines: Vec<&str> = all.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["lb-a  | lb-a", "web-a | web-a", "web-b | web-b"]);
    assert_eq!(all.stderr.matches("| to err").count(), 3);
    let codes = "case $(hostname) in lb-a) exit 9 ;; web-a) exit 3 ;; *) exit 4 ;; esac";
    exec(&["--role", "www", "--", codes]).ends(4).says("web-a | exit code 3");
    exec(&["--role", "nobody", "--", "true"]).ends(2);
    let json = exec(&["--json", "--host", "web-b", "--", "printf", "%s|", "a  b", "it's"]).ends(0);
    let lines: Vec<Value> = json.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((&lines[0]["stream"], &lines[0]["line"]), (&"stdout".into(), &"a  b|it's|".into()));
    assert_eq!((&lines[1]["host"], &lines[1]["exit"]), (&"web-b".into(), &0.into()));
    let there = hosts.otto(sandbox, &["ssh", "web-b", "--", "hostname; exit 7"]).ends(7);
    assert_eq!(there.stdout, "web-b\n");
    hosts.otto(sandbox, &["ssh", "web-z"]).ends(2).says("dev/static/hello/web-b");
}

fn a_changed_key(hosts: &mut Hosts, sandbox: &Sandbox) {
    hosts.tell("rekey", "web-b");
    let refused = hosts.otto(sandbox, &["config", HELLO]).ends(30);
    let refused = refused.says("the host key of 10.99.0.12 has changed").says("known_hosts:3");
    let line = refused.stderr.lines().find_map(|line| line.split_once("ssh-keygen ")).expect("a line").1;
    assert_eq!(hosts.otto(sandbox, &["status", "--json"]).ends(0).json()["deployments"][0]["phase"], "tested");
    sandbox.line(&format!("ssh-keygen {line}")).ends(0);
    hosts.otto(sandbox, &["config", HELLO]).ends(0);
}

fn a_dead_machine(hosts: &mut Hosts, sandbox: &Sandbox) {
    hosts.tell("kill", "web-b");
    let status = hosts.otto(sandbox, &["status", "--json"]).ends(2).json();
    assert_eq!(status["deployments"][0]["hosts"][2]["state"], "down", "{status}");
    assert!(hosts.get("10.88.0.10", "hello.localhost").contains("x-served-by: web-a"));
    let up = hosts.otto(sandbox, &["up", "--yes", HELLO]).ends(30);
    up.says("waiting for SSH on web-b (10.99.0.12): ").says("does not let otto in by SSH within 20 s");
    hosts.tell("boot", "web-b");
    // Its services died with it: config starts them.
    hosts.otto(sandbox, &["up", "--yes", HELLO]).ends(0);
}

fn keys_of_ones_own(hosts: &Hosts, sandbox: &Sandbox) {
    let mode = |mode| fs::set_permissions(hosts.key(), fs::Permissions::from_mode(mode)).expect("a mode");
    mode(0o644);
    let refused = hosts.otto(sandbox, &["config", HELLO]).ends(23).says("can be read by others (mode 0644)");
    assert_eq!(refused.hint(), format!("chmod 600 {}", hosts.key().display()));
    mode(0o600);
}

fn destroyed(hosts: &Hosts, sandbox: &Sandbox) {
    let events = hosts.otto(sandbox, &["destroy", "--yes", "--json", HELLO]).ends(0).events();
    assert_eq!(summary(&events, "dev/static/hello:destroy"), "taken off 3 hosts, which stay");
    assert!(hosts.get("10.88.0.11", "theirs.test").ends_with("theirs"), "somebody else's site stays, served");
    assert_eq!(hosts.on("web-a", "ls /etc/nginx/sites-enabled"), "theirs\n");
    assert_eq!(
        hosts.on("web-b", "ls /etc/nginx/sites-enabled; pgrep nginx || echo not running"),
        "default\nnot running\n"
    );
    let balancer = hosts.on(
        "lb-a",
        "grep -c otto /etc/haproxy/haproxy.cfg /etc/default/haproxy; pgrep haproxy; ls /etc/haproxy/sites; true",
    );
    assert_eq!(balancer, "/etc/haproxy/haproxy.cfg:0\n/etc/default/haproxy:0\n");
    let status = hosts.otto(sandbox, &["status", "--json"]).ends(0).json();
    assert_eq!(status["deployments"][0]["phase"], "destroyed");
}

#[test]
fn a_user_with_sudo_and_a_password_file() {
    let Some(hosts) = Hosts::start() else { return };
    let sandbox = project(&hosts, "careful");
    sandbox.edit("sites/hello/site.yaml", "name: web-a,", "name: web-a, user: admin,");
    let refused = hosts.otto(&sandbox, &["up", "--yes", HELLO]);
    assert_ne!(refused.code, 0);
    refused.says("ANSIBLE_BECOME_PASSWORD_FILE");
    sandbox.write("password", "open sesame\n");
    let file = sandbox.path("password").display().to_string();
    let env = [("ANSIBLE_BECOME_PASSWORD_FILE", file.as_str())];
    hosts.otto_with(&sandbox, &["up", "--yes", HELLO], &env).ends(0);
    hosts.otto_with(&sandbox, &["destroy", "--yes", HELLO], &env).ends(0);
}

#[test]
fn a_machine_leaves_and_a_dead_one_is_given_up() {
    let Some(mut hosts) = Hosts::start() else { return };
    let sandbox = project(&hosts, "root");
    hosts.otto(&sandbox, &["up", "--yes", HELLO]).ends(0);
    hosts.tell("kill", "web-b");
    sandbox.edit("sites/hello/site.yaml", "    - {name: web-b, role: www, address: 10.99.0.12, jump: lb-a}\n", "");
    let refused = hosts.otto(&sandbox, &["up", "--yes", HELLO]).ends(40);
    assert_eq!(refused.hint(), "otto up --yes dev/static/hello --allow-destroy");
    hosts
        .otto(&sandbox, &["up", "--yes", "--allow-destroy", HELLO])
        .ends(0)
        .says("web-b (10.99.0.12) is left as it is");
    assert!(!hosts.on("lb-a", "cat /etc/haproxy/sites/otto-hello.cfg").contains("web-b"));
    sandbox.edit("otto.yaml", "wait: 20s", "wait: 2s");
    hosts.tell("kill", "web-a");
    let refused = hosts.otto(&sandbox, &["destroy", "--yes", HELLO]).ends(30);
    refused.says("web-a (10.88.0.11) does not let otto in by SSH within 2 s").says("--lost HOST");
    let status = hosts.otto(&sandbox, &["status", "--json"]).ends(2).json();
    assert_eq!(status["deployments"][0]["phase"], "tested", "nothing was touched: {status}");
    hosts.otto(&sandbox, &["destroy", "--yes", HELLO, "--lost", "web-a"]).ends(0).says("web-a is given up");
    assert_eq!(hosts.on("lb-a", "pgrep haproxy || echo not running"), "not running\n");
}
