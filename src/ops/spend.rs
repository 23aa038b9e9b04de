//! `otto spend`: what everything has cost and will cost this month, computed from the ledger alone; what is destroyed
//! stays in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::bill;
use super::choose;
use super::failure::{Failure, Kind, Result};
use super::world::{Opened, World, unusable};
use crate::model::ledger::STATE;
use crate::model::spend::{SCHEMA, SpendDay, SpendPrice, SpendReport, SpendRow, SpendSums};
use crate::model::{LedgerRow, Money, Project, Subject, Timestamp};
use crate::project::{Selection, quantity};
use crate::services::spend::{Account, Line, Sums, formula};

/// Days in the bars when nothing else is asked for.
const DAYS: i64 = 30;
/// Prices read longer ago are warned of.
const OLD_DAYS: i64 = 90;

/// By what amounts are added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// By deployment and image.
    #[default]
    Deployment,
    /// By site.
    Site,
    /// By provider.
    Provider,
    /// By day.
    Day,
    /// Each row on its own.
    Resource,
}

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Whose; all, destroyed ones included, where nothing is selected.
    pub selection: Selection,
    /// How it is added up.
    pub by: By,
    /// From when on, as typed.
    pub since: Option<String>,
    /// Only rows with this address, or of this host.
    pub explain: Option<String>,
    /// Whether every row is wanted, or only what they add up to.
    pub rows: bool,
}

/// The report.
///
/// # Errors
/// Wrong project files, an unusable store, a time that is none, an address that nothing had.
pub fn spend(world: &World, query: &Query) -> Result<SpendReport> {
    let opened = world.open()?;
    let store = world.store_to_read(&opened)?;
    let now = world.clock.now();
    let since = query.since.as_deref().map(|text| moment(text, now)).transpose()?;
    let mut rows = store.ledger(None).map_err(unusable)?;
    if query.selection != Selection::default() {
        let records = store.deployments().map_err(unusable)?;
        let meant = choose::existing(&opened.project, &query.selection, &records)?;
        rows.retain(|row| row.owner.deployment().is_some_and(|id| meant.contains(id)));
    }
    if let Some(address) = &query.explain {
        rows.retain(|row| is_named(row, address));
        if rows.is_empty() {
            let failure = Failure::new(Kind::Usage, format!("nothing in the ledger is called `{address}`"));
            return Err(failure.hint("otto spend --by resource"));
        }
    }
    Ok(report_of(&opened, &rows, query, since, now))
}

fn report_of(
    opened: &Opened,
    rows: &[LedgerRow],
    query: &Query,
    since: Option<Timestamp>,
    now: Timestamp,
) -> SpendReport {
    let account = Account::of(rows);
    let bill = account.bill(since, now);
    let first = rows.iter().map(|row| row.from).min().unwrap_or(now);
    let currency = main_currency(&bill.totals);
    let total = bill.totals.get(currency.as_str()).copied().unwrap_or_default();
    let others = bill.totals.iter().filter(|(name, _)| **name != currency);
    let mut report = SpendReport {
        schema: SCHEMA.to_owned(),
        currency: currency.clone(),
        since: since.unwrap_or(first),
        until: now,
        accrued: total.accrued,
        month: total.month,
        per_hour: total.per_hour,
        forecast: total.forecast,
        others: others.map(|(name, sums)| sums_of(name, name, *sums)).collect(),
        groups: Vec::new(),
        rows: if query.rows { bill.lines.iter().map(row_of).collect() } else { Vec::new() },
        unpriced: bill::unpriced(&opened.project, &bill.unpriced),
        days: Vec::new(),
        actual: Vec::new(),
        warnings: old_prices(&bill.lines, now),
    };
    let begin = since.unwrap_or_else(|| Timestamp(first.0.max(now.0 - DAYS * 86_400_000))).day_start();
    if !rows.is_empty() {
        report.days = days(&account, &currency, begin, now);
    }
    report.groups = match query.by {
        By::Resource => Vec::new(),
        By::Day => {
            let day = |day: &SpendDay| {
                let sums = Sums { accrued: day.cost, ..Sums::default() };
                sums_of(&day.day, &currency, sums)
            };
            report.days.iter().map(day).collect()
        }
        by => groups(&bill.lines, by),
    };
    report
}

/// The one with the most in it; `USD` where there is none.
fn main_currency(totals: &BTreeMap<&str, Sums>) -> String {
    let most = totals.iter().max_by_key(|(name, sums)| (sums.accrued, sums.forecast, std::cmp::Reverse(**name)));
    most.map_or_else(|| "USD".to_owned(), |(name, _)| (*name).to_owned())
}

fn sums_of(name: &str, currency: &str, sums: Sums) -> SpendSums {
    SpendSums {
        name: name.to_owned(),
        currency: currency.to_owned(),
        accrued: sums.accrued,
        month: sums.month,
        per_hour: sums.per_hour,
        forecast: sums.forecast,
    }
}

fn groups(lines: &[Line<'_>], by: By) -> Vec<SpendSums> {
    // Rows share their owners and prices: a hundred thousand lines are a few sums before any of them needs a name.
    let mut shared: HashMap<_, (&Line<'_>, Sums)> = HashMap::new();
    for line in lines {
        let key = (Arc::as_ptr(&line.row.owner), std::ptr::from_ref(line.price));
        shared.entry(key).or_insert((line, Sums::default())).1 += line.sums;
    }
    let mut all: BTreeMap<(String, &str), Sums> = BTreeMap::new();
    for (line, sums) in shared.into_values() {
        let currency = line.price.currency.as_str();
        let name = match (by, &*line.row.owner) {
            (By::Site, Subject::Deployment(id)) => id.site.to_string(),
            (By::Site, Subject::Image { .. }) => "(images)".to_owned(),
            (By::Provider, owner) => owner.provider().to_string(),
            (_, owner) => owner.to_string(),
        };
        *all.entry((name, currency)).or_default() += sums;
    }
    all.iter().map(|((name, currency), sums)| sums_of(name, currency, *sums)).collect()
}

fn row_of(line: &Line<'_>) -> SpendRow {
    let (row, price) = (line.row, line.price);
    SpendRow {
        deployment: row.owner.to_string(),
        address: row.address.clone(),
        provider_id: row.provider_id.clone(),
        kind: row.kind.to_string(),
        size: row.size.to_string(),
        region: row.region.to_string(),
        quantity: row.quantity,
        from: row.from,
        to: row.to,
        basis: row.note().basis,
        price: SpendPrice {
            amount: price.amount,
            unit: price.unit.word().to_owned(),
            currency: price.currency.clone(),
            rule: price.rule.name.clone(),
            row: price.row.clone(),
            source: price.source.clone(),
            as_of: price.as_of.clone(),
        },
        formula: formula::formula(price, row.quantity),
        accrued: line.sums.accrued,
        month: line.sums.month,
    }
}

fn days(account: &Account<'_>, currency: &str, begin: Timestamp, now: Timestamp) -> Vec<SpendDay> {
    let mut edges = Vec::new();
    let mut at = begin;
    while at < now {
        edges.push(at);
        at = Timestamp(at.0 + 86_400_000);
    }
    let names: Vec<String> = edges.iter().map(|edge| edge.to_string()[..10].to_owned()).collect();
    edges.push(now);
    let costs: Vec<Money> = account.series(currency, &edges);
    names.into_iter().zip(costs).map(|(day, cost)| SpendDay { day, cost }).collect()
}

/// Prices of what exists that were read long ago, one warning a table.
fn old_prices(lines: &[Line<'_>], now: Timestamp) -> Vec<String> {
    let mut old: BTreeMap<&str, (BTreeSet<&str>, &str)> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.row.to.is_none()) {
        // What a state says itself grows no older than the state.
        if line.price.table != STATE && bill::is_old(&line.price.as_of, now, OLD_DAYS) {
            let (rows, oldest) = old.entry(&line.price.table).or_insert((BTreeSet::new(), &line.price.as_of));
            rows.insert(&line.price.row);
            *oldest = (*oldest).min(&line.price.as_of);
        }
    }
    old.iter()
        .map(|(table, (rows, oldest))| {
            let n = crate::model::name::counted(rows.len() as u64, "price");
            let are = if rows.len() == 1 { "is" } else { "are" };
            format!("{n} of clowd/prices/{table}.yaml in use {are} older than {OLD_DAYS} days (since {oldest}): `otto prices update {table}`")
        })
        .collect()
}

/// The whole address, the part of it in brackets, or a host's name.
fn is_named(row: &LedgerRow, word: &str) -> bool {
    let whole = row.address.split('/').next().unwrap_or_default();
    row.address == word
        || whole == word
        || whole.contains(&format!("[\"{word}\"]"))
        || row.provider_id.as_deref() == Some(word)
}

/// `2026-11-01`, a whole RFC 3339 time, `month`, or a span back from now such as `7d`.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp> {
    if text == "month" {
        return Ok(now.month_start());
    }
    if let Some(seconds) = quantity::seconds(text) {
        return Ok(now.plus_seconds(-i64::try_from(seconds).unwrap_or(i64::MAX / 2000)));
    }
    let day = format!("{text}T00:00:00Z");
    text.parse().or_else(|_| day.parse()).map_err(|_| {
        let failure = Failure::new(Kind::Usage, format!("`{text}` is no time"));
        failure.hint("otto spend --since 2026-11-01").hint("otto spend --since 7d").hint("otto spend --since month")
    })
}

/// Whether a provider's things cost nothing by its own word.
pub(super) fn is_free(project: &Project, owner: &Subject) -> bool {
    project.provider_specs.get(owner.provider()).is_some_and(crate::model::Provider::is_free)
}
