//! A price in words: how an amount comes about, for `--explain` and for those who check a bill.

use crate::model::ledger::{PriceUnit, Rule};
use crate::model::{Price, Quantity};

/// `0.00893 USD an hour × seconds / 3600, at least 60 s and 0.01 USD, at most 672 h a month and 6.00 USD a month`.
pub fn formula(price: &Price, quantity: Option<Quantity>) -> String {
    let (amount, currency, rule) = (price.amount, &price.currency, &price.rule);
    if let Some(pool) = rule.pool {
        return format!(
            "{amount} {currency} an hour for the first {} together, {} {currency} for each more, in equal shares × seconds / 3600",
            pool.first, pool.more
        );
    }
    let time = if rule.step_s == 3600 { "begun hours" } else { "seconds" };
    let hour_s = if rule.step_s == 3600 { 1 } else { 3600 };
    let mut text = match price.unit {
        PriceUnit::Hour if rule.step_s == 3600 => format!("{amount} {currency} an hour × {time}"),
        PriceUnit::Hour => format!("{amount} {currency} an hour × {time} / 3600"),
        PriceUnit::Month => {
            format!("{amount} {currency} a month × {time} / {}", u64::from(rule.month_h) * hour_s)
        }
        PriceUnit::GbMonth => {
            let gb = quantity.map_or_else(|| "? GB".to_owned(), |gb| format!("{gb} GB"));
            format!("{gb} × {amount} {currency} a GB and month × {time} / {}", u64::from(rule.month_h) * hour_s)
        }
    };
    let least = bounds(&[
        (rule.minimum_s > 0).then(|| format!("{} s", rule.minimum_s)),
        (!rule.minimum.is_zero()).then(|| format!("{} {currency}", rule.minimum)),
    ]);
    let most = bounds(&[
        (rule.cap_h > 0).then(|| format!("{} h a month", rule.cap_h)),
        price.month.map(|most| format!("{most} {currency} a month")),
    ]);
    text.extend(least.map(|least| format!(", at least {least}")));
    text.extend(most.map(|most| format!(", at most {most}")));
    text
}

fn bounds(parts: &[Option<String>]) -> Option<String> {
    let parts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
    (!parts.is_empty()).then(|| parts.join(" and "))
}

/// What is said of a rule where it matters: whether switching off helps.
pub fn while_stopped(rule: &Rule) -> &'static str {
    if rule.stopped_bills {
        "it bills while it is switched off, too"
    } else {
        "it does not bill while it is switched off"
    }
}
