//! Names of a site in a zone of the account.

use serde_json::{Value, json};

use super::support::digitalocean::Account as _;
use super::{PROVISION, THINGS, destroyed, things};

#[test]
fn names_in_a_zone_of_the_account_point_at_the_hosts_and_go_with_them() {
    let Some((cloud, sandbox)) = things() else { return };
    let site = "domains: [shop.example, www.shop.example]\nroles:\n  www: {count: 1, size: small}\n";
    sandbox.write("sites/things/site.yaml", site);
    cloud.otto(&sandbox, &PROVISION).ends(0);
    let address = cloud.droplet("dev-things-www-1")["networks"]["v4"][0]["ip_address"].clone();
    cloud.set(&json!({"zone": "shop.example"}));
    sandbox.write("sites/things/site.yaml", &format!("{site}vars: {{dns_zone: shop.example}}\n"));
    cloud.otto(&sandbox, &PROVISION).ends(0);
    let records = |kind: &str| -> Vec<(Value, Value)> {
        let all = cloud.state()["records"]["shop.example"].as_array().cloned().unwrap_or_default();
        let of_kind = all.iter().filter(|record| record["type"] == kind);
        of_kind.map(|record| (record["name"].clone(), record["data"].clone())).collect()
    };
    let mut found = records("A");
    found.sort_by_key(|(name, _)| name.to_string());
    assert_eq!(found, [(json!("@"), address.clone()), (json!("www"), address)]);
    cloud.otto(&sandbox, &["provision", "--yes", THINGS]).ends(0).says("no changes");
    destroyed(&cloud, &sandbox);
    assert_eq!((records("A").len(), records("NS").len()), (0, 3), "the zone itself is not otto's");
}
