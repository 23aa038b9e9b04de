//! A price table as its file says it: what a vendor charges, how its resources are read out of a state, which rows hold.
//! What is particular to a vendor stands in `clowd/prices/<table>.yaml`; nothing of it is in the program.

use std::collections::BTreeMap;

use super::ledger::Price;

/// What is never on any bill, whatever the table: resources of Terraform's own making.
const NEVER_BILLED: &[&str] =
    &["terraform_data", "null_resource", "random_*", "tls_*", "local_*", "time_*", "archive_*", "cloudinit_*"];

/// One `clowd/prices/<name>.yaml`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PriceTable {
    /// The file's name without its end: what `prices:` of a provider says.
    pub name: String,
    /// Relative to the project.
    pub file: String,
    /// `USD`.
    pub currency: String,
    /// How resources are read, by type.
    pub kinds: BTreeMap<String, KindReading>,
    /// Types that cost nothing; `*` stands for anything.
    pub free: Vec<String>,
    /// What a host is made of, for estimates before there is a state.
    pub host: Vec<Estimated>,
    /// What a load balancer of the provider's own is made of.
    pub balancer: Vec<Estimated>,
    /// What an image is billed as.
    pub image: Option<Estimated>,
    /// In the order of the file.
    pub rows: Vec<PriceRow>,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceRow {
    /// The resource's type.
    pub kind: String,
    /// What it must have: `size`, `region`, with `*` for anything.
    pub matches: BTreeMap<String, String>,
    /// What it then costs.
    pub price: Price,
    /// The line in the file, from 1.
    pub line: u32,
}

/// How a type's attributes in a state are read: each a path with dots, through lists by position or through all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindReading {
    /// Its size.
    pub size: Option<String>,
    /// Its region or zone.
    pub region: Option<String>,
    /// When it was made, RFC 3339.
    pub created_at: Option<String>,
    /// GB.
    pub quantity: Option<String>,
    /// What an hour costs, by the vendor itself.
    pub hourly: Option<String>,
    /// What a month costs at most, by the vendor itself.
    pub month: Option<String>,
    /// The rule of such a price.
    pub rule: Option<super::ledger::Rule>,
    /// It bills only where these hold: a path and the values, `null` for none.
    pub only: Vec<(String, Vec<String>)>,
    /// It is switched off where these hold.
    pub off: Vec<(String, Vec<String>)>,
    /// Billed beside it.
    pub parts: Vec<PartReading>,
}

/// A part of a resource that is billed as a kind of its own: a disk, a public address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartReading {
    /// Where it is; one part for each that is found there.
    pub at: String,
    /// The type it is billed as.
    pub kind: String,
    /// Its size, relative to the part.
    pub size: Option<String>,
    /// GB, relative to the part.
    pub quantity: Option<String>,
}

/// Something that is billed before there is a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estimated {
    /// Its type.
    pub kind: String,
    /// Its size; absent: the host's.
    pub size: Option<String>,
    /// GB.
    pub quantity: Option<super::money::Quantity>,
}

impl PriceTable {
    /// The row for a type with what is known of it: the one that asks for most; of several, the first.
    pub fn find(&self, kind: &str, known: &[(&str, &str)]) -> Option<&PriceRow> {
        let value = |key: &str| known.iter().find(|(name, _)| *name == key).map_or("", |(_, value)| value);
        let holds =
            |row: &&PriceRow| row.kind == kind && row.matches.iter().all(|(key, pattern)| glob(pattern, value(key)));
        let exact = |row: &PriceRow| row.matches.values().map(|pattern| 2 - usize::from(pattern.contains('*'))).sum();
        let mut best: Option<(usize, &PriceRow)> = None;
        for row in self.rows.iter().filter(holds) {
            let weight = exact(row);
            if best.is_none_or(|(other, _)| weight > other) {
                best = Some((weight, row));
            }
        }
        best.map(|(_, row)| row)
    }

    /// It costs nothing, by the table or because it is nothing of a vendor's.
    pub fn is_free(&self, kind: &str) -> bool {
        never_billed(kind) || self.free.iter().any(|pattern| glob(pattern, kind))
    }
}

/// Terraform's own resources are on no bill.
pub fn never_billed(kind: &str) -> bool {
    NEVER_BILLED.iter().any(|pattern| glob(pattern, kind))
}

/// A text fits a pattern in which `*` stands for anything, also for nothing.
pub fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(head) else { return false };
    let parts: Vec<&str> = rest.split('*').collect();
    let Some((last, middle)) = parts.split_last() else { return true };
    for part in middle {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, fits) in [
            ("fra1", "fra1", true),
            ("fra1", "fra", false),
            ("us-east-1*", "us-east-1a", true),
            ("us-east-1*", "us-west-1a", false),
            ("*-gpu", "a-gpu", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("*", "", true),
            ("ab*b", "ab", false),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
        assert!(never_billed("random_id") && never_billed("terraform_data") && !never_billed("aws_instance"));
    }
}
