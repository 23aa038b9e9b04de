//! What the ledger says of deployments: their amounts for `status`, and what has no price.

use std::collections::{BTreeMap, HashSet};

use super::spend::is_free;
use crate::model::spend::Unpriced;
use crate::model::status::Spend;
use crate::model::{DeploymentId, LedgerRow, Money, Name, Orphan, Project, Timestamp};
use crate::services::spend::{Meter, Span, Sums, bill, reading};

/// Amounts of every deployment, now.
pub(super) struct Accounts {
    by_deployment: BTreeMap<DeploymentId, Spend>,
}

impl Accounts {
    /// From all rows: some are billed together with those of others.
    pub(super) fn new(project: &Project, rows: &[LedgerRow], now: Timestamp) -> Self {
        let bill = bill(rows, None, now);
        let mut sums: BTreeMap<&DeploymentId, BTreeMap<&str, Sums>> = BTreeMap::new();
        for line in &bill.lines {
            let Some(id) = line.row.owner.deployment() else { continue };
            *sums.entry(id).or_default().entry(&line.price.currency).or_default() += line.sums;
        }
        let mut by_deployment: BTreeMap<DeploymentId, Spend> = BTreeMap::new();
        for (id, by_currency) in sums {
            // One deployment is at one provider, and a provider has one currency.
            let most = by_currency.iter().max_by_key(|(_, sums)| sums.accrued);
            let (currency, sums) = most.map_or(("USD", Sums::default()), |(name, sums)| (*name, *sums));
            by_deployment.insert(id.clone(), spend_of(currency, sums));
        }
        let open: Vec<&LedgerRow> = bill.unpriced.iter().filter(|row| row.to.is_none()).copied().collect();
        for one in unpriced(project, &open) {
            let Ok(id) = one.deployment.parse() else { continue };
            let spend = by_deployment.entry(id).or_insert_with(|| spend_of("USD", Sums::default()));
            spend.unpriced.push(one.address);
        }
        Self { by_deployment }
    }

    /// Those of one; nothing at all where nothing was entered.
    pub(super) fn of(&self, id: &DeploymentId) -> Spend {
        self.by_deployment.get(id).cloned().unwrap_or_else(|| spend_of("USD", Sums::default()))
    }
}

fn spend_of(currency: &str, sums: Sums) -> Spend {
    Spend {
        currency: currency.to_owned(),
        accrued: sums.accrued.to_string(),
        month: sums.month.to_string(),
        per_hour: sums.per_hour.to_string(),
        forecast: sums.forecast.to_string(),
        unpriced: Vec::new(),
    }
}

/// Rows without a price that are not free, each once, with the reason.
pub(super) fn unpriced(project: &Project, rows: &[&LedgerRow]) -> Vec<Unpriced> {
    let mut all: Vec<Unpriced> = Vec::new();
    let mut told = HashSet::new();
    for row in rows.iter().filter(|row| !is_free(project, &row.owner)) {
        let why = row.note().why.unwrap_or_else(|| "nothing was entered of it yet: the next run looks".to_owned());
        let one = Unpriced { deployment: row.owner.to_string(), address: row.address.clone(), why };
        if told.insert((one.deployment.clone(), one.address.clone(), one.why.clone())) {
            all.push(one);
        }
    }
    all
}

/// What something costs that is in no state, an hour and since it was made; nothing where there is no price for it.
pub(super) fn orphan(project: &Project, provider: &Name, orphan: &Orphan, now: Timestamp) -> Option<(Money, Money)> {
    let table = project.price_table(provider)?;
    let quantity = orphan.gigabytes();
    let size = if quantity.is_some() { "" } else { orphan.size.as_str() };
    let end = format!("_{}", orphan.kind);
    let of_rows = || table.rows.iter().map(|row| row.kind.as_str()).find(|kind| kind.ends_with(&end));
    // The words of `orphans`; a builder is a host as others are.
    let (kind, size) = match orphan.kind.as_str() {
        "host" | "builder" => (table.host.first()?.kind.as_str(), size),
        "image" => (table.image.as_ref()?.kind.as_str(), size),
        "load_balancer" => {
            let balancer = table.balancer.first()?;
            (balancer.kind.as_str(), balancer.size.as_deref().unwrap_or(size))
        }
        _ => (of_rows()?, size),
    };
    let price = reading::priced(table, kind, size, &orphan.region, quantity).ok()?;
    let since: Timestamp = orphan.created_at.parse().ok()?;
    let accrued = Meter::new(&price, quantity, vec![Span { from: since, to: now }]).until(now);
    Some((price.per_hour(quantity), accrued))
}

/// A day `2026-07-20` lies so many days back; an empty one is as new as the state that says the price.
pub(super) fn is_old(day: &str, now: Timestamp, days: i64) -> bool {
    let at = format!("{day}T00:00:00Z").parse::<Timestamp>();
    at.is_ok_and(|at| now.0 - at.0 > days * 86_400_000)
}
