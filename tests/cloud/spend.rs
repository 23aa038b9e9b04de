//! What is spent, against a calculation of its own from what the account says.

use serde_json::{Value, json};

use super::support::Sandbox;
use super::support::digitalocean::{Account as _, Cloud};
use super::{PROVISION, THINGS, destroyed, things};

/// A decimal text in hundred-thousandths.
fn parts(value: &Value) -> i64 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no text"));
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = rest.chars().chain("00000".chars()).take(5).collect();
    whole.parse::<i64>().expect("digits") * 100_000 + digits.parse::<i64>().expect("digits")
}

fn spend(cloud: &Cloud, sandbox: &Sandbox) -> Value {
    cloud.otto(sandbox, &["spend", "--json"]).ends(0).json()
}

#[test]
fn spend_is_what_the_account_says_and_outlives_the_deployment() {
    let Some((cloud, sandbox)) = things() else { return };
    let age = 100 * 3600;
    cloud.set(&json!({"age": age}));
    let began = std::time::Instant::now();
    cloud.otto(&sandbox, &PROVISION).ends(0);
    let status = cloud.otto(&sandbox, &["status", "--json", THINGS]).json()["deployments"][0]["spend"].clone();
    let lived = i64::try_from(began.elapsed().as_secs()).expect("seconds") + 1;
    // Three droplets at 0.00893 USD an hour each, by the second.
    let least = 3 * 893 * age / 3600;
    let most = 3 * 893 * (age + lived) / 3600 + 1;
    let within = |value: &Value| (least..=most).contains(&parts(value));
    assert!(within(&status["accrued"]), "{status} {least}..{most}");
    assert_eq!(status["per_hour"], "0.02679");
    let whole = spend(&cloud, &sandbox);
    let droplets =
        whole["rows"].as_array().expect("rows").iter().filter(|row| row["kind"] == "digitalocean_droplet").count();
    assert_eq!((droplets, &whole["unpriced"]), (3, &json!([])), "{whole}");
    destroyed(&cloud, &sandbox);
    let after = spend(&cloud, &sandbox);
    assert!(parts(&after["accrued"]) >= least && parts(&after["per_hour"]) == 0, "{after}");
    let account = cloud.state()["usage"].clone(); // in cents
    let difference = parts(&after["accrued"]) - parts(&account);
    assert!(difference.abs() <= 3 * 893 * 60 / 3600 + 500, "the account says {account}, otto {}", after["accrued"]);
}
