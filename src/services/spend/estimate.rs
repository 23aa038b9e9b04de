//! What hosts will cost before there is a state: their number and sizes through the price table.

use std::collections::BTreeMap;

use crate::model::ledger::StateResource;
use crate::model::prices::Estimated;
use crate::model::{Money, Price, PriceTable, Resource};

/// What hosts are billed as: `hosts` are names with the provider's words for their sizes.
pub fn estimate(table: &PriceTable, hosts: &[(String, String)], region: &str) -> Vec<Resource> {
    let host = hosts.iter().flat_map(|(name, size)| made_of(table, &table.host, name, size, region));
    let mut all: Vec<Resource> = host.collect();
    if table.host.is_empty() {
        all.extend(hosts.iter().map(|(name, size)| Resource {
            why: Some(format!("{} does not say what a host is made of (`host:`)", table.file)),
            ..Resource::bare(name, "host", size, region)
        }));
    }
    all
}

/// What an hour of everything in a state costs, and what of it has no price.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hourly {
    /// In the table's currency; of what is billed in pools, the pool's own amount once.
    pub amount: Money,
    /// Addresses.
    pub unpriced: Vec<String>,
}

/// Adds up what a state, or what a plan would leave, costs an hour.
pub fn hourly(table: &PriceTable, found: &[StateResource]) -> Hourly {
    let mut all = Hourly::default();
    let mut pools: BTreeMap<String, (Price, u64)> = BTreeMap::new();
    for one in super::reading::resources(Some(table), &table.name, found) {
        match one.price {
            Some(price) if price.rule.pool.is_some() => pools.entry(price.row.clone()).or_insert((price, 0)).1 += 1,
            Some(price) => all.amount += price.per_hour(one.quantity),
            None => all.unpriced.push(one.address),
        }
    }
    for (price, n) in pools.values() {
        let more = price.rule.pool.map(|pool| pool.more.times(n.saturating_sub(u64::from(pool.first))));
        all.amount += (price.amount + more.unwrap_or_default()).share(1, u128::from(price.hours()));
    }
    all
}

/// Hosts of a provider that names no price table.
pub fn unpriced(provider: &str, hosts: &[(String, String)], region: &str) -> Vec<Resource> {
    let why = format!("`clowd/provision/{provider}/provider.yaml` names no price table");
    hosts
        .iter()
        .map(|(name, size)| Resource { why: Some(why.clone()), ..Resource::bare(name, "host", size, region) })
        .collect()
}

/// What a load balancer of the provider's own is billed as.
pub fn balancer(table: &PriceTable, name: &str, region: &str) -> Vec<Resource> {
    let all: Vec<Resource> = made_of(table, &table.balancer, name, "", region).collect();
    if !all.is_empty() {
        return all;
    }
    let why = format!("{} does not say what a load balancer is made of (`balancer:`)", table.file);
    vec![Resource { why: Some(why), ..Resource::bare(name, "balancer", "", region) }]
}

fn made_of<'a>(
    table: &'a PriceTable,
    parts: &'a [Estimated],
    name: &'a str,
    size: &'a str,
    region: &'a str,
) -> impl Iterator<Item = Resource> + 'a {
    parts.iter().map(move |part| {
        let size = part.size.as_deref().unwrap_or(size);
        let mut resource = Resource { quantity: part.quantity, ..Resource::bare(name, &part.kind, size, region) };
        match super::reading::priced(table, &part.kind, size, region, part.quantity) {
            Ok(price) => resource.price = Some(price),
            Err(why) => resource.why = Some(why),
        }
        resource
    })
}
