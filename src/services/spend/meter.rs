//! What one thing has cost up to a moment, by its price and the vendor's way of counting time.

use crate::model::{Money, Price, Quantity, Timestamp};

/// From when to when something existed; `to` is later than `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Since.
    pub from: Timestamp,
    /// Until.
    pub to: Timestamp,
}

/// All spans in which one thing existed at one price.
#[derive(Clone, Debug)]
pub struct Meter<'a> {
    price: &'a Price,
    quantity: Option<Quantity>,
    /// In order, none touching the next.
    spans: Vec<Span>,
}

impl<'a> Meter<'a> {
    /// Spans that touch or overlap are one: a row that was closed and opened again in the same moment (a look that found
    /// another label, say) is not billed a second minimum. Spans without length are none.
    pub fn new(price: &'a Price, quantity: Option<Quantity>, mut spans: Vec<Span>) -> Self {
        spans.retain(|span| span.to > span.from);
        spans.sort_unstable();
        let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match joined.last_mut() {
                Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
                _ => joined.push(span),
            }
        }
        Self { price, quantity, spans: joined }
    }

    /// What it has cost up to `at`; never falls with time.
    ///
    /// Each span is billed in whole steps and at least for the minimum of seconds. The seconds of a calendar month (UTC)
    /// count up to the cap, its price up to the month's. The least amount is owed once, from the first moment on. Rounded
    /// once, at the end.
    pub fn until(&self, at: Timestamp) -> Money {
        let Some(first) = self.spans.first().filter(|first| first.from < at) else { return Money::ZERO };
        let rule = &self.price.rule;
        let amount = self.price.amount_for(self.quantity);
        let whole = u128::from(self.price.hours()) * 3600;
        let begun = self.spans.iter().take_while(|span| span.from < at);
        let billed = begun.map(|span| (span.from, self.billed(*span, at)));
        let total = if rule.cap_h == 0 && self.price.month.is_none() {
            amount.share(billed.map(|(_, seconds)| u128::from(seconds)).sum(), whole)
        } else {
            self.by_month(amount, whole, first.from, billed)
        };
        total.max(rule.minimum)
    }

    /// Between two moments; a span of time that ends before it begins is empty.
    pub fn between(&self, since: Timestamp, until: Timestamp) -> Money {
        if until <= since { Money::ZERO } else { self.until(until) - self.until(since) }
    }

    /// Seconds that a span is billed for at a moment within or behind it.
    fn billed(&self, span: Span, at: Timestamp) -> u64 {
        let rule = &self.price.rule;
        let seconds = at.min(span.to).since(span.from).div_ceil(1000).max(u64::from(rule.minimum_s));
        let step = u64::from(rule.step_s.max(1));
        seconds.div_ceil(step) * step
    }

    fn by_month(
        &self,
        amount: Money,
        whole: u128,
        first: Timestamp,
        billed: impl Iterator<Item = (Timestamp, u64)>,
    ) -> Money {
        let cap_ms = match self.price.rule.cap_h {
            0 => u128::MAX,
            hours => u128::from(hours) * 3_600_000,
        };
        let price = |ms: u128| {
            let cost = amount.share(ms.min(cap_ms), whole * 1000);
            self.price.month.map_or(cost, |most| cost.min(most))
        };
        let (mut total, mut end, mut used) = (Money::ZERO, first.next_month(), 0_u128);
        for (from, seconds) in billed {
            let stop = from.0 + i64::try_from(seconds).unwrap_or(i64::MAX / 2000) * 1000;
            let mut at = from.0;
            while at < stop {
                if at >= end.0 {
                    total += price(used);
                    (used, end) = (0, Timestamp(at).next_month());
                }
                let upto = stop.min(end.0);
                used += u128::from(upto.abs_diff(at));
                at = upto;
            }
        }
        total + price(used)
    }
}
