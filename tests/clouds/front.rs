//! The unchanged root of DigitalOcean on a stand-in of its API: the provider's own balancer, firewalls, records in a zone, and a key
//! that two deployments share. Droplets are records here: nobody answers at their addresses.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::Sandbox;
use crate::support::digitalocean::{Account as _, Cloud};

const SITE: &str = "domains: [shop.org, www.shop.org, other.org, shop.test]
roles:
  www: {count: 2}
  lb: {kind: cloud}
vars: {dns_zone: shop.org}
";

/// A zone that is there before otto comes.
fn zone(cloud: &Cloud, sandbox: &Sandbox, name: &str) {
    let command = cloud.command(sandbox, &[]);
    let url = command.get_envs().find(|(name, _)| *name == "DIGITALOCEAN_API_URL").and_then(|(_, value)| value);
    let place = url.expect("a URL").to_string_lossy().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&place).expect("the stand-in");
    let body = json!({ "name": name }).to_string();
    let head = "Authorization: Bearer token-of-the-team\r\nContent-Type: application/json\r\nConnection: close";
    let request =
        format!("POST /v2/domains HTTP/1.1\r\nHost: x\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

/// Sources of the rules for a port, of the firewall whose name ends so.
fn sources(cloud: &Cloud, firewall: &str, port: &str) -> Vec<Value> {
    let all = cloud.all("firewalls");
    let found = all.iter().find(|one| one["name"].as_str().is_some_and(|name| name.ends_with(firewall)));
    let found = found.unwrap_or_else(|| panic!("no {firewall} in {all:?}"));
    let rules = found["inbound_rules"].as_array().expect("rules").iter();
    rules.filter(|rule| rule["ports"] == port).map(|rule| rule["sources"].clone()).collect()
}

#[test]
fn the_clouds_own_balancer_stands_before_the_hosts() {
    let Some(cloud) = Cloud::records() else { return };
    let sandbox = cloud.project("front");
    sandbox.write("sites/shop/site.yaml", SITE);
    sandbox.write("sites/shed/site.yaml", "domains: [shed.localhost]\nroles: {www: {count: 1}}\n");
    zone(&cloud, &sandbox, "shop.org");

    // Two at once, with one key that the account takes once.
    cloud.otto(&sandbox, &["provision", "--yes", "shop", "shed"]).ends(0);
    assert_eq!(cloud.names("droplets"), ["dev-shed-www-1", "dev-shop-www-1", "dev-shop-www-2"]);
    assert_eq!(cloud.all("ssh_keys").len(), 1);
    let front = cloud.all("load_balancers").remove(0);
    let ip = front["ip"].as_str().expect("an address").to_owned();
    assert_eq!(front["droplet_ids"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        sources(&cloud, ".inner", "80"),
        [json!({
            "addresses": ["0.0.0.0/0", "::/0"], "load_balancer_uids": [front["id"]],
        })]
    );
    assert_eq!(sources(&cloud, ".hosts", "22").len(), 1, "nobody said from where");
    let state = cloud.state();
    let records: Vec<(Value, Value)> = state["records"]["shop.org"]
        .as_array()
        .expect("records")
        .iter()
        .filter(|record| record["type"] == "A")
        .map(|record| (record["name"].clone(), record["data"].clone()))
        .collect();
    assert_eq!(records.len(), 2, "{records:?}");
    assert!(records.contains(&(json!("@"), json!(ip))) && records.contains(&(json!("www"), json!(ip))), "{records:?}");
    let status = cloud.status_of(&sandbox, "dev/do/shop", 2);
    assert_eq!(status["endpoint"], format!("http://{ip}/"));

    // The same again is nothing; who may come in changes what protects, and no host.
    cloud.otto(&sandbox, &["provision", "--yes", "shop"]).ends(0).says("no changes");
    sandbox.edit("otto.yaml", "# admin_cidrs: [203.0.113.7] ", "admin_cidrs: [203.0.113.7] #");
    cloud.otto(&sandbox, &["provision", "--yes", "shop"]).ends(0);
    let shop = cloud
        .all("firewalls")
        .into_iter()
        .find(|f| f["name"].as_str().is_some_and(|n| n.contains(".shop.") && n.ends_with(".hosts")));
    let rules = shop.expect("a firewall")["inbound_rules"].to_string();
    assert!(
        rules.contains("203.0.113.7/32") && !rules.contains("\"22\",\"sources\":{\"addresses\":[\"0.0.0.0/0\""),
        "{rules}"
    );
    assert_eq!(cloud.asked("POST /v2/droplets"), 3);

    cloud.otto(&sandbox, &["destroy", "--yes", "shop"]).ends(0);
    assert_eq!(cloud.all("ssh_keys").len(), 1, "the other one's next host needs it");
    cloud.otto(&sandbox, &["destroy", "--yes"]).ends(0);
    cloud.is_empty();
}
