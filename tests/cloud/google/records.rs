//! Everything that the root makes, as records: nobody answers at the addresses of instances.

use serde_json::{Value, json};

use crate::support::Sandbox;
use crate::support::google::{Account as _, Google};

const SHOP: &str = "dev/gcp/shop";
const PROVISION: [&str; 3] = ["provision", "--yes", SHOP];

/// One site of two www that boot the stock image, and these lines.
fn shop(name: &str, lines: &str) -> Option<(Google, Sandbox)> {
    let google = Google::records()?;
    let sandbox = google.project(name);
    let text = format!("domains: [shop.example, www.shop.example]\nroles:\n  www: {{count: 2, size: small}}\n{lines}");
    sandbox.write("sites/shop/site.yaml", &text);
    Some((google, sandbox))
}

#[test]
fn a_site_behind_googles_own_balancer_with_names_in_a_zone() {
    let Some((google, sandbox)) = shop("front", "  lb: {kind: cloud}\nvars: {dns_zone: shop.example}\n") else {
        return;
    };
    google.set(&json!({"zone": "shop.example"}));
    google.otto(&sandbox, &PROVISION).ends(0);
    assert_eq!(google.names("instances"), ["dev-shop-www-1", "dev-shop-www-2"]);
    let front = google.all("forwardingRules").remove(0);
    let named: Vec<Value> = google.state()["records"]["shop.example"].as_array().cloned().unwrap_or_default();
    assert_eq!(named.len(), 2, "{named:?}");
    assert!(named.iter().all(|one| one["rrdatas"] == json!([front["IPAddress"]])), "{named:?}");
    google.otto(&sandbox, &PROVISION).ends(0).says("no changes");
    google.otto(&sandbox, &["destroy", "--yes"]).ends(0);
    google.is_empty();
}
