//! What plain Terraform made is taken over: nothing is changed, and otto's first plan finds nothing to change.

use std::fs;

use serde_json::Value;

use super::servers::Postgres;
use super::shop::{by_hand, project, site};
use super::support::{Sandbox, summary};

const WEB: &str = "dev/shop/web";

/// The resources of a state, by whatever it was written.
fn resources(text: &str) -> Value {
    serde_json::from_str::<Value>(text).expect("a state")["resources"].clone()
}

/// The outputs come later, with otto.
fn without_outputs(sandbox: &Sandbox, work: impl FnOnce()) {
    let path = sandbox.path("clowd/provision/shop/outputs.tf");
    let text = fs::read_to_string(&path).expect("outputs");
    fs::remove_file(&path).expect("removed");
    work();
    fs::write(&path, text).expect("outputs again");
}

fn is_taken_over(sandbox: &Sandbox) {
    let plan = sandbox.otto(&["plan", "--provider", "shop", "--json"]).ends(0).json();
    let provision = plan["units"].as_array().expect("units").iter().find(|u| u["stage"] == "provision").cloned();
    let provision = provision.expect("a provision unit");
    assert_eq!((&provision["action"], &provision["why"]), (&"skip".into(), &"no changes: taken over as it is".into()));
    let events = sandbox.otto(&["provision", WEB, "--json"]).ends(0).events();
    assert_eq!(summary(&events, "dev/shop/web:provision"), "no changes", "Terraform says so as well");
    let status = sandbox.status_of(WEB, 0);
    assert_eq!((&status["phase"], &status["hosts"][0]["name"]), (&"provisioned".into(), &"www-1".into()), "{status}");
    sandbox.otto(&["state", "adopt", WEB]).ends(30).says("otto knows dev/shop/web already");
}

#[test]
fn a_state_beside_the_root_is_copied() {
    let sandbox = project("shop", "");
    site(&sandbox, "web");
    sandbox.otto(&["state", "adopt", WEB]).ends(30).says("no state to take over");
    // Made by hand with other values than otto would give; the root has defaults for all of them.
    without_outputs(&sandbox, || {
        by_hand(&sandbox, &["init", "-input=false"]);
        by_hand(&sandbox, &["apply", "-auto-approve", "-input=false"]);
        sandbox.otto(&["state", "adopt", WEB]).ends(30).says("declares no output `hosts`").says("outputs.tf");
    });
    let refused = sandbox.otto(&["provision", WEB, "--yes"]).ends(30).says("would be made a second time");
    assert!(refused.stderr.contains("otto state adopt dev/shop/web"), "{}", refused.stderr);
    let own = sandbox.path("clowd/provision/shop/terraform.tfstate");
    let before = fs::read(&own).expect("the state");
    let taken = sandbox.otto(&["state", "adopt", "web"]).ends(0).says("taken over, no changes");
    assert!(taken.stderr.contains("which stays as it is"), "{}", taken.stderr);
    assert_eq!(fs::read(&own).expect("the state"), before, "not touched");
    is_taken_over(&sandbox);
    let copy = fs::read_to_string(sandbox.path(".otto/terraform/dev_shop_web/terraform.tfstate")).expect("the copy");
    assert_eq!(resources(&copy), resources(&String::from_utf8_lossy(&before)));
    sandbox.otto(&["destroy", WEB, "--yes"]).ends(0);
    sandbox.is_clean(&[]);
    assert_eq!(fs::read(&own).expect("the state"), before, "not even by the destruction");
}

#[test]
fn what_is_no_state_of_this_tool_is_refused() {
    let sandbox = project("shop", "");
    site(&sandbox, "web");
    let other = sandbox.path("other.tfstate");
    let provider = r#"provider[\"registry.opentofu.org/hashicorp/local\"]"#;
    let state = format!(
        r#"{{"version":4,"terraform_version":"1.9.0","serial":1,"lineage":"l","outputs":{{}},"resources":[
        {{"mode":"managed","type":"local_file","name":"x","provider":"{provider}","instances":[{{"attributes":{{"id":"x"}}}}]}}]}}"#
    );
    fs::write(&other, state).expect("a state");
    sandbox.otto(&["state", "adopt", WEB, "--from", "other.tfstate"]).ends(30).says("was written by `tofu`");
    fs::write(&other, "{\"version\":4,\"resources\":[]}").expect("a state");
    sandbox.otto(&["state", "adopt", WEB, "--from", "other.tfstate"]).ends(30).says("it holds nothing");
    assert!(!sandbox.path(".otto/terraform/dev_shop_web").exists());
    sandbox.otto(&["status"]).ends(0);
}

#[test]
fn a_root_that_would_change_is_not_taken_over_blindly() {
    let sandbox = project("shop", "");
    site(&sandbox, "web");
    without_outputs(&sandbox, || {
        by_hand(&sandbox, &["init", "-input=false"]);
        by_hand(&sandbox, &["apply", "-auto-approve", "-input=false", "-var", "extra=by hand"]);
    });
    sandbox.otto(&["state", "adopt", WEB]).ends(30).says("its plan is not empty").says("terraform_data.network");
    // With the value where Terraform finds it, the plan is empty.
    sandbox.line("TF_VAR_extra='by hand' otto state adopt dev/shop/web").ends(0).says("no changes");
    sandbox.otto(&["destroy", WEB, "--yes"]).ends(0);
}

#[test]
fn a_workspace_of_a_database_becomes_a_deployment() {
    let Some(server) = Postgres::start() else { return };
    let block = format!("backend \"pg\" {{\n conn_str = \"{}\"\n schema_name = \"shop\"\n }}", server.address());
    let sandbox = project("shop", &block);
    site(&sandbox, "web");
    without_outputs(&sandbox, || {
        by_hand(&sandbox, &["init", "-input=false"]);
        by_hand(&sandbox, &["workspace", "new", "live"]);
        by_hand(&sandbox, &["apply", "-auto-approve", "-input=false"]);
    });
    sandbox.otto(&["state", "adopt", WEB]).ends(30).says("holds nothing").says("workspace: default");
    assert_eq!(server.workspaces("shop"), ["live"], "what was looked for is not left behind");
    sandbox.write("clowd/provision/shop/provider.yaml", "kind: terraform\nworkspace: live\nprices: free\n");
    // What is there already is not made a second time.
    let refused = sandbox.otto(&["provision", WEB, "--yes"]).ends(30).says("is not empty: 2 resources");
    assert!(refused.stderr.contains("otto state adopt dev/shop/web"), "{}", refused.stderr);
    sandbox.otto(&["state", "adopt", WEB]).ends(0).says("its state stays where it is: workspace `live` on `pg`");
    is_taken_over(&sandbox);
    site(&sandbox, "other");
    sandbox.otto(&["provision", "other", "--provider", "shop", "--yes"]).ends(30).says("has one workspace, `live`");
    by_hand(&sandbox, &["plan", "-input=false", "-detailed-exitcode"]);
    sandbox.otto(&["destroy", WEB, "--yes"]).ends(0);
    assert_eq!(server.workspaces("shop"), ["live"], "the team's own workspace stays");
}
