//! What hosts will cost before there is a state: their number and sizes through the price table.

use std::collections::BTreeMap;

use crate::model::prices::Estimated;
use crate::model::{PriceTable, Resource};

/// What hosts are billed as: `hosts` are names with the provider's words for their sizes.
pub fn estimate(table: &PriceTable, hosts: &[(String, String)], region: &str) -> Vec<Resource> {
    let host = hosts.iter().flat_map(|(name, size)| made_of(table, &table.host, name, size, region));
    let mut all: Vec<Resource> = host.collect();
    if table.host.is_empty() {
        all.extend(hosts.iter().map(|(name, size)| Resource {
            why: Some(format!("{} does not say what a host is made of (`host:`)", table.file)),
            ..empty(name, "host", size, region)
        }));
    }
    all
}

/// Hosts of a provider that names no price table.
pub fn unpriced(provider: &str, hosts: &[(String, String)], region: &str) -> Vec<Resource> {
    let why = format!("`clowd/provision/{provider}/provider.yaml` names no price table");
    hosts.iter().map(|(name, size)| Resource { why: Some(why.clone()), ..empty(name, "host", size, region) }).collect()
}

/// What a load balancer of the provider's own is billed as.
pub fn balancer(table: &PriceTable, name: &str, region: &str) -> Vec<Resource> {
    let all: Vec<Resource> = made_of(table, &table.balancer, name, "", region).collect();
    if !all.is_empty() {
        return all;
    }
    let why = format!("{} does not say what a load balancer is made of (`balancer:`)", table.file);
    vec![Resource { why: Some(why), ..empty(name, "balancer", "", region) }]
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
        let mut resource = Resource { quantity: part.quantity, ..empty(name, &part.kind, size, region) };
        match super::reading::priced(table, &part.kind, size, region, part.quantity) {
            Ok(price) => resource.price = Some(price),
            Err(why) => resource.why = Some(why),
        }
        resource
    })
}

fn empty(name: &str, kind: &str, size: &str, region: &str) -> Resource {
    Resource {
        address: name.to_owned(),
        provider_id: None,
        kind: kind.to_owned(),
        size: size.to_owned(),
        region: region.to_owned(),
        created_at: None,
        quantity: None,
        price: None,
        why: None,
        facts: BTreeMap::new(),
    }
}
