//! From rows of the ledger to a bill: what each has cost, what all cost an hour, what the month will have cost.

use std::collections::{BTreeMap, HashMap};

use super::meter::{Meter, Span, Tally};
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

/// Rows of the ledger by what they are of: what belongs to one thing at one price is billed as one.
#[derive(Debug)]
pub struct Account<'a> {
    rows: &'a [LedgerRow],
    things: Vec<Group<'a>>,
    /// What is billed together, one pool a table and price.
    pools: Vec<Group<'a>>,
}

/// What stands between rows of one thing.
type Key<'a> = (&'a Subject, &'a str, Option<&'a str>, Option<Quantity>);

/// Rows at one price, in the order of the ledger, by their place in it.
#[derive(Debug)]
struct Group<'a> {
    price: &'a Price,
    first: usize,
    more: Vec<usize>,
    /// The same thing at another price.
    other: Option<usize>,
}

impl Group<'_> {
    fn rows(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.first).chain(self.more.iter().copied())
    }
}

/// What rows have cost since a moment (from their beginning where there is none), now.
pub fn bill(rows: &[LedgerRow], since: Option<Timestamp>, now: Timestamp) -> Bill<'_> {
    Account::of(rows).bill(since, now)
}

impl<'a> Account<'a> {
    /// Sorts rows by what they are of.
    pub fn of(rows: &'a [LedgerRow]) -> Self {
        let mut newest: HashMap<Key<'_>, Option<usize>> = HashMap::with_capacity(rows.len());
        let mut things: Vec<Group<'_>> = Vec::with_capacity(rows.len());
        let mut pools: Vec<Group<'_>> = Vec::new();
        for (n, row) in rows.iter().enumerate() {
            let Some(price) = row.price.as_deref() else { continue };
            if price.rule.pool.is_some() {
                match pools.iter_mut().find(|pool| pool.price.table == price.table && is_one(pool.price, price)) {
                    Some(pool) => pool.more.push(n),
                    None => pools.push(Group { price, first: n, more: Vec::new(), other: None }),
                }
                continue;
            }
            let key = (&*row.owner, row.address.as_str(), row.provider_id.as_deref(), row.quantity);
            let known = newest.entry(key).or_default();
            let mut at = *known;
            while let Some(another) = at.filter(|at| !is_one(things[*at].price, price)) {
                at = things[another].other;
            }
            match at {
                Some(at) => things[at].more.push(n),
                None => {
                    things.push(Group { price, first: n, more: Vec::new(), other: *known });
                    *known = Some(things.len() - 1);
                }
            }
        }
        Self { rows, things, pools }
    }

    /// What they have cost since a moment (from their beginning where there is none), now.
    pub fn bill(&self, since: Option<Timestamp>, now: Timestamp) -> Bill<'a> {
        let rows = self.rows;
        let since = since.unwrap_or(Timestamp(i64::MIN));
        let mut sums: Vec<Option<Sums>> = vec![None; rows.len()];
        let moments = [since, now.month_start(), now, now.next_month()];
        for group in &self.things {
            let open = group.rows().any(|n| rows[n].to.is_none());
            let per_hour = if open { group.price.per_hour(rows[group.first].quantity) } else { Money::ZERO };
            costs(rows, group, moments, |n, costs| sums[n] = Some(of(&rows[n], per_hour, costs)));
        }
        for group in &self.pools {
            let spans: Vec<Span> = group.rows().map(|n| span(&rows[n], moments[3])).collect();
            let at = moments.map(|at| pool::shares(group.price, &spans, at));
            let open = group.rows().filter(|n| rows[*n].to.is_none()).count();
            for (k, n) in group.rows().enumerate() {
                sums[n] = Some(of(&rows[n], pool::per_hour(group.price, open), [0, 1, 2, 3].map(|m| at[m][k])));
            }
        }
        let mut bill = Bill { lines: Vec::with_capacity(rows.len()), ..Bill::default() };
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
    pub fn series(&self, currency: &str, edges: &[Timestamp]) -> Vec<Money> {
        let rows = self.rows;
        let mut all = vec![Money::ZERO; edges.len().saturating_sub(1)];
        let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return all };
        let mut add =
            |at: &[Money]| all.iter_mut().zip(at.windows(2)).for_each(|(sum, pair)| *sum += pair[1] - pair[0]);
        let living = |n: usize| rows[n].from < *last && rows[n].to.is_none_or(|to| to > *first);
        let in_currency = |group: &&Group<'_>| group.price.currency == currency;
        let mut at = Vec::with_capacity(edges.len());
        for group in self.things.iter().filter(in_currency).filter(|group| group.rows().any(living)) {
            let spans: Vec<Span> = group.rows().map(|n| span(&rows[n], *last)).collect();
            let whole = whole(&spans);
            let meter = Meter::new(group.price, rows[group.first].quantity, spans);
            at.clear();
            settled(edges, whole, |edge| meter.until(edge), |_, cost| at.push(cost));
            add(&at);
        }
        for group in self.pools.iter().filter(in_currency) {
            let spans: Vec<Span> = group.rows().map(|n| span(&rows[n], *last)).collect();
            let whole = |at: &Timestamp| pool::shares(group.price, &spans, *at).into_iter().sum::<Money>();
            add(&edges.iter().map(whole).collect::<Vec<_>>());
        }
        all
    }
}

/// The same money: rows that were read together share their price.
fn is_one(price: &Price, other: &Price) -> bool {
    std::ptr::eq(price, other) || price.is_like(other)
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

/// From the beginning of the first to the end of the last.
fn whole(spans: &[Span]) -> Span {
    let (from, to) = (spans.iter().map(|span| span.from).min(), spans.iter().map(|span| span.to).max());
    Span { from: from.unwrap_or(Timestamp(0)), to: to.unwrap_or(Timestamp(0)) }
}

/// Tells what something costs up to each moment. Most was closed long ago: it costs the same at all later moments.
fn settled(moments: &[Timestamp], span: Span, cost: impl Fn(Timestamp) -> Money, mut tell: impl FnMut(usize, Money)) {
    let mut known = None;
    for (n, at) in moments.iter().map(|at| (*at).clamp(span.from, span.to.max(span.from))).enumerate() {
        let cost = match known {
            Some((before, cost)) if before == at => cost,
            _ => cost(at),
        };
        known = Some((at, cost));
        tell(n, cost);
    }
}

/// Tells what each row of a group had cost up to some moments. The first row carries minimum and cap, later ones what they add.
fn costs(rows: &[LedgerRow], group: &Group<'_>, moments: [Timestamp; 4], mut tell: impl FnMut(usize, [Money; 4])) {
    let quantity = rows[group.first].quantity;
    if group.more.is_empty() {
        let span = span(&rows[group.first], moments[3]);
        let cost = |at| {
            let mut tally = Tally::new(group.price, quantity, at);
            tally.add(span);
            tally.cost()
        };
        let mut costs = [Money::ZERO; 4];
        settled(&moments, span, cost, |m, cost| costs[m] = cost);
        return tell(group.first, costs);
    }
    let mut spans: Vec<(Span, usize)> = group.rows().map(|n| (span(&rows[n], moments[3]), n)).collect();
    spans.sort_unstable();
    let mut tallies = moments.map(|at| Tally::new(group.price, quantity, at));
    let mut before = [Money::ZERO; 4];
    for (span, n) in spans {
        tallies.iter_mut().for_each(|tally| tally.add(span));
        let with = [0, 1, 2, 3].map(|m| tallies[m].cost());
        tell(n, [0, 1, 2, 3].map(|m| with[m] - before[m]));
        before = with;
    }
}
