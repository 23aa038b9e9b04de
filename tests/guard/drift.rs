//! What changed outside of otto, by a refresh-only plan: seen, kept, shown by `status`, repaired by `up`.

use serde_json::Value;

use super::lab::{Account, Lab};

const ID: &str = "1a6d3e2f0c8b5d749e31";

#[test]
fn a_machine_switched_off_and_one_deleted_are_drift() {
    let Some(account) = Account::api() else { return };
    let lab = Lab::new(&account, "one", ID, "");
    lab.otto(&["drift"]).ends(0);
    lab.otto(&["provision", "--yes"]).ends(0);
    assert_eq!(lab.deployment()["drift"], Value::Null, "nobody has looked");
    let clean = lab.otto(&["drift", "--json"]).ends(0).json();
    assert_eq!(
        (&clean["schema"], &clean["deployments"][0]["changes"]),
        (&"otto.drift/1".into(), &Value::Array(vec![]))
    );
    assert_eq!(lab.deployment()["drift"]["changes"], 0);
    let droplets = account.ask("GET", "/v2/droplets", "");
    let id = |n: usize| droplets["droplets"][n]["id"].to_string();
    account.ask("PATCH", &format!("/v2/droplets/{}", id(0)), r#"{"status": "off"}"#);
    let off = lab.otto(&["drift", "--json"]).ends(10).json();
    let change = &off["deployments"][0]["changes"][0];
    assert_eq!((&change["action"], &change["fields"][0]["path"]), (&"update".into(), &"status".into()), "{off}");
    assert_eq!(change["fields"][0]["after"], "\"off\"");
    account.ask("DELETE", &format!("/v2/droplets/{}", id(1)), "");
    let both = lab.otto(&["drift"]).ends(10);
    assert!(both.stdout.contains("- digitalocean_droplet.host") && both.stdout.contains("status"), "{}", both.stdout);
    let status = lab.otto(&["status", "--json"]).json();
    assert_eq!(status["deployments"][0]["drift"]["changes"], 2, "{status}");
    assert!(lab.otto(&["status"]).stdout.contains("2 resources changed outside of otto"));
    // The token is in no output, and the deleted one comes back.
    assert!(!both.stderr.contains("t0ken") && !off.to_string().contains("t0ken"));
    lab.otto(&["provision", "--yes"]).ends(0);
    assert_eq!(account.names("droplets").len(), 3);
    assert_eq!(lab.deployment()["drift"], Value::Null, "something was done since");
    lab.otto(&["destroy", "--yes"]).ends(0);
    lab.otto(&["drift"]).ends(0);
}
