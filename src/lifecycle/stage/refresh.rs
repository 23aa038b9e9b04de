//! `up --refresh-images`: hosts with an older image are replaced one after the other, each drained before and configured
//! and healthy before the next, so that nobody sees a failed request.

use std::time::Duration;

use super::super::context::Context;
use super::super::unit_end::{Trouble, UnitEnd};
use super::config::{self, Play};
use super::provision::{self, Round};
use super::test;
use crate::model::name::counted;
use crate::model::site::{balances, serves_pages};
use crate::model::{Deployment, DeploymentId, Health, Host, UnitId};
use crate::services::health::worst;

/// How long a host that was replaced may take until all checks of the deployment pass.
const PATIENCE: Duration = Duration::from_secs(20);

/// Provisions as usual, then replaces what is stale.
pub(super) async fn run(context: &Context, unit: &UnitId, id: &DeploymentId) -> Result<UnitEnd, Trouble> {
    let first = provision::round(context, unit, id, &Round::default()).await?;
    if !first.outcome.is_good() {
        return Ok(first);
    }
    let record = config::existing(context, id)?;
    let stale = stale(context, &record);
    if stale.is_empty() {
        return Ok(UnitEnd { summary: format!("{}; no host is stale", first.summary), ..first });
    }
    if record.config_hash.is_none() {
        config::configure(context, unit, id, "configure", false).await?;
    }
    for (number, host) in stale.iter().enumerate() {
        replace(context, unit, id, host).await.map_err(|trouble| {
            let left = stale.len() - number;
            let end = trouble.into_end(number > 0 || first.changed);
            let summary = format!("{host}: {}; {} not refreshed", end.summary, counted(left as u64, "host"));
            UnitEnd { summary, ..end }.hint(format!("otto up {id} --refresh-images"))
        })?;
    }
    Ok(UnitEnd::ok(
        format!("{} replaced, one after the other: {}", counted(stale.len() as u64, "host"), stale.join(", ")),
        true,
    ))
}

/// Hosts that were born with another image than the newest: servers first, so that a balancer never waits for all of them.
fn stale(context: &Context, record: &Deployment) -> Vec<String> {
    let newest = context.memory.newest(&record.id.provider);
    let mut found: Vec<(bool, String)> = Vec::new();
    for host in &record.hosts {
        let role = record.spec.roles.iter().find(|(name, _)| name.as_str() == host.role);
        let Some(newest) = role.and_then(|(_, role)| newest.get(role.image.as_ref()?)) else { continue };
        if host.image.as_ref().is_some_and(|born| born != newest) {
            found.push((balances(&host.role), host.name.clone()));
        }
    }
    found.sort();
    found.into_iter().map(|(_, name)| name).collect()
}

async fn replace(context: &Context, unit: &UnitId, id: &DeploymentId, host: &str) -> Result<(), Trouble> {
    let record = config::existing(context, id)?;
    if let Some(role) = alone(&record, host) {
        context.note(unit, format!("{host} is the only {role} of {id}: the site is down until it is back"), true)?;
    }
    let round = Round { suffix: format!("-{host}"), refresh: Some(host.to_owned()) };
    let end = provision::round(context, unit, id, &round).await?;
    if !end.outcome.is_good() {
        return Err(end.into());
    }
    config::configure(context, unit, id, &format!("configure-{host}"), false).await?;
    let record = config::existing(context, id)?;
    guests(context, unit, &record, &record.hosts, &format!("configure-{host}")).await?;
    let results = test::ask(context, &record, &record.spec, PATIENCE).await?;
    if worst(&results) == Health::Critical {
        let bad = results.iter().find(|r| r.state == Health::Critical).expect("the worst of them is critical");
        let what = format!("is replaced, and {} ({}) fails: {}", bad.name, bad.target, bad.detail);
        return Err(UnitEnd::failed(what, true).hint(format!("otto status {id}")).into());
    }
    context.note(unit, format!("{host} boots the newest image, is configured and serves"), false)
}

/// Sites that live on these hosts are taken off and put back together with their carrier.
pub(super) async fn guests(
    context: &Context,
    unit: &UnitId,
    carrier: &Deployment,
    hosts: &[Host],
    step: &str,
) -> Result<(), Trouble> {
    let all = context.memory.records().into_iter();
    let mut all = all.filter(|r| r.phase.exists() && r.config_hash.is_some());
    while let Some(mut guest) = all.find(|r| r.spec.carrier().as_ref() == Some(&carrier.id)) {
        let play = Play::new("site.yml", &format!("{step}-{}", guest.id.site));
        config::play(context, unit, &guest.spec, hosts, play).await?;
        if hosts.len() == carrier.hosts.len() {
            guest.hosts = hosts.to_vec();
            guest.endpoint.clone_from(&carrier.endpoint);
            context.remember(unit, guest)?;
        }
    }
    Ok(())
}

/// What nobody else does while this host is away.
fn alone(record: &Deployment, host: &str) -> Option<&'static str> {
    let role = &record.hosts.iter().find(|h| h.name == host)?.role;
    let others = |does: fn(&str) -> bool| record.hosts.iter().any(|h| h.name != host && does(&h.role));
    match () {
        () if balances(role) && !others(balances) => Some("load balancer"),
        () if serves_pages(role) && !others(serves_pages) => Some("web server"),
        () => None,
    }
}
