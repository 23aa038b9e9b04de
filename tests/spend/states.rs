//! Recorded states of three vendors through the project's own price tables: no provider plugin, no account.

use camino::Utf8Path;
use otto::model::{LedgerRow, PriceTable, Resource, Timestamp};
use otto::services::spend::{self, bill, formula};
use otto::tools::terraform::billed;

use super::billing::at;

fn root() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn table(name: &str) -> PriceTable {
    let loaded = otto::project::load(root()).unwrap_or_else(|problems| panic!("{problems:?}"));
    loaded.project.prices.get(name).cloned().unwrap_or_else(|| panic!("no table {name}"))
}

fn billed(name: &str) -> (PriceTable, Vec<Resource>) {
    let table = table(name);
    let text = std::fs::read_to_string(root().join(format!("tests/data/states/{name}.json"))).expect("a state");
    let found = billed::read(&text, |kind| spend::reading::wanted(Some(&table), kind)).expect("a state");
    let resources = spend::resources(Some(&table), name, &found);
    (table, resources)
}

fn rows(owner: &str, resources: Vec<Resource>, from: Timestamp) -> Vec<LedgerRow> {
    resources
        .into_iter()
        .map(|one| LedgerRow {
            owner: std::sync::Arc::new(owner.parse().expect("an owner")),
            address: one.address,
            provider_id: one.provider_id,
            kind: one.kind.into(),
            size: one.size.into(),
            region: one.region.into(),
            quantity: one.quantity,
            price: one.price.map(std::sync::Arc::new),
            from: one.created_at.unwrap_or(from),
            to: None,
            note: None,
        })
        .collect()
}

/// Address, formula and accrued of each row, at a moment.
fn told(owner: &str, name: &str, now: &str) -> Vec<String> {
    let (_, resources) = billed(name);
    let rows = rows(owner, resources, at("2026-11-10T10:00:00Z"));
    let bill = bill(&rows, None, at(now));
    bill.lines
        .iter()
        .map(|line| {
            format!(
                "{} = {}: {} ({})",
                line.row.address,
                formula::formula(line.price, line.row.quantity),
                line.sums.accrued,
                line.price.as_of
            )
        })
        .chain(bill.unpriced.iter().map(|row| format!("{} unpriced", row.address)))
        .collect()
}

#[test]
fn droplets_are_priced_by_their_own_state() {
    let told = told("prod/do/hello", "do", "2026-11-21T00:00:00Z");
    let least = "at least 60 s and 0.01 USD";
    // 480 h of the small one; 12 h of the one that is switched off, at its full price.
    assert_eq!(
        told[0],
        format!(
            "digitalocean_droplet.host[\"www-1\"] = 0.00893 USD an hour × seconds / 3600, {least}, at most 672 h a month and 6.00 USD a month: 4.2864 ()"
        )
    );
    assert!(
        told[1].starts_with("digitalocean_droplet.host[\"www-2\"] = 0.01786 USD an hour")
            && told[1].ends_with(": 0.21432 ()"),
        "{}",
        told[1]
    );
    // 254 h of a load balancer at 12 a month of 672 h, of a volume of 40 GB at 0.10.
    assert!(
        told[2].starts_with("digitalocean_loadbalancer.lb[0] = 12.00 USD a month × seconds / 2419200")
            && told[2].contains(": 4.535714286"),
        "{}",
        told[2]
    );
    assert!(
        told[3].starts_with("digitalocean_volume.data = 40 GB × 0.10 USD a GB and month")
            && told[3].contains(": 1.511904762"),
        "{}",
        told[3]
    );
    assert_eq!(told.len(), 4, "a firewall, a reserved address in use and a random name cost nothing: {told:?}");
}

#[test]
fn an_instance_its_disk_and_its_address_are_three_rows() {
    let told = told("prod/aws/hello", "aws", "2026-11-10T20:00:00Z");
    let of = |address: &str| {
        told.iter()
            .find(|line| line.starts_with(&format!("{address} ")))
            .unwrap_or_else(|| panic!("{address} in {told:?}"))
            .as_str()
    };
    let one = "aws_instance.host[\"www-1\"]";
    assert!(
        of(one).contains("= 0.0104 USD an hour × seconds / 3600, at least 60 s: 0.104 (2026-07-20)"),
        "{}",
        of(one)
    );
    // 8 GB × 0.08 × 10 h / 730 h.
    assert!(
        of(&format!("{one}/root_block_device"))
            .contains("8 GB × 0.08 USD a GB and month × seconds / 2628000: 0.008767123 (2024-07-01)")
    );
    assert!(of(&format!("{one}/public_ip")).ends_with("0.005 USD an hour × seconds / 3600: 0.05 (2024-02-01)"));
    // A stopped instance: its disk goes on, it does not, and it has no address.
    let stopped: Vec<&String> = told.iter().filter(|line| line.contains("www-2")).collect();
    assert!(stopped.len() == 1 && stopped[0].contains("root_block_device = 20 GB × 0.10"), "{stopped:?}");
    assert!(of("aws_lb.front").contains("0.0225 USD an hour × begun hours: 0.225"));
    assert!(told.contains(&"aws_db_instance.db unpriced".to_owned()), "what has no price is listed: {told:?}");
}

#[test]
fn forwarding_rules_share_one_minimum() {
    let told = told("prod/gcp/hello", "gcp", "2026-11-10T20:00:00Z");
    let rules: Vec<&String> = told.iter().filter(|line| line.starts_with("google_compute_forwarding_rule")).collect();
    assert_eq!(rules.len(), 2);
    // Ten hours of 0.025, in two shares; 02:00 in California is 10:00 UTC.
    for rule in rules {
        assert!(
            rule.contains("for the first 5 together, 0.01 USD for each more") && rule.ends_with(": 0.125 (2026-07-30)"),
            "{rule}"
        );
    }
    let disk = "google_compute_instance.host[\"www-1\"]/boot_disk/initialize_params";
    assert!(told.iter().any(|line| line.starts_with(disk) && line.contains("10 GB × 0.04")), "{told:?}");
    assert!(
        told.iter().any(|line| line.contains("/network_interface/access_config/nat_ip = 0.005 USD an hour")),
        "{told:?}"
    );
    assert!(
        told.iter().any(|line| line.starts_with("google_compute_instance.host[\"www-1\"] = 0.0167529")
            && line.contains(": 0.167529 ")),
        "{told:?}"
    );
    assert_eq!(told.len(), 5, "{told:?}");
}

#[test]
fn what_no_row_is_for_says_so() {
    let table = table("do");
    assert_eq!(
        spend::reading::priced(&table, "digitalocean_droplet", "s-999", "fra1", None),
        Err("no row of clowd/prices/do.yaml is for digitalocean_droplet (s-999, fra1)".to_owned())
    );
    let image = spend::image(&table, "fra1:77", "fra1", None, at("2026-11-01T00:00:00Z"));
    assert!(
        image.price.is_none() && image.why.as_deref().is_some_and(|why| why.contains("its size in GB is not known"))
    );
    let known = spend::image(&table, "fra1:77", "fra1", Some("2.36".parse().expect("GB")), at("2026-11-01T00:00:00Z"));
    assert_eq!(known.price.expect("a price").amount_for(known.quantity).to_string(), "0.1416");
}
