//! Sites on a cloud and on this machine in one run.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::support::digitalocean::{Account as _, Cloud};
use super::support::{Sandbox, units, wait_for};

/// Two sites that boot the cloud's stock image, one behind the cloud's own balancer, one without any, and one that is only here.
fn sites(sandbox: &Sandbox) {
    let balanced = "{count: 2, size: small}\n  lb: {kind: cloud}";
    let (alone, here) = ("{count: 2, size: small}", "{image: nginx, count: 1, size: small}");
    for (name, provider, www) in [("east", "do", balanced), ("west", "do", alone), ("notes", "local", here)] {
        let roles = format!("roles:\n  www: {www}\n");
        let text = format!("domains: [{name}.localhost]\nproviders: [{provider}]\n{roles}content: html\n");
        sandbox.write(&format!("sites/{name}/site.yaml"), &text);
        sandbox.write(&format!("sites/{name}/html/index.html"), &format!("this is {name}"));
    }
}

fn phases(status: &Value) -> Vec<String> {
    let all = status["deployments"].as_array().expect("a list");
    all.iter().map(|d| format!("{} {}", d["name"], d["phase"]).replace('"', "")).collect()
}

#[test]
fn one_run_for_a_cloud_and_this_machine() {
    let Some(cloud) = Cloud::machines() else { return };
    let sandbox = cloud.project("mixed");
    sandbox.edit("otto.yaml", "providers: [do]", "providers: [do, local]");
    sites(&sandbox);
    let up = ["up", "--yes", "--json", "--site", "east", "--site", "west", "--site", "notes"];
    cloud.set(&json!({"boot": 2}));
    let running = cloud.start(&sandbox, &up);
    wait_for("four droplets", || cloud.names("droplets").len() == 4);
    kill_process(Pid::from_raw(running.pid()).expect("a pid"), Signal::KILL).expect("a signal");
    assert_eq!(running.wait().code, -1);
    let runs = cloud.otto(&sandbox, &["runs", "--json"]).ends(0).json();
    let run = runs["runs"][0]["id"].as_str().expect("an id").to_owned();
    let events = cloud.otto(&sandbox, &["resume", &run, "--yes", "--json"]).ends(0).events();
    let done = units(&events, "ok");
    assert!(
        done.contains(&"dev/do/east:test".to_owned()) && done.contains(&"dev/local/notes:test".to_owned()),
        "{done:?}"
    );
    assert_eq!(cloud.names("droplets"), ["dev-east-www-1", "dev-east-www-2", "dev-west-www-1", "dev-west-www-2"]);
    assert_eq!(cloud.all("load_balancers").len(), 1);
    let spend = cloud.otto(&sandbox, &["spend", "--json"]).ends(0).json();
    assert_eq!(spend["unpriced"], json!([]), "a state names no size of a balancer: {spend}");
    let status = cloud.otto(&sandbox, &["status", "--json"]).ends(0).json();
    assert_eq!(phases(&status), ["dev/do/east tested", "dev/do/west tested", "dev/local/notes tested"]);
    let summary = cloud.otto(&sandbox, &["up", "--yes", "--site", "east", "--site", "west", "--site", "notes"]).ends(0);
    assert!(summary.stderr.contains("dev/local/notes") && summary.stderr.contains("dev/do/west"), "{}", summary.stderr);
    cloud.otto(&sandbox, &["destroy", "--yes", "--provider", "do"]).ends(0).says("left alone: dev/local/notes");
    cloud.is_empty();
    let status = cloud.otto(&sandbox, &["status", "--json"]).ends(0).json();
    assert_eq!(phases(&status), ["dev/do/east destroyed", "dev/do/west destroyed", "dev/local/notes tested"]);
    cloud.otto(&sandbox, &["destroy", "--yes"]).ends(0);
}
