//! Roots with a backend of their own: where the state of a deployment is, how Terraform is told, and what is there
//! before the first apply.

use std::fs;
use std::time::Duration;

use camino::Utf8Path;

use super::super::call::{Call, call};
use super::super::context::Context;
use super::super::unit_end::{Trouble, UnitEnd};
use super::{strays, terraform};
use crate::model::name::counted;
use crate::model::{Deployment, DeploymentId, EventKind, Kept, Provider, StatePlace, UnitId};
use crate::process::{Lock, disk};
use crate::tools::terraform::backend::OVERRIDE_FILE;
use crate::tools::terraform::{Backend, StateFile, Stream, Terraform};

/// What Terraform leaves beside the root when it cannot write a state where it belongs.
pub(super) const ERRORED: &str = "errored.tfstate";
/// How often a workspace is tried to be made: someone else, on another machine, may be making one in the same database.
const ATTEMPTS: u32 = 6;

/// Where the state of a deployment is: where the record says, for a new one where the root and provider.yaml say.
///
/// # Errors
/// The root's backend is no longer that of the state, or names no place that is the deployment's alone.
pub(super) fn place(
    context: &Context,
    record: &Deployment,
    provider: &Provider,
) -> Result<Option<StatePlace>, Trouble> {
    let folder = Utf8Path::new(&provider.folder);
    let backend = Backend::of(folder).map_err(Trouble::file(folder))?;
    if !record.phase.exists() {
        return backend.map(|backend| chosen(context, &record.id, provider, &backend)).transpose();
    }
    let (was, is) = (record.state.as_ref().map(|p| p.backend.as_str()), backend.as_ref().map(|b| b.kind.as_str()));
    if was == is {
        return Ok(record.state.clone());
    }
    let word = |kind: Option<&str>| kind.map_or_else(|| "in a file of otto's".to_owned(), |k| format!("on `{k}`"));
    let what = format!("its state is {}, and the root's `backend` block says {} now", word(was), word(is));
    let hint = "put the block back, or destroy the deployment with it first";
    Err(UnitEnd::failed(what, false).hint(hint).into())
}

/// The place of a deployment that does not exist yet.
fn chosen(context: &Context, id: &DeploymentId, provider: &Provider, backend: &Backend) -> Result<StatePlace, Trouble> {
    let file = format!("clowd/provision/{}/provider.yaml", provider.name);
    let mut place = StatePlace { backend: backend.kind.clone(), workspace: None, addresses: Vec::new() };
    if let Some(workspace) = &provider.workspace {
        alone(context, id, provider, workspace)?;
        if !backend.has_workspaces() && workspace != "default" {
            let what = format!("{file} names the workspace `{workspace}`, and backend `{}` has none", backend.kind);
            return Err(UnitEnd::failed(what, false).hint("`workspace: default` is the root's own state").into());
        }
    }
    if backend.has_workspaces() {
        place.workspace = Some(provider.workspace.clone().unwrap_or_else(|| id.key()));
        return Ok(place);
    }
    let inherited = |name: &str| context.inherited.get(name).cloned();
    let found = backend.addresses(&id.key(), provider.workspace.is_some(), &provider.backend_config, inherited);
    let found = found.map_err(|why| {
        let example = "`backend_config: [\"address=https://.../{deployment}\"]`";
        UnitEnd::failed(why, false).hint(format!("give it in the block, by TF_HTTP_ADDRESS, or as {example} in {file}"))
    })?;
    place.addresses.push(found.state);
    place.addresses.extend(found.lock.clone());
    place.addresses.extend(found.lock.and(found.unlock));
    Ok(place)
}

/// The one workspace that provider.yaml names is one deployment's.
fn alone(context: &Context, id: &DeploymentId, provider: &Provider, workspace: &str) -> Result<(), Trouble> {
    let others = context.targets.keys().cloned();
    let others =
        others.chain(context.memory.records().into_iter().filter(|r| r.phase.exists()).map(|record| record.id));
    let Some(other) = others.into_iter().find(|other| *other != *id && other.provider == provider.name) else {
        return Ok(());
    };
    let what = format!("provider `{}` has one workspace, `{workspace}`, and {other} is on it as well", provider.name);
    let hint = "a second provider folder for it, or no `workspace` in provider.yaml: then each deployment has its own";
    Err(UnitEnd::failed(what, false).hint(hint).into())
}

/// Tells a call where the state is.
///
/// # Errors
/// Files that cannot be read or written.
pub(super) fn connect(
    context: &Context,
    terraform: &mut Terraform,
    id: &DeploymentId,
    place: &StatePlace,
) -> Result<(), Trouble> {
    let wanted = context.target(id).map(|t| t.provider.backend_config.clone()).unwrap_or_default();
    connect_to(terraform, id, place, &wanted)
}

/// The same for a call outside of a run; `wanted` is `backend_config` of provider.yaml.
///
/// # Errors
/// Files that cannot be read or written.
pub(in crate::lifecycle) fn connect_to(
    terraform: &mut Terraform,
    id: &DeploymentId,
    place: &StatePlace,
    wanted: &[String],
) -> Result<(), Trouble> {
    let folder = terraform.dir.clone();
    let Some(backend) = Backend::of(&folder).map_err(Trouble::file(&folder))? else { return Ok(()) };
    terraform.workspace.clone_from(&place.workspace);
    terraform.init_args = backend.init_args(&id.key(), wanted);
    if place.addresses.is_empty() {
        return Ok(());
    }
    let names = ["TF_HTTP_ADDRESS", "TF_HTTP_LOCK_ADDRESS", "TF_HTTP_UNLOCK_ADDRESS"];
    // The lock is given up where it was taken, unless another address is said.
    let last = place.addresses.get(1).cloned();
    let all = place.addresses.iter().cloned().map(Some).chain([last]).chain(std::iter::repeat(None));
    for (name, address) in names.into_iter().zip(all) {
        terraform.env.extend(address.map(|address| (name.to_owned(), address)));
    }
    let path = folder.join(OVERRIDE_FILE);
    if !path.exists() {
        disk::write_atomic(&path, backend.without_addresses().as_bytes(), 0o600).map_err(Trouble::file(&path))?;
    }
    Ok(())
}

/// Before the first apply: makes the workspace, and looks whether the place holds something already.
///
/// # Errors
/// The backend does not answer.
pub(super) async fn look(
    context: &Context,
    unit: &UnitId,
    terraform: &Terraform,
    place: &StatePlace,
) -> Result<StateFile, Trouble> {
    let _in_this_run = context.initialising.lock().await;
    let _on_this_machine = if place.workspace.is_some() { Some(one_at_a_time(context).await?) } else { None };
    for attempt in 1.. {
        let step = if attempt == 1 { "state".to_owned() } else { format!("state-{attempt}") };
        match strays::pulled(context, unit, terraform, &step).await {
            Err(Trouble::End(end)) if attempt < ATTEMPTS && !context.stop.borrow().requested() => {
                context.tally.retry();
                context.record(unit, EventKind::Retry { attempt, of: ATTEMPTS - 1, why: end.summary })?;
                tokio::time::sleep(Duration::from_millis(u64::from(attempt * attempt) * 250)).await;
            }
            other => return other,
        }
    }
    unreachable!("the last attempt returns")
}

/// On `pg`, two that make or remove a workspace at once refuse each other.
async fn one_at_a_time(context: &Context) -> Result<Lock, Trouble> {
    let path = context.home.join("locks").join("workspaces");
    Ok(Lock::wait(&path, &context.holder).await.map_err(|e| UnitEnd::failed(e.to_string(), false))?)
}

/// A new deployment begins with an empty state: what is there already was made by someone, and has to be taken over.
///
/// # Errors
/// The state holds something.
pub(super) fn must_be_empty(
    id: &DeploymentId,
    place: &StatePlace,
    found: &StateFile,
    kept: &[Kept],
) -> Result<(), Trouble> {
    let left = |address: &String| kept.iter().any(|one| one.address == *address);
    let holds = match found {
        StateFile::Missing | StateFile::Empty => return Ok(()),
        // What the last destruction left behind is its own.
        StateFile::Read(state) if state.addresses.iter().all(left) && state.deposed.is_empty() => return Ok(()),
        StateFile::Read(state) => counted(state.addresses.len() as u64, "resource"),
        StateFile::Unreadable { why } => why.clone(),
    };
    let what = format!("its state ({}) is not empty: {holds}; otto does not know {id}", shown(place));
    let end = UnitEnd::failed(what, false).hint(format!("otto state adopt {id}"));
    Err(end.hint("or name another place in provider.yaml").into())
}

/// What somebody made by plain Terraform in the root itself is not made a second time. Once otto knows a deployment of this
/// provider, the file is history: it stays where it is when it is taken over.
///
/// # Errors
/// The root has a state of its own that holds something.
pub(super) fn nothing_beside(context: &Context, id: &DeploymentId, provider: &Provider) -> Result<(), Trouble> {
    let file = Utf8Path::new(&provider.folder).join("terraform.tfstate");
    let StateFile::Read(state) = StateFile::read(&file) else { return Ok(()) };
    if state.is_empty() || context.memory.records().iter().any(|r| r.id.provider == provider.name) {
        return Ok(());
    }
    let held = counted(state.addresses.len() as u64, "resource");
    let what = format!("{file} holds {held} that plain Terraform made, and they would be made a second time");
    let end = UnitEnd::failed(what, false).hint(format!("otto state adopt {id}"));
    Err(end.hint("or move the file away, if they are none of this deployment's").into())
}

/// The place in words.
pub(super) fn shown(place: &StatePlace) -> String {
    match (&place.workspace, place.addresses.first()) {
        (Some(workspace), _) => format!("workspace `{workspace}` on `{}`", place.backend),
        (None, Some(address)) => address.clone(),
        (None, None) => format!("on `{}`", place.backend),
    }
}

/// A state that an earlier apply could not write where it belongs is put there first; else what it made would be made
/// once more.
///
/// # Errors
/// It cannot be put there.
pub(super) async fn push_errored(context: &Context, unit: &UnitId, terraform: &Terraform) -> Result<(), Trouble> {
    let path = terraform.dir.join(ERRORED);
    let StateFile::Read(state) = StateFile::read(&path) else { return Ok(()) };
    let held = counted(state.addresses.len() as u64, "resource");
    context.note(unit, format!("the last apply could not write its state: it is put there now ({held})"), true)?;
    let invocation = terraform.state_push(&path);
    let line = format!(
        "cd '{}' && {} {}",
        terraform.dir,
        invocation.env.iter().map(|(n, v)| format!("{n}='{v}'")).collect::<Vec<_>>().join(" "),
        invocation.shown()
    );
    let name = terraform::program_name(context);
    let mut stream = Stream::new();
    let push = Call { tool: &name, step: "push", main: false, stream: None, invocation, lock: None };
    let called = call(context, unit, push, &mut stream).await?;
    if !called.is_clean() {
        let end = terraform::tool_failed(&called, &stream.report(), "state push", false);
        return Err(end.hint("correct the cause, then the same command again").hint(line).into());
    }
    let done = terraform.dir.join(format!("{ERRORED}.pushed"));
    fs::rename(&path, &done).map_err(Trouble::file(&path))
}

/// What to do about a state that could not be written.
pub(super) fn errored_hint(context: &Context, id: &DeploymentId) -> Option<String> {
    let path = context.terraform_folder(id).join(ERRORED);
    let there = matches!(StateFile::read(&path), StateFile::Read(_));
    there.then(|| format!("its state is kept in {path}: the next `otto up {id}` puts it where it belongs first"))
}

/// After the destruction, a workspace that otto made goes too; that one cannot is no failure.
pub(super) async fn forget_workspace(
    context: &Context,
    unit: &UnitId,
    id: &DeploymentId,
    terraform: &Terraform,
) -> Result<(), Trouble> {
    let Some(workspace) = terraform.workspace.as_ref().filter(|name| **name == id.key()) else { return Ok(()) };
    let _in_this_run = context.initialising.lock().await;
    let _on_this_machine = one_at_a_time(context).await?;
    let name = terraform::program_name(context);
    for attempt in 1..=ATTEMPTS / 2 {
        let step = if attempt == 1 { "workspace".to_owned() } else { format!("workspace-{attempt}") };
        let invocation = terraform.workspace_delete(workspace);
        let delete = Call { tool: &name, step: &step, main: false, stream: None, invocation, lock: None };
        if call(context, unit, delete, &mut Stream::new()).await?.is_clean() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 250)).await;
    }
    context.note(unit, format!("the empty workspace `{workspace}` could not be removed and stays"), true)
}
