//! Provision where nothing is made: machines that are there already, and hosts that another site has.

use super::super::context::Context;
use super::super::inputs;
use super::super::reach;
use super::super::unit_end::{Trouble, UnitEnd};
use super::config::{self, Play};
use super::{provision, root};
use crate::model::name::counted;
use crate::model::site::{balances, serves_pages};
use crate::model::{Deployment, DeploymentId, DeploymentSpec, Host, Machine, Phase, UnitId};
use crate::tools::ssh;

/// Records the machines of a deployment and waits until all of them let otto in.
pub(super) async fn run(context: &Context, unit: &UnitId, id: &DeploymentId) -> Result<UnitEnd, Trouble> {
    let target = context.target(id)?;
    let known = living(context, id)?;
    let hosts: Vec<Host> = target.spec.machines.iter().map(|machine| host(machine, &target.spec)).collect();
    taken(context, &target.spec, &hosts)?;
    reach::wait(context, unit, &target.spec, &hosts, &hosts).await?;
    let leaving: Vec<Host> =
        known.iter().flat_map(|r| &r.hosts).filter(|h| !hosts.iter().any(|n| n.name == h.name)).cloned().collect();
    let mut changed = false;
    if let Some(record) = &known {
        moved(context, unit, record, &hosts)?;
    }
    if let (Some(record), false) = (&known, leaving.is_empty()) {
        changed = dismiss(context, unit, &target.spec, record, &leaving).await?;
    }
    let endpoint = endpoint(&hosts);
    let summary = counted(hosts.len() as u64, "machine");
    let same = known.as_ref().is_none_or(|r| r.hosts == hosts);
    record(context, unit, &target.spec, known, hosts, endpoint)?;
    if !same {
        tell_guests(context, unit, id)?;
    }
    Ok(UnitEnd::ok(format!("SSH answers on {summary}"), changed))
}

/// Records the hosts of the site that this one lives on.
pub(super) async fn ride(context: &Context, unit: &UnitId, id: &DeploymentId) -> Result<UnitEnd, Trouble> {
    let target = context.target(id)?;
    let carrier = target.spec.carrier().ok_or_else(|| UnitEnd::failed("it lives on no other site's hosts", false))?;
    let theirs = context.memory.record(&carrier).filter(|r| r.phase.exists() && !r.hosts.is_empty());
    let theirs = theirs.ok_or_else(|| {
        UnitEnd::failed(format!("it lives on the hosts of {carrier}, and there are none"), false)
            .hint(format!("otto up {carrier} {id}"))
    })?;
    let known = living(context, id)?;
    let summary = format!("on the {} of {carrier}", counted(theirs.hosts.len() as u64, "host"));
    record(context, unit, &target.spec, known, theirs.hosts, theirs.endpoint)?;
    Ok(UnitEnd::ok(summary, false))
}

/// Sites on these hosts have to be configured again; those that this run does not look after are named. Whoever works on
/// them holds the lock of this deployment as well.
pub(super) fn tell_guests(context: &Context, unit: &UnitId, id: &DeploymentId) -> Result<(), Trouble> {
    let on_it = |r: &Deployment| r.phase.exists() && r.spec.carrier().as_ref() == Some(id);
    for mut guest in context.memory.records().into_iter().filter(on_it) {
        if !context.targets.contains_key(&guest.id) {
            let text = format!("{} lives on these hosts, which changed: `otto up {}` follows", guest.id, guest.id);
            context.note(unit, text, true)?;
        }
        guest.config_hash = None;
        context.remember(unit, guest)?;
    }
    Ok(())
}

fn living(context: &Context, id: &DeploymentId) -> Result<Option<Deployment>, Trouble> {
    let known = context.memory.record(id).filter(|r| r.phase.exists());
    match known.as_ref().and_then(|r| root::moved(context, &r.home)) {
        Some(end) => Err(end.into()),
        None => Ok(known),
    }
}

fn host(machine: &Machine, spec: &DeploymentSpec) -> Host {
    let mut vars = service_vars(spec);
    vars.extend(machine.vars.clone());
    Host {
        name: machine.name.to_string(),
        role: machine.role.to_string(),
        address: machine.address.clone(),
        private_address: machine.private_address.clone(),
        user: machine.user.clone(),
        port: machine.port,
        identity: machine.identity.clone(),
        jump: machine.jump.clone(),
        connection: None,
        probe: None,
        vars,
        image: None,
    }
}

/// What checks have to know beside the address.
pub(super) fn service_vars(spec: &DeploymentSpec) -> serde_json::Map<String, serde_json::Value> {
    let port = spec.vars.get("http_port").map(|port| ("http_port".to_owned(), port.clone()));
    port.into_iter().collect()
}

/// Where visitors come in: the first balancer, else the only web server.
pub(super) fn endpoint(hosts: &[Host]) -> Option<String> {
    let mut balancers: Vec<&Host> = hosts.iter().filter(|host| balances(&host.role)).collect();
    balancers.sort_by(|a, b| a.name.cmp(&b.name));
    let servers: Vec<&Host> = hosts.iter().filter(|host| serves_pages(&host.role)).collect();
    let entry = match (balancers.first(), &servers[..]) {
        (Some(first), _) => first,
        (None, [only]) => only,
        _ => return None,
    };
    let address = if entry.address.contains(':') { format!("[{}]", entry.address) } else { entry.address.clone() };
    let port = entry.vars.get("http_port").and_then(serde_json::Value::as_u64).unwrap_or(80);
    Some(if port == 80 { format!("http://{address}/") } else { format!("http://{address}:{port}/") })
}

/// One machine, one file a site: the same site of another environment would write the same file, and one port has one
/// service.
fn taken(context: &Context, spec: &DeploymentSpec, hosts: &[Host]) -> Result<(), Trouble> {
    for other in context.memory.records().iter().filter(|r| r.phase.exists() && r.id != spec.id && r.spec.on.is_none())
    {
        for host in hosts {
            let same =
                |theirs: &&Host| theirs.address == host.address && theirs.jump == host.jump && !theirs.is_local();
            let Some(theirs) = other.hosts.iter().find(same) else { continue };
            if other.id.site == spec.id.site {
                let what =
                    format!("{} ({}) has the site `{}` of {} already", host.name, host.address, spec.id.site, other.id);
                return Err(UnitEnd::failed(what, false).hint(format!("otto destroy {}", other.id)).into());
            }
            let front = |host: &Host| balances(&host.role);
            if front(host) != front(theirs) && host.service_port() == theirs.service_port() {
                let what = format!(
                    "{} ({}) is a `{}` here and a `{}` of {}: both would answer on port {}",
                    host.name,
                    host.address,
                    host.role,
                    theirs.role,
                    other.id,
                    host.service_port()
                );
                let hint = format!(
                    "give one of them another port by `vars: {{http_port: 8080}}`, or write `on: {}`",
                    other.id.site
                );
                return Err(UnitEnd::failed(what, false).hint(hint).into());
            }
        }
    }
    Ok(())
}

/// Takes machines out of the deployment: out of the balancer first, then the site's files away from them.
async fn dismiss(
    context: &Context,
    unit: &UnitId,
    spec: &DeploymentSpec,
    record: &Deployment,
    leaving: &[Host],
) -> Result<bool, Trouble> {
    if record.config_hash.is_none() && record.phase == Phase::Provisioned {
        return Ok(false);
    }
    let names: Vec<&str> = leaving.iter().map(|host| host.name.as_str()).collect();
    context.note(unit, format!("taking the site off {}", names.join(", ")), false)?;
    let stay: Vec<Host> = record.hosts.iter().filter(|h| !names.contains(&h.name.as_str())).cloned().collect();
    if !stay.is_empty() {
        config::play(context, unit, spec, &stay, Play::new("site.yml", "drain")).await?;
    }
    // Why it leaves may be that it is dead.
    let access = context.access_ready(spec, &record.hosts)?;
    let mut answering = Vec::new();
    for host in leaving {
        match ssh::login(&context.exe, &access, host, &record.hosts).await {
            Ok(()) => answering.push(host.clone()),
            Err(refusal) => {
                let text = format!("{} ({}) is left as it is: {}", host.name, host.address, refusal.what);
                context.note(unit, text, true)?;
            }
        }
    }
    if answering.is_empty() {
        return Ok(false);
    }
    let changed = config::play(context, unit, &record.spec, &answering, Play::new("remove.yml", "remove")).await?;
    Ok(changed > 0)
}

/// A name that means another machine now: nothing is done to the one that it meant before.
fn moved(context: &Context, unit: &UnitId, record: &Deployment, hosts: &[Host]) -> Result<(), Trouble> {
    for old in &record.hosts {
        let Some(new) = hosts.iter().find(|h| h.name == old.name && h.address != old.address) else { continue };
        let text = format!("{} was {} and is {} now: what otto wrote there stays", old.name, old.address, new.address);
        context.note(unit, text, true)?;
    }
    Ok(())
}

fn record(
    context: &Context,
    unit: &UnitId,
    spec: &DeploymentSpec,
    known: Option<Deployment>,
    hosts: Vec<Host>,
    endpoint: Option<String>,
) -> Result<(), Trouble> {
    let mut record = known.unwrap_or_else(|| provision::fresh(context, spec));
    if record.hosts != hosts || !matches!(record.phase, Phase::Configured | Phase::Tested) {
        record.phase = Phase::Provisioned;
        record.config_hash = None;
    }
    record.provision_hash = Some(inputs::machines_hash(&hosts));
    record.hosts = hosts;
    record.endpoint = endpoint;
    record.spec = spec.clone();
    record.protect = spec.protect;
    record.dirty = None;
    context.remember(unit, record)
}

/// The hash that recording these machines would have.
pub fn print(spec: &DeploymentSpec) -> String {
    let hosts: Vec<Host> = spec.machines.iter().map(|machine| host(machine, spec)).collect();
    inputs::machines_hash(&hosts)
}
