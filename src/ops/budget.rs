//! What a run would change in the bill, and whether the month then goes over a budget: told before anything is made.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::failure::{Failure, Kind, Result};
use super::spend::is_free;
use crate::lifecycle::Target;
use crate::model::plan::CostChange;
use crate::model::{
    Action, DeploymentId, LedgerRow, Money, Plan, Project, Resource, Stage, Subject, Timestamp, UnitId,
};
use crate::services::spend::estimate::{self, balancer};
use crate::services::spend::{Sums, bill};

/// A limit with what would count against it.
struct Limit<'a> {
    /// `environment dev`.
    what: String,
    amount: &'a str,
    currency: &'a str,
    /// Whose costs count.
    counts: Box<dyn Fn(&Subject) -> bool + 'a>,
}

/// What a run would change in the bill.
#[derive(Debug, Default)]
pub(super) struct Outlook {
    /// By deployment.
    pub(super) changes: Vec<CostChange>,
    /// Budgets that would not hold, one line each.
    pub(super) over: Vec<String>,
}

impl Outlook {
    /// One line a change, for people.
    pub(super) fn lines(&self) -> Vec<String> {
        self.changes.iter().map(line).collect()
    }

    /// Refuses where a budget would not hold and nobody said that it may be.
    ///
    /// # Errors
    /// The numbers, and the full line that goes through.
    pub(super) fn hold(&self, over_budget: bool, line: &str) -> Result<()> {
        if self.over.is_empty() || over_budget {
            return Ok(());
        }
        let mut failure = Failure::new(Kind::Declined, "the forecast is over the budget: nothing was made");
        for over in &self.over {
            failure = failure.because(over);
        }
        for change in &self.changes {
            failure = failure.because(self::line(change));
        }
        Err(failure.hint(format!("{line} --over-budget")).hint("or fewer and smaller hosts, or a larger `budget`"))
    }
}

/// `dev/do/hello: +0.0179 USD an hour (0.0179 in all), 3.93 USD more this month, 3.95 in all`.
fn line(change: &CostChange) -> String {
    let plus = |amount: Money, places: u32| {
        let text = amount.rounded(places);
        if amount.is_negative() { text } else { format!("+{text}") }
    };
    let unpriced = match change.unpriced.len() {
        0 => String::new(),
        n => format!("; {n} unpriced and in no number: {}", change.unpriced.join(", ")),
    };
    let currency = &change.currency;
    format!(
        "{}: {} {currency} an hour ({} in all); by the month's end {} {currency} ({} in all){unpriced}",
        change.deployment,
        plus(change.per_hour, 4),
        change.per_hour_after.rounded(4),
        plus(change.forecast, 2),
        change.forecast_after.rounded(2),
    )
}

/// Computes it from the ledger and the hosts that a plan would make and remove.
pub(super) fn outlook(
    project: &Project,
    rows: &[LedgerRow],
    plan: &Plan,
    targets: &[Target],
    now: Timestamp,
) -> Outlook {
    let mut then = rows.to_vec();
    let mut unpriced: BTreeMap<DeploymentId, Vec<String>> = BTreeMap::new();
    let mut touched: BTreeSet<DeploymentId> = BTreeSet::new();
    for target in targets {
        let id = &target.spec.id;
        let runs = plan.unit(&UnitId::of(id, Stage::Provision)).is_some_and(|unit| unit.action == Action::Run);
        if !runs || target.spec.on.is_some() || is_free(project, &Subject::Deployment(id.clone())) {
            continue;
        }
        let lacking = change(project, target, &mut then, now);
        touched.insert(id.clone());
        unpriced.insert(id.clone(), lacking);
    }
    if touched.is_empty() {
        return Outlook::default();
    }
    let (before, after) = (by_owner(rows, now), by_owner(&then, now));
    let changes = touched.iter().map(|id| cost_change(id, &before, &after, unpriced.remove(id).unwrap_or_default()));
    let changes: Vec<CostChange> = changes.collect();
    // What is made at the end of a month would pass every budget, and break it a day later.
    let next = LazyCell::new(|| [rows, &then].map(|rows| by_owner(rows, now.next_month())));
    let broken = |limit: &Limit<'_>| {
        let this = broken(limit, "by the month's end", &before, &after);
        this.or_else(|| broken(limit, "in the whole next month", &next[0], &next[1]))
    };
    let over = limits(project, &touched).iter().filter_map(broken).collect();
    Outlook { changes, over }
}

/// Amounts by owner and currency.
type ByOwner = BTreeMap<Subject, BTreeMap<String, Sums>>;

fn by_owner(rows: &[LedgerRow], now: Timestamp) -> ByOwner {
    let mut all = ByOwner::new();
    for line in &bill(rows, None, now).lines {
        let of_owner = all.entry((*line.row.owner).clone()).or_default();
        *of_owner.entry(line.price.currency.clone()).or_default() += line.sums;
    }
    all
}

fn cost_change(id: &DeploymentId, before: &ByOwner, after: &ByOwner, unpriced: Vec<String>) -> CostChange {
    let owner = Subject::Deployment(id.clone());
    let (before, after) = (before.get(&owner), after.get(&owner));
    let most = after.or(before).and_then(|all| all.iter().max_by_key(|(_, sums)| sums.forecast));
    let currency = most.map_or_else(|| "USD".to_owned(), |(name, _)| name.clone());
    let of = |all: Option<&BTreeMap<String, Sums>>| all.and_then(|all| all.get(&currency)).copied().unwrap_or_default();
    let (then, now) = (of(after), of(before));
    CostChange {
        deployment: id.clone(),
        per_hour: then.per_hour - now.per_hour,
        per_hour_after: then.per_hour,
        forecast: then.forecast - now.forecast,
        forecast_after: then.forecast,
        currency,
        unpriced,
    }
}

/// Ends the rows of hosts that go and adds those of hosts that come; returns those without a price.
fn change(project: &Project, target: &Target, rows: &mut Vec<LedgerRow>, now: Timestamp) -> Vec<String> {
    let id = &target.spec.id;
    let size = |word: &str| target.provider.size(word);
    let wanted: BTreeMap<String, String> =
        target.spec.host_names().into_iter().map(|(name, _, role)| (name, size(&role.size))).collect();
    let record = target.record.as_ref().filter(|record| record.phase.exists());
    let there: BTreeMap<String, String> = record.map_or_else(BTreeMap::new, |record| {
        let host = |host: &crate::model::Host| {
            (host.name.clone(), record.spec.role(&host.role).map(|role| size(&role.size)).unwrap_or_default())
        };
        record.hosts.iter().map(host).collect()
    });
    let owner = Arc::new(Subject::Deployment(id.clone()));
    let is_of = |row: &LedgerRow, name: &str| {
        let whole = row.address.split('/').next().unwrap_or_default();
        row.owner == owner && row.to.is_none() && (whole == name || whole.contains(&format!("[\"{name}\"]")))
    };
    for name in there.iter().filter(|(name, size)| wanted.get(*name) != Some(*size)).map(|(name, _)| name) {
        rows.iter_mut().filter(|row| is_of(row, name)).for_each(|row| row.to = Some(now.max(row.from)));
    }
    // What an interrupted run made is in the ledger, though no record names it yet.
    let made_already = |name: &str, size: &str| rows.iter().any(|row| is_of(row, name) && *row.size == *size);
    let new: Vec<(String, String)> =
        wanted.into_iter().filter(|(name, size)| there.get(name) != Some(size) && !made_already(name, size)).collect();
    let made = match project.price_table(&id.provider) {
        Some(table) => {
            let mut made = estimate::estimate(table, &new, &target.spec.region);
            let had = record.is_some_and(|record| record.spec.has_cloud_balancer());
            if target.spec.has_cloud_balancer() && !had {
                made.extend(balancer(table, "the load balancer", &target.spec.region));
            }
            made
        }
        None => estimate::unpriced(id.provider.as_str(), &new, &target.spec.region),
    };
    let (priced, unpriced): (Vec<_>, Vec<_>) = made.into_iter().partition(|one| one.price.is_some());
    rows.extend(priced.into_iter().enumerate().map(|(n, one)| planned(&owner, n, one, now)));
    let mut names: Vec<String> = unpriced.into_iter().map(|one| one.address).collect();
    names.dedup();
    names
}

/// A row that there is not yet.
fn planned(owner: &Arc<Subject>, n: usize, one: Resource, now: Timestamp) -> LedgerRow {
    LedgerRow {
        owner: Arc::clone(owner),
        address: format!("{} (planned {n})", one.address),
        provider_id: None,
        kind: one.kind.into(),
        size: one.size.into(),
        region: one.region.into(),
        quantity: one.quantity,
        price: one.price.map(Arc::new),
        from: now,
        to: None,
        note: None,
    }
}

/// Budgets that touched deployments count against.
fn limits<'a>(project: &'a Project, touched: &BTreeSet<DeploymentId>) -> Vec<Limit<'a>> {
    let mut all: Vec<Limit<'a>> = Vec::new();
    if let Some((amount, currency)) = &project.budget {
        all.push(Limit { what: "the project".to_owned(), amount, currency, counts: Box::new(|_| true) });
    }
    let environments: BTreeSet<_> = touched.iter().map(|id| &id.environment).collect();
    for name in environments {
        let Some((amount, currency)) = project.environment_budget(name) else { continue };
        let name = name.clone();
        let what = format!("environment {name}");
        let counts = move |owner: &Subject| owner.deployment().is_some_and(|id| id.environment == name);
        all.push(Limit { what, amount, currency, counts: Box::new(counts) });
    }
    for id in touched {
        let shape = project.sites.get(&id.site).map(|site| site.shape(&id.environment));
        let Some((amount, currency)) = shape.and_then(|shape| shape.budget.as_ref()) else { continue };
        let (what, id) = (format!("deployment {id}"), id.clone());
        let counts = move |owner: &Subject| owner.deployment() == Some(&id);
        all.push(Limit { what, amount, currency, counts: Box::new(counts) });
    }
    all
}

/// The line that says how a budget would not hold in a month. What costs no more than before breaks none.
fn broken(limit: &Limit<'_>, when: &str, before: &ByOwner, after: &ByOwner) -> Option<String> {
    let amount: Money = limit.amount.parse().ok()?;
    let forecast = |all: &ByOwner, currency: &str| -> Money {
        let counted = all.iter().filter(|(owner, _)| (limit.counts)(owner));
        counted.filter_map(|(_, sums)| sums.get(currency)).map(|sums| sums.forecast).sum()
    };
    let counted = after.iter().filter(|(owner, _)| (limit.counts)(owner));
    let currencies: BTreeSet<&String> = counted.flat_map(|(_, sums)| sums.keys()).collect();
    for currency in currencies {
        let (was, would) = (forecast(before, currency), forecast(after, currency));
        let what = &limit.what;
        if would <= was {
            continue;
        }
        if currency != limit.currency {
            return Some(format!(
                "{what}: its budget is in {}, and costs in {currency} cannot be compared with it",
                limit.currency
            ));
        }
        if would > amount {
            return Some(format!(
                "{what}: {} {currency} {when} (now {}), and its budget is {} {currency}",
                would.rounded(2),
                was.rounded(2),
                amount.rounded(2)
            ));
        }
    }
    None
}
