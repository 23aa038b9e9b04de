//! Things that a vendor bills together: one minimum for the first ones, so much for each more. Each carries an equal
//! share of what all of them cost while it existed.

use crate::model::{Money, Price, Timestamp};

use super::meter::Span;

/// What each of `spans` has cost up to `at`, in their order.
///
/// The amounts of any stretch of time in which the number does not change are rounded on their own, so that shares never
/// fall with time; together they differ from the whole by less than a thousand-millionth for each.
pub(super) fn shares(price: &Price, spans: &[Span], at: Timestamp) -> Vec<Money> {
    let mut costs = vec![Money::ZERO; spans.len()];
    let Some(pool) = price.rule.pool else { return costs };
    let mut edges: Vec<i64> = spans.iter().flat_map(|span| [span.from.0, span.to.min(at).0]).collect();
    edges.retain(|edge| *edge <= at.0);
    edges.sort_unstable();
    edges.dedup();
    for stretch in edges.windows(2) {
        let (from, to) = (stretch[0], stretch[1]);
        let open: Vec<usize> =
            (0..spans.len()).filter(|n| spans[*n].from.0 <= from && spans[*n].to.min(at).0 >= to).collect();
        let n = u32::try_from(open.len()).unwrap_or(u32::MAX);
        if n == 0 {
            continue;
        }
        let rate = price.amount + pool.more.times(u64::from(n.saturating_sub(pool.first)));
        let ms = u128::from(to.abs_diff(from));
        let share = rate.share(ms, u128::from(price.hours()) * 3_600_000 * u128::from(n));
        open.into_iter().for_each(|n| costs[n] += share);
    }
    costs
}

/// What an hour of one of `n` costs.
pub(super) fn per_hour(price: &Price, n: usize) -> Money {
    let Some(pool) = price.rule.pool else { return Money::ZERO };
    let n = u32::try_from(n).unwrap_or(u32::MAX).max(1);
    let rate = price.amount + pool.more.times(u64::from(n.saturating_sub(pool.first)));
    rate.share(1, u128::from(price.hours()) * u128::from(n))
}
