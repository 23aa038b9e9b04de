//! The tools of a run: found, or installed before anything is asked or made.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use camino::Utf8PathBuf;

use super::conduct::Request;
use super::failure::{Failure, Kind, Result};
use super::world::{Opened, World};
use crate::lifecycle::{Program, Toolset, Verb};
use crate::model::time::span;
use crate::model::{Deployment, DeploymentId, Project, ProviderKind, Stage, Timestamp};
use crate::net::Client;
use crate::tools::find::{Found, Search, Tool, Unfit, find_all};
use crate::tools::install::{InstallError, InstallEvent, Package, State, Wanted, can_install, ensure, missing};

/// How often an installation that takes long is told of.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Where tools are looked for.
pub(super) fn search(world: &World) -> Search {
    let path = world.vars.get("PATH").unwrap_or_default();
    Search::new(path.as_ref(), world.cache().into_std_path_buf())
}

/// The same for a project, which may pin versions.
pub(super) fn search_for(world: &World, project: &Project) -> Search {
    let mut search = search(world);
    let tools = [
        ("terraform", Tool::Terraform),
        ("opentofu", Tool::Tofu),
        ("packer", Tool::Packer),
        ("ansible", Tool::Ansible),
    ];
    let pin = |(word, tool): (&str, Tool)| Some((tool, project.tools.get(word)?.clone()));
    search.pins = tools.into_iter().filter_map(pin).collect();
    search
}

/// What a pin forbids and no installation could mend: said before anything is asked or made.
fn against_pins(opened: &Opened, search: &Search, found: &[std::result::Result<Found, Unfit>]) -> Result<()> {
    let mut failure = Failure::new(Kind::Tool, "a tool is not the one that the project asks for");
    for unfit in found.iter().filter_map(|found| found.as_ref().err()) {
        let tool = match unfit {
            Unfit::NotPinned { tool, .. } => *tool,
            Unfit::Missing { tool } | Unfit::TooOld { tool, .. } | Unfit::Broken { tool, .. } => *tool,
        };
        let tool = if matches!(tool, Tool::Terraform | Tool::Tofu) { search.kinds()[0] } else { tool };
        let Some(range) = search.pin(tool).filter(|_| !can_install(tool, search)) else { continue };
        let word = if tool == Tool::Tofu { "opentofu" } else { tool.program().trim_end_matches("-playbook") };
        let place = opened.origins.get(&format!("project.tools.{word}")).map(ToString::to_string).unwrap_or_default();
        failure = failure.because(unfit);
        let hint = format!("put {} {range} first on PATH, or change `tools.{word}` ({place})", tool.title());
        failure = failure.hint(hint);
    }
    if failure.causes.is_empty() { Ok(()) } else { Err(failure) }
}

/// Who makes the hosts of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    /// Terraform or OpenTofu.
    Terraform,
    /// Vagrant.
    Vagrant,
    /// Nobody: machines that are there already, or another site's hosts.
    Nobody,
}

/// Vagrant, asked for only where a deployment needs it.
///
/// # Errors
/// Why there is none that can be used.
pub(super) async fn vagrant(world: &World, project: &Project) -> std::result::Result<Program, Unfit> {
    let mut tools = empty(world);
    let found = find_all(&[Tool::Vagrant], &search_for(world, project)).await.into_iter().next();
    put(&mut tools, &found.ok_or(Unfit::Missing { tool: Tool::Vagrant })??);
    tools.vagrant.ok_or(Unfit::Missing { tool: Tool::Vagrant })
}

/// The tools that are there, for verbs that only look.
pub(super) async fn present(world: &World, project: &Project) -> Toolset {
    let search = search_for(world, project);
    let found = find_all(&[Tool::Terraform, Tool::Packer, Tool::Ansible], &search).await;
    let mut tools = empty(world);
    for found in found.into_iter().flatten() {
        put(&mut tools, &found);
    }
    tools
}

/// What would change the meaning of otto's own calls of Terraform is not handed on, which has to be said.
fn say_dropped(world: &World) {
    let all = ["TF_CLI_ARGS", "TF_WORKSPACE", "TF_DATA_DIR", "TF_LOG"].map(|start| world.vars.beginning_with(start));
    for name in all.into_iter().flatten() {
        (world.say)(&format!("warning: `{name}` is not handed on to Terraform: put its arguments behind `--`"));
    }
}

/// The tools that a request needs, and how long it took to install what was missing, in milliseconds.
///
/// # Errors
/// A tool that is missing or too old and cannot be had, or whose installation was not agreed to.
pub(super) async fn ready(
    world: &World,
    opened: &Opened,
    ids: &[DeploymentId],
    request: &Request,
    records: &[Deployment],
) -> Result<(Toolset, u64)> {
    let mut wanted = Wanted { tools: needed(request), packages: packages_of(opened, ids, request) };
    let by = |maker: Maker| ids.iter().any(|id| made_by(opened, id, records) == maker);
    let by_terraform = |id: &DeploymentId| made_by(opened, id, records) == Maker::Terraform;
    if !ids.iter().any(by_terraform) {
        wanted.tools.retain(|tool| *tool != Tool::Terraform);
    }
    if request.verb == Verb::Only(Stage::Destroy) && by(Maker::Nobody) {
        wanted.tools.push(Tool::Ansible);
    }
    if request.verb == Verb::Up && !ids.iter().any(|id| boots_images(opened, id)) {
        wanted.tools.retain(|tool| *tool != Tool::Packer);
    }
    if wanted.tools.contains(&Tool::Terraform) {
        say_dropped(world);
    }
    let bound: Vec<&Deployment> = records.iter().filter(|r| ids.contains(&r.id) && r.phase.exists()).collect();
    let mut search = search_for(world, &opened.project);
    search.bound = bound.iter().any(|r| r.tool.as_deref() == Some(Tool::Terraform.program()));
    search.prefer_tofu = !bound.is_empty() && bound.iter().all(|r| r.tool.as_deref() == Some(Tool::Tofu.program()));
    let found = find_all(&wanted.tools, &search).await;
    against_pins(opened, &search, &found)?;
    let lacking: Vec<String> = found.iter().filter_map(|f| f.as_ref().err().map(ToString::to_string)).collect();
    let absent = missing(&wanted.packages, &search);
    let mut tools = empty(world);
    let needs_vagrant = by(Maker::Vagrant) && !matches!(request.verb, Verb::Only(Stage::Config | Stage::Test));
    tools.vagrant = if needs_vagrant { vagrant(world, &opened.project).await.ok() } else { None };
    if lacking.is_empty() && absent.is_empty() {
        found.iter().flatten().for_each(|f| put(&mut tools, f));
        return fits(&tools, &bound).map(|()| (tools, 0));
    }
    let mut reasons = lacking;
    if !absent.is_empty() {
        let names: Vec<&str> = absent.iter().map(|p| p.program.as_str()).collect();
        reasons.push(format!("not on this machine: {}", names.join(", ")));
    }
    agree(world, request.consent.yes, &reasons)?;
    let before = world.clock.now();
    let installed = install(world, &wanted, &search).await?;
    installed.iter().for_each(|f| put(&mut tools, f));
    fits(&tools, &bound)?;
    Ok((tools, world.clock.now().since(before)))
}

/// States of Terraform and OpenTofu do not mix: whoever wrote one goes on with it. Said before anything is touched.
fn fits(tools: &Toolset, bound: &[&Deployment]) -> Result<()> {
    let Some(found) = &tools.terraform else { return Ok(()) };
    let other = |r: &&&Deployment| r.tool.as_ref().is_some_and(|tool| *tool != found.name);
    let Some(record) = bound.iter().find(other) else { return Ok(()) };
    let tool = record.tool.as_deref().unwrap_or_default();
    let what = format!("the state of {} was written by `{tool}`, and `{}` is what was found", record.id, found.path);
    let failure = Failure::new(Kind::Tool, what).because("states of Terraform and OpenTofu do not mix");
    Err(failure.hint(format!("put `{tool}` on PATH")).hint("otto tools"))
}

/// By what is there, else by what is wanted.
pub(super) fn made_by(opened: &Opened, id: &DeploymentId, records: &[Deployment]) -> Maker {
    let record = records.iter().find(|r| r.id == *id && r.phase.exists()).map(|r| r.spec.clone());
    let Some(spec) = record.or_else(|| opened.project.wanted(id)) else { return Maker::Terraform };
    let kind = opened.project.provider_specs.get(&id.provider).map(|provider| provider.kind);
    match kind {
        _ if spec.on.is_some() || !spec.machines.is_empty() => Maker::Nobody,
        Some(ProviderKind::Static) => Maker::Nobody,
        Some(ProviderKind::Vagrant) => Maker::Vagrant,
        None if opened.home.join("vagrant").join(id.key()).exists() => Maker::Vagrant,
        _ => Maker::Terraform,
    }
}

fn boots_images(opened: &Opened, id: &DeploymentId) -> bool {
    opened.project.wanted(id).is_some_and(|spec| !spec.appliances().is_empty())
}

/// Installs what is missing of these.
///
/// # Errors
/// What could be had in no way, each with all that was tried.
pub(super) async fn install(world: &World, wanted: &Wanted, search: &Search) -> Result<Vec<Found>> {
    let (say, clock) = (world.say.clone(), world.clock.clone());
    say(&format!("tools  what is missing comes into {}, once for this user", world.cache()));
    // Steps at work with the time they began: told when they end, and now and then when they take long.
    let at_work: Mutex<Vec<(String, Timestamp)>> = Mutex::default();
    let mut report = |event: InstallEvent| {
        let step = format!("{}: {}", event.subject, event.step);
        let mut at_work = at_work.lock().unwrap_or_else(PoisonError::into_inner);
        let place = at_work.iter().position(|(other, _)| *other == step);
        let began = place.map(|n| at_work.remove(n).1);
        if event.state == State::Begun {
            at_work.push((step.clone(), clock.now()));
        }
        say(&line(&event, &step, began.map(|began| clock.now().since(began))));
    };
    let client = Client::new();
    let beat = async {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            for (step, began) in &*at_work.lock().unwrap_or_else(PoisonError::into_inner) {
                (world.say)(&format!("tools  {step}: at it for {}", span(world.clock.now().since(*began))));
            }
        }
    };
    let ready = tokio::select! {
        ready = ensure(wanted, search, &client, &mut report) => ready,
        () = beat => unreachable!("a heartbeat does not end"),
    };
    Ok(ready.map_err(|errors| not_had(&errors))?.tools)
}

fn line(event: &InstallEvent, step: &str, took: Option<u64>) -> String {
    match &event.state {
        State::Begun => format!("tools  {step}"),
        State::Waiting => format!("tools  {}: waits for another installation to end", event.subject),
        State::Done => format!("tools  {step}: done{}", took.map(|ms| format!(" in {}", span(ms))).unwrap_or_default()),
        State::PassedOver { why } => format!("tools  {step} passed over: {why}"),
        State::Failed { why } => format!("tools  {step} failed: {why}"),
    }
}

/// Asks before anything is downloaded.
pub(super) fn agree(world: &World, yes: bool, reasons: &[String]) -> Result<()> {
    if yes {
        return Ok(());
    }
    let mut failure = Failure::new(Kind::Tool, "tools are missing").hint("otto tools install --yes");
    failure.causes = reasons.to_vec();
    if !world.ask.can_ask() {
        return Err(failure);
    }
    reasons.iter().for_each(|reason| (world.say)(reason));
    let agreed = world.ask.confirm(&format!("Install them into {}?", world.cache()));
    if agreed { Ok(()) } else { Err(failure) }
}

fn not_had(errors: &[InstallError]) -> Failure {
    let mut failure = Failure::new(Kind::Tool, "tools are missing and could not be installed");
    for error in errors {
        failure.causes.extend(error.attempts.iter().map(|a| format!("{}: {}: {}", error.subject, a.step, a.why)));
        failure.hints.extend(error.administrator.clone());
    }
    failure.hints.dedup();
    failure
}

fn needed(request: &Request) -> Vec<Tool> {
    match request.verb {
        _ if request.wishes.adopt => vec![Tool::Terraform],
        Verb::Up => vec![Tool::Terraform, Tool::Packer, Tool::Ansible],
        Verb::Only(Stage::Images) => vec![Tool::Packer],
        // Hosts that leave are drained by Ansible first.
        Verb::Only(Stage::Provision) => vec![Tool::Terraform, Tool::Ansible],
        Verb::Only(Stage::Config) => vec![Tool::Ansible],
        Verb::Only(Stage::Test) if request.requests.failover => vec![Tool::Ansible],
        Verb::Only(Stage::Test) => Vec::new(),
        Verb::Only(Stage::Destroy | Stage::Extend | Stage::Drift) => vec![Tool::Terraform],
    }
}

/// The programs that images of folders are made of: lists beside the templates.
fn packages_of(opened: &Opened, ids: &[DeploymentId], request: &Request) -> Vec<Package> {
    let all = request.verb == Verb::Only(Stage::Images);
    if !all && request.verb != Verb::Up {
        return Vec::new();
    }
    let project = &opened.project;
    let mut found = Vec::new();
    for appliance in project.appliances.values() {
        for provider in &appliance.providers {
            let of = |id: &&DeploymentId| id.provider == *provider;
            let boots =
                |id: &DeploymentId| project.wanted(id).is_some_and(|s| s.appliances().contains(&&appliance.name));
            if ids.iter().filter(of).any(|id| all || boots(id)) {
                let list = Utf8PathBuf::from(&appliance.folder).join(provider.as_str()).join("packages");
                found.extend(Package::read_list(&std::fs::read_to_string(list).unwrap_or_default()));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

fn empty(world: &World) -> Toolset {
    Toolset { packages: world.cache().join("packages/root"), ..Toolset::default() }
}

fn put(tools: &mut Toolset, found: &Found) {
    let Ok(path) = Utf8PathBuf::from_path_buf(found.program.clone()) else { return };
    let program = Program { name: found.tool.program().to_owned(), path, version: found.version.to_string() };
    match found.tool {
        Tool::Terraform | Tool::Tofu => tools.terraform = Some(program),
        Tool::Packer => tools.packer = Some(program),
        Tool::Ansible => tools.ansible = Some(program),
        Tool::Vagrant => tools.vagrant = Some(program),
    }
}
