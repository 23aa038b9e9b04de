//! The unchanged root `clowd/provision/aws`: planned, applied, unchanged, changed behind, and taken down.

use std::fs;

use serde_json::{Value, json};

use super::Amazon;
use crate::support::{Output, Sandbox, providers, schema};

const SHOP: &str = "dev/aws/shop";
const PROVISION: [&str; 3] = ["provision", "--yes", SHOP];

/// A project with one site of two www that boot Debian's newest image, and these lines; the account has a zone.
fn shop(lines: &str) -> Option<Amazon> {
    let mirror = providers::mirror()?;
    let amazon = Amazon::start()?;
    let sandbox = &amazon.sandbox;
    providers::configuration(&sandbox.base().join("terraform.rc"), mirror);
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA me@home";
    sandbox.edit("otto.yaml", "providers: [local]", "providers: [aws]");
    sandbox.edit(
        "otto.yaml",
        "environment: dev ",
        &format!("ssh: {{public_keys: [\"{key}\"], wait: 1s}}\nenvironment: dev "),
    );
    site(sandbox, "shop", "shop.example, www.shop.example", lines);
    let zone = "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Name>shop.example</Name><CallerReference>1</CallerReference></CreateHostedZoneRequest>";
    amazon.call("route53", "/2013-04-01/hostedzone", zone);
    Some(amazon)
}

fn site(sandbox: &Sandbox, name: &str, domains: &str, lines: &str) {
    let roles = format!("roles:\n  www: {{count: 2, size: small}}\n{lines}");
    sandbox.write(&format!("sites/{name}/site.yaml"), &format!("domains: [{domains}]\n{roles}"));
}

/// Ids and kinds of what the sweep finds.
fn found(amazon: &Amazon) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    amazon.orphans(&["list"]).iter().map(|one| (text(&one["id"]), text(&one["kind"]))).collect()
}

fn hosts(amazon: &Amazon) -> Vec<String> {
    found(amazon).into_iter().filter(|(_, kind)| kind == "host").map(|(id, _)| id).collect()
}

/// What moto says of instances: their images, and which groups they have.
fn instances(amazon: &Amazon) -> String {
    amazon.call("ec2", "/", "Action=DescribeInstances&Version=2016-11-15")
}

#[track_caller]
fn says(output: &Output, words: &[&str]) {
    for word in words {
        assert!(output.stdout.contains(word), "{word} in\n{}", output.stdout);
    }
}

#[test]
fn what_is_lost_in_another_region_is_found() {
    let Some(amazon) = shop("providers: [aws]\nregion: eu-central-1\n") else { return };
    amazon.otto(&PROVISION).ends(0);
    assert_eq!(hosts(&amazon).len(), 2);
    assert!(!instances(&amazon).contains("i-"), "none is in the provider's own region");
    // A state that has forgotten one of them.
    let path = amazon.sandbox.path(".otto/terraform/dev_aws_shop/terraform.tfstate");
    let mut state: Value = serde_json::from_str(&fs::read_to_string(&path).expect("a state")).expect("JSON");
    for resource in state["resources"].as_array_mut().expect("resources") {
        if resource["type"] == "aws_instance" {
            resource["instances"].as_array_mut().expect("instances").retain(|one| one["index_key"] != "www-2");
        }
    }
    fs::write(&path, state.to_string()).expect("written");
    let orphans = amazon.otto(&["status", "--json"]).json()["orphans"].clone();
    assert_eq!(
        (&orphans[0]["kind"], &orphans[0]["region"], orphans.as_array().map(Vec::len)),
        (&json!("host"), &json!("eu-central-1"), Some(1)),
        "{orphans}"
    );
    amazon.otto(&["reap", "--yes"]).ends(0);
    assert_eq!(hosts(&amazon).len(), 1);
    amazon.otto(&["destroy", "--yes"]).ends(0);
    assert_eq!(found(&amazon), []);
}

#[test]
fn a_site_behind_amazons_own_balancer_with_names_in_a_zone() {
    let Some(amazon) = shop("  lb: {kind: cloud}\nvars: {dns_zone: shop.example}\n") else { return };
    amazon.otto(&PROVISION).ends(0);
    let kinds: Vec<String> = found(&amazon).into_iter().map(|(_, kind)| kind).collect();
    let groups = ["target_group", "target_group", "host", "host", "firewall", "firewall", "firewall"];
    assert_eq!(kinds, [&["load_balancer"], &groups[..]].concat());
    assert!(instances(&amazon).contains("<imageId>ami-0deb1200000000002</imageId>"), "Debian's newest");
    let status = amazon.otto(&["status", "--json", SHOP]).json();
    schema::STATUS.holds(&status);
    let endpoint = status["deployments"][0]["endpoint"].as_str().expect("an endpoint");
    assert!(endpoint.starts_with("http://otto-dev-aws-shop-"), "{endpoint}");
    assert_eq!(status["orphans"], json!([]), "all of it is in the state");
    amazon.otto(&PROVISION).ends(0).says("no changes");
    explained(&amazon);
    newer_image(&amazon);
    longer(&amazon);
    anew(&amazon);
    amazon.otto(&["destroy", "--yes"]).ends(0);
    assert_eq!(found(&amazon), []);
    let report = amazon.otto(&["spend", "--json"]).ends(0).json();
    assert_eq!(report["per_hour"], "0.00", "{report}");
}

/// Every row has a price, and says where it is from.
fn explained(amazon: &Amazon) {
    let report = amazon.otto(&["spend", "--json"]).ends(0).json();
    assert_eq!(report["unpriced"], json!([]), "{report}");
    let rows = report["rows"].as_array().expect("rows");
    let count = |kind: &str| rows.iter().filter(|row| row["kind"] == kind).count();
    let kinds = ["aws_instance", "aws_ebs_volume", "aws_public_ipv4", "aws_lb"];
    assert_eq!((kinds.map(count), rows.len()), ([2, 2, 2, 1], 7), "{report}");
    says(
        &amazon.otto(&["spend", "--explain", "www-1"]).ends(0),
        &[
            "0.0104 USD an hour × seconds / 3600, at least 60 s",
            "karpenter zz_generated.pricing_aws.go, on demand, Linux, us-east-1, read 2026-07-20",
            "10 GB × 0.08 USD a GB and month × seconds / 2628000",
            "infracost testdata for aws, us-east-1, read 2024-07-01",
            "0.005 USD an hour × seconds / 3600",
            "AWS blog: every public IPv4, idle or attached, since 2024-02-01, read 2024-02-01",
            "aws.yaml:",
        ],
    );
}

/// Another newest image of Debian's is no reason for other hosts.
fn newer_image(amazon: &Amazon) {
    amazon.call("ec2", "/", "Action=DeregisterImage&Version=2016-11-15&ImageId=ami-0deb1200000000002");
    amazon.otto(&PROVISION).ends(0).says("no changes");
    amazon.otto(&["drift", SHOP]).ends(0);
}

/// Another end of the lease and other administrators are changes of what there is.
fn longer(amazon: &Amazon) {
    let before = hosts(amazon);
    amazon.otto(&["extend", "--for", "9h", SHOP]).ends(0);
    let ends = amazon.orphans(&["list"]).iter().map(|one| one["tags"]["otto:expires"].clone()).collect::<Vec<_>>();
    assert!(ends[0] != "0" && ends.iter().all(|one| *one == ends[0]), "{ends:?}");
    // Of an address with a length its network, which is all that the provider takes.
    amazon.sandbox.edit(
        "otto.yaml",
        "# admin_cidrs: [203.0.113.7] ",
        "admin_cidrs: [203.0.113.7/24, \"2001:db8::1/64\"] #",
    );
    amazon.otto(&PROVISION).ends(0);
    let groups = amazon.call("ec2", "/", "Action=DescribeSecurityGroups&Version=2016-11-15");
    assert!(groups.contains("203.0.113.0/24") && groups.contains("2001:db8::/64"), "{groups}");
    assert_eq!(hosts(amazon), before);
    amazon.otto(&PROVISION).ends(0).says("no changes");
}

/// What somebody else took away is seen, and made again without a word: with it goes what stood for it behind the balancer.
fn anew(amazon: &Amazon) {
    let before = hosts(amazon);
    let gone = &before[0];
    amazon.call("ec2", "/", &format!("Action=TerminateInstances&Version=2016-11-15&InstanceId.1={gone}"));
    amazon.otto(&["drift", SHOP]).ends(10);
    amazon.otto(&PROVISION).ends(0);
    let after = hosts(amazon);
    assert!(after.len() == 2 && !after.contains(gone), "{after:?}");
    amazon.otto(&PROVISION).ends(0).says("no changes");
    // Nobody answers at these hosts: the replacement of one that is down needs no consent, nor does that of what goes with it.
    let replace = ["--", "-replace=aws_instance.host[\"www-1\"]"];
    amazon.otto(&[&PROVISION[..], &replace].concat()).ends(0);
    assert_eq!(hosts(amazon).iter().filter(|id| !after.contains(id)).count(), 1);
    amazon.otto(&PROVISION).ends(0).says("no changes");
}

/// Balancers and target groups have 32 characters.
#[test]
fn long_names_are_cut_to_what_amazon_takes() {
    let Some(amazon) = shop("") else { return };
    let name = "a-site-with-a-name-of-thirty-c";
    site(&amazon.sandbox, name, "long.example", "  lb: {kind: cloud}\n");
    let on = format!("dev/aws/{name}");
    amazon.otto(&["provision", "--yes", &on]).ends(0);
    // And a site whose www are asked by visitors themselves.
    amazon.otto(&PROVISION).ends(0);
    assert_eq!(hosts(&amazon).len(), 4);
    amazon.otto(&["provision", "--yes", SHOP, &on]).ends(0).says("no changes");
    amazon.otto(&["destroy", "--yes"]).ends(0);
    assert_eq!(found(&amazon), []);
}
