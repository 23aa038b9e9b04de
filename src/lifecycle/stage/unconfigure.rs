//! Destroy where the hosts stay: `remove.yml` takes away what otto wrote, and is asked again whether anything is left.

use super::super::context::Context;
use super::super::reach;
use super::super::unit_end::{Trouble, UnitEnd};
use super::config::{self, Play};
use super::destroy;
use crate::model::name::counted;
use crate::model::{Deployment, DeploymentId, Host, Phase, UnitId};

/// Takes a site off its hosts.
pub(super) async fn run(
    context: &Context,
    unit: &UnitId,
    id: &DeploymentId,
    mut record: Deployment,
) -> Result<UnitEnd, Trouble> {
    let before = record.phase;
    destroy::begin(context, unit, &mut record)?;
    let mut hosts = hosts_now(context, &record);
    for name in context.requests.lost.iter().filter(|name| hosts.iter().any(|host| host.name == **name)) {
        context.note(unit, format!("{name} is given up: nothing is taken off it"), true)?;
    }
    hosts.retain(|host| !context.requests.lost.contains(&host.name));
    let _ground = context.grounds.take(&hosts).await;
    let mut summary = format!("the hosts of {} are gone", record.spec.carrier().as_ref().unwrap_or(id));
    if !hosts.is_empty() {
        match taken_off(context, unit, &record, &hosts).await {
            Ok(said) => summary = said,
            Err(Trouble::End(end)) if !end.changed => {
                // Nothing was touched: it is as it was before.
                record.phase = before;
                record.dirty = None;
                context.remember(unit, record)?;
                return Err(end.into());
            }
            Err(trouble) => return Err(trouble),
        }
    }
    record.hosts.clear();
    record.endpoint = None;
    record.phase = Phase::Destroyed;
    record.dirty = None;
    context.remember(unit, record)?;
    (context.after_apply)(id);
    Ok(UnitEnd::ok(summary, true))
}

/// Those it was recorded on, or those that its carrier has today.
fn hosts_now(context: &Context, record: &Deployment) -> Vec<Host> {
    let Some(carrier) = record.spec.carrier() else { return record.hosts.clone() };
    context.memory.record(&carrier).filter(|r| r.phase.exists()).map(|r| r.hosts).unwrap_or_default()
}

async fn taken_off(context: &Context, unit: &UnitId, record: &Deployment, hosts: &[Host]) -> Result<String, Trouble> {
    let lost = |trouble| match trouble {
        Trouble::End(end) => {
            let line = format!("otto destroy {} --lost HOST gives up one that is gone for good", record.id);
            Trouble::End(end.hint(line))
        }
        other => other,
    };
    let all = context.memory.record(&record.id).map(|r| r.hosts).filter(|all| !all.is_empty());
    reach::wait(context, unit, &record.spec, hosts, all.as_deref().unwrap_or(hosts)).await.map_err(lost)?;
    let remove = Play { main: true, ..Play::new("remove.yml", "remove") };
    let changed = config::play(context, unit, &record.spec, hosts, remove).await?;
    // What it removes it prints: a second time there must be nothing to print.
    let left = config::play(context, unit, &record.spec, hosts, Play::new("remove.yml", "verify")).await?;
    if left > 0 {
        let what = format!("{} still found something of the site after it was removed", counted(left, "task"));
        return Err(UnitEnd::failed(what, true).hint(format!("otto destroy {} --yes", record.id)).into());
    }
    let hosts = counted(hosts.len() as u64, "host");
    Ok(if changed > 0 { format!("taken off {hosts}, which stay") } else { format!("nothing of it was on {hosts}") })
}
