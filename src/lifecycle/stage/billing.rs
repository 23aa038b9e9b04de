//! What of a deployment bills, out of its state, into the ledger: after every apply and destroy, also after one that
//! failed half-way, because what is in the state bills whatever became of the rest.

use std::cell::Cell;
use std::fs;

use camino::Utf8Path;

use super::super::call::{Call, call};
use super::super::context::Context;
use super::super::unit_end::Trouble;
use crate::model::ledger::STATE;
use crate::model::prices::never_billed;
use crate::model::{Deployment, DeploymentSpec, EventKind, Name, PriceTable, Provider, Resource, Subject, UnitId};
use crate::services::spend;
use crate::tools::terraform::{Stream, Terraform, billed};

/// Enters what a deployment's state holds now; `remote` is asked where the state is not a file of ours. What costs
/// nothing by the provider's own word is not entered: the ledger then follows the hosts of the record.
///
/// # Errors
/// The journal's. A state that cannot be read is a warning: an apply is not undone for its bill.
pub(super) async fn enter(
    context: &Context,
    unit: &UnitId,
    record: &Deployment,
    remote: Option<&Terraform>,
) -> Result<(), Trouble> {
    let provider = &context.target(&record.id)?.provider;
    if provider.is_free() || record.spec.on.is_some() {
        return Ok(());
    }
    let text = match remote.filter(|_| record.state.is_some()) {
        Some(terraform) => match super::strays::pulled_text(context, unit, terraform, "ledger").await {
            Ok(text) => text,
            Err(Trouble::End(end)) => return warn(context, unit, record, &end.summary),
            Err(other) => return Err(other),
        },
        None if record.state.is_some() => return Ok(()),
        None => fs::read_to_string(context.terraform_folder(&record.id).join("terraform.tfstate")).unwrap_or_default(),
    };
    let table = context.price_table(provider);
    let (any, vendors) = (Cell::new(false), Cell::new(false));
    let wanted = |kind: &str| {
        any.set(true);
        vendors.set(vendors.get() || !never_billed(kind));
        spend::reading::wanted(table, kind)
    };
    let found = match billed::read(&text, wanted) {
        Ok(found) => found,
        Err(why) => return warn(context, unit, record, &why),
    };
    let mut resources = spend::resources(table, provider.name.as_str(), &found);
    if any.get() && !vendors.get() {
        // A root that makes its hosts by other means than a cloud's resources.
        resources = hosts(table, provider, &record.spec, record);
    }
    dated(context, record, &mut resources);
    context.record(unit, EventKind::Ledger { owner: Subject::Deployment(record.id.clone()), resources })
}

/// A price that the vendor wrote into the state itself was read there today.
fn dated(context: &Context, record: &Deployment, resources: &mut [Resource]) {
    let today = context.now().to_string()[..10].to_owned();
    let place = match &record.state {
        None => format!("terraform/{}/terraform.tfstate", record.id.key()),
        Some(_) => "the state".to_owned(),
    };
    for price in resources.iter_mut().filter_map(|one| one.price.as_mut()).filter(|price| price.table == STATE) {
        price.as_of.clone_from(&today);
        price.row = format!("{} in {place}", price.row);
    }
}

/// What a saved plan would change in an hour's cost, for the question before it is applied; nothing where there is no
/// price table. What Terraform says of it is read and wiped: it holds secrets in clear.
///
/// # Errors
/// The journal's; a plan that cannot be read costs nothing but this line.
pub(super) async fn outlook(
    context: &Context,
    unit: &UnitId,
    record: &Deployment,
    terraform: &Terraform,
    plan: &Utf8Path,
) -> Result<Option<String>, Trouble> {
    let provider = &context.target(&record.id)?.provider;
    let Some(table) = context.price_table(provider) else { return Ok(None) };
    let (name, invocation) = (super::terraform::program_name(context), terraform.show_json(Some(plan)));
    let show = Call { tool: &name, step: "show", main: false, stream: None, invocation, lock: None };
    let called = call(context, unit, show, &mut Stream::new()).await?;
    let text = called.taken()?;
    let (Ok(after), Ok(before)) = (billed::planned(&text), billed::prior(&text)) else { return Ok(None) };
    let (before, after) = (spend::hourly(table, &before), spend::hourly(table, &after));
    if after.unpriced.is_empty() && before.amount == after.amount {
        return Ok(None);
    }
    let unpriced = match after.unpriced.len() {
        0 => String::new(),
        n => format!("; {n} unpriced and in no number: {}", after.unpriced.join(", ")),
    };
    let currency = &table.currency;
    Ok(Some(format!(
        "{} {currency} an hour now, {} {currency} then{unpriced}",
        before.amount.rounded(4),
        after.amount.rounded(4)
    )))
}

/// Enters an image that was built; where it is billed by the GB, its provider is asked how many it has.
///
/// # Errors
/// The journal's.
pub(super) async fn enter_image(
    context: &Context,
    unit: &UnitId,
    (provider, appliance): (&Provider, &Name),
    folder: &Utf8Path,
    reference: &str,
) -> Result<(), Trouble> {
    if provider.is_free() {
        return Ok(());
    }
    let owner = Subject::Image { provider: provider.name.clone(), appliance: appliance.clone() };
    let at = context.now();
    let image = |table: &PriceTable, gb| spend::image(table, reference, &provider.region, gb, at);
    let mut resource = match context.price_table(provider) {
        Some(table) => image(table, None),
        None => Resource {
            why: Some(format!("`clowd/provision/{}/provider.yaml` names no price table", provider.name)),
            ..image(&PriceTable::default(), None)
        },
    };
    if let Some(table) = context.price_table(provider).filter(|_| resource.price.is_none())
        && let Some(gb) = super::sweep::image_size(context, unit, provider, folder, reference).await?
    {
        resource = image(table, Some(gb));
    }
    context.record(unit, EventKind::Ledger { owner, resources: vec![resource] })
}

fn warn(context: &Context, unit: &UnitId, record: &Deployment, why: &str) -> Result<(), Trouble> {
    let text = format!("what {} costs could not be entered: {why}; the next run looks again", record.id);
    context.note(unit, text, true)
}

/// Hosts by their sizes, where the state names nothing that a vendor bills.
fn hosts(table: Option<&PriceTable>, provider: &Provider, spec: &DeploymentSpec, record: &Deployment) -> Vec<Resource> {
    let all: Vec<(String, String)> = record
        .hosts
        .iter()
        .map(|host| {
            (host.name.clone(), spec.role(&host.role).map(|role| provider.size(&role.size)).unwrap_or_default())
        })
        .collect();
    match table {
        Some(table) => spend::estimate(table, &all, &spec.region),
        None => spend::estimate::unpriced(provider.name.as_str(), &all, &spec.region),
    }
}
