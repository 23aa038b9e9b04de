//! What is in the state bills, whatever became of the apply: on the stand-in for DigitalOcean, with the unchanged root.

use serde_json::{Value, json};

use crate::support::digitalocean::{Account as _, Cloud};
use crate::support::{Sandbox, wait_for};

const THINGS: &str = "dev/do/things";

fn things(count: usize) -> Option<(Cloud, Sandbox)> {
    let cloud = Cloud::records()?;
    let sandbox = cloud.project("things");
    let text = format!("domains: [things.localhost]\nroles:\n  www: {{count: {count}, size: small}}\n");
    sandbox.write("sites/things/site.yaml", &text);
    Some((cloud, sandbox))
}

fn droplets(cloud: &Cloud, sandbox: &Sandbox) -> Vec<Value> {
    let report = cloud.otto(sandbox, &["spend", "--json"]).ends(0).json();
    let rows = report["rows"].as_array().expect("rows");
    rows.iter().filter(|row| row["kind"] == "digitalocean_droplet").cloned().collect()
}

#[test]
fn half_an_apply_is_in_the_ledger_and_so_is_what_is_added_later() {
    let Some((cloud, sandbox)) = things(3) else { return };
    cloud.fault(&json!({"match": "POST /v2/droplets", "times": 1}));
    cloud.fault(&json!({"match": "POST /v2/droplets", "times": 50, "status": 500}));
    cloud.otto(&sandbox, &["provision", "--yes", THINGS]).ends(32);
    let made = cloud.names("droplets").len();
    let rows = droplets(&cloud, &sandbox);
    assert!(made > 0 && rows.len() == made, "{made} were made: {rows:?}");
    assert!(rows.iter().all(|row| row["basis"] == "state" && row["to"].is_null()), "{rows:?}");
    cloud.forgive();
    let said = cloud.otto(&sandbox, &["provision", "--yes", THINGS]).ends(0);
    assert!(said.stderr.contains("USD an hour now, 0.0268 USD then"), "the plan's own cost is told:\n{}", said.stderr);
    let rows = droplets(&cloud, &sandbox);
    assert_eq!(rows.iter().filter(|row| row["to"].is_null()).count(), 3, "{rows:?}");
    assert!(rows.iter().all(|row| row["price"]["amount"] == "0.00893" && row["price"]["source"] == "the provider's own attributes"));
    let told = cloud.otto(&sandbox, &["spend", "--explain", "www-1"]).ends(0).stdout;
    for words in [
        "0.00893 USD an hour × seconds / 3600, at least 60 s and 0.01 USD, at most 672 h a month and 6.00 USD a month",
        "price_hourly and price_monthly in terraform/dev_do_things/terraform.tfstate",
        "the provider's own attributes, read 20",
    ] {
        assert!(told.contains(words), "{words} in\n{told}");
    }
    cloud.otto(&sandbox, &["destroy", "--yes"]).ends(0);
    assert!(droplets(&cloud, &sandbox).iter().all(|row| row["to"].is_string()));
}

#[test]
fn an_otto_that_died_before_it_could_enter_anything_loses_no_interval() {
    let Some((cloud, sandbox)) = things(2) else { return };
    // They take a while to become active, so that the apply is at work when otto dies.
    cloud.set(&json!({"boot": 4}));
    let running = cloud.start(&sandbox, &["provision", "--yes", THINGS]);
    wait_for("two droplets", || cloud.names("droplets").len() == 2);
    running.kill();
    assert_eq!(droplets(&cloud, &sandbox), [] as [Value; 0]);
    cloud.otto(&sandbox, &["resume", "--yes", "--wait"]);
    cloud.otto(&sandbox, &["provision", "--yes", "--wait", THINGS]).ends(0);
    let rows = droplets(&cloud, &sandbox);
    assert_eq!(rows.iter().filter(|row| row["to"].is_null()).count(), 2, "{rows:?}");
    let account = cloud.all("droplets");
    for row in rows.iter().filter(|row| row["to"].is_null()) {
        let own = account
            .iter()
            .find(|one| row["provider_id"].as_str() == Some(&*one["id"].to_string()))
            .unwrap_or_else(|| panic!("{row}"));
        let second = |value: &Value| value.as_str().expect("a time")[..19].to_owned();
        assert_eq!(second(&row["from"]), second(&own["created_at"]), "since it was made, not since it was entered");
    }
    cloud.otto(&sandbox, &["destroy", "--yes"]).ends(0);
}

/// Three droplets are 18 USD a month, and on its last day some cents.
#[test]
fn a_budget_holds_on_the_last_day_of_a_month_too() {
    let Some((cloud, sandbox)) = things(3) else { return };
    sandbox.edit("otto.yaml", "dev: {", "dev: {budget: {month: 1 USD}, ");
    let refused = cloud.otto(&sandbox, &["up", "--yes"]).ends(40);
    refused.says("environment dev: ").says("and its budget is 1.00 USD").says("+0.0268 USD an hour");
    assert_eq!(cloud.asked("POST"), 0, "nothing was made");
}
