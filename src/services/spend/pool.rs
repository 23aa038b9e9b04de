//! Things that a vendor bills together: one minimum for the first ones, so much for each more. Each carries an equal
//! share of what all of them cost while it existed.

use std::collections::BTreeMap;

use crate::model::{Money, Price, Timestamp};

use super::meter::Span;

/// What each of `spans` has cost up to `at`, in their order.
///
/// The amounts of any stretch of time in which the number does not change are rounded on their own, so that shares never
/// fall with time; together they differ from the whole by less than a thousand-millionth for each.
pub(super) fn shares(price: &Price, spans: &[Span], at: Timestamp) -> Vec<Money> {
    let Some(pool) = price.rule.pool else { return vec![Money::ZERO; spans.len()] };
    let spans = spans.iter().map(|span| (span.from.0, span.to.min(at).0));
    // How many more (or fewer) there are from each moment on at which their number changes.
    let mut changes: BTreeMap<i64, i64> = BTreeMap::new();
    for (from, to) in spans.clone().filter(|(from, to)| from < to) {
        *changes.entry(from).or_default() += 1;
        *changes.entry(to).or_default() -= 1;
    }
    // What one that was there from the beginning would have cost up to each of these moments.
    let mut so_far: BTreeMap<i64, Money> = BTreeMap::new();
    let (mut cost, mut open, mut before) = (Money::ZERO, 0_i64, None);
    for (moment, change) in changes {
        if let Some(n) = u64::try_from(open).ok().filter(|n| *n > 0) {
            let rate = price.amount + pool.more.times(n.saturating_sub(u64::from(pool.first)));
            let ms = u128::from(before.unwrap_or(moment).abs_diff(moment));
            cost += rate.share(ms, u128::from(price.hours()) * 3_600_000 * u128::from(n));
        }
        so_far.insert(moment, cost);
        (open, before) = (open + change, Some(moment));
    }
    let upto = |moment: i64| so_far.get(&moment).copied().unwrap_or_default();
    spans.map(|(from, to)| if from < to { upto(to) - upto(from) } else { Money::ZERO }).collect()
}

/// What an hour of one of `n` costs.
pub(super) fn per_hour(price: &Price, n: usize) -> Money {
    let Some(pool) = price.rule.pool else { return Money::ZERO };
    let n = u32::try_from(n).unwrap_or(u32::MAX).max(1);
    let rate = price.amount + pool.more.times(u64::from(n.saturating_sub(pool.first)));
    rate.share(1, u128::from(price.hours()) * u128::from(n))
}
