//! What existed from when to when, and at which price: the rows that spend is computed from.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::money::{Money, Quantity};
use super::time::Timestamp;
use super::unit::Subject;

/// What an amount is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceUnit {
    /// One, an hour.
    Hour,
    /// One, a month of as many hours as the rule says.
    Month,
    /// A GB, a month.
    GbMonth,
}

impl PriceUnit {
    /// The word used in price tables and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Month => "month",
            Self::GbMonth => "gb_month",
        }
    }
}

/// Several of a kind are billed together: one minimum for the first ones, then so much for each more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pool {
    /// As many are in the price's own amount.
    pub first: u32,
    /// For each more, in the price's unit.
    pub more: Money,
}

/// How a vendor counts time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// Its name in the price table.
    pub name: String,
    /// Time is rounded up to whole steps of so many seconds: 1, or 3600 where begun hours are billed.
    pub step_s: u32,
    /// At least so many seconds are billed.
    pub minimum_s: u32,
    /// At least so much is billed.
    pub minimum: Money,
    /// Hours that a price by the month stands for.
    pub month_h: u32,
    /// Hours after which a calendar month is paid for; 0: none.
    pub cap_h: u32,
    /// It bills while it is switched off.
    pub stopped_bills: bool,
    /// Billed together with others of its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<Pool>,
}

impl Default for Rule {
    /// Per second, nothing special; 730 hours a month.
    fn default() -> Self {
        Self {
            name: "second".to_owned(),
            step_s: 1,
            minimum_s: 0,
            minimum: Money::ZERO,
            month_h: 730,
            cap_h: 0,
            stopped_bills: true,
            pool: None,
        }
    }
}

/// The table of prices that a state says itself.
pub const STATE: &str = "state";

/// What one costs: a row of a price table, or what a state says itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Price {
    /// How much.
    pub amount: Money,
    /// For what.
    pub unit: PriceUnit,
    /// A calendar month costs no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<Money>,
    /// `USD`.
    pub currency: String,
    /// How time is counted.
    pub rule: Rule,
    /// The table, or `state`.
    pub table: String,
    /// `clowd/prices/do.yaml:31`, or the attributes of the state.
    pub row: String,
    /// Where the vendor, or who read it, says so.
    pub source: String,
    /// When it was read: `2026-05-28`.
    pub as_of: String,
}

impl Price {
    /// For how many hours the amount is.
    pub fn hours(&self) -> u32 {
        match self.unit {
            PriceUnit::Hour => 1,
            PriceUnit::Month | PriceUnit::GbMonth => self.rule.month_h.max(1),
        }
    }

    /// The amount for a quantity: of a price by the GB, so many times; of any other, as it is.
    pub fn amount_for(&self, quantity: Option<Quantity>) -> Money {
        match (self.unit, quantity) {
            (PriceUnit::GbMonth, Some(quantity)) => self.amount.of(quantity),
            _ => self.amount,
        }
    }

    /// What an hour costs, minimum and cap not counted.
    pub fn per_hour(&self, quantity: Option<Quantity>) -> Money {
        self.amount_for(quantity).share(1, u128::from(self.hours()))
    }

    /// The same money, wherever it was read.
    pub fn is_like(&self, other: &Self) -> bool {
        let terms = |price: &Self| (price.amount, price.unit, price.month, price.currency.clone(), price.rule.clone());
        terms(self) == terms(other)
    }
}

/// One object of a state, as a price table reads it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateResource {
    /// With module and index.
    pub address: String,
    /// Its type.
    pub kind: String,
    /// Its attributes, or those that were asked for.
    pub attributes: serde_json::Map<String, serde_json::Value>,
}

/// Something that bills, or may: one resource of a state, or a part of one (its disk, its public address).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// `digitalocean_droplet.host["www-1"]`, a part with its name behind a slash; a host's name; an image's reference.
    pub address: String,
    /// Its provider's own name for it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// The resource's type, `host`, or `image`.
    pub kind: String,
    /// In the provider's words.
    pub size: String,
    /// Region or zone, possibly empty.
    pub region: String,
    /// When it was made, where the state says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// GB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// What it costs; absent: `why` says why that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Why it has no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// More that is worth keeping, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

impl Resource {
    /// One of which no more is known than this.
    pub fn bare(address: &str, kind: &str, size: &str, region: &str) -> Self {
        Self {
            address: address.to_owned(),
            provider_id: None,
            kind: kind.to_owned(),
            size: size.to_owned(),
            region: region.to_owned(),
            created_at: None,
            quantity: None,
            price: None,
            why: None,
            facts: BTreeMap::new(),
        }
    }

    /// It bills by the same terms: the row that is open goes on.
    pub fn goes_on_as(&self, row: &LedgerRow) -> bool {
        let same_price = match (&self.price, &row.price) {
            (Some(now), Some(then)) => now.is_like(then),
            (None, None) => true,
            _ => false,
        };
        same_price
            && *self.kind == *row.kind
            && *self.size == *row.size
            && *self.region == *row.region
            && self.quantity == row.quantity
            && (self.provider_id == row.provider_id || row.provider_id.is_none())
    }
}

/// What the ledger keeps beside its columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerNote {
    /// Where `from` is from: `state`, `journal` (when the apply began, or ended), `change` (of size or price).
    pub basis: String,
    /// Why it has no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// More that was worth keeping.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

/// One row of the ledger. A hundred thousand of them are read at once: what many have in common they share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// Whose it is.
    pub owner: Arc<Subject>,
    /// As in [`Resource`].
    pub address: String,
    /// As in [`Resource`].
    pub provider_id: Option<String>,
    /// As in [`Resource`].
    pub kind: Arc<str>,
    /// As in [`Resource`].
    pub size: Arc<str>,
    /// As in [`Resource`].
    pub region: Arc<str>,
    /// GB.
    pub quantity: Option<Quantity>,
    /// The price that was used; rows of one price share it.
    pub price: Option<Arc<Price>>,
    /// Since when.
    pub from: Timestamp,
    /// Until when; nothing while it exists.
    pub to: Option<Timestamp>,
    /// JSON of a [`LedgerNote`]; absent on rows that follow a record's hosts alone.
    pub note: Option<Arc<str>>,
}

impl LedgerRow {
    /// What is kept beside the columns.
    pub fn note(&self) -> LedgerNote {
        self.note.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}
