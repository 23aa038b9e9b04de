//! Never negative, additive over split intervals, monotone, capped; month boundaries, leap years, clock steps, resize.
//!
//! A cap and a minimum are why the cost of an interval is not the sum of the costs of its halves billed alone. What holds
//! instead: rows of one thing at one price are joined, its cost up to a moment is one function that never falls, and a
//! window's cost is the difference of two of its values. So windows always add up.

use std::sync::Arc;

use otto::model::ledger::{Pool, PriceUnit, Rule};
use otto::model::{LedgerRow, Money, Price, Quantity, Timestamp};
use otto::services::spend::{Account, Meter, Span, bill};
use proptest::prelude::*;

/// 2023-12-20: two leap-year turns and a February of 29 days lie ahead.
const START: i64 = 1_703_030_400_000;
const DAY: i64 = 86_400_000;

fn money(text: &str) -> Money {
    text.parse().expect("an amount")
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn price(amount: &str, unit: PriceUnit, month: Option<&str>, rule: Rule) -> Price {
    Price {
        amount: money(amount),
        unit,
        month: month.map(money),
        currency: "USD".into(),
        rule,
        table: "t".into(),
        row: "clowd/prices/t.yaml:1".into(),
        source: "a test".into(),
        as_of: "2026-01-01".into(),
    }
}

fn droplet() -> Price {
    let rule = Rule { minimum_s: 60, minimum: money("0.01"), month_h: 672, cap_h: 672, ..Rule::default() };
    price("0.00893", PriceUnit::Hour, Some("6"), rule)
}

fn rules() -> impl Strategy<Value = Price> {
    let rule = (
        prop_oneof![Just(1_u32), Just(60), Just(3600)],
        prop_oneof![Just(0_u32), Just(60), Just(600)],
        prop_oneof![Just("0"), Just("0.01")],
        prop_oneof![Just(0_u32), Just(672), Just(730)],
    );
    let unit = prop_oneof![Just(PriceUnit::Hour), Just(PriceUnit::Month), Just(PriceUnit::GbMonth)];
    (rule, unit, 1_u64..5_000_000, proptest::option::of(1_i64..500)).prop_map(
        |((step_s, minimum_s, minimum, cap_h), unit, amount, month)| {
            let rule = Rule { step_s, minimum_s, minimum: money(minimum), cap_h, month_h: 672, ..Rule::default() };
            let mut price = price("0.000001", unit, None, rule);
            price.amount = price.amount.times(amount);
            price.month = month.map(Money::whole);
            price
        },
    )
}

/// Spans in any order, touching, overlapping and apart, over some years; some with no length or a negative one, as a clock
/// that was set back makes them.
fn spans() -> impl Strategy<Value = Vec<Span>> {
    let one = (0_i64..900 * DAY, -1000_i64..90 * DAY)
        .prop_map(|(from, length)| Span { from: Timestamp(START + from), to: Timestamp(START + from + length) });
    proptest::collection::vec(one, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_cost_up_to_a_moment_never_falls_and_is_never_negative(
        price in rules(), spans in spans(), gb in 1_u64..500_000, mut moments in proptest::collection::vec(0_i64..1100 * DAY, 2..12),
    ) {
        let meter = Meter::new(&price, Some(Quantity::from_thousandths(gb)), spans);
        moments.sort_unstable();
        let costs: Vec<Money> = moments.iter().map(|ms| meter.until(Timestamp(START + ms))).collect();
        prop_assert!(costs.iter().all(|cost| !cost.is_negative()));
        prop_assert!(costs.windows(2).all(|pair| pair[0] <= pair[1]), "{costs:?}");
        prop_assert_eq!(meter.until(Timestamp(START)), Money::ZERO);
    }

    #[test]
    fn windows_add_up_to_the_whole(
        price in rules(), spans in spans(), mut cuts in proptest::collection::vec(0_i64..1100 * DAY, 2..12),
    ) {
        let meter = Meter::new(&price, Some(Quantity::whole(25)), spans);
        cuts.sort_unstable();
        let moments: Vec<Timestamp> = cuts.iter().map(|ms| Timestamp(START + ms)).collect();
        let parts: Money = moments.windows(2).map(|pair| meter.between(pair[0], pair[1])).sum();
        prop_assert_eq!(parts, meter.between(moments[0], *moments.last().expect("two at least")));
    }

    /// Without minimum and cap an interval that is cut at whole seconds costs what its parts cost, but for the rounding
    /// of each to the ninth place.
    #[test]
    fn a_plain_rule_is_additive_over_split_intervals(amount in 1_u64..1_000_000, from in 0_i64..60 * 86_400, a in 1_i64..40 * 86_400, b in 1_i64..40 * 86_400) {
        let mut price = price("0.000001", PriceUnit::Hour, None, Rule::default());
        price.amount = price.amount.times(amount);
        let moment = |s: i64| Timestamp(START + s * 1000);
        let cost = |from: i64, to: i64| {
            Meter::new(&price, None, vec![Span { from: moment(from), to: moment(to) }]).until(moment(to))
        };
        let (whole, parts) = (cost(from, from + a + b), cost(from, from + a) + cost(from + a, from + a + b));
        let apart = if whole > parts { whole - parts } else { parts - whole };
        prop_assert!(apart <= money("0.000000001"), "{} and {}", whole, parts);
    }

    /// With minimum and cap, too, once the parts are rows of one thing: they are joined.
    #[test]
    fn rows_that_follow_each_other_are_one(cuts in proptest::collection::vec(1_i64..20 * DAY, 1..8), price in rules()) {
        let mut edges = vec![START + 7 * 1000];
        for cut in &cuts {
            edges.push(edges[edges.len() - 1] + cut);
        }
        let span = |from: i64, to: i64| Span { from: Timestamp(from), to: Timestamp(to) };
        let end = Timestamp(edges[edges.len() - 1] + 1);
        let parts = Meter::new(&price, None, edges.windows(2).map(|pair| span(pair[0], pair[1])).collect());
        let whole = Meter::new(&price, None, vec![span(edges[0], edges[edges.len() - 1])]);
        prop_assert_eq!(parts.until(end), whole.until(end));
    }

    #[test]
    fn no_month_costs_more_than_the_cap(spans in spans(), month in 0_u32..36) {
        let price = droplet();
        let meter = Meter::new(&price, None, spans);
        let mut start = Timestamp(START).month_start();
        for _ in 0..month {
            start = start.next_month();
        }
        prop_assert!(meter.between(start, start.next_month()) <= Money::whole(6) + money("0.01"));
    }

    /// The report's rows add up to what the meter says, the days of a series to the window, pools among them.
    #[test]
    fn a_bill_is_the_sum_of_its_rows_and_of_its_days(
        froms in proptest::collection::vec((0_i64..80 * DAY, 0_i64..40 * DAY, 0_usize..3, any::<bool>()), 1..14),
    ) {
        let pool = Rule { pool: Some(Pool { first: 3, more: money("0.01") }), ..Rule::default() };
        let prices = [Arc::new(droplet()), Arc::new(price("0.10", PriceUnit::GbMonth, None, Rule::default())), Arc::new(price("0.025", PriceUnit::Hour, None, pool))];
        let now = Timestamp(START + 100 * DAY);
        let rows: Vec<LedgerRow> = froms.iter().enumerate().map(|(n, (from, length, kind, open))| {
            row(&format!("a.b[{n}]"), &prices[*kind], Timestamp(START + from), (!open).then_some(Timestamp(START + from + length)))
        }).collect();
        let all = bill(&rows, None, now);
        let total = all.totals.values().next().copied().unwrap_or_default();
        prop_assert_eq!(all.lines.iter().map(|line| line.sums.accrued).sum::<Money>(), total.accrued);
        prop_assert!(all.lines.iter().all(|line| !line.sums.accrued.is_negative() && line.sums.month <= line.sums.accrued && line.sums.month <= line.sums.forecast));
        let edges: Vec<Timestamp> = (0..=100).map(|n| Timestamp(START + n * DAY)).collect();
        prop_assert_eq!(Account::of(&rows).series("USD", &edges).into_iter().sum::<Money>(), total.accrued);
        let since = Timestamp(START + 50 * DAY);
        let later = bill(&rows, Some(since), now).totals.values().next().copied().unwrap_or_default();
        let earlier = bill(&rows, None, since);
        let earlier: Money = earlier.lines.iter().filter(|line| line.row.from < since).map(|line| line.sums.accrued).sum();
        prop_assert_eq!(later.accrued + earlier, total.accrued);
    }
}

pub(super) fn row(address: &str, price: &Arc<Price>, from: Timestamp, to: Option<Timestamp>) -> LedgerRow {
    LedgerRow {
        owner: Arc::new("prod/do/hello".parse().expect("an owner")),
        address: address.to_owned(),
        provider_id: Some(address.to_owned()),
        kind: "a_b".into(),
        size: "s".into(),
        region: "r".into(),
        quantity: Some(Quantity::whole(10)),
        price: Some(Arc::clone(price)),
        from,
        to,
        note: None,
    }
}

fn span(from: &str, to: &str) -> Span {
    Span { from: at(from), to: at(to) }
}

/// Computed by hand from the vendor's rules.
#[test]
fn droplets_cost_what_the_vendor_says() {
    let price = droplet();
    let cost = |spans: Vec<Span>, until: &str| Meter::new(&price, None, spans).until(at(until)).to_string();
    let far = "2030-01-01T00:00:00Z";
    for (from, to, expected) in [
        // Ten seconds: sixty are billed, and a cent is the least.
        ("2026-11-01T00:00:00Z", "2026-11-01T00:00:10Z", "0.01"),
        // Ten hours.
        ("2026-11-01T00:00:00Z", "2026-11-01T10:00:00Z", "0.0893"),
        // 671 hours, and then the month is paid for: 672 hours would be 6.00096.
        ("2026-11-01T00:00:00Z", "2026-11-28T23:00:00Z", "5.99203"),
        ("2026-11-01T00:00:00Z", "2026-11-29T00:00:00Z", "6.00"),
        ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", "6.00"),
        // February has 672 hours, in a leap year 24 more.
        ("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "6.00"),
        ("2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z", "6.00"),
        ("2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z", "0.21432"),
        // Two months, each with its own cap; an hour over the turn of the year.
        ("2026-10-01T00:00:00Z", "2026-12-01T00:00:00Z", "12.00"),
        ("2026-12-31T23:30:00Z", "2027-01-01T00:30:00Z", "0.01"),
        ("2026-12-31T22:00:00Z", "2027-01-01T02:00:00Z", "0.03572"),
        // A clock that was set back: nothing existed.
        ("2026-11-01T10:00:00Z", "2026-11-01T09:00:00Z", "0.00"),
    ] {
        assert_eq!(cost(vec![span(from, to)], far), expected, "{from} {to}");
    }
    // Destroyed and made again under the same id is one thing: one minimum. Two hours and an hour, not touching.
    let parts = vec![
        span("2026-11-01T00:00:00Z", "2026-11-01T02:00:00Z"),
        span("2026-11-02T00:00:00Z", "2026-11-02T01:00:00Z"),
    ];
    assert_eq!(cost(parts, far), "0.02679");
}

#[test]
fn begun_hours_disks_and_pools_cost_what_their_rules_say() {
    let far = at("2030-01-01T00:00:00Z");
    let hours = price("0.0225", PriceUnit::Hour, None, Rule { step_s: 3600, ..Rule::default() });
    let one = |price: &Price, gb: u64, from: &str, to: &str| {
        Meter::new(price, Some(Quantity::whole(gb)), vec![span(from, to)]).until(far).to_string()
    };
    assert_eq!(one(&hours, 0, "2026-11-01T00:00:00Z", "2026-11-01T00:00:01Z"), "0.0225");
    assert_eq!(one(&hours, 0, "2026-11-01T00:00:00Z", "2026-11-01T01:00:00Z"), "0.0225");
    assert_eq!(one(&hours, 0, "2026-11-01T00:00:00Z", "2026-11-01T01:00:01Z"), "0.045");
    let disk = price("0.08", PriceUnit::GbMonth, None, Rule::default());
    // 8 GB for 730 hours.
    assert_eq!(one(&disk, 8, "2026-11-01T00:00:00Z", "2026-12-01T10:00:00Z"), "0.64");
    let pool = Rule { pool: Some(Pool { first: 5, more: money("0.01") }), ..Rule::default() };
    let rule = Arc::new(price("0.025", PriceUnit::Hour, None, pool));
    let (from, now) = (at("2026-11-01T00:00:00Z"), at("2026-11-01T10:00:00Z"));
    let total = |n: usize| {
        let rows: Vec<LedgerRow> = (0..n).map(|n| row(&format!("f.r[{n}]"), &rule, from, None)).collect();
        let sums = bill(&rows, None, now).totals["USD"];
        (sums.accrued.rounded(6), sums.per_hour.rounded(6))
    };
    assert_eq!(total(1), ("0.250000".into(), "0.025000".into()));
    assert_eq!(total(5), ("0.250000".into(), "0.025000".into()));
    assert_eq!(total(7), ("0.450000".into(), "0.045000".into()));
}

#[test]
fn a_resize_is_two_prices_one_after_the_other() {
    let (small, large) = (Arc::new(droplet()), Arc::new(price("0.01786", PriceUnit::Hour, Some("12"), droplet().rule)));
    let (from, turn) = (at("2026-11-01T00:00:00Z"), at("2026-11-01T10:00:00Z"));
    let mut rows = vec![row("d", &small, from, Some(turn)), row("d", &large, turn, None)];
    let now = at("2026-11-01T15:00:00Z");
    let bill_of = |rows: &[LedgerRow]| {
        let sums = bill(rows, None, now).totals["USD"];
        (sums.accrued.to_string(), sums.per_hour.to_string(), sums.forecast.to_string())
    };
    // To the month's end: 0.0893, and 710 hours of the other, which are more than a month of it.
    assert_eq!(bill_of(&rows), ("0.1786".into(), "0.01786".into(), "12.0893".into()));
    // Back again: the first price goes on where it stood, under one cap.
    rows[1].to = Some(at("2026-11-01T12:00:00Z"));
    rows.push(row("d", &small, at("2026-11-01T12:00:00Z"), None));
    assert_eq!(bill_of(&rows), ("0.15181".into(), "0.00893".into(), "6.03572".into()));
}
