//! A made-up provider whose hosts are nothing but entries in Terraform's own state: two folders and a price table, no Rust.

use crate::support::{Sandbox, schema};

pub(super) const MAIN: &str = r#"
terraform {
  required_version = ">= 1.4"
}
variable "hosts" {
  type = list(object({ name = string, role = string, image = string, size = string }))
}
resource "terraform_data" "host" {
  for_each = { for host in var.hosts : host.name => host }
  input    = each.value.size
}
output "hosts" {
  value = [for host in var.hosts : { name = host.name, role = host.role, address = "127.0.0.1", connection = "local" }]
  depends_on = [terraform_data.host]
}
"#;

/// A project of one site on it: `least` is owed for each host at once, so that no test depends on the day of the month.
pub(super) fn project(budgets: &str, least: &str) -> Sandbox {
    let sandbox = Sandbox::new("fog");
    std::fs::remove_dir_all(sandbox.path("sites")).expect("sites");
    sandbox.write(
        "otto.yaml",
        &format!("project: fog\nid: 0f5c2d1e9b7a4c638d21\nproviders: [vapor]\nenvironment: dev\n{budgets}\n"),
    );
    sandbox.write("sites/things/site.yaml", "domains: [things.localhost]\nroles:\n  www: {count: 3, size: small}\n");
    sandbox.write(
        "clowd/provision/vapor/provider.yaml",
        "kind: terraform\nsizes: {small: s1, large: s2}\nprices: vapor\n",
    );
    sandbox.write("clowd/provision/vapor/main.tf", MAIN);
    sandbox.write(
        "clowd/prices/vapor.yaml",
        &format!(
            "currency: USD\nrules:\n  vapor: {{minimum: {least}}}\nhost: [{{type: host}}]\nprices:\n  \
             - {{type: host, match: {{size: s1}}, amount: 0.5, unit: hour, rule: vapor, source: the fog, as_of: 2026-07-01}}\n  \
             - {{type: host, match: {{size: s2}}, amount: 1, unit: hour, rule: vapor, source: the fog, as_of: 2026-07-01}}\n"
        ),
    );
    sandbox
}

#[test]
fn spend_is_counted_while_it_lives_and_kept_when_it_is_gone() {
    let sandbox = project("", "2");
    sandbox.otto(&["spend"]).ends(0);
    let made = sandbox.otto(&["provision", "--yes", "--json"]).ends(0);
    let events = made.events();
    assert!(events.iter().any(|event| event["type"] == "ledger" && event["owner"] == "dev/vapor/things"), "{events:?}");
    assert!(made.stderr.contains("cost  dev/vapor/things: +1.5000 USD an hour"), "{}", made.stderr);
    let report = sandbox.otto(&["spend", "--json"]).ends(0).json();
    schema::SPEND.holds(&report);
    assert_eq!((report["accrued"].as_str(), report["per_hour"].as_str()), (Some("6.00"), Some("1.50")), "{report}");
    assert_eq!(report["rows"].as_array().map(Vec::len), Some(3));
    assert_eq!(report["rows"][0]["price"]["row"], "clowd/prices/vapor.yaml:6");
    assert_eq!(report["groups"][0]["name"], "dev/vapor/things");
    let status = sandbox.status_of("dev/vapor/things", 1);
    assert_eq!(
        (status["spend"]["accrued"].as_str(), status["spend"]["unpriced"].as_array().map(Vec::len)),
        (Some("6.00"), Some(0))
    );
    // Another size is another row; what was stays what it was.
    sandbox.edit("sites/things/site.yaml", "count: 3, size: small", "count: 2, size: large");
    sandbox.otto(&["provision", "--yes", "--allow-destroy"]).ends(0);
    let report = sandbox.otto(&["spend", "--json", "--by", "resource"]).ends(0).json();
    assert_eq!(report["rows"].as_array().map(Vec::len), Some(5), "{report}");
    assert_eq!((report["accrued"].as_str(), report["per_hour"].as_str()), (Some("10.00"), Some("2.00")));
    let text = sandbox.otto(&["spend", "--explain", "www-1"]).ends(0).stdout;
    for words in [
        "1.00 USD an hour × seconds / 3600, at least 2.00 USD",
        "the fog, read 2026-07-01",
        "vapor.yaml:7",
        "since its size or price changed",
    ] {
        assert!(text.contains(words), "{words} in\n{text}");
    }
    sandbox.otto(&["destroy", "--yes"]).ends(0);
    let report = sandbox.otto(&["spend", "--json", "--by", "site"]).ends(0).json();
    assert_eq!((report["accrued"].as_str(), report["per_hour"].as_str()), (Some("10.00"), Some("0.00")));
    assert_eq!(report["groups"][0]["name"], "things");
    assert!(report["rows"].as_array().is_some_and(|rows| rows.iter().all(|row| row["to"].is_string())), "{report}");
    let csv = sandbox.otto(&["spend", "--csv"]).ends(0).stdout;
    assert_eq!(csv.lines().count(), 6, "{csv}");
    assert!(csv.lines().nth(1).is_some_and(|line| line.starts_with("dev/vapor/things,www-1,,host,s1,")), "{csv}");
    let since = sandbox.otto(&["spend", "--json", "--since", "1d"]).ends(0).json();
    assert_eq!(since["accrued"], "10.00");
    sandbox.otto(&["spend", "--since", "soon"]).ends(2).says("`soon` is no time");
    sandbox.otto(&["spend", "--explain", "www-9"]).ends(2).says("nothing in the ledger is called `www-9`");
}

#[test]
fn what_has_no_price_is_listed_and_never_nothing() {
    let sandbox = project("", "2");
    sandbox.edit("sites/things/site.yaml", "size: small", "size: huge");
    let plan = sandbox.otto(&["plan", "--json"]).ends(0).json();
    schema::PLAN.holds(&plan);
    assert_eq!(plan["costs"][0]["unpriced"].as_array().map(Vec::len), Some(3), "{plan}");
    sandbox.otto(&["provision", "--yes"]).ends(0);
    let report = sandbox.otto(&["spend", "--json"]).ends(0).json();
    assert_eq!(report["unpriced"].as_array().map(Vec::len), Some(3), "{report}");
    assert_eq!(report["unpriced"][0]["why"], "no row of clowd/prices/vapor.yaml is for host (huge)");
    let status = sandbox.otto(&["status"]).stdout;
    assert!(status.contains("3 unpriced") && status.contains("unpriced: www-1, www-2, www-3"), "{status}");
    sandbox.otto(&["destroy", "--yes"]).ends(0);
}

#[test]
fn a_table_with_mistakes_names_their_lines() {
    let sandbox = project("", "2");
    sandbox.edit("clowd/prices/vapor.yaml", "amount: 1, unit: hour", "amount: one, unit: fortnight");
    let said = sandbox.otto(&["spend"]).ends(20).stderr;
    for words in [
        "clowd/prices/vapor.yaml:7: `prices[1].amount` is the text \"one\"",
        "clowd/prices/vapor.yaml:7: `prices[1].unit`",
    ] {
        assert!(said.contains(words), "{words} in\n{said}");
    }
    sandbox.edit("clowd/provision/vapor/provider.yaml", "prices: vapor", "prices: mist");
    sandbox
        .otto(&["spend"])
        .ends(20)
        .says("clowd/provision/vapor/provider.yaml:3: there is no price table `clowd/prices/mist.yaml`");
}
