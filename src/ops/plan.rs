//! `otto plan`: what `up` would do. Changes nothing, and calls no tool but for `--diff`.

use std::collections::BTreeMap;

use super::ages::Ages;
use super::budget;
use super::choose;
use super::clouds;
use super::credentials;
use super::failure::{Failure, Kind, Result};
use super::observe::{self, Images, Observed, observe};
use super::reach;
use super::secrets;
use super::toolbox;
use super::world::{Opened, World, problems_found, unusable};
use crate::lifecycle::plan::plan as make;
use crate::lifecycle::preview::{Ground, preview};
use crate::lifecycle::{Toolset, Verb, Wishes};
use crate::model::plan::DeploymentChanges;
use crate::model::status::PlanReport;
use crate::model::{Action, Plan, ProviderKind, Stage, UnitId};
use crate::project::{Selection, rules};

/// What `up` would do now.
///
/// # Errors
/// Wrong project files, an unusable store.
/// With `diff` Terraform is asked what would become of each resource.
pub async fn plan(world: &World, selection: &Selection, wishes: Wishes, diff: bool) -> Result<PlanReport> {
    let opened = world.open()?;
    let store = world.store_to_read(&opened)?;
    let ids = choose::wanted(&opened.project, selection)?;
    let problems: Vec<_> =
        ids.iter().flat_map(|id| rules::placed(&opened.project, &opened.origins, id)).filter(|p| !p.warning).collect();
    if !problems.is_empty() {
        return Err(problems_found(&problems));
    }
    let tools = toolbox::present(world, &opened.project).await;
    let records = store.deployments().map_err(unusable)?;
    let index = store.images().map_err(unusable)?;
    let ground = observe::Ground {
        project: &opened.project,
        home: &opened.home,
        store: store.id(),
        records: &records,
        index: &index,
        tools: &tools,
        now: world.clock.now(),
        exe: &world.exe,
        logins: &reach::logins(&opened.project).unwrap_or_default(),
    };
    let observed = observe(&ground, &ids, Images::Booted, true).await?;
    let mut plan: Plan = make(Verb::Up, &observed.images, &observed.targets, wishes);
    let ages = Ages::new(&opened.project, &index, world.clock.now());
    for unit in &mut plan.units {
        let stale = observed
            .targets
            .iter()
            .filter(|t| unit.deployment.as_ref() == Some(&t.spec.id) && unit.stage == crate::model::Stage::Provision);
        let stale: Vec<String> = stale.flat_map(|t| ages.stale(t.record.as_ref())).collect();
        if !stale.is_empty() && !wishes.refresh {
            unit.why = format!("{}; stale: {}", unit.why, stale.join(", "));
        }
    }
    let lacking = credentials::lacking(world, &opened, &ids, &records).await;
    let blocked = credentials::block(&mut plan, &lacking);
    let lacks_all = credentials::only_tools(&lacking) && ids.iter().all(|id| lacking.contains_key(&id.provider));
    clouds::remark(&mut plan, &observed.targets, &opened);
    let changes =
        if diff { self::changes(world, &opened, (store.id(), &tools), &plan, &observed).await? } else { Vec::new() };
    let ledger = store.ledger(None).map_err(unusable)?;
    let outlook = budget::outlook(&opened.project, &ledger, &plan, &observed.targets, world.clock.now());
    Ok(PlanReport {
        schema: "otto.plan/1".to_owned(),
        units: plan.units,
        changes,
        costs: outlook.changes,
        over_budget: outlook.over,
        lacks_credentials: blocked && !lacks_all,
        lacks_tools: blocked && lacks_all,
    })
}

/// What would become of the resources of every deployment that would be provisioned.
async fn changes(
    world: &World,
    opened: &Opened,
    (store, tools): (&str, &Toolset),
    plan: &Plan,
    observed: &Observed,
) -> Result<Vec<DeploymentChanges>> {
    let secrets = secrets::gather(world, opened)?;
    let Some(program) = &tools.terraform else {
        return Err(Failure::new(Kind::Tool, "no Terraform was found").hint("otto tools install --yes"));
    };
    let mut env: BTreeMap<String, String> =
        secrets.env().iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect();
    let foreign = ["TF_CLI_ARGS", "TF_WORKSPACE", "TF_LOG"];
    let foreign = foreign.iter().flat_map(|start| world.vars.beginning_with(start));
    env.extend(foreign.map(|name| (name.to_owned(), String::new())));
    let mut all = Vec::new();
    let owner = world.owner();
    let logins = reach::logins(&opened.project)?;
    for target in &observed.targets {
        let unit = plan.unit(&UnitId::of(&target.spec.id, Stage::Provision));
        if unit.is_none_or(|unit| unit.action != Action::Run) || target.provider.kind != ProviderKind::Terraform {
            continue;
        }
        let built = observed.images.iter().filter(|need| need.provider == target.spec.id.provider && need.there);
        let newest = built.filter_map(|need| Some((need.appliance.clone(), need.existing.as_ref()?.reference.clone())));
        let ground = Ground {
            home: &opened.home,
            ids: (&opened.project.id, store),
            logins: &logins,
            owner: &owner,
            program,
            env: env.clone(),
            newest: newest.collect(),
        };
        secrets.learn_outputs(&opened.home.join("terraform").join(target.spec.id.key()).join("terraform.tfstate"));
        let found = preview(&ground, target).await;
        let (resources, error) = match found {
            Ok(resources) => (resources, None),
            Err(why) => (Vec::new(), Some(secrets.text(&why).into_owned())),
        };
        let mut changes = DeploymentChanges { deployment: target.spec.id.clone(), resources, error };
        for field in changes.resources.iter_mut().flat_map(|resource| &mut resource.fields) {
            for value in [&mut field.before, &mut field.after].into_iter().flatten() {
                *value = secrets.text(value).into_owned();
            }
        }
        all.push(changes);
    }
    Ok(all)
}
