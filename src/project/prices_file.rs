//! `clowd/prices/<table>.yaml`: what a vendor charges, each row with its source and the day it was read.

use std::collections::BTreeMap;

use crate::model::ledger::{Pool, PriceUnit, Rule};
use crate::model::prices::{Estimated, KindReading, PartReading, PriceRow, PriceTable};
use crate::model::{Money, Price, Quantity};

use super::node::{Kind, Node};
use super::read::{Field, Fields, Reading};

const KEYS: &[&str] = &["currency", "rules", "read", "free", "host", "balancer", "image", "prices"];
const RULE_KEYS: &[&str] = &["step", "minimum_s", "minimum", "month_h", "cap_h", "stopped", "first", "more"];
const READ_KEYS: &[&str] =
    &["size", "region", "created_at", "quantity", "hourly", "month", "rule", "only", "off", "parts"];
const PART_KEYS: &[&str] = &["at", "type", "size", "quantity"];
const ESTIMATE_KEYS: &[&str] = &["type", "size", "quantity"];
const ROW_KEYS: &[&str] = &["type", "match", "amount", "unit", "month", "rule", "currency", "source", "as_of"];
const MATCH_KEYS: &[&str] = &["size", "region"];
const UNITS: &[(&str, PriceUnit)] =
    &[("hour", PriceUnit::Hour), ("month", PriceUnit::Month), ("gb_month", PriceUnit::GbMonth)];

/// Reads the document; a row in which something is wrong is left out, and is a problem.
pub(super) fn read(reading: &mut Reading, node: &Node, name: &str) -> Option<PriceTable> {
    let fields = super::load::document(reading, node)?;
    reading.only(&fields, KEYS);
    let mut table = PriceTable { name: name.to_owned(), file: reading.file.clone(), ..PriceTable::default() };
    if let Some(field) = reading.required(&fields, "currency", "currency: USD") {
        table.currency = currency(reading, &field).unwrap_or_default();
    }
    let rules = fields.get("rules").map(|field| rules(reading, &field)).unwrap_or_default();
    if let Some(field) = fields.get("read") {
        table.kinds = kinds(reading, &field, &rules);
    }
    if let Some(field) = fields.get("free") {
        for item in reading.list(&field, "a list of types such as `[digitalocean_ssh_key]`").unwrap_or_default() {
            table.free.extend(reading.text(&item, "a resource's type, with `*` for anything"));
        }
    }
    for (key, into) in [("host", &mut table.host), ("balancer", &mut table.balancer)] {
        let Some(field) = fields.get(key) else { continue };
        for item in reading.list(&field, "a list such as `[{type: aws_instance}]`").unwrap_or_default() {
            into.extend(estimated(reading, &item));
        }
    }
    table.image = fields.get("image").and_then(|field| estimated(reading, &field));
    if let Some(field) = reading.required(&fields, "prices", "prices: [{type: …, amount: 0.01, unit: hour, …}]") {
        for item in reading.list(&field, "a list of prices").unwrap_or_default() {
            table.rows.extend(row(reading, &item, &table, &rules));
        }
    }
    Some(table)
}

fn currency(reading: &mut Reading, field: &Field<'_>) -> Option<String> {
    let fits = |text: &str| (text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase())).then(|| text.to_owned());
    reading.parsed(field, "a currency such as `USD`", fits)
}

fn money(reading: &mut Reading, field: &Field<'_>) -> Option<Money> {
    let fits = |text: &str| text.parse::<Money>().ok().filter(|amount| !amount.is_negative());
    reading.parsed(field, "an amount such as `0.00893`, nine decimal places at most", fits)
}

fn rules(reading: &mut Reading, field: &Field<'_>) -> BTreeMap<String, Rule> {
    let mut all = BTreeMap::new();
    let Some(fields) = reading.map(field, "a map such as `{droplet: {minimum: 0.01}}`") else { return all };
    for entry in fields.all() {
        let Some(fields) = reading.map(&entry, "a map such as `{minimum: 0.01, cap_h: 672}`") else { continue };
        reading.only(&fields, RULE_KEYS);
        let mut rule = Rule { name: entry.key.to_owned(), ..Rule::default() };
        if let Some(step) = fields.get("step") {
            rule.step_s = reading.one_of(&step, &[("second", 1), ("minute", 60), ("hour", 3600)]).unwrap_or(1);
        }
        for (key, most, into) in [
            ("minimum_s", 2_678_400, &mut rule.minimum_s),
            ("month_h", 744, &mut rule.month_h),
            ("cap_h", 744, &mut rule.cap_h),
        ] {
            if let Some(field) = fields.get(key) {
                *into = reading.whole(&field, 1, most).unwrap_or(*into);
            }
        }
        if let Some(field) = fields.get("minimum") {
            rule.minimum = money(reading, &field).unwrap_or_default();
        }
        if let Some(field) = fields.get("stopped") {
            rule.stopped_bills = reading.one_of(&field, &[("bills", true), ("free", false)]).unwrap_or(true);
        }
        if let Some(first) = fields.get("first") {
            let more = reading.required(&fields, "more", "more: 0.01").and_then(|field| money(reading, &field));
            let first = reading.whole(&first, 1, 10_000);
            rule.pool = first.zip(more).map(|(first, more)| Pool { first, more });
        }
        all.insert(entry.key.to_owned(), rule);
    }
    all
}

fn rule(reading: &mut Reading, fields: &Fields<'_>, rules: &BTreeMap<String, Rule>) -> Option<Rule> {
    let field = fields.get("rule")?;
    let known: Vec<&str> = rules.keys().map(String::as_str).collect();
    let expected = format!("one of this file's `rules`: {}", known.join(", "));
    reading.parsed(&field, &expected, |text| rules.get(text).cloned())
}

fn kinds(reading: &mut Reading, field: &Field<'_>, rules: &BTreeMap<String, Rule>) -> BTreeMap<String, KindReading> {
    let mut all = BTreeMap::new();
    let Some(fields) = reading.map(field, "a map by resource type") else { return all };
    for entry in fields.all() {
        let Some(fields) = reading.map(&entry, "a map such as `{size: size, region: region}`") else { continue };
        reading.only(&fields, READ_KEYS);
        let mut kind = KindReading { rule: rule(reading, &fields, rules), ..KindReading::default() };
        for (key, into) in [
            ("size", &mut kind.size),
            ("region", &mut kind.region),
            ("created_at", &mut kind.created_at),
            ("quantity", &mut kind.quantity),
            ("hourly", &mut kind.hourly),
            ("month", &mut kind.month),
        ] {
            *into = fields.get(key).and_then(|field| path(reading, &field));
        }
        for (key, into) in [("only", &mut kind.only), ("off", &mut kind.off)] {
            if let Some(field) = fields.get(key) {
                *into = conditions(reading, &field);
            }
        }
        if let Some(field) = fields.get("parts") {
            for item in
                reading.list(&field, "a list such as `[{at: public_ip, type: aws_public_ipv4}]`").unwrap_or_default()
            {
                kind.parts.extend(part(reading, &item));
            }
        }
        all.insert(entry.key.to_owned(), kind);
    }
    all
}

fn path(reading: &mut Reading, field: &Field<'_>) -> Option<String> {
    reading.text(field, "an attribute such as `size`, or a path such as `boot_disk.0.type`")
}

fn conditions(reading: &mut Reading, field: &Field<'_>) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    let Some(fields) = reading.map(field, "a map such as `{status: [off]}`") else { return all };
    for entry in fields.all() {
        let words = match &entry.node.kind {
            Kind::List(items) => items.iter().filter_map(Node::scalar).map(|value| plain(&value)).collect(),
            _ => entry.node.scalar().iter().map(plain).collect(),
        };
        all.push((entry.key.to_owned(), words));
    }
    all
}

/// A scalar as it is compared: `null`, `true`, `off`, `4`.
fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn part(reading: &mut Reading, field: &Field<'_>) -> Option<PartReading> {
    let fields = reading.map(field, "a map such as `{at: public_ip, type: aws_public_ipv4}`")?;
    reading.only(&fields, PART_KEYS);
    let at = reading.required(&fields, "at", "at: public_ip").and_then(|field| path(reading, &field));
    let kind = reading.required(&fields, "type", "type: aws_public_ipv4").and_then(|f| reading.text(&f, "a type"));
    let size = fields.get("size").and_then(|field| path(reading, &field));
    let quantity = fields.get("quantity").and_then(|field| path(reading, &field));
    Some(PartReading { at: at?, kind: kind?, size, quantity })
}

fn estimated(reading: &mut Reading, field: &Field<'_>) -> Option<Estimated> {
    let fields = reading.map(field, "a map such as `{type: aws_ebs_volume, size: gp3, quantity: 8}`")?;
    reading.only(&fields, ESTIMATE_KEYS);
    let kind = reading.required(&fields, "type", "type: aws_instance").and_then(|f| reading.text(&f, "a type"));
    let size = fields.get("size").and_then(|field| reading.text(&field, "a size"));
    let fits = |text: &str| text.parse::<Quantity>().ok();
    let quantity = fields.get("quantity").and_then(|field| reading.parsed(&field, "GB such as `8`", fits));
    Some(Estimated { kind: kind?, size, quantity })
}

fn row(
    reading: &mut Reading,
    field: &Field<'_>,
    table: &PriceTable,
    rules: &BTreeMap<String, Rule>,
) -> Option<PriceRow> {
    let fields = reading.map(field, "a map such as `{type: …, amount: 0.01, unit: hour, …}`")?;
    reading.only(&fields, ROW_KEYS);
    let kind = reading.required(&fields, "type", "type: aws_instance").and_then(|f| reading.text(&f, "a type"));
    let amount = reading.required(&fields, "amount", "amount: 0.01").and_then(|f| money(reading, &f));
    let unit = reading.required(&fields, "unit", "unit: hour").and_then(|f| reading.one_of(&f, UNITS));
    let source = reading
        .required(&fields, "source", "source: the vendor's price list")
        .and_then(|f| reading.text(&f, "where it is from"));
    let day = |text: &str| is_day(text).then(|| text.to_owned());
    let as_of = reading
        .required(&fields, "as_of", "as_of: 2026-07-20")
        .and_then(|f| reading.parsed(&f, "a day such as `2026-07-20`", day));
    let month = fields.get("month").and_then(|field| money(reading, &field));
    let own = fields.get("currency").and_then(|field| currency(reading, &field));
    let wants_rule = fields.get("rule").is_some();
    let rule = rule(reading, &fields, rules);
    let mut matches = BTreeMap::new();
    if let Some(field) = fields.get("match") {
        matches = reading.texts(&field, "a map such as `{size: t3.micro, region: us-east-1*}`");
        let inner = reading.map(&field, "a map")?;
        reading.only(&inner, MATCH_KEYS);
    }
    if wants_rule && rule.is_none() {
        return None;
    }
    let line = field.at.line;
    let price = Price {
        amount: amount?,
        unit: unit?,
        month,
        currency: own.unwrap_or_else(|| table.currency.clone()),
        rule: rule.unwrap_or_default(),
        table: table.name.clone(),
        row: format!("{}:{line}", table.file),
        source: source?,
        as_of: as_of?,
    };
    Some(PriceRow { kind: kind?, matches, price, line })
}

/// `2026-07-20`, a day that there is.
fn is_day(text: &str) -> bool {
    let at = format!("{text}T00:00:00Z").parse::<crate::model::Timestamp>();
    text.len() == 10 && at.is_ok_and(|at| at.to_string().starts_with(text))
}
