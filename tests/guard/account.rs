//! Several stores and projects on one account: what is in no state is found, priced or foreign, and removed only by its owner.

use std::fs;

use serde_json::Value;

use super::lab::{Account, Lab, wait_for};
use super::support::processes;

const ID: &str = "0f5c2d1e9b7a4c638d20";
const OTHER: &str = "aaaa2d1e9b7a4c638d20";

/// A thing that no state holds: a copy of one that is there, under another id.
fn twin(account: &Account, of: &str, id: &str) {
    let (from, to) = (account.folder().join(of), account.folder().join(id));
    fs::create_dir(&to).expect("a folder");
    for file in ["name", "tags.json"] {
        fs::copy(from.join(file), to.join(file)).expect("a copy");
    }
}

fn first(account: &Account) -> String {
    account.things()[0].split(' ').nth(1).expect("an id").to_owned()
}

#[test]
fn what_is_in_no_state_is_found_and_reaped_and_others_are_not_touched() {
    let account = Account::slow();
    let (one, two) = (Lab::new(&account, "one", ID, ""), Lab::new(&account, "two", OTHER, ""));
    one.otto(&["provision", "--yes"]).ends(0);
    twin(&account, &first(&account), "twin-1");
    two.otto(&["provision", "--yes"]).ends(0);
    let status = one.status();
    let orphans = status["orphans"].as_array().expect("a list").clone();
    let of = |whose: &str| orphans.iter().filter(|o| o["whose"] == whose).map(|o| o["id"].clone()).collect::<Vec<_>>();
    assert_eq!(of("ours"), ["twin-1"], "{status}");
    assert_eq!(of("foreign").len(), 3, "{status}");
    let ours = orphans.iter().find(|o| o["id"] == "twin-1").expect("the twin");
    assert_eq!((&ours["deployment"], &ours["provider"]), (&"dev/slow/things".into(), &"slow".into()));
    let shown = one.otto(&["status"]);
    assert!(shown.stdout.contains("1 orphan") && shown.stdout.contains("twin-1"), "{}", shown.stdout);
    assert!(shown.stdout.contains("3 things of other stores"), "{}", shown.stdout);
    // The other one sees it as foreign, and its reaper leaves it alone.
    two.otto(&["reap", "--yes"]).ends(0);
    assert_eq!(account.things().len(), 7);
    one.otto(&["reap", "--dry-run"]).ends(10);
    let done = one.otto(&["reap", "--yes"]).ends(0);
    assert!(done.stdout.contains("gone") && done.stdout.contains("twin-1"), "{}", done.stdout);
    assert_eq!(account.things().len(), 6);
    let runs = one.otto(&["runs", "--json"]).json();
    assert_eq!(runs["runs"][0]["verb"], "reap", "a removal is on record: {runs}");
    one.otto(&["destroy", "--yes"]).ends(0);
    assert_eq!(account.things().len(), 3);
    assert_eq!(two.deployment()["phase"], "provisioned");
    two.otto(&["destroy", "--yes"]).ends(0);
    assert!(account.things().is_empty());
}

#[test]
fn a_second_store_of_the_same_project_does_not_take_what_the_first_one_made() {
    let account = Account::slow();
    let one = Lab::new(&account, "one", ID, "environments: {dev: {}, stage: {}}");
    one.otto(&["provision", "--yes"]).ends(0);
    let clone = one.cloned("clone");
    clone.otto(&["provision", "--yes"]).ends(30).says("made by another store");
    let planned = clone.otto(&["reap", "--yes", "--json"]).ends(0).json();
    assert_eq!(planned["by_store"], true, "{planned}");
    assert!(planned["orphans"].as_array().is_some_and(|all| all.iter().all(|o| o["whose"] == "foreign")), "{planned}");
    assert_eq!(account.things().len(), 3);
    // What it makes itself under another name is its own: each store takes down what it made and nothing else.
    clone.otto(&["provision", "--yes", "--env", "stage"]).ends(0);
    assert_eq!(account.things().len(), 6);
    one.otto(&["reap", "--yes"]).ends(0);
    one.otto(&["destroy", "--yes"]).ends(0);
    assert_eq!(
        (account.things().len(), clone.otto(&["status", "--json"]).json()["orphans"].clone()),
        (3, Value::Array(vec![]))
    );
    clone.otto(&["destroy", "--yes", "--env", "stage"]).ends(0);
    assert!(account.things().is_empty());
}

#[test]
fn what_a_kill_left_is_seen_and_reaped_and_a_builder_too() {
    let account = Account::slow();
    let mut lab = Lab::new(&account, "one", ID, "");
    lab.env("SLOW_SECONDS", "20");
    let run = lab.start(&["provision", "--yes"]);
    wait_for("things to be made", || (account.things().len() == 3).then_some(()));
    assert_eq!(lab.status()["orphans"], Value::Array(vec![]), "what a run at work makes is no orphan");
    processes::end_all_in(&lab.folder());
    run.wait();
    lab.env("SLOW_SECONDS", "0.1");
    let status = lab.status();
    assert_eq!(
        (&status["deployments"][0]["phase"], status["orphans"].as_array().map(Vec::len)),
        (&"partial".into(), Some(3))
    );
    // A builder carries no deployment: it was to become an image.
    let tags = fs::read_to_string(account.folder().join(first(&account)).join("tags.json")).expect("tags");
    let builder = account.folder().join("builder-1");
    fs::create_dir(&builder).expect("a folder");
    fs::write(builder.join("name"), "builder\n").expect("a name");
    fs::write(builder.join("tags.json"), tags.replace("otto:deployment", "otto:image")).expect("tags");
    assert_eq!(lab.status()["orphans"].as_array().map(Vec::len), Some(4));
    lab.otto(&["reap", "--yes"]).ends(0);
    assert!(account.things().is_empty(), "{:?}", account.things());
    lab.otto(&["provision", "--yes"]).ends(0);
    assert_eq!(account.things().len(), 3);
    lab.otto(&["destroy", "--yes"]).ends(0);
    assert!(account.things().is_empty());
}

#[test]
fn a_provider_that_cannot_be_asked_spoils_no_status() {
    let account = Account::slow();
    let lab = Lab::new(&account, "one", ID, "");
    lab.otto(&["provision", "--yes"]).ends(0);
    let good = fs::read_to_string(lab.folder().join("clowd/provision/slow/orphans")).expect("a script");
    for (script, says) in [
        ("#!/bin/sh\necho nonsense\n", "no JSON object"),
        ("#!/bin/sh\necho 'the cloud is away' >&2; exit 3\n", "the cloud is away"),
        ("#!/bin/sh\nexec sleep 60\n", "did not answer within 10"),
    ] {
        lab.write("clowd/provision/slow/orphans", script);
        let status = lab.otto(&["status", "--json"]).ends(1).says("what exists at `slow` is not known").says(says);
        assert_eq!(status.json()["deployments"][0]["phase"], "provisioned");
    }
    lab.otto(&["status", "--offline"]).ends(0);
    lab.write("clowd/provision/slow/orphans", &good);
    lab.otto(&["destroy", "--yes"]).ends(0);
}

/// Data sources that say what a file of the project says.
const SOURCES: &str = r#"
variable "tags" { type = map(string) }
data "terraform_remote_state" "account" {
  backend = "local"
  config  = { path = "ACCOUNT" }
}
output "orphans" {
  value = [for one in data.terraform_remote_state.account.outputs.all : merge(one, { tags = merge(var.tags, one.tags) })]
}
"#;

#[test]
fn data_sources_answer_as_an_executable_does() {
    let account = Account::slow();
    let lab = Lab::new(&account, "one", ID, "");
    let state = lab.folder().join("account.tfstate");
    let all = r#"[{"id": "7", "kind": "thing", "name": "lost", "tags": {"otto:deployment": "dev_slow_things"}}]"#;
    let kinds = r#"["tuple", [["object", {"id": "string", "kind": "string", "name": "string", "tags": ["object", {"otto:deployment": "string"}]}]]]"#;
    let text = format!(
        r#"{{"version": 4, "terraform_version": "1.4.0", "serial": 1, "lineage": "l", "outputs": {{"all": {{"value": {all}, "type": {kinds}}}}}, "resources": []}}"#
    );
    fs::write(&state, &text).expect("a state");
    fs::remove_file(lab.folder().join("clowd/provision/slow/orphans")).expect("removed");
    lab.write("clowd/provision/slow/orphans/main.tf", &SOURCES.replace("ACCOUNT", &state.display().to_string()));
    // Before it is made, the same is asked for the deployment alone: it can be listed and not removed.
    lab.otto(&["provision", "--yes"]).ends(30).says("cannot remove it");
    fs::write(&state, text.replace(all, "[]").replace(kinds, r#"["tuple", []]"#)).expect("a state");
    lab.otto(&["provision", "--yes"]).ends(0);
    fs::write(&state, &text).expect("a state");
    let status = lab.status();
    assert_eq!(status["orphans"][0]["id"], "7", "{status}");
    lab.otto(&["reap", "--yes"]).ends(32);
    fs::write(&state, text.replace(all, "[]").replace(kinds, r#"["tuple", []]"#)).expect("a state");
    lab.write("clowd/provision/slow/orphans/more.tf", "resource \"terraform_data\" \"x\" {}\n");
    lab.otto(&["status"]).says("data sources only");
    fs::remove_file(lab.folder().join("clowd/provision/slow/orphans/more.tf")).expect("removed");
    lab.otto(&["destroy", "--yes"]).ends(0);
}

#[test]
fn a_reaper_that_cannot_look_does_not_say_that_nothing_is_left() {
    let account = Account::slow();
    let lab = Lab::new(&account, "one", ID, "");
    lab.otto(&["provision", "--yes"]).ends(0);
    let orphans = lab.folder().join("clowd/provision/slow/orphans");
    let good = fs::read_to_string(&orphans).expect("a program");
    fs::write(&orphans, "#!/bin/sh\necho nonsense\n").expect("a program");
    for args in [&["reap", "--yes"][..], &["reap", "--dry-run"]] {
        let told = lab.otto(args).ends(23).says("what exists at `slow` is not known");
        assert!(told.stdout.contains("as far as can be seen"), "{}", told.stdout);
    }
    fs::write(&orphans, good).expect("a program");
    lab.otto(&["reap", "--yes"]).ends(0);
    lab.otto(&["destroy", "--yes"]).ends(0);
}

#[test]
fn in_ci_nothing_that_bills_is_made_with_a_fresh_local_store() {
    let account = Account::slow();
    let mut lab = Lab::new(&account, "one", ID, "");
    lab.env("CI", "true");
    let yaml = "kind: terraform\nsizes: {small: small}\ncredentials: [SLOW_CLOUD]\n";
    lab.write("clowd/provision/slow/provider.yaml", yaml);
    let refused = lab.otto(&["provision", "--yes"]).ends(40);
    refused.says("OTTO_STATE=file:").says("otto state adopt dev/slow/things");
    assert!(account.things().is_empty());
    let folder = account.folder().parent().expect("a parent").join("lasting");
    lab.env("OTTO_STATE", "postgres://db/otto");
    lab.otto(&["provision", "--yes"]).ends(24).says("file:/FOLDER");
    lab.env("OTTO_STATE", &format!("file:{}", folder.display()));
    lab.otto(&["provision", "--yes"]).ends(0);
    assert_eq!(account.things().len(), 3);
    assert!(folder.join("otto.db").is_file() && !lab.folder().join(".otto/terraform").exists());
    lab.otto(&["destroy", "--yes"]).ends(0);
    // What costs nothing may be made anywhere.
    lab.env("OTTO_STATE", "");
    lab.write("clowd/provision/slow/provider.yaml", &format!("{yaml}prices: free\n"));
    lab.otto(&["provision", "--yes"]).ends(0);
    lab.otto(&["destroy", "--yes"]).ends(0);
}
