//! Provision: hosts out of images, by Terraform or OpenTofu, in the deployment's own copy of the root.
//!
//! The record says `partial` and dirty before the tool that may change something starts, and only a proven end takes
//! that back: whatever happens in between, the next otto knows that it has to look.

use std::fs;

use camino::Utf8Path;
use serde_json::{Map, Value};

use super::super::call::{Call, Called, call};
use super::super::context::Context;
use super::super::inputs::{self, Identity};
use super::super::plan::Target;
use super::super::reach;
use super::super::unit_end::{Trouble, UnitEnd};
use super::config::{self, Play};
use super::terraform::{plan_call, program_name, summary, tool, tool_failed};
use super::{backend, billing, build, credentials, guard, machines, refresh, root, strays, sweep};
use crate::model::project::ImageFrom;
use crate::model::site::{balances, serves_pages};
use crate::model::{Deployment, DeploymentId, DeploymentSpec, Dirty, HostSpec, HostState, Phase, UnitId};
use crate::tools::terraform::args::Goal;
use crate::tools::terraform::{Extra, Operation, Report, Stream, Terraform, outputs};

/// Everything an apply needs, prepared.
struct Ready<'a> {
    target: &'a Target,
    round: &'a Round,
    record: Deployment,
    /// As it was before this unit touched it.
    before: Deployment,
    is_new: bool,
    was_dirty: Option<Dirty>,
    /// Addresses that an interrupted run left unfinished.
    replace: Vec<String>,
    hosts: Vec<HostSpec>,
    variables: Map<String, Value>,
    terraform: Terraform,
}

/// One plan and apply of a unit.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// Behind the names of its calls' steps: the first round of a unit has none.
    pub(super) suffix: String,
    /// The host that gets the newest image.
    pub(super) refresh: Option<String>,
}

/// Provisions a deployment.
pub(super) async fn run(context: &Context, unit: &UnitId, id: &DeploymentId) -> Result<UnitEnd, Trouble> {
    credentials::tried(context, unit, &context.target(id)?.provider).await?;
    // Before hosts are made: pages that cannot be built need none.
    build::ensure(context, unit, &context.target(id)?.spec.clone()).await?;
    round(context, unit, id, &Round::default()).await
}

/// Provisions a deployment, in one round of several.
pub(super) async fn round(
    context: &Context,
    unit: &UnitId,
    id: &DeploymentId,
    round: &Round,
) -> Result<UnitEnd, Trouble> {
    let mut ready = prepare(context, unit, id, round).await?;
    ready.replace = strays::before_apply(context, unit, &ready.record, ready.is_new, &ready.terraform).await?;
    if ready.was_dirty.is_some() {
        // What an interrupted run left in the state bills since then: entered before this one says that it begins.
        billing::enter(context, unit, &ready.record, Some(&ready.terraform)).await?;
    }
    let agreed = context.consent.yes || context.consent.agreed_new;
    let used_again = context.memory.record(id).is_some_and(|known| !known.kept.is_empty());
    let one_call = ready.is_new && agreed && ready.target.provider.is_free() && !used_again;
    if one_call {
        sweep::shared(context, unit, id, "add").await?;
        begin(context, unit, &mut ready)?;
        let invocation = ready.terraform.apply_new(&Extra::passthrough(&context.requests.passthrough));
        return apply(context, unit, ready, invocation).await;
    }
    let plan_file = context.terraform_folder(id).join("otto.tfplan");
    root::private_file(&plan_file)?;
    let planned = plan(context, unit, &ready, &plan_file).await;
    let end = match planned {
        Ok(report) => decide(context, unit, ready, report, &plan_file).await,
        Err(trouble) => Err(trouble),
    };
    // Plan files hold secrets in clear.
    let _ = fs::remove_file(&plan_file);
    end
}

/// Reads, checks and writes what every call needs.
async fn prepare<'a>(
    context: &'a Context,
    unit: &UnitId,
    id: &DeploymentId,
    round: &'a Round,
) -> Result<Ready<'a>, Trouble> {
    let target = context.target(id)?;
    let known = context.memory.record(id);
    let living = known.as_ref().filter(|r| r.phase.exists());
    if let Some(end) = living.and_then(|r| root::moved(context, &r.home)) {
        return Err(end.into());
    }
    let down = |name: &str| target.hosts.iter().any(|(n, state)| n == name && *state != HostState::Up);
    let by_file = target.provider.image_from == ImageFrom::File;
    let is_gone = |name: &str, image: &str| {
        round.refresh.as_deref() == Some(name) || by_file && down(name) && !Utf8Path::new(image).is_file()
    };
    let newest = context.memory.newest(&id.provider);
    let hosts = inputs::host_specs(&target.spec, living, &target.provider, &newest, &is_gone).map_err(|missing| {
        let names: Vec<&str> = missing.iter().map(crate::model::Name::as_str).collect();
        UnitEnd::failed(format!("no image of {}", names.join(", ")), false).hint("otto images")
    })?;
    let mut record = known.clone().filter(|r| r.phase.exists()).unwrap_or_else(|| fresh(context, &target.spec));
    record.state = backend::place(context, &record, &target.provider)?;
    let identity = Identity::of(&record, &context.project, &context.store, &context.logins);
    if living.is_none() && record.state.is_none() {
        backend::nothing_beside(context, id, &target.provider)?;
    }
    let folder = root::refresh(context, id, &target.provider)?;
    if crate::tools::terraform::root::lacks_output(&folder, "hosts").map_err(Trouble::file(&folder))? {
        let what = format!("the root `clowd/provision/{}` declares no output `hosts`", id.provider);
        let hint = "declare it in the root: a list of objects with `name`, `role` and `address`";
        return Err(UnitEnd::failed(what, false).hint(hint).into());
    }
    let all = inputs::root_variables(&target.spec, &hosts, &identity, context.hosts_folder(id).as_str());
    let mut variables = root::declared(&folder, &all)?;
    variables.retain(|name, _| record.passes(name));
    let var_file = root::write_variables(&folder, &all, &variables)?;
    let terraform = tool(context, unit, id, &record, &folder, Some(var_file)).await?;
    match &record.state {
        Some(place) if living.is_none() => {
            let found = backend::look(context, unit, &terraform, place).await?;
            backend::must_be_empty(id, place, &found, known.as_ref().map_or(&[], |r| &r.kept))?;
        }
        _ => backend::push_errored(context, unit, &terraform).await?,
    }
    fs::create_dir_all(context.hosts_folder(id)).map_err(Trouble::file(context.hosts_folder(id)))?;
    Ok(Ready {
        target,
        round,
        is_new: living.is_none(),
        was_dirty: record.dirty.clone(),
        before: record.clone(),
        replace: Vec::new(),
        record,
        hosts,
        variables,
        terraform,
    })
}

/// The record of a deployment that does not exist yet.
pub(super) fn fresh(context: &Context, spec: &DeploymentSpec) -> Deployment {
    let now = context.now();
    Deployment {
        id: spec.id.clone(),
        phase: Phase::Absent,
        dirty: None,
        created_at: now,
        run: context.recorder.run().clone(),
        owner: context.owner.clone(),
        expires_at: spec.ttl_s.map(|ttl| now.plus_seconds(i64::try_from(ttl).unwrap_or(i64::MAX / 2000))),
        moved: None,
        kept: Vec::new(),
        protect: spec.protect,
        home: context.home.to_string(),
        tool: None,
        state: None,
        adopted: None,
        hosts: Vec::new(),
        endpoint: None,
        spec: spec.clone(),
        provision_hash: None,
        config_hash: None,
    }
}

/// Durable before the tool starts: from here on something may exist.
fn begin(context: &Context, unit: &UnitId, ready: &mut Ready<'_>) -> Result<(), Trouble> {
    let run = context.recorder.run();
    let (in_flight, unfinished) = strays::left_open(ready.was_dirty.as_ref(), &Report::default());
    ready.record.dirty = Some(Dirty {
        reason: format!("provisioning by run {run} did not end"),
        repair: format!("otto resume {run} --yes"),
        in_flight,
        unfinished,
    });
    ready.record.phase = Phase::Partial;
    ready.record.provision_hash = None;
    ready.record.tool = context.tools.terraform.as_ref().map(|t| t.name.clone());
    context.remember(unit, ready.record.clone())
}

async fn plan(
    context: &Context,
    unit: &UnitId,
    ready: &Ready<'_>,
    plan_file: &Utf8Path,
) -> Result<(Report, bool), Trouble> {
    let extra = Extra { passthrough: context.requests.passthrough.clone(), ..Extra::replace(&ready.replace) };
    let invocation = ready.terraform.plan(Goal::Create, Some(plan_file), &extra);
    plan_call(context, unit, &format!("plan{}", ready.round.suffix), invocation).await
}

/// With a plan at hand: nothing to do, or consent and apply.
async fn decide(
    context: &Context,
    unit: &UnitId,
    mut ready: Ready<'_>,
    (report, unchanged): (Report, bool),
    plan_file: &Utf8Path,
) -> Result<UnitEnd, Trouble> {
    let known: Vec<&str> = ready.record.hosts.iter().map(|h| h.name.as_str()).collect();
    let same_hosts = known.len() == ready.hosts.len() && ready.hosts.iter().all(|h| known.contains(&h.name.as_str()));
    let interrupted = ready.was_dirty.is_some();
    // 2 is Terraform's word for changes; outputs alone count as well. After an interruption the hosts of the record may
    // be those of before it: only an apply, even an empty one, tells them.
    if unchanged && same_hosts && !interrupted {
        if let Some(host) = &ready.round.refresh {
            let what = format!("the root does not make {host} anew when its image changes");
            return Err(UnitEnd::failed(what, false).hint("see `ignore_changes` in the root").into());
        }
        billing::enter(context, unit, &ready.record, Some(&ready.terraform)).await?;
        finish(context, unit, &mut ready, None)?;
        return Ok(UnitEnd::ok("no changes", false));
    }
    let repair = interrupted.then_some(ready.replace.as_slice());
    let wish = guard::Wish { repair, refresh: ready.round.refresh.as_deref() };
    if !report.planned.is_empty()
        && let Some(cost) = billing::outlook(context, unit, &ready.record, &ready.terraform, plan_file).await?
    {
        context.note(unit, format!("cost: {cost}"), false)?;
    }
    guard::consent(context, unit, &ready.target.spec.id, &report.planned, ready.target, &wish).await?;
    drain(context, unit, &mut ready).await?;
    sweep::shared(context, unit, &ready.target.spec.id, "add").await?;
    begin(context, unit, &mut ready)?;
    let invocation = ready.terraform.apply_saved(plan_file);
    apply(context, unit, ready, invocation).await
}

/// Takes hosts that will go out of the load balancer before they go, so that no request fails.
async fn drain(context: &Context, unit: &UnitId, ready: &mut Ready<'_>) -> Result<(), Trouble> {
    let leaving = ready.round.refresh.clone().map_or_else(|| ready.target.leaving(), |host| vec![host]);
    if leaving.is_empty() || ready.record.config_hash.is_none() {
        return Ok(());
    }
    let stay: Vec<_> = ready.record.hosts.iter().filter(|h| !leaving.contains(&h.name)).cloned().collect();
    let goes_on = |does: fn(&str) -> bool| stay.iter().any(|h| does(&h.role));
    if stay.is_empty() || ready.round.refresh.is_some() && !(goes_on(serves_pages) && goes_on(balances)) {
        return Ok(());
    }
    context.note(unit, format!("draining {} before it goes", leaving.join(", ")), false)?;
    // Durable before: a drain that is interrupted has to be taken back by a configuration.
    ready.record.config_hash = None;
    if matches!(ready.record.phase, Phase::Configured | Phase::Tested) {
        ready.record.phase = Phase::Provisioned;
    }
    context.remember(unit, ready.record.clone())?;
    ready.before = ready.record.clone();
    let step = format!("drain{}", ready.round.suffix);
    config::play(context, unit, &ready.target.spec, &stay, Play::new("site.yml", &step)).await?;
    if ready.round.refresh.is_some() {
        refresh::guests(context, unit, &ready.record, &stay, &step).await?;
    }
    Ok(())
}

async fn apply(
    context: &Context,
    unit: &UnitId,
    mut ready: Ready<'_>,
    invocation: crate::tools::Invocation,
) -> Result<UnitEnd, Trouble> {
    let mut stream = Stream::new();
    let name = program_name(context);
    let step = format!("apply{}", ready.round.suffix);
    let called = call(
        context,
        unit,
        Call { tool: &name, step: &step, main: step == "apply", stream: None, invocation, lock: None },
        &mut stream,
    )
    .await?;
    let report = stream.report();
    context.secrets.learn_outputs(&context.terraform_folder(&ready.target.spec.id).join("terraform.tfstate"));
    (context.after_apply)(&ready.target.spec.id);
    // Before the record: until then it says since when all of this may be there.
    let mut billed = ready.record.clone();
    if let Ok(declared) = outputs::declared(&report.outputs, &report.sensitive_outputs) {
        (billed.hosts, billed.spec) = (declared.hosts, ready.target.spec.clone());
    }
    billing::enter(context, unit, &billed, Some(&ready.terraform)).await?;
    if called.is_clean() && report.succeeded(Operation::Apply) {
        let summary = summary(&report);
        let finished = finish(context, unit, &mut ready, Some(&report));
        if let (Err(Trouble::End(end)), Some(dirty)) = (&finished, &mut ready.record.dirty) {
            // Made, and not as declared: it did end, and what is wrong is known.
            dirty.reason.clone_from(&end.summary);
            context.remember(unit, ready.record.clone())?;
        }
        finished?;
        return Ok(UnitEnd::ok(summary, true));
    }
    let touched = report.touched();
    settle_failure(context, unit, &mut ready, &called, &report, touched)?;
    let mut end = tool_failed(&called, &report, "apply", touched || called.end == crate::model::End::Unknown);
    end.hints.extend(backend::errored_hint(context, &ready.target.spec.id));
    Err(end.into())
}

/// After an apply that did not end well: what is known is written down, what is unknown is named.
fn settle_failure(
    context: &Context,
    unit: &UnitId,
    ready: &mut Ready<'_>,
    called: &Called,
    report: &Report,
    touched: bool,
) -> Result<(), Trouble> {
    let clean_end = matches!(called.end, crate::model::End::Exited { .. }) && !called.abandoned;
    if !touched && clean_end && !report.errors.is_empty() {
        // Terraform itself says why it never began a change.
        ready.record = ready.before.clone();
        return context.remember(unit, ready.record.clone());
    }
    let how =
        if called.interrupted { "was interrupted".to_owned() } else { format!("ended with {}", called.end.describe()) };
    let (in_flight, unfinished) = strays::left_open(ready.was_dirty.as_ref(), report);
    ready.record.dirty = Some(Dirty {
        reason: format!("apply {how}"),
        repair: format!("otto resume {} --yes", context.recorder.run()),
        in_flight,
        unfinished,
    });
    context.remember(unit, ready.record.clone())
}

/// After a proven end: hosts and endpoint from the apply's own outputs.
fn finish(context: &Context, unit: &UnitId, ready: &mut Ready<'_>, report: Option<&Report>) -> Result<(), Trouble> {
    let record = &mut ready.record;
    let mut changed = false;
    if let Some(report) = report {
        let not_so = |what: String| {
            let root = &record.id.provider;
            UnitEnd::failed(what, true).hint(format!("correct the outputs of the root `clowd/provision/{root}`"))
        };
        let declared =
            outputs::declared(&report.outputs, &report.sensitive_outputs).map_err(|e| not_so(e.to_string()))?;
        if let Some(problem) = declared.against(&ready.hosts).problem() {
            return Err(not_so(problem).into());
        }
        for warning in &declared.warnings {
            context.note(unit, warning.clone(), true)?;
        }
        let mut hosts = declared.hosts;
        for host in &mut hosts {
            let asked = ready.hosts.iter().find(|h| h.name == host.name);
            host.image = asked.map(|h| h.image.clone()).filter(|image| !image.is_empty());
        }
        changed = hosts != record.hosts || !report.made.is_empty();
        reach::forget(context, &ready.target.spec, &record.hosts, &hosts, &report.made)?;
        record.hosts = hosts;
        record.endpoint = declared.endpoint;
    }
    let tool = context.tools.terraform.as_ref().map(|t| t.name.clone()).unwrap_or_default();
    let root = context.prints.roots.get(&record.id.provider).cloned().unwrap_or_default();
    record.provision_hash = Some(inputs::provision_hash(&root, &ready.variables, &tool));
    record.tool = Some(tool);
    record.dirty = None;
    record.spec = ready.target.spec.clone();
    record.protect = ready.target.spec.protect;
    if report.is_some() && changed || !matches!(record.phase, Phase::Configured | Phase::Tested) {
        record.phase = Phase::Provisioned;
    }
    if report.is_some() || record.phase == Phase::Provisioned {
        // A host may be new under an old name: configuring must not be skipped.
        record.config_hash = None;
    }
    context.remember(unit, ready.record.clone())?;
    if changed { machines::tell_guests(context, unit, &ready.target.spec.id) } else { Ok(()) }
}
