//! Provision by Vagrant: the host list is written from the site, `vagrant up` makes what is in it, `ssh-config` says how
//! each machine is reached. A machine that left the list is destroyed before Vagrant forgets its name.

use std::collections::BTreeSet;
use std::fs;

use camino::Utf8Path;

use super::super::call::{Call, Called, call};
use super::super::context::Context;
use super::super::inputs;
use super::super::plan::Target;
use super::super::reach;
use super::super::unit_end::{Trouble, UnitEnd, outcome_of};
use super::config::{self, Play};
use super::vagrant_list::{copy_vagrantfile, read_list, wanted, write_list};
use super::{build, guard, machines, provision, root};
use crate::model::name::counted;
use crate::model::{Deployment, DeploymentId, Dirty, Host, HostSpec, HostState, Phase, UnitId};
use crate::process::Lock;
use crate::tools::terraform::{Planned, PlannedAction};
use crate::tools::vagrant::list::{HostList, Listed};
use crate::tools::vagrant::{Report, Stream, Vagrant, explain, ssh_config};
use crate::tools::{Invocation, Unread, ssh};

/// What will be done, decided before anything is.
struct Work<'a> {
    target: &'a Target,
    vagrant: Vagrant,
    record: Deployment,
    before: Deployment,
    hosts: Vec<HostSpec>,
    list: HostList,
    /// Machines that are in the last list and not wanted any more.
    leaving: Vec<String>,
    /// Machines that get another image: Vagrant does not do that to one that is there.
    anew: Vec<String>,
}

/// Provisions a deployment.
pub(super) async fn run(context: &Context, unit: &UnitId, id: &DeploymentId) -> Result<UnitEnd, Trouble> {
    if context.requests.refresh {
        let what = "machines of Vagrant are not replaced one after the other";
        return Err(UnitEnd::failed(what, false).hint(format!("otto destroy {id} && otto up {id}")).into());
    }
    if context.requests.adopt.is_some() {
        let what = "there is no state of Terraform to take over: its machines are made by Vagrant";
        return Err(UnitEnd::failed(what, false).hint(format!("otto up {id}")).into());
    }
    build::ensure(context, unit, &context.target(id)?.spec.clone()).await?;
    let mut work = prepare(context, id)?;
    agreed(context, unit, id, &work).await?;
    let there = look_before(context, unit, &work).await?;
    drain(context, unit, &mut work).await?;
    boxes(context, unit, &work).await?;
    begin(context, unit, &mut work)?;
    copy_vagrantfile(context, &work.target.provider.folder, &work.vagrant.dir)?;
    let going: Vec<String> = work.leaving.iter().chain(&work.anew).cloned().collect();
    if !going.is_empty() {
        let invocation = work.vagrant.destroy(&going, &[]);
        called(context, unit, &mut work, ("destroy-some", going.len()), invocation).await?;
    }
    write_list(&work.vagrant.dir, &work.list)?;
    forget_keys(context, &work, &there)?;
    let names = work.list.names();
    let invocation = work.vagrant.up(&[], &context.requests.passthrough);
    let report = called(context, unit, &mut work, ("up", names.len()), invocation).await?;
    let there = look(context, unit, &work.vagrant, "status").await?;
    if let Some(name) = names.iter().find(|name| !there.is_up(name)) {
        let state = there.states.get(name).map_or("unknown", String::as_str);
        let end = UnitEnd::failed(format!("`vagrant up` ended well, and {name} is `{state}`"), true);
        return Err(unfinished(context, unit, &mut work, end));
    }
    let hosts = reached(context, unit, &work).await?;
    let made: Vec<String> = report.begun.iter().filter(|name| !known(&work.before, name)).cloned().collect();
    finish(context, unit, work, hosts, &made)?;
    let gone = if going.is_empty() { String::new() } else { format!(", {} destroyed", going.len()) };
    Ok(UnitEnd::ok(format!("{} up{gone}", counted(names.len() as u64, "machine")), true))
}

fn known(record: &Deployment, name: &str) -> bool {
    record.hosts.iter().any(|host| host.name == name)
}

/// Vagrant in a deployment's folder.
///
/// # Errors
/// There is none.
pub(super) fn tool(context: &Context, id: &DeploymentId) -> Result<Vagrant, Trouble> {
    let program = context.tools.vagrant.as_ref();
    let program = program.ok_or_else(|| UnitEnd::failed("no Vagrant was found", false))?;
    Ok(Vagrant { program: program.path.clone(), dir: context.vagrant_folder(id) })
}

fn prepare<'a>(context: &'a Context, id: &DeploymentId) -> Result<Work<'a>, Trouble> {
    let target = context.target(id)?;
    let known = context.memory.record(id).filter(|r| r.phase.exists());
    if let Some(end) = known.as_ref().and_then(|r| root::moved(context, &r.home)) {
        return Err(end.into());
    }
    let down = |name: &str| target.hosts.iter().any(|(n, state)| n == name && *state != HostState::Up);
    let is_gone = |name: &str, image: &str| down(name) && image.ends_with(".box") && !Utf8Path::new(image).is_file();
    let newest = context.memory.newest(&id.provider);
    let hosts =
        inputs::host_specs(&target.spec, known.as_ref(), &target.provider, &newest, &is_gone).map_err(|missing| {
            let names: Vec<&str> = missing.iter().map(crate::model::Name::as_str).collect();
            UnitEnd::failed(format!("no image of {}", names.join(", ")), false).hint("otto images")
        })?;
    let vagrant = tool(context, id)?;
    let last = read_list(&vagrant.dir)?;
    let record = known.clone().unwrap_or_else(|| provision::fresh(context, &target.spec));
    let list = wanted(context, target, &hosts, &last);
    let names: BTreeSet<String> = list.names().into_iter().collect();
    let leaving = last.names().into_iter().filter(|name| !names.contains(name)).collect();
    let other = |host: &&Listed| last.hosts.iter().any(|old| old.name == host.name && old.image != host.image);
    let anew = list.hosts.iter().filter(other).map(|host| host.name.clone()).collect();
    Ok(Work { target, vagrant, before: record.clone(), record, hosts, list, leaving, anew })
}

/// What is destroyed needs `--allow-destroy`, unless nothing of it was ever recorded; what is new, `--yes` or an answer.
async fn agreed(context: &Context, unit: &UnitId, id: &DeploymentId, work: &Work<'_>) -> Result<(), Trouble> {
    let recorded: Vec<&str> =
        work.leaving.iter().filter(|name| known(&work.before, name)).map(String::as_str).collect();
    if !recorded.is_empty() && !context.consent.allow_destroy {
        let summary = format!("Vagrant would destroy {}: {}", recorded.len(), recorded.join(", "));
        return Err(UnitEnd::refused(summary, format!("{} --allow-destroy", context.consent.line)).into());
    }
    let new = work.list.names().into_iter().filter(|name| !known(&work.before, name));
    let planned: Vec<Planned> =
        new.map(|address| Planned { address, action: PlannedAction::Create, reason: None }).collect();
    if planned.is_empty() {
        return Ok(());
    }
    guard::consent(context, unit, id, &planned, work.target, &guard::Wish::default()).await
}

/// Takes machines that will go out of the load balancer before they go.
async fn drain(context: &Context, unit: &UnitId, work: &mut Work<'_>) -> Result<(), Trouble> {
    let goes = |host: &&Host| work.leaving.contains(&host.name);
    let stay: Vec<Host> = work.record.hosts.iter().filter(|host| !goes(host)).cloned().collect();
    let nobody_goes = !work.record.hosts.iter().any(|host| goes(&host));
    if nobody_goes || stay.is_empty() || work.record.config_hash.is_none() {
        return Ok(());
    }
    context.note(unit, format!("draining {} before it goes", work.leaving.join(", ")), false)?;
    work.record.config_hash = None;
    work.record.phase = Phase::Provisioned;
    context.remember(unit, work.record.clone())?;
    work.before = work.record.clone();
    config::play(context, unit, &work.target.spec, &stay, Play::new("site.yml", "drain")).await.map(drop)
}

/// Boxes that Packer built are added under names that carry the image, once for all deployments.
async fn boxes(context: &Context, unit: &UnitId, work: &Work<'_>) -> Result<(), Trouble> {
    let files: BTreeSet<&str> =
        work.list.hosts.iter().map(|host| host.image.as_str()).filter(|image| image.ends_with(".box")).collect();
    if files.is_empty() {
        return Ok(());
    }
    let path = context.home.join("locks").join("vagrant_boxes");
    let lock = Lock::wait(&path, &context.holder).await.map_err(|e| UnitEnd::failed(e.to_string(), false))?;
    fs::create_dir_all(&work.vagrant.dir).map_err(Trouble::file(&work.vagrant.dir))?;
    // A Vagrantfile that cannot be read would stop even a list of boxes.
    copy_vagrantfile(context, &work.target.provider.folder, &work.vagrant.dir)?;
    let there = asked(context, unit, "box-list", work.vagrant.box_list(), &lock).await?.boxes;
    for file in files {
        let file = Utf8Path::new(file);
        let name = box_name(file);
        if there.contains(&name) {
            continue;
        }
        // One for VirtualBox may lie beside it; the one that the name is of comes last: with it the box counts as added.
        let beside = file.with_extension("virtualbox.box");
        for file in [beside.as_path(), file].into_iter().filter(|file| file.is_file()) {
            let step = format!("box-add-{}", file.file_name().unwrap_or_default());
            asked(context, unit, &step, work.vagrant.box_add(&name, file), &lock).await?;
        }
    }
    Ok(())
}

/// As the Vagrantfile calls the box of a file.
fn box_name(file: &Utf8Path) -> String {
    format!("otto/{}", file.file_stem().unwrap_or("image"))
}

/// A call that changes no machine.
async fn asked(
    context: &Context,
    unit: &UnitId,
    step: &str,
    invocation: Invocation,
    lock: &Lock,
) -> Result<Report, Trouble> {
    let mut stream = Stream::new(0);
    let ask = Call { tool: "vagrant", step, main: false, stream: None, invocation, lock: Some(lock) };
    let called = call(context, unit, ask, &mut stream).await?;
    let report = stream.report();
    if called.is_clean() { Ok(report) } else { Err(failed(&called, &report, step, false).into()) }
}

/// Durable before the tool starts: from here on something may exist.
fn begin(context: &Context, unit: &UnitId, work: &mut Work<'_>) -> Result<(), Trouble> {
    let run = context.recorder.run();
    work.record.dirty = Some(Dirty {
        reason: format!("provisioning by run {run} did not end"),
        repair: format!("otto resume {run} --yes"),
        in_flight: Vec::new(),
        unfinished: Vec::new(),
    });
    work.record.phase = Phase::Partial;
    work.record.provision_hash = None;
    work.record.tool = None;
    context.remember(unit, work.record.clone())
}

/// A call that makes or takes down machines; the record says so until it ended well.
async fn called(
    context: &Context,
    unit: &UnitId,
    work: &mut Work<'_>,
    (step, total): (&str, usize),
    invocation: Invocation,
) -> Result<Report, Trouble> {
    let mut stream = Stream::new(total);
    let make = Call { tool: "vagrant", step, main: step == "up", stream: None, invocation, lock: None };
    let called = call(context, unit, make, &mut stream).await?;
    let report = stream.report();
    (context.after_apply)(&work.record.id);
    if called.is_clean() && report.errors.is_empty() {
        return Ok(report);
    }
    let ended = !called.interrupted && called.end == crate::model::End::Exited { code: 1 };
    let unbegun = report.begun.is_empty() && work.leaving.is_empty() && work.anew.is_empty();
    let none_left = || async {
        let look = look(context, unit, &work.vagrant, "left").await;
        work.before.hosts.is_empty() && look.is_ok_and(|there| there.existing().is_empty())
    };
    if ended && (unbegun || none_left().await) {
        // Vagrant itself refused, or says that nothing is there.
        work.record = work.before.clone();
        context.remember(unit, work.record.clone())?;
        return Err(failed(&called, &report, step, false).into());
    }
    Err(unfinished(context, unit, work, failed(&called, &report, step, true)))
}

/// The record says what did not end, and what goes on.
fn unfinished(context: &Context, unit: &UnitId, work: &mut Work<'_>, end: UnitEnd) -> Trouble {
    if let Some(dirty) = &mut work.record.dirty {
        dirty.reason.clone_from(&end.summary);
    }
    match context.remember(unit, work.record.clone()) {
        Ok(()) => end.into(),
        Err(trouble) => trouble,
    }
}

/// What a failed call means as a unit's end.
pub(super) fn failed(called: &Called, report: &Report, step: &str, changed: bool) -> UnitEnd {
    let said = fs::read_to_string(called.folder.join("stderr")).unwrap_or_default();
    let last = said.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
    let summary = match report.errors.first().map(|d| d.summary.clone()).or(last) {
        _ if called.interrupted => format!("`vagrant {step}` was interrupted"),
        Some(why) => format!("`vagrant {step}` failed: {why}"),
        None => format!("`vagrant {step}` ended with {}", called.end.describe()),
    };
    let hints = explain::hints(&report.errors, &said);
    UnitEnd { outcome: outcome_of(called), hints, ..UnitEnd::failed(summary, changed) }
}

/// What is there, in Vagrant's own words.
pub(super) async fn look(context: &Context, unit: &UnitId, vagrant: &Vagrant, step: &str) -> Result<Report, Trouble> {
    let mut stream = Stream::new(0);
    let ask = Call { tool: "vagrant", step, main: false, stream: None, invocation: vagrant.status(), lock: None };
    let called = call(context, unit, ask, &mut stream).await?;
    let report = stream.report();
    if !called.is_clean() {
        return Err(failed(&called, &report, "status", false).into());
    }
    if step == "look" {
        let said: Vec<String> = report.states.iter().map(|(name, state)| format!("{name} {state}")).collect();
        context.note(unit, format!("after the interruption: {}", said.join(", ")), false)?;
    }
    Ok(report)
}

/// What is there before anything is done; nothing was asked where there can be nothing.
async fn look_before(context: &Context, unit: &UnitId, work: &Work<'_>) -> Result<Report, Trouble> {
    let interrupted = work.record.dirty.is_some();
    let none = !interrupted && work.record.hosts.is_empty();
    if none || !Vagrant::list(&work.vagrant.dir).is_file() {
        return Ok(Report::default());
    }
    look(context, unit, &work.vagrant, if interrupted { "look" } else { "before" }).await
}

/// Machines that `up` makes in the place of recorded ones come with host keys of their own: the old ones are forgotten before,
/// so that an interruption cannot come between.
fn forget_keys(context: &Context, work: &Work<'_>, there: &Report) -> Result<(), Trouble> {
    let made = |host: &&Host| there.is_missing(&host.name) || work.anew.contains(&host.name);
    let hosts: Vec<&Host> = work.record.hosts.iter().filter(made).collect();
    let access = context.access(&work.target.spec);
    ssh::forget(&access, &hosts).map_err(Trouble::file(&access.known_hosts))
}

/// How each machine is reached. Where Vagrant forwards a port of its own machine (VirtualBox), SSH answers on the private
/// address as well, and that is where visitors go.
async fn reached(context: &Context, unit: &UnitId, work: &Work<'_>) -> Result<Vec<Host>, Trouble> {
    let invocation = work.vagrant.ssh_config(&[]);
    let ask = Call { tool: "vagrant", step: "ssh-config", main: false, stream: None, invocation, lock: None };
    let called = call(context, unit, ask, &mut Unread).await?;
    if !called.is_clean() {
        return Err(failed(&called, &Report::default(), "ssh-config", true).into());
    }
    let path = called.folder.join("stdout");
    let text = fs::read_to_string(&path).map_err(Trouble::file(&path))?;
    let entries = ssh_config::read(&text);
    let mut hosts = Vec::new();
    for (listed, spec) in work.list.hosts.iter().zip(&work.hosts) {
        let entry = entries
            .iter()
            .find(|entry| entry.name == listed.name)
            .ok_or_else(|| UnitEnd::failed(format!("`vagrant ssh-config` says nothing of {}", listed.name), true))?;
        let forwarded = ["127.0.0.1", "localhost", "::1"].contains(&entry.address.as_str());
        let (address, port) =
            if forwarded { (listed.address.clone(), None) } else { (entry.address.clone(), entry.port) };
        hosts.push(Host {
            name: listed.name.clone(),
            role: listed.role.clone(),
            address,
            private_address: None,
            user: entry.user.clone(),
            port: port.filter(|port| *port != 22),
            identity: entry.identity.clone(),
            jump: None,
            connection: None,
            probe: None,
            vars: machines::service_vars(&work.target.spec),
            image: Some(spec.image.clone()).filter(|image| !image.is_empty()),
        });
    }
    Ok(hosts)
}

fn finish(context: &Context, unit: &UnitId, work: Work<'_>, hosts: Vec<Host>, made: &[String]) -> Result<(), Trouble> {
    let mut record = work.record;
    let anew = made.iter().chain(&work.anew).map(|name| format!("[\"{name}\"]"));
    reach::forget(context, &work.target.spec, &record.hosts, &hosts, &anew.collect::<Vec<_>>())?;
    let changed = record.hosts != hosts || !made.is_empty();
    let root = context.prints.roots.get(&record.id.provider).cloned().unwrap_or_default();
    record.provision_hash = Some(inputs::machines_list_hash(&root, &work.hosts));
    record.endpoint = machines::endpoint(&hosts);
    record.hosts = hosts;
    record.dirty = None;
    record.spec = work.target.spec.clone();
    record.protect = work.target.spec.protect;
    record.phase = Phase::Provisioned;
    record.config_hash = None;
    let id = record.id.clone();
    context.remember(unit, record)?;
    if changed { machines::tell_guests(context, unit, &id) } else { Ok(()) }
}
