//! Budgets: nothing is made over one, unless somebody says so, and that is written down.

use super::vapor::project;
use crate::support::schema;

const DEV: &str = "environments:\n  dev: {budget: {month: 1 USD}}";

#[test]
fn three_hosts_over_a_budget_of_one_dollar_are_refused_with_the_numbers() {
    let sandbox = project(DEV, "2");
    let refused = sandbox.otto(&["up", "--yes"]).ends(40);
    for words in [
        "the forecast is over the budget: nothing was made",
        "environment dev: ",
        "and its budget is 1.00 USD",
        "dev/vapor/things: +1.5000 USD an hour (1.5000 in all)",
    ] {
        assert!(refused.stderr.contains(words), "{words} in\n{}", refused.stderr);
    }
    assert!(!sandbox.path(".otto/terraform/dev_vapor_things/terraform.tfstate").exists(), "something was made");
    let plan = sandbox.otto(&["plan", "--json"]).ends(0).json();
    schema::PLAN.holds(&plan);
    assert!(plan["over_budget"][0].as_str().is_some_and(|line| line.starts_with("environment dev: ")), "{plan}");
    assert_eq!(
        (plan["costs"][0]["per_hour"].as_str(), plan["costs"][0]["currency"].as_str()),
        (Some("1.50"), Some("USD"))
    );
    // With the flag it passes, and who and when is in the journal.
    let events = sandbox.otto(&["provision", "--yes", "--over-budget", "--json"]).ends(0).events();
    let note = events.iter().find(|event| event["text"].as_str().is_some_and(|text| text.starts_with("over budget")));
    let note = note.unwrap_or_else(|| panic!("{events:?}"));
    assert!(
        note["text"]
            .as_str()
            .is_some_and(|text| text.contains("allowed by ") && text.contains('@') && text.contains("1.00 USD")),
        "{note}"
    );
    assert!(note["at"].is_string() && note["warning"] == true);
    // What is there costs no more than before: nothing is refused.
    sandbox.otto(&["provision", "--yes"]).ends(0);
    sandbox.edit("sites/things/site.yaml", "count: 3", "count: 2");
    sandbox.otto(&["provision", "--yes", "--allow-destroy"]).ends(0);
    sandbox.otto(&["destroy", "--yes"]).ends(0);
}

#[test]
fn sites_and_projects_have_budgets_too() {
    let sandbox = project("budget: {month: 5 USD}", "2");
    sandbox.otto(&["provision", "--yes"]).ends(40).says("the project: ");
    sandbox.edit("otto.yaml", "5 USD", "5000000 USD");
    sandbox.edit("sites/things/site.yaml", "roles:", "budget: {month: 3 USD}\nroles:");
    sandbox.otto(&["provision", "--yes"]).ends(40).says("deployment dev/vapor/things: ");
    sandbox.edit("sites/things/site.yaml", "3 USD", "3 EUR");
    sandbox.otto(&["provision", "--yes"]).ends(40).says("its budget is in EUR, and costs in USD cannot be compared");
    sandbox.edit("sites/things/site.yaml", "budget: {month: 3 EUR}\n", "");
    sandbox.otto(&["provision", "--yes"]).ends(0);
    sandbox.otto(&["destroy", "--yes"]).ends(0);
}
