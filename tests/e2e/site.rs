//! From nothing to two tested sites, every way of changing them, and back.

use serde_json::Value;

use super::support::http::{get, served_by};
use super::support::{Sandbox, outcomes, processes, schema, summary, units, wait_for};

const HELLO: &str = "dev/local/hello";
const BLOG: &str = "dev/local/blog";

fn set(names: &[&str]) -> std::collections::BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn last(events: &[Value]) -> &Value {
    &events[events.len() - 1]
}

#[test]
fn a_site_comes_up_changes_and_goes() {
    let sandbox = Sandbox::new("demo");
    up(&sandbox);
    let ports = [sandbox.port(HELLO, 0), sandbox.port(BLOG, 0)];
    both_sites_serve(&ports);
    again_skips(&sandbox);
    an_edited_page(&sandbox, ports[0]);
    failover_and_loss(&sandbox, ports[0]);
    what_was_done_is_known(&sandbox);
    destroy(&sandbox, &ports);
}

fn up(sandbox: &Sandbox) {
    sandbox.status(0);
    let before = sandbox.otto(&["plan", "--json"]).ends(0).json();
    schema::PLAN.holds(&before);
    assert_eq!(before["units"].as_array().map(Vec::len), Some(8), "{before}");
    sandbox.otto(&["up"]).ends(40).says("hint: otto up --yes");
    let events = sandbox.otto(&["up", "--yes", "--json"]).ends(0).events();
    assert_eq!(units(&events, "ok").len(), 8, "{:?}", outcomes(&events));
    let totals = &last(&events)["totals"];
    assert_eq!(totals["units"], serde_json::json!({"ok": 8}));
    assert_eq!(totals["tool_calls"]["terraform"], 2, "one call a new deployment: {totals}");
    assert_eq!((&totals["tool_calls"]["packer"], &totals["tool_calls"]["ansible-playbook"]), (&2.into(), &2.into()));
    assert!(totals["wall_ms"].as_u64().is_some_and(|ms| ms > 100), "{totals}");
    for stage in ["images", "provision", "config", "test"] {
        assert!(totals["stages_ms"][stage].is_u64(), "{totals}");
    }
    let status = sandbox.status_of(HELLO, 0);
    assert_eq!((&status["phase"], &status["health"]), (&"tested".into(), &"ok".into()));
    assert_eq!(status["hosts"].as_array().map(Vec::len), Some(3));
    assert_eq!(status["last_run"]["outcome"], "ok");
    assert_eq!(status["spend"]["per_hour"], "0.00");
    sandbox.otto(&["status", "--offline"]).ends(0);
    sandbox.otto(&["test"]).ends(0);
}

fn both_sites_serve(ports: &[u16; 2]) {
    for domain in ["hello.localhost", "www.hello.localhost"] {
        assert_eq!(served_by(ports[0], domain, 8), set(&["www-1", "www-2"]), "{domain}");
        assert!(get(ports[0], domain, "/").body.contains("Hello from otto"));
    }
    assert_eq!(served_by(ports[1], "blog.localhost", 2), set(&["www-1"]));
    assert!(get(ports[1], "blog.localhost", "/").body.contains("Notes"));
    assert_eq!(get(ports[1], "blog.localhost", "/nothing").status, 404);
}

fn again_skips(sandbox: &Sandbox) {
    let events = sandbox.otto(&["up", "--yes", "--json"]).ends(0).events();
    assert_eq!(units(&events, "ok"), texts(&["dev/local/blog:test", "dev/local/hello:test"]));
    assert_eq!(units(&events, "skipped").len(), 6);
    let totals = &last(&events)["totals"];
    assert_eq!(totals["tool_calls"], serde_json::json!({}));
    assert!(totals["wall_ms"].as_u64().is_some_and(|ms| ms < 2000), "{totals}");
    let plan = sandbox.otto(&["plan", "--json"]).ends(0).json();
    schema::PLAN.holds(&plan);
    let actions: Vec<&Value> = plan["units"].as_array().expect("units").iter().map(|u| &u["action"]).collect();
    assert_eq!(actions.iter().filter(|a| ***a == "run").count(), 2, "{plan}");
}

fn an_edited_page(sandbox: &Sandbox, port: u16) {
    let page = "sites/hello/html/index.html";
    sandbox.edit(page, "<h1>Hello from otto</h1>", "<h1>Hello from otto, again</h1>");
    let events = sandbox.otto(&["up", "--yes", "--json", HELLO]).ends(0).events();
    assert_eq!(units(&events, "ok"), texts(&["dev/local/hello:config", "dev/local/hello:test"]));
    let calls = &last(&events)["totals"]["tool_calls"];
    assert_eq!(calls, &serde_json::json!({"ansible-playbook": 1}));
    for _ in 0..4 {
        assert!(get(port, "hello.localhost", "/").body.contains("<h1>Hello from otto, again</h1>"));
    }
    sandbox.edit(page, "otto, again", "otto config");
    sandbox.otto(&["config", HELLO]).ends(0);
    for _ in 0..4 {
        assert!(get(port, "www.hello.localhost", "/").body.contains("<h1>Hello from otto config</h1>"));
    }
}

/// A backend is stopped by the test itself, then by hand; then `up` brings it back.
fn failover_and_loss(sandbox: &Sandbox, port: u16) {
    let events = sandbox.otto(&["test", "--failover", "--json", HELLO]).ends(0).events();
    let checks = events.iter().filter(|e| e["check"]["kind"] == "failover").count();
    assert_eq!(checks, 2, "served without it, and it came back");
    let www = sandbox.host("dev_local_hello", "www-2");
    let stopped = std::process::Command::new("sh").args(["ctl", "stop", "nginx"]).current_dir(&www).status();
    assert!(stopped.expect("ctl").success());
    wait_for("nginx to end", || processes::living_in(&www).is_empty());
    let test = sandbox.otto(&["test", "--json", HELLO]).ends(2);
    let events = test.events();
    assert!(summary(&events, "dev/local/hello:test").contains("www-2"), "{events:#?}");
    let status = sandbox.status_of(HELLO, 2);
    let states: Vec<&Value> = status["hosts"].as_array().expect("hosts").iter().map(|h| &h["state"]).collect();
    assert_eq!(states, ["up", "up", "down"], "{status}");
    assert_eq!(served_by(port, "hello.localhost", 4), set(&["www-1"]));
    let events = sandbox.otto(&["up", "--yes", "--json", HELLO]).ends(0).events();
    assert!(units(&events, "ok").contains(&"dev/local/hello:config".to_owned()));
    sandbox.status(0);
    assert_eq!(served_by(port, "hello.localhost", 8), set(&["www-1", "www-2"]));
}

fn what_was_done_is_known(sandbox: &Sandbox) {
    let runs = sandbox.otto(&["runs", "--json"]).ends(0).json();
    schema::RUNS.holds(&runs);
    let runs = runs["runs"].as_array().expect("runs").clone();
    let verbs: Vec<&str> = runs.iter().filter_map(|r| r["verb"].as_str()).collect();
    assert_eq!(verbs, ["up", "test", "test", "config", "up", "up", "test", "up"], "newest first");
    assert_eq!((&runs[1]["outcome"], &runs[0]["outcome"]), (&"failed".into(), &"ok".into()));
    let first = runs[7]["id"].as_str().expect("an id");
    let replay = sandbox.otto(&["logs", first, "--json"]).ends(0);
    assert_eq!(units(&replay.events(), "ok").len(), 8);
    let shown = sandbox.otto(&["logs", first]).ends(0);
    assert!(shown.stdout.contains("13 checks passed") && shown.stderr.is_empty(), "{shown:?}");
    let unit = sandbox.otto(&["logs", first, "hello:config", "--json"]).ends(0);
    let other = unit.stdout.lines().filter(|line| line.contains("\"unit\":\"dev/local/blog")).count();
    assert_eq!((other, unit.stdout.contains("\"unit\":\"dev/local/hello:config\"")), (0, true));
    sandbox.otto(&["logs", "1999"]).ends(2);
    sandbox.otto(&["runs"]).ends(0);
}

fn destroy(sandbox: &Sandbox, ports: &[u16]) {
    let refused = sandbox.otto(&["destroy", BLOG]).ends(40);
    assert_eq!(refused.hint(), "otto destroy dev/local/blog --yes");
    sandbox.status(0);
    sandbox.line(&refused.hint()).ends(0);
    let both = sandbox.status(0);
    let phases: Vec<&Value> = both["deployments"].as_array().expect("a list").iter().map(|d| &d["phase"]).collect();
    assert_eq!(phases, ["destroyed", "tested"]);
    sandbox.otto(&["destroy", "--yes", "--json"]).ends(0).events();
    sandbox.is_clean(ports);
    for deployment in sandbox.status(0)["deployments"].as_array().expect("a list") {
        assert_eq!((&deployment["phase"], &deployment["health"]), (&"destroyed".into(), &"ok".into()));
        assert_eq!((&deployment["endpoint"], &deployment["lease"]), (&Value::Null, &Value::Null));
    }
    let events = sandbox.otto(&["destroy", "--yes", "--json"]).ends(0).events();
    assert_eq!(units(&events, "skipped").len(), 2);
    let runs = sandbox.otto(&["runs", "--json"]).ends(0).json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(11));
}
