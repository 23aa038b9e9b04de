//! The document of `otto spend --json`: a stable contract. Amounts are decimal strings.

use serde::{Deserialize, Serialize};

use super::money::{Money, Quantity};
use super::time::Timestamp;

/// The schema of [`SpendReport`].
pub const SCHEMA: &str = "otto.spend/1";

/// `otto.spend/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendReport {
    /// `otto.spend/1`.
    pub schema: String,
    /// The currency of the amounts beside it.
    pub currency: String,
    /// From when on `accrued` counts.
    pub since: Timestamp,
    /// Until when: now.
    pub until: Timestamp,
    /// From `since` to `until`.
    pub accrued: Money,
    /// This calendar month (UTC) so far.
    pub month: Money,
    /// What an hour costs now, minimum and cap not counted.
    pub per_hour: Money,
    /// This calendar month to its end, if nothing changes.
    pub forecast: Money,
    /// Amounts of other currencies: they are never added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<SpendSums>,
    /// With `--by`: the same amounts by site, provider or day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<SpendSums>,
    /// What existed in this time, oldest first.
    pub rows: Vec<SpendRow>,
    /// What existed in this time and has no known price: its cost is in no amount above.
    pub unpriced: Vec<Unpriced>,
    /// What each of the last days cost, in `currency`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<SpendDay>,
    /// What the vendors say themselves, with `--actual`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actual: Vec<Actual>,
    /// What should be known of these numbers: prices that are old, hosts that nothing was entered for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Amounts under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendSums {
    /// `prod/do/hello`, `do`, `hello`, `2026-11-21`; a currency in `others`.
    pub name: String,
    /// Of these amounts.
    pub currency: String,
    /// As in the report.
    pub accrued: Money,
    /// As in the report.
    pub month: Money,
    /// As in the report.
    pub per_hour: Money,
    /// As in the report.
    pub forecast: Money,
}

/// One row of the ledger with its cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendRow {
    /// `prod/do/hello`, or `do/nginx` for an image.
    pub deployment: String,
    /// As in the state, a part with its name behind a slash.
    pub address: String,
    /// The vendor's own name for it.
    pub provider_id: Option<String>,
    /// The resource's type.
    pub kind: String,
    /// In the vendor's words.
    pub size: String,
    /// Region or zone.
    pub region: String,
    /// GB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// Since when.
    pub from: Timestamp,
    /// Until when; null while it exists.
    pub to: Option<Timestamp>,
    /// Where `from` is from: `state`, `journal` or `change`.
    pub basis: String,
    /// What it is computed from.
    pub price: SpendPrice,
    /// In words.
    pub formula: String,
    /// In the currency of its price, from `since` on.
    pub accrued: Money,
    /// This calendar month so far.
    pub month: Money,
}

/// A price in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendPrice {
    /// How much.
    pub amount: Money,
    /// `hour`, `month`, `gb_month`.
    pub unit: String,
    /// `USD`.
    pub currency: String,
    /// The rule's name in the table.
    pub rule: String,
    /// `clowd/prices/do.yaml:31`, or the state's attributes.
    pub row: String,
    /// Who says so.
    pub source: String,
    /// When that was read.
    pub as_of: String,
}

/// Something without a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpriced {
    /// Whose.
    pub deployment: String,
    /// What.
    pub address: String,
    /// Why it has none.
    pub why: String,
}

/// One day's cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendDay {
    /// `2026-11-21`, UTC.
    pub day: String,
    /// What it cost.
    pub cost: Money,
}

/// What a vendor says itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actual {
    /// Who was asked.
    pub provider: String,
    /// `USD`.
    pub currency: String,
    /// This month so far, of the whole account; absent: `why`.
    pub month: Option<Money>,
    /// As of when, by the vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Why nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
