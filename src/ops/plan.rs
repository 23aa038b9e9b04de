//! `otto plan`: what `up` would do. Changes nothing, calls no tool.

use super::choose;
use super::failure::Result;
use super::observe::{Ground, Images, observe};
use super::reach;
use super::toolbox;
use super::world::{World, problems_found, unusable};
use crate::lifecycle::plan::plan as make;
use crate::lifecycle::{Verb, Wishes};
use crate::model::Plan;
use crate::model::status::PlanReport;
use crate::project::{Selection, rules};

/// What `up` would do now.
///
/// # Errors
/// Wrong project files, an unusable store.
pub async fn plan(world: &World, selection: &Selection, wishes: Wishes) -> Result<PlanReport> {
    let opened = world.open()?;
    let store = world.store_to_read(&opened)?;
    let ids = choose::wanted(&opened.project, selection)?;
    let problems: Vec<_> =
        ids.iter().flat_map(|id| rules::placed(&opened.project, &opened.origins, id)).filter(|p| !p.warning).collect();
    if !problems.is_empty() {
        return Err(problems_found(&problems));
    }
    let tools = toolbox::present(world).await;
    let records = store.deployments().map_err(unusable)?;
    let index = store.images().map_err(unusable)?;
    let ground = Ground {
        project: &opened.project,
        home: &opened.home,
        store: store.id(),
        records: &records,
        index: &index,
        tools: &tools,
        now: world.clock.now(),
        exe: &world.exe,
        public_keys: &reach::public_keys(&opened.project.ssh).unwrap_or_default(),
    };
    let observed = observe(&ground, &ids, Images::Booted, true).await?;
    let mut plan: Plan = make(Verb::Up, &observed.images, &observed.targets, wishes);
    for unit in &mut plan.units {
        let stale = observed
            .targets
            .iter()
            .filter(|t| unit.deployment.as_ref() == Some(&t.spec.id) && unit.stage == crate::model::Stage::Provision);
        let stale: Vec<String> = stale.flat_map(|t| super::status::stale(t.record.as_ref(), &index)).collect();
        if !stale.is_empty() {
            unit.why = format!("{}; stale: {}", unit.why, stale.join(", "));
        }
    }
    Ok(PlanReport { schema: "otto.plan/1".to_owned(), units: plan.units })
}
