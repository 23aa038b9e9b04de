//! Destroy: everything of a deployment goes, and otto looks whether it did.

use std::fs;

use camino::Utf8Path;

use super::super::call::{Call, call};
use super::super::context::Context;
use super::super::inputs::{Identity, root_variables};
use super::super::unit_end::{Trouble, UnitEnd};
use super::terraform::{program_name, summary as done, tool, tool_failed};
use super::{backend, billing, credentials, root, strays, sweep, unconfigure, vagrant_down};
use crate::model::name::counted;
use crate::model::{Deployment, DeploymentId, Dirty, HostSpec, HostState, Phase, ProviderKind, UnitId, Ways};
use crate::tools::terraform::{Extra, Leaving, Operation, Report, State, Stream, leaving};

/// Destroys a deployment; its history stays.
pub(super) async fn run(context: &Context, unit: &UnitId, id: &DeploymentId) -> Result<UnitEnd, Trouble> {
    let left = |r: &Deployment| !r.kept.is_empty() && !context.requests.with.is_empty();
    let Some(mut record) = context.memory.record(id).filter(|r| r.phase.exists() || left(r)) else {
        return Ok(UnitEnd::ok("nothing is there", false));
    };
    if let Some(end) = root::moved(context, &record.home) {
        return Ok(end);
    }
    if record.spec.on.is_some() || context.target(id)?.provider.kind == ProviderKind::Static {
        return unconfigure::run(context, unit, id, record).await;
    }
    if context.target(id)?.provider.kind == ProviderKind::Vagrant {
        return vagrant_down::run(context, unit, id, record).await;
    }
    // Before the record says that it goes: without them, nothing does.
    credentials::tried(context, unit, &context.target(id)?.provider).await?;
    if record.dirty.is_some() {
        billing::enter(context, unit, &record, None).await?;
    }
    begin(context, unit, &mut record)?;
    let folder = context.terraform_folder(id);
    if !root::is_there(&folder) {
        // The copy is gone (someone cleaned up): the provider's own folder does as well.
        root::refresh(context, id, &context.target(id)?.provider)?;
    }
    if root::existing_variables(&folder).is_none() {
        variables_again(context, &record, &folder)?;
    }
    let mut summary = String::from("no resource was in the state");
    let remote = if record.state.is_none() && !folder.join(backend::ERRORED).exists() {
        None
    } else {
        let terraform = tool(context, unit, id, &record, &folder, root::existing_variables(&folder)).await?;
        backend::push_errored(context, unit, &terraform).await?;
        record.state.is_some().then_some(terraform)
    };
    let state = strays::before_destroy(context, unit, &record, &folder, remote.as_ref()).await?;
    let left = leaving(&state, &context.requests.with, &context.target(id)?.provider.keep);
    if !state.is_empty() && (left.kept.is_empty() || !left.targets.is_empty()) {
        summary = terraform_destroy(context, unit, (id, &left), &mut record, &folder).await?;
    }
    let stays = state.only(&left.kept.iter().map(|kept| kept.address.clone()).collect());
    let swept = sweep_all(context, unit, id, &stays).await?;
    if swept > 0 {
        summary = format!("{summary}, {swept} found beside it");
    }
    verify(context, &record, id).await?;
    if let Some(terraform) = remote.as_ref().filter(|_| left.kept.is_empty()) {
        backend::forget_workspace(context, unit, id, terraform).await?;
    }
    if let Err(trouble) = sweep::shared(context, unit, id, "remove").await {
        // Nothing that bills: the deployment itself is gone.
        context.note(unit, format!("what it shared with other deployments was left: {trouble}"), true)?;
    }
    summary = format!("{summary}{}", told(context, unit, id, &left)?);
    // Before the folders go: without them, what the record lists could not be looked for.
    record.hosts.clear();
    record.endpoint = None;
    if let Some(dirty) = &mut record.dirty {
        (dirty.in_flight, dirty.unfinished) = (Vec::new(), Vec::new());
    }
    record.kept = left.kept;
    context.remember(unit, record.clone())?;
    remove_folders(context, id, record.kept.is_empty())?;
    record.phase = Phase::Destroyed;
    record.dirty = None;
    record.provision_hash = None;
    record.config_hash = None;
    if record.kept.is_empty() {
        (record.state, record.adopted) = (None, None);
    }
    context.remember(unit, record)?;
    (context.after_apply)(id);
    Ok(UnitEnd::ok(summary, true))
}

/// Durable before anything goes.
pub(super) fn begin(context: &Context, unit: &UnitId, record: &mut Deployment) -> Result<(), Trouble> {
    let run = context.recorder.run();
    let (in_flight, unfinished) = strays::left_open(record.dirty.as_ref(), &Report::default());
    record.phase = Phase::Destroying;
    record.provision_hash = None;
    record.config_hash = None;
    record.dirty = Some(Dirty {
        reason: format!("its destruction by run {run} did not end"),
        repair: format!("otto destroy {} --yes", record.id),
        in_flight,
        unfinished,
    });
    context.remember(unit, record.clone())
}

/// After a lost folder there is no var file either: what the record says is enough to take it down.
fn variables_again(context: &Context, record: &Deployment, folder: &Utf8Path) -> Result<(), Trouble> {
    let provider = &context.target(&record.id)?.provider;
    let hosts: Vec<HostSpec> = record
        .hosts
        .iter()
        .map(|host| HostSpec {
            name: host.name.clone(),
            role: host.role.clone(),
            image: host.image.clone().unwrap_or_default(),
            size: record.spec.role(&host.role).map(|role| provider.size(&role.size)).unwrap_or_default(),
        })
        .collect();
    let identity = Identity::of(record, &context.project, &context.store, &context.logins);
    let all = root_variables(&record.spec, &hosts, &identity, context.hosts_folder(&record.id).as_str());
    let mut declared = root::declared(folder, &all)?;
    declared.retain(|name, _| record.passes(name));
    root::write_variables(folder, &all, &declared).map(drop)
}

async fn terraform_destroy(
    context: &Context,
    unit: &UnitId,
    (id, left): (&DeploymentId, &Leaving),
    record: &mut Deployment,
    folder: &Utf8Path,
) -> Result<String, Trouble> {
    let var_file = root::existing_variables(folder);
    let terraform = tool(context, unit, id, record, folder, var_file).await?;
    let mut stream = Stream::new();
    let name = program_name(context);
    let passthrough = context.requests.passthrough.clone();
    let invocation = terraform.destroy(&Extra { passthrough, ..Extra::target(&left.targets) });
    let called = call(
        context,
        unit,
        Call { tool: &name, step: "destroy", main: true, stream: None, invocation, lock: None },
        &mut stream,
    )
    .await?;
    let report = stream.report();
    (context.after_apply)(id);
    if called.is_clean() && report.succeeded(Operation::Destroy) {
        return Ok(done(&report));
    }
    billing::enter(context, unit, record, Some(&terraform)).await?;
    let (in_flight, unfinished) = strays::left_open(record.dirty.as_ref(), &report);
    if let Some(dirty) = &mut record.dirty {
        (dirty.in_flight, dirty.unfinished) = (in_flight, unfinished);
        context.remember(unit, record.clone())?;
    }
    let end = tool_failed(&called, &report, "destroy", true);
    Err(end.hint(format!("otto destroy {id} --yes")).into())
}

/// What carries this deployment's tags goes too, whatever state it was forgotten by.
/// But not what holds data.
async fn sweep_all(context: &Context, unit: &UnitId, id: &DeploymentId, stays: &State) -> Result<usize, Trouble> {
    let Some(found) = sweep::list(context, unit, id, "list").await? else { return Ok(0) };
    let gone = sweep::remove(context, unit, id, &strays::adrift(found.ours, stays, &[])).await?;
    if gone == 0 {
        return Ok(0);
    }
    let left = sweep::list(context, unit, id, "verify").await?.unwrap_or_default().ours;
    let left = strays::adrift(left, stays, &[]);
    match left.iter().find(|orphan| !sweep::is_data(context, id, orphan)) {
        None => Ok(gone),
        Some(first) => {
            let end =
                UnitEnd::failed(format!("`{}` ({}) is still there after it was removed", first.name, first.id), true);
            Err(end.hint(format!("otto destroy {id} --yes")).into())
        }
    }
}

/// No host answers any more.
async fn verify(context: &Context, record: &Deployment, id: &DeploymentId) -> Result<(), Trouble> {
    let living = context.hosts_folder(id);
    let mut still = Vec::new();
    for host in record.hosts.iter().filter(|h| h.is_local()) {
        if context.checker.probe(host, &Ways::new()).await.state == HostState::Up
            && host.probe() != Ok(crate::model::Probe::None)
        {
            still.push(format!("{} answers at {}:{}", host.name, host.address, host.service_port()));
        }
    }
    let pids = crate::process::cwd::living_below(&living);
    if !pids.is_empty() {
        still.push(format!("processes {pids:?} live in {living}"));
    }
    if still.is_empty() {
        return Ok(());
    }
    let end = UnitEnd::failed(format!("after the destruction {}", still.join("; ")), true);
    Err(end.hint(format!("otto destroy {id} --yes")).into())
}

/// What stays and how it goes; for the summary, how many.
fn told(context: &Context, unit: &UnitId, id: &DeploymentId, left: &Leaving) -> Result<String, Trouble> {
    for name in &left.unknown {
        context.note(unit, format!("`{name}` is not in the state of {id}"), true)?;
    }
    for kept in left.kept.iter().filter(|kept| !kept.holds_up) {
        let what = format!("{} ({}) holds data and stays", kept.address, kept.id);
        context.note(unit, format!("{what}: `otto destroy {id} --with '{}'` takes it down", kept.address), true)?;
    }
    let under = left.kept.iter().filter(|kept| kept.holds_up).map(|kept| kept.address.as_str()).collect::<Vec<_>>();
    if !under.is_empty() {
        context.note(unit, format!("what that stands on stays as well: {}", under.join(", ")), true)?;
    }
    let stay = left.kept.len() as u64;
    Ok(if stay == 0 { String::new() } else { format!(", {} left behind", counted(stay, "resource")) })
}

/// The hosts' folder and, when nothing is left behind, the copy of the root; the state's last copies lie outside the project.
fn remove_folders(context: &Context, id: &DeploymentId, root_too: bool) -> Result<(), Trouble> {
    // With the hosts go their keys.
    let keys = crate::tools::ssh::folder(&context.home, id);
    let root = context.terraform_folder(id);
    for folder in [context.hosts_folder(id), root.clone(), keys] {
        if folder.exists() && (root_too || folder != root) {
            fs::remove_dir_all(&folder).map_err(Trouble::file(&folder))?;
        }
    }
    Ok(())
}
