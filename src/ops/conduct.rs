//! The way of every verb that runs units: look, plan, ask, execute, account. One path for `up`, each stage, `destroy`, `resume`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::budget;
use super::choose;
use super::ci;
use super::clouds;
use super::consent;
use super::copies::Copies;
use super::credentials::{self, Lacking};
use super::failure::{Failure, Kind, Result};
use super::hosts;
use super::leases;
use super::locks;
use super::observe::{Ground, Images, Observed, observe};
use super::reach;
use super::recovery;
use super::room;
use super::secrets;
use super::signals;
use super::toolbox;
use super::vaults;
use super::verdict;
use super::world::{Opened, World, problems_found, unusable};
use crate::lifecycle::plan::plan;
use crate::lifecycle::{
    Consent, Context, Grounds, ImageNeed, Memory, Recorder, Requests, Secrets, Tally, Target, Toolset, Tried, Verb,
    Wishes, execute,
};
use crate::model::dns::DnsRecord;
use crate::model::plan::Drift;
use crate::model::project::ImageFrom;
use crate::model::ssh::Logins;
use crate::model::{Action, DeploymentId, EventKind, Plan, RunId, Stage, UnitId};
use crate::process::Lock;
use crate::project::{Selection, rules};
use crate::store::Store;

/// Variables of the user that otto adds to rather than replaces.
const INHERITED: [&str; 6] = [
    "ANSIBLE_CALLBACK_PLUGINS",
    "ANSIBLE_COLLECTIONS_PATH",
    "ANSIBLE_ROLES_PATH",
    "TF_HTTP_ADDRESS",
    "TF_HTTP_LOCK_ADDRESS",
    "TF_HTTP_UNLOCK_ADDRESS",
];

/// A request to run units.
#[derive(Clone, Debug)]
pub struct Request {
    /// The verb's name, as typed.
    pub name: String,
    /// What is done.
    pub verb: Verb,
    /// To what.
    pub selection: Selection,
    /// Consents.
    pub consent: Consent,
    /// The name typed for a protected deployment.
    pub confirm: Vec<String>,
    /// Requests to stages.
    pub requests: Requests,
    /// Force, rebuild.
    pub wishes: Wishes,
    /// Units at once; from cores and memory when absent.
    pub jobs: Option<usize>,
    /// Wait for a deployment that someone else holds.
    pub wait: bool,
    /// Units that an earlier run has done (for `resume`).
    pub done: BTreeMap<UnitId, RunId>,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    /// otto's exit code.
    pub code: u8,
    /// Endpoints with their domains, for the last lines.
    pub sites: Vec<(DeploymentId, String, Vec<String>)>,
    /// Records that a person has to set.
    pub dns: Vec<DnsRecord>,
    /// What was worked on.
    pub deployments: Vec<DeploymentId>,
    /// Until when what exists may live, and the line that moves that.
    pub leases: Vec<String>,
    /// What `drift` found.
    pub drifts: Vec<Drift>,
}

/// Runs a request to its end.
///
/// # Errors
/// Whatever keeps it from beginning; what happens later is in the events and in the report's code.
pub async fn conduct(world: &World, request: Request) -> Result<Report> {
    let began = world.clock.now();
    let opened = world.open()?;
    let secrets = secrets::gather(world, &opened)?;
    let done = conduct_opened(world, request, (opened, secrets.clone()), began).await;
    done.map_err(|failure| failure.map(|text| secrets.text(text).into_owned()))
}

async fn conduct_opened(
    world: &World,
    mut request: Request,
    (opened, secrets): (Opened, Arc<Secrets>),
    began: crate::model::Timestamp,
) -> Result<Report> {
    let store = Arc::new(match &request.requests.adopt {
        Some(_) => world.store_adopting(&opened, &request.selection.deployments)?,
        None => world.store(&opened)?,
    });
    let ids = chosen(&opened, &store, &request)?;
    ci::lasting(world, &opened, &store, &ids, &request)?;
    let lacking = match request.verb {
        Verb::Only(Stage::Config | Stage::Test) => Lacking::new(),
        _ => credentials::lacking(world, &opened, &ids, &store.deployments().map_err(unusable)?).await,
    };
    credentials::some_have_them(&ids, &lacking)?;
    vaults::ready(world, &opened, &secrets, &request)?;
    hosts::carried(&store, &ids, &request)?;
    left_alone(world, &store, &ids, &request)?;
    reach::keys(&opened.project, &store, &ids, &request)?;
    let logins = reach::logins(&opened.project)?;
    let (tools, install_ms) =
        toolbox::ready(world, &opened, &ids, &request, &store.deployments().map_err(unusable)?).await?;
    recovery::settle(world, &opened, &store, &ids, &secrets).await?;
    let run = locks::new_run(world);
    let shared = hosts::sharing(&store, &ids, &request)?;
    let locks = locks::take(world, &opened, &shared, &run, &request).await?;
    let records = store.deployments().map_err(unusable)?;
    let index = store.images().map_err(unusable)?;
    let ground = Ground {
        project: &opened.project,
        home: &opened.home,
        store: store.id(),
        records: &records,
        index: &index,
        tools: &tools,
        now: began,
        exe: &world.exe,
        logins: &logins,
    };
    let images = match request.verb {
        _ if request.wishes.adopt => Images::None,
        Verb::Up | Verb::Only(Stage::Provision) => Images::Booted,
        Verb::Only(Stage::Images) => Images::All,
        Verb::Only(_) => Images::None,
    };
    let looks_only = matches!(request.verb, Verb::Only(Stage::Drift | Stage::Extend));
    let mut observed = observe(&ground, &ids, images, !looks_only).await?;
    clouds::still_there(world, &opened, store.id(), &lacking, &mut observed.images).await;
    let mut plan = plan(request.verb, &observed.images, &observed.targets, request.wishes);
    skip_done(&mut plan, &request, &observed.targets);
    if credentials::block(&mut plan, &lacking) {
        request.requests.lacking = lacking.into_keys().collect();
    }
    clouds::remark(&mut plan, &observed.targets, &opened);
    let asked_from = world.clock.now();
    let ledger = store.ledger(None).map_err(unusable)?;
    let outlook = budget::outlook(&opened.project, &ledger, &plan, &observed.targets, began);
    let consent = consent::of(world, &request, &plan, &observed, &outlook)?;
    let asked_ms = world.clock.now().since(asked_from);
    let copies = Copies::new(world, &opened, &store);
    let known = (records, index, secrets);
    let context =
        context(world, &opened, &store, &copies, &request, run, locks, observed, tools, consent, known, logins);
    context.tally.asked(asked_ms);
    let over = outlook.over;
    let report =
        execute_recorded(world, &opened, &store, &copies, context, plan, &request, (began, install_ms), over).await?;
    Ok(report)
}

fn chosen(opened: &Opened, store: &Store, request: &Request) -> Result<Vec<DeploymentId>> {
    let makes = matches!(request.verb, Verb::Up | Verb::Only(Stage::Images | Stage::Provision));
    let ids = if makes {
        choose::wanted(&opened.project, &request.selection)?
    } else {
        choose::known(&opened.project, &request.selection, &store.deployments().map_err(unusable)?)?
    };
    let problems: Vec<_> = if makes {
        ids.iter().flat_map(|id| rules::placed(&opened.project, &opened.origins, id)).collect()
    } else {
        Vec::new()
    };
    let errors: Vec<_> = problems.into_iter().filter(|p| !p.warning).collect();
    if errors.is_empty() { Ok(ids) } else { Err(problems_found(&errors)) }
}

/// Nothing is left running unnoticed: a destruction names what exists and was not meant.
fn left_alone(world: &World, store: &Store, ids: &[DeploymentId], request: &Request) -> Result<()> {
    if request.verb != Verb::Only(Stage::Destroy) || request.name != "destroy" {
        return Ok(());
    }
    let records = store.deployments().map_err(unusable)?;
    for record in records.iter().filter(|r| r.phase.exists() && !ids.contains(&r.id)) {
        (world.say)(&format!("left alone: {} (`otto destroy {}` takes it down)", record.id, record.id));
    }
    Ok(())
}

/// A resumed run does not repeat what it had done, unless what it stands on has to be done again.
fn skip_done(plan: &mut Plan, request: &Request, targets: &[Target]) {
    let dirty = |id: &UnitId| {
        targets
            .iter()
            .filter(|t| id.deployment() == Some(&t.spec.id))
            .filter_map(|t| t.record.as_ref())
            .any(|r| if id.stage == Stage::Provision { r.adrift().is_some() } else { r.dirty.is_some() })
    };
    let mut again: Vec<UnitId> = Vec::new();
    for unit in &mut plan.units {
        let stands_on_new = unit.after.iter().any(|before| again.contains(before));
        match request.done.get(&unit.id) {
            Some(run) if unit.action == Action::Run && !stands_on_new && !dirty(&unit.id) => {
                unit.action = Action::Skip;
                unit.why = format!("done by run {run}");
            }
            _ if unit.action == Action::Run => again.push(unit.id.clone()),
            _ => {}
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the one place where a run's parts come together")]
fn context(
    world: &World,
    opened: &Opened,
    store: &Arc<Store>,
    copies: &Arc<Copies>,
    request: &Request,
    run: RunId,
    locks: BTreeMap<DeploymentId, Lock>,
    observed: Observed,
    tools: Toolset,
    consent: Consent,
    (records, index, secrets): (Vec<crate::model::Deployment>, Vec<crate::model::Image>, Arc<Secrets>),
    logins: Logins,
) -> Arc<Context> {
    let project = &opened.project;
    let copies = copies.clone();
    let by_id = |need: &ImageNeed| {
        project.provider_specs.get(&need.provider).is_some_and(|provider| provider.image_from == ImageFrom::Id)
    };
    // What a cloud lost is not to be found in a manifest of the last build.
    let lost = |need: &ImageNeed| need.existing.is_some() && !need.there && by_id(need);
    let anew = observed.images.iter().filter(|need| request.wishes.rebuild || need.old || lost(need));
    let rebuild = anew.map(|need| (need.provider.clone(), need.appliance.clone())).collect();
    let (journal, screen, clock) = (store.clone(), world.screen.clone(), world.clock.clone());
    let recorder = Recorder::new(run.clone(), 0, journal, screen, clock, secrets.clone());
    Arc::new(Context {
        recorder,
        secrets,
        stopper: world.stopper.clone(),
        stop: world.stop.clone(),
        holder: recovery::holder(world, &run, &request.name),
        rebuild,
        exe: world.exe.clone(),
        home: opened.home.clone(),
        config: project.config.clone().into(),
        title: project.name.clone(),
        project: project.id.clone(),
        store: store.id().to_owned(),
        owner: world.owner(),
        appliances: project.appliances.iter().map(|(name, a)| (name.clone(), a.folder.clone().into())).collect(),
        providers: project.provider_specs.clone(),
        prices: project.prices.clone(),
        targets: observed.targets.into_iter().map(|t| (t.spec.id.clone(), t)).collect(),
        locks,
        tools,
        consent,
        requests: request.requests.clone(),
        prints: observed.prints,
        inherited: inherited(world),
        pipelining_set: ["ANSIBLE_PIPELINING", "ANSIBLE_SSH_PIPELINING"].iter().any(|name| world.vars.is_set(name)),
        ask: world.ask.clone(),
        asking: tokio::sync::Mutex::new(()),
        building: tokio::sync::Mutex::new(()),
        initialising: tokio::sync::Mutex::new(()),
        tried: Tried::default(),
        tally: Tally::default(),
        memory: Memory::new(records, index),
        checker: crate::services::health::Checker::new(),
        ssh: project.ssh.clone(),
        logins,
        sockets: reach::sockets(world, &opened.home, &run),
        grounds: Grounds::default(),
        after_apply: Box::new(move |_| copies.soon()),
    })
}

/// What calls of tools are made from beside the project.
fn inherited(world: &World) -> BTreeMap<String, String> {
    let value = |name: &str| Some((name.to_owned(), world.vars.get(name)?.to_owned()));
    let mut all: BTreeMap<String, String> = INHERITED.iter().filter_map(|name| value(name)).collect();
    // Terraform reads the values itself; that there is one decides what otto passes to a root that was taken over.
    all.extend(world.vars.beginning_with("TF_VAR_").map(|name| (name.to_owned(), String::new())));
    all
}

/// From `run_started` to `run_ended`.
#[expect(clippy::too_many_arguments, reason = "the parts of a run that outlive its units")]
async fn execute_recorded(
    world: &World,
    opened: &Opened,
    store: &Arc<Store>,
    copies: &Copies,
    context: Arc<Context>,
    plan: Plan,
    request: &Request,
    (began, install_ms): (crate::model::Timestamp, u64),
    over: Vec<String>,
) -> Result<Report> {
    let run = context.recorder.run().clone();
    let holder = recovery::holder(world, &run, &request.name);
    let _alive = recovery::run_lock(opened, &run, &holder).map_err(|e| Failure::new(Kind::Store, e.to_string()))?;
    let started = EventKind::RunStarted {
        verb: request.name.clone(),
        argv: world.argv.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        units: plan.units.clone(),
    };
    let allowed = |over: String| {
        let text = format!("over budget, and allowed by {} with --over-budget: {over}", world.owner());
        (None, EventKind::Note { text, warning: true })
    };
    let began_with = std::iter::once((None, started)).chain(over.into_iter().map(allowed)).collect();
    context.recorder.record_all(began_with).map_err(|e| Failure::new(Kind::Store, e.to_string()))?;
    let jobs = request.jobs.unwrap_or_else(super::jobs::default_jobs);
    let end = tokio::select! {
        end = execute(&context, &plan, jobs) => end,
        () = signals::listen(world, &context.recorder) => unreachable!("signals are listened to for ever"),
        () = room::watch(world, &context) => unreachable!("the disk is looked at for ever"),
    };
    reach::hang_up(&context.sockets).await;
    let code = verdict::code(&context, &end, request.verb);
    let totals = context.tally.totals(world.clock.now().since(began), install_ms);
    let ended = EventKind::RunEnded { outcome: end.outcome, code, totals };
    if end.units.values().any(|u| u.abandoned) {
        context.recorder.show(None, ended);
        return Ok(Report { code, ..Report::default() });
    }
    if let Err(error) = context.recorder.record(None, ended) {
        return Err(Failure::new(Kind::Store, format!("the end of run {run} could not be written: {error}"))
            .hint(format!("otto resume {run}")));
    }
    store.flush().map_err(unusable)?;
    copies.now();
    if request.verb == Verb::Only(Stage::Images) {
        return Ok(Report { code, ..Report::default() });
    }
    let there: Vec<_> =
        context.targets.keys().filter_map(|id| context.memory.record(id)).filter(|r| r.phase.exists()).collect();
    let dns = there.iter().flat_map(|record| clouds::records(record, &opened.project)).collect();
    let sites = there
        .iter()
        .filter_map(|r| Some((r.id.clone(), r.front(r.spec.tls.as_ref())?, r.spec.domains.clone())))
        .collect();
    let deployments = context.targets.keys().cloned().collect();
    let leases = leases::told(&context, request);
    Ok(Report { code, sites, dns, deployments, leases, drifts: context.memory.drifts() })
}
