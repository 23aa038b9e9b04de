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
    /// In order of time.
    spans: Vec<Span>,
}

impl<'a> Meter<'a> {
    /// Of spans in any order.
    pub fn new(price: &'a Price, quantity: Option<Quantity>, mut spans: Vec<Span>) -> Self {
        spans.sort_unstable();
        Self { price, quantity, spans }
    }

    /// What it has cost up to `at`; never falls with time. How: [`Tally`].
    pub fn until(&self, at: Timestamp) -> Money {
        let mut tally = Tally::new(self.price, self.quantity, at);
        self.spans.iter().for_each(|span| tally.add(*span));
        tally.cost()
    }

    /// Between two moments; a span of time that ends before it begins is empty.
    pub fn between(&self, since: Timestamp, until: Timestamp) -> Money {
        if until <= since { Money::ZERO } else { self.until(until) - self.until(since) }
    }
}

/// What one thing has cost up to one moment, told its spans one after the other.
///
/// Each span is billed in whole steps and at least for the minimum of seconds. The seconds of a calendar month (UTC)
/// count up to the cap, its price up to the month's. The least amount is owed once, from the first moment on. Rounded
/// once, at the end.
#[derive(Clone, Debug)]
pub struct Tally<'a> {
    price: &'a Price,
    amount: Money,
    at: Timestamp,
    settled: Settled,
    /// The span that the next one may go on with.
    last: Option<Span>,
}

/// What the spans before the last one came to.
#[derive(Clone, Copy, Debug, Default)]
struct Settled {
    /// Of all of them, where no month has a cap.
    seconds: u128,
    /// The price of the months before the one that counts now.
    months: Money,
    /// Milliseconds of the month that counts now, and its end.
    used: u128,
    end: Option<Timestamp>,
}

impl<'a> Tally<'a> {
    /// Nothing yet.
    pub fn new(price: &'a Price, quantity: Option<Quantity>, at: Timestamp) -> Self {
        Self { price, amount: price.amount_for(quantity), at, settled: Settled::default(), last: None }
    }

    /// The next span in order of time. One that touches or overlaps the last is one with it: a row that was closed and
    /// opened again in the same moment (a look that found another label, say) is not billed a second minimum. A span
    /// without length is none.
    pub fn add(&mut self, span: Span) {
        if span.to <= span.from || span.from >= self.at {
            return;
        }
        match &mut self.last {
            Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
            _ => {
                self.settled = self.through_last();
                self.last = Some(span);
            }
        }
    }

    /// What all of them come to.
    pub fn cost(&self) -> Money {
        if self.last.is_none() {
            return Money::ZERO;
        }
        let all = self.through_last();
        let total = if self.has_cap() {
            all.months + self.of_month(all.used)
        } else {
            self.amount.share(all.seconds, u128::from(self.price.hours()) * 3600)
        };
        total.max(self.price.rule.minimum)
    }

    fn has_cap(&self) -> bool {
        self.price.rule.cap_h > 0 || self.price.month.is_some()
    }

    /// The last span settled as well.
    fn through_last(&self) -> Settled {
        let mut all = self.settled;
        let Some(last) = self.last else { return all };
        let seconds = self.billed(last);
        if !self.has_cap() {
            all.seconds += u128::from(seconds);
            return all;
        }
        let stop = last.from.0 + i64::try_from(seconds).unwrap_or(i64::MAX / 2000) * 1000;
        let (mut at, mut end) = (last.from.0, all.end.unwrap_or_else(|| last.from.next_month()));
        while at < stop {
            if at >= end.0 {
                all.months += self.of_month(all.used);
                (all.used, end) = (0, Timestamp(at).next_month());
            }
            let upto = stop.min(end.0);
            all.used += u128::from(upto.abs_diff(at));
            at = upto;
        }
        all.end = Some(end);
        all
    }

    /// Seconds that a span is billed for at the moment, which is within or behind it.
    fn billed(&self, span: Span) -> u64 {
        let rule = &self.price.rule;
        let seconds = self.at.min(span.to).since(span.from).div_ceil(1000).max(u64::from(rule.minimum_s));
        let step = u64::from(rule.step_s.max(1));
        seconds.div_ceil(step) * step
    }

    /// What so many milliseconds of one calendar month cost.
    fn of_month(&self, ms: u128) -> Money {
        let ms = match self.price.rule.cap_h {
            0 => ms,
            hours => ms.min(u128::from(hours) * 3_600_000),
        };
        let cost = self.amount.share(ms, u128::from(self.price.hours()) * 3_600_000);
        self.price.month.map_or(cost, |most| cost.min(most))
    }
}
