//! From rows of the ledger to a bill: what each has cost, what all cost an hour, what the month will have cost.

use std::collections::{BTreeMap, HashMap};

use super::meter::{Meter, Span};
use super::pool;
use crate::model::{LedgerRow, Money, Price, Quantity, Subject, Timestamp};

/// Amounts of one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// In the time that was asked for.
    pub accrued: Money,
    /// This calendar month, up to now.
    pub month: Money,
    /// An hour, of what exists now; minimum and cap not counted.
    pub per_hour: Money,
    /// This calendar month to its end, if nothing changes.
    pub forecast: Money,
}

/// One row with its amounts.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// The row.
    pub row: &'a LedgerRow,
    /// Its price.
    pub price: &'a Price,
    /// What it comes to.
    pub sums: Sums,
}

/// All rows that have a price, in the order of the ledger.
#[derive(Clone, Debug, Default)]
pub struct Bill<'a> {
    /// Each row.
    pub lines: Vec<Line<'a>>,
    /// Totals by currency: amounts of two are never added.
    pub totals: BTreeMap<&'a str, Sums>,
    /// Rows without a price that existed in the time that was asked for.
    pub unpriced: Vec<&'a LedgerRow>,
}

impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.accrued += other.accrued;
        self.month += other.month;
        self.per_hour += other.per_hour;
        self.forecast += other.forecast;
    }
}

/// What stands between rows of one thing at one price.
type Key<'a> = (&'a Subject, &'a str, Option<&'a str>, Option<Quantity>);

/// Rows of one thing at one price, in the order of the ledger.
struct Group<'a> {
    price: &'a Price,
    rows: Vec<usize>,
}

/// What rows have cost since a moment (from their beginning where there is none), now.
pub fn bill<'a>(rows: &'a [LedgerRow], since: Option<Timestamp>, now: Timestamp) -> Bill<'a> {
    let since = since.unwrap_or(Timestamp(i64::MIN));
    let mut sums: Vec<Option<Sums>> = vec![None; rows.len()];
    let moments = [since, now.month_start(), now, now.next_month()];
    let (groups, pools) = grouped(rows);
    for group in &groups {
        for (n, [since, month, now_, end]) in costs(rows, group, moments) {
            sums[n] = Some(of(&rows[n], group.price.per_hour(rows[n].quantity), [since, month, now_, end]));
        }
    }
    for group in &pools {
        let spans: Vec<Span> = group.rows.iter().map(|n| span(&rows[*n], moments[3])).collect();
        let at = moments.map(|at| pool::shares(group.price, &spans, at));
        let open = group.rows.iter().filter(|n| rows[**n].to.is_none()).count();
        for (k, n) in group.rows.iter().enumerate() {
            sums[*n] = Some(of(&rows[*n], pool::per_hour(group.price, open), [0, 1, 2, 3].map(|m| at[m][k])));
        }
    }
    let mut bill = Bill::default();
    for (row, sums) in rows.iter().zip(sums) {
        match (row.price.as_deref(), sums) {
            (Some(price), Some(sums)) => {
                *bill.totals.entry(price.currency.as_str()).or_default() += sums;
                if row.to.is_none_or(|to| to > since) {
                    bill.lines.push(Line { row, price, sums });
                }
            }
            _ if row.to.is_none_or(|to| to > since) => bill.unpriced.push(row),
            _ => {}
        }
    }
    bill
}

/// What all rows of a currency cost between each two of some moments, in order.
pub fn series(rows: &[LedgerRow], currency: &str, edges: &[Timestamp]) -> Vec<Money> {
    let mut all = vec![Money::ZERO; edges.len().saturating_sub(1)];
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return all };
    let (groups, pools) = grouped(rows);
    let mut add = |n: usize, cost: Money| {
        if let Some(slot) = all.get_mut(n) {
            *slot += cost;
        }
    };
    let living = |n: &&usize| rows[**n].from < *last && rows[**n].to.is_none_or(|to| to > *first);
    for group in groups.iter().filter(|group| group.price.currency == currency) {
        if !group.rows.iter().any(|n| living(&n)) {
            continue;
        }
        let spans = group.rows.iter().map(|n| span(&rows[*n], *last)).collect();
        let meter = Meter::new(group.price, rows[group.rows[0]].quantity, spans);
        let at: Vec<Money> = edges.iter().map(|edge| meter.until(*edge)).collect();
        at.windows(2).enumerate().for_each(|(n, pair)| add(n, pair[1] - pair[0]));
    }
    for group in pools.iter().filter(|group| group.price.currency == currency) {
        let spans: Vec<Span> = group.rows.iter().map(|n| span(&rows[*n], *last)).collect();
        let whole = |at: &Timestamp| pool::shares(group.price, &spans, *at).into_iter().sum::<Money>();
        let at: Vec<Money> = edges.iter().map(whole).collect();
        at.windows(2).enumerate().for_each(|(n, pair)| add(n, pair[1] - pair[0]));
    }
    all
}

/// From costs up to four moments to what a row comes to.
fn of(row: &LedgerRow, per_hour: Money, [since, month, now, end]: [Money; 4]) -> Sums {
    let per_hour = if row.to.is_none() { per_hour } else { Money::ZERO };
    Sums { accrued: now - since, month: now - month, per_hour, forecast: end - month }
}

/// Until when a row is counted: what exists goes on.
fn span(row: &LedgerRow, end: Timestamp) -> Span {
    Span { from: row.from, to: row.to.unwrap_or(end.max(row.from)) }
}

/// Rows of one thing at one price together; and those that are billed in pools, one pool a table and price.
fn grouped(rows: &[LedgerRow]) -> (Vec<Group<'_>>, Vec<Group<'_>>) {
    let mut of_key: HashMap<Key<'_>, Vec<usize>> = HashMap::with_capacity(rows.len());
    let mut groups: Vec<Group<'_>> = Vec::with_capacity(rows.len());
    let mut pools: Vec<Group<'_>> = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        let Some(price) = row.price.as_deref() else { continue };
        if price.rule.pool.is_some() {
            match pools.iter_mut().find(|pool| pool.price.table == price.table && pool.price.is_like(price)) {
                Some(pool) => pool.rows.push(n),
                None => pools.push(Group { price, rows: vec![n] }),
            }
            continue;
        }
        let key = (&row.owner, row.address.as_str(), row.provider_id.as_deref(), row.quantity);
        let known = of_key.entry(key).or_default();
        match known.iter().find(|g| std::ptr::eq(groups[**g].price, price) || groups[**g].price.is_like(price)) {
            Some(g) => groups[*g].rows.push(n),
            None => {
                known.push(groups.len());
                groups.push(Group { price, rows: vec![n] });
            }
        }
    }
    (groups, pools)
}

/// What each row of a group had cost up to some moments. The first row carries minimum and cap, later ones what they add.
fn costs(rows: &[LedgerRow], group: &Group<'_>, moments: [Timestamp; 4]) -> Vec<(usize, [Money; 4])> {
    let quantity = rows[group.rows[0]].quantity;
    let mut before = [Money::ZERO; 4];
    let mut spans = Vec::with_capacity(group.rows.len());
    let mut all = Vec::with_capacity(group.rows.len());
    for n in &group.rows {
        spans.push(span(&rows[*n], moments[3]));
        let meter = Meter::new(group.price, quantity, spans.clone());
        let with = moments.map(|at| meter.until(at));
        all.push((*n, [0, 1, 2, 3].map(|m| with[m] - before[m])));
        before = with;
    }
    all
}
