//! Out of a state: what of it bills, at which price, by the words of a price table.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::model::ledger::{PriceUnit, STATE, StateResource};
use crate::model::prices::{KindReading, PartReading, never_billed};
use crate::model::{Money, Price, PriceTable, Quantity, Resource, Timestamp};

/// What of a state bills. Without a table everything of a vendor's is listed as unpriced; what is free is left out.
pub fn resources(table: Option<&PriceTable>, provider: &str, found: &[StateResource]) -> Vec<Resource> {
    let mut all = Vec::with_capacity(found.len());
    for one in found {
        match table {
            Some(table) if table.is_free(&one.kind) => {}
            Some(table) => read(table, one, &mut all),
            None if never_billed(&one.kind) => {}
            None => all.push(Resource {
                why: Some(format!("`clowd/provision/{provider}/provider.yaml` names no price table")),
                ..plain(&KindReading::default(), one)
            }),
        }
    }
    all
}

/// The attributes that a table asks for, of a type: all others need not be read. Nothing when the type is free.
pub fn wanted<'t>(table: Option<&'t PriceTable>, kind: &str) -> Option<Vec<&'t str>> {
    if never_billed(kind) || table.is_some_and(|table| table.is_free(kind)) {
        return None;
    }
    let mut keys = vec!["id", "size", "region", "created_at"];
    if let Some(reading) = table.and_then(|table| table.kinds.get(kind)) {
        let own =
            [&reading.size, &reading.region, &reading.created_at, &reading.quantity, &reading.hourly, &reading.month];
        let own = own.into_iter().flatten().map(String::as_str);
        let conditions = reading.only.iter().chain(&reading.off).map(|(path, _)| path.as_str());
        let parts = reading.parts.iter().map(|part| part.at.as_str());
        keys.extend(own.chain(conditions).chain(parts).map(|path| path.split('.').next().unwrap_or(path)));
    }
    Some(keys)
}

/// An image as the table bills it.
pub fn image(table: &PriceTable, reference: &str, region: &str, quantity: Option<Quantity>, at: Timestamp) -> Resource {
    let mut resource = Resource {
        address: reference.to_owned(),
        provider_id: Some(reference.to_owned()),
        kind: "image".to_owned(),
        size: String::new(),
        region: region.to_owned(),
        created_at: Some(at),
        quantity,
        price: None,
        why: None,
        facts: BTreeMap::new(),
    };
    match &table.image {
        Some(image) => {
            resource.quantity = quantity.or(image.quantity);
            look_up(table, &image.kind, &mut resource);
        }
        None => resource.why = Some(format!("{} says nothing of images", table.file)),
    }
    resource
}

/// What has this kind, size and region costs: for what is found without a state.
pub fn priced(
    table: &PriceTable,
    kind: &str,
    size: &str,
    region: &str,
    quantity: Option<Quantity>,
) -> Result<Price, String> {
    let mut resource = Resource { quantity, ..Resource::bare("", kind, size, region) };
    look_up(table, kind, &mut resource);
    resource.price.ok_or_else(|| resource.why.unwrap_or_default())
}

fn read(table: &PriceTable, one: &StateResource, into: &mut Vec<Resource>) {
    let default = KindReading::default();
    let reading = table.kinds.get(&one.kind).unwrap_or(&default);
    let mut resource = plain(reading, one);
    parts(table, reading, one, &resource, into);
    if !reading.only.is_empty() && !holds(&reading.only, &one.attributes) {
        return;
    }
    match own_price(table, reading, one) {
        Some(price) => resource.price = Some(price),
        None => look_up(table, &one.kind, &mut resource),
    }
    if holds(&reading.off, &one.attributes) {
        // Switched off, and the vendor bills only what runs.
        if resource.price.as_ref().is_some_and(|price| !price.rule.stopped_bills) {
            return;
        }
        resource.facts.insert("off".to_owned(), "true".to_owned());
    }
    // What only consists of parts has no price of its own.
    if resource.price.is_none() && !reading.parts.is_empty() && !table.rows.iter().any(|row| row.kind == one.kind) {
        return;
    }
    into.push(resource);
}

/// A resource without its price.
fn plain(reading: &KindReading, one: &StateResource) -> Resource {
    let attributes = &one.attributes;
    let at =
        |path: &Option<String>, other: &str| first(attributes, path.as_deref().unwrap_or(other)).unwrap_or_default();
    let created = at(&reading.created_at, "created_at");
    let quantity = reading.quantity.as_deref().and_then(|path| first(attributes, path)?.parse().ok());
    Resource {
        address: one.address.clone(),
        provider_id: first(attributes, "id").filter(|id| !id.is_empty()),
        kind: one.kind.clone(),
        size: at(&reading.size, "size"),
        region: at(&reading.region, "region"),
        created_at: moment(&created),
        quantity,
        price: None,
        why: None,
        facts: BTreeMap::new(),
    }
}

/// A price that the vendor wrote into the state itself.
fn own_price(table: &PriceTable, reading: &KindReading, one: &StateResource) -> Option<Price> {
    let at = |path: &Option<String>| first(&one.attributes, path.as_deref()?)?.parse::<Money>().ok();
    let amount = at(&reading.hourly).filter(|amount| !amount.is_zero() && !amount.is_negative())?;
    let month = at(&reading.month).filter(|month| !month.is_zero() && !month.is_negative());
    let named: Vec<&str> = [&reading.hourly, &reading.month].into_iter().flatten().map(String::as_str).collect();
    Some(Price {
        amount,
        unit: PriceUnit::Hour,
        month,
        currency: table.currency.clone(),
        rule: reading.rule.clone().unwrap_or_default(),
        table: STATE.to_owned(),
        row: named.join(" and "),
        source: "the provider's own attributes".to_owned(),
        as_of: String::new(),
    })
}

fn look_up(table: &PriceTable, kind: &str, resource: &mut Resource) {
    let known = [("size", resource.size.as_str()), ("region", resource.region.as_str())];
    let Some(row) = table.find(kind, &known) else {
        let what = [resource.size.as_str(), resource.region.as_str()];
        let what: Vec<&str> = what.into_iter().filter(|text| !text.is_empty()).collect();
        let what = if what.is_empty() { String::new() } else { format!(" ({})", what.join(", ")) };
        resource.why = Some(format!("no row of {} is for {kind}{what}", table.file));
        return;
    };
    if row.price.unit == PriceUnit::GbMonth && resource.quantity.is_none() {
        resource.why = Some(format!("its size in GB is not known, and {} prices {kind} by the GB", row.price.row));
        return;
    }
    resource.price = Some(row.price.clone());
}

fn parts(table: &PriceTable, reading: &KindReading, one: &StateResource, whole: &Resource, into: &mut Vec<Resource>) {
    for part in &reading.parts {
        let found = select(&one.attributes, &part.at);
        let found: Vec<&Value> = found.into_iter().filter(|value| is_there(value)).collect();
        for (n, value) in found.iter().enumerate() {
            let name = part.at.replace('.', "/");
            let name = if found.len() > 1 { format!("{name}[{n}]") } else { name };
            into.push(one_part(table, part, value, whole, &name));
        }
    }
}

fn one_part(table: &PriceTable, part: &PartReading, value: &Value, whole: &Resource, name: &str) -> Resource {
    let below = value.as_object();
    let at = |path: &Option<String>| below.zip(path.as_deref()).and_then(|(map, path)| first(map, path));
    let own_id = below.and_then(|map| first(map, "volume_id").or_else(|| first(map, "id"))).filter(|id| !id.is_empty());
    let mut resource = Resource {
        address: format!("{}/{name}", whole.address),
        provider_id: own_id.or_else(|| whole.provider_id.clone()),
        kind: part.kind.clone(),
        size: at(&part.size).unwrap_or_default(),
        quantity: at(&part.quantity).and_then(|text| text.parse().ok()),
        ..whole.clone()
    };
    look_up(table, &part.kind, &mut resource);
    resource
}

/// An absent block, an empty text and `null` are nothing.
fn is_there(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    }
}

/// All of these hold.
fn holds(conditions: &[(String, Vec<String>)], attributes: &Map<String, Value>) -> bool {
    !conditions.is_empty()
        && conditions.iter().all(|(path, values)| {
            let is = first(attributes, path).unwrap_or_else(|| "null".to_owned());
            values.contains(&is)
        })
}

/// The first value at a path as a text; an empty one counts.
fn first(attributes: &Map<String, Value>, path: &str) -> Option<String> {
    match select(attributes, path).into_iter().next()? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// All values at a path: a number takes one of a list, a name goes through all of it.
fn select<'v>(attributes: &'v Map<String, Value>, path: &str) -> Vec<&'v Value> {
    let mut steps = path.split('.');
    let mut found: Vec<&Value> = steps.next().and_then(|name| attributes.get(name)).into_iter().collect();
    for step in steps {
        found = match step.parse::<usize>() {
            Ok(n) => found.into_iter().filter_map(|value| value.get(n)).collect(),
            Err(_) => spread(found).into_iter().filter_map(|value| value.get(step)).collect(),
        };
    }
    spread(found)
}

/// Lists become their items.
fn spread(found: Vec<&Value>) -> Vec<&Value> {
    found
        .into_iter()
        .flat_map(|value| match value {
            Value::Array(items) => items.iter().collect(),
            other => vec![other],
        })
        .collect()
}

/// RFC 3339, in UTC or with an offset, as vendors write it.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let sign = match offset.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let minutes = offset.get(1..3)?.parse::<i64>().ok()? * 60 + offset.get(4..6)?.parse::<i64>().ok()?;
    let at: Timestamp = format!("{local}Z").parse().ok()?;
    Some(at.plus_seconds(-sign * minutes * 60))
}
