//! Adopt: takes over what Terraform made without otto. Nothing is made, changed or removed but the outputs in the state.

use std::collections::BTreeSet;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value};

use super::super::call::{Call, call};
use super::super::context::{Adoption, Context};
use super::super::inputs::{self, Identity};
use super::super::unit_end::{Trouble, UnitEnd};
use super::provision::fresh;
use super::terraform::{plan_call, program_name, tool, tool_failed};
use super::{backend, billing, root};
use crate::model::name::counted;
use crate::model::{Deployment, DeploymentId, HostSpec, Phase, Provider, UnitId};
use crate::process::disk;
use crate::tools::terraform::args::Goal;
use crate::tools::terraform::{
    Extra, Operation, PlannedAction, Report, State, StateFile, Stream, Terraform, outputs, root as tf_root,
};

/// What otto knows better than a root only for what it made itself.
const IDENTITY: [&str; 4] = ["run", "owner", "expires_at", "tags"];

/// Takes a deployment over.
pub(super) async fn run(
    context: &Context,
    unit: &UnitId,
    id: &DeploymentId,
    adoption: &Adoption,
) -> Result<UnitEnd, Trouble> {
    if context.memory.record(id).is_some_and(|r| r.phase.exists()) {
        return Ok(UnitEnd::failed(format!("otto knows {id} already"), false).hint(format!("otto status {id}")));
    }
    let provider = &context.target(id)?.provider;
    let folder = context.terraform_folder(id);
    lacks_hosts(provider)?;
    let taken = take(context, unit, id, adoption).await;
    if taken.is_err() && folder.exists() {
        // The copy alone: what was copied is where it was.
        fs::remove_dir_all(&folder).map_err(Trouble::file(&folder))?;
    }
    taken
}

/// The one thing that otto asks of a root.
fn lacks_hosts(provider: &Provider) -> Result<(), Trouble> {
    let folder = Utf8Path::new(&provider.folder);
    if !tf_root::lacks_output(folder, "hosts").map_err(Trouble::file(folder))? {
        return Ok(());
    }
    let what = format!("the root `clowd/provision/{}` declares no output `hosts`", provider.name);
    let hint = format!(
        "add clowd/provision/{}/outputs.tf: a list of objects with `name`, `role` and `address`",
        provider.name
    );
    Err(UnitEnd::failed(what, false).hint(hint).into())
}

async fn take(context: &Context, unit: &UnitId, id: &DeploymentId, adoption: &Adoption) -> Result<UnitEnd, Trouble> {
    let target = context.target(id)?;
    let provider = &target.provider;
    let mut record = fresh(context, &target.spec);
    record.state = backend::place(context, &record, provider)?;
    let file = source(id, provider, &record, adoption)?;
    if let Some((path, text)) = &file {
        of_this_tool(context, path.as_str(), state_of(path, text)?)?;
    }
    let folder = root::refresh(context, id, provider)?;
    fs::create_dir_all(context.hosts_folder(id)).map_err(Trouble::file(context.hosts_folder(id)))?;
    let hosts = bare_hosts(context, id)?;
    let identity = Identity::of(&record, &context.project, &context.store, &context.logins);
    let all = inputs::root_variables(&target.spec, &hosts, &identity, context.hosts_folder(id).as_str());
    let declared = root::declared(&folder, &all)?;
    let var_file = root::write_variables(&folder, &all, &declared)?;
    let terraform = tool(context, unit, id, &record, &folder, Some(var_file)).await?;
    let from = bring(context, unit, &terraform, &record, file).await?;
    let valued = own_values(context, &folder)?;
    let mut planned = None;
    // First otto's own words, but for those that name who made it; then only those that the root has no value for.
    for (number, kept) in
        [keep(&declared, |n| IDENTITY.contains(&n) && valued.contains(n)), keep(&declared, |n| valued.contains(n))]
            .into_iter()
            .enumerate()
    {
        let mut variables = declared.clone();
        variables.retain(|name, _| !kept.contains(name));
        root::write_variables(&folder, &all, &variables)?;
        let report = look(context, unit, &terraform, number + 1).await?;
        let clean = changes(&report.0).is_empty();
        planned = Some((report, kept, variables));
        if clean {
            break;
        }
    }
    let Some(((report, unchanged), kept, variables)) = planned else {
        return Ok(UnitEnd::failed("nothing was planned", false));
    };
    let would = changes(&report);
    if would.is_empty() && !unchanged {
        write_outputs(context, unit, &terraform).await?;
    }
    let found = read_outputs(context, unit, &terraform).await?;
    if !would.is_empty() && !found.contains_key("hosts") {
        let what = format!("its plan is not empty, so its outputs cannot be read: {}", would.join(", "));
        let hint =
            "run `terraform apply` in the root once more, with outputs.tf in it, until its plan is empty; then adopt";
        return Err(UnitEnd::failed(what, false).hint(hint).into());
    }
    record.adopted = Some(kept);
    billing::enter(context, unit, &record, Some(&terraform)).await?;
    settle(context, unit, record, &hosts, &found, &variables)?;
    context.note(unit, format!("{from}; from now on otto is the one who applies it"), false)?;
    if would.is_empty() {
        return Ok(UnitEnd::ok("taken over, no changes", true));
    }
    let what = format!("the next `otto up {id}` would change {}", would.join(", "));
    context.note(unit, what, true)?;
    Ok(UnitEnd::ok(format!("taken over, {} ahead", counted(would.len() as u64, "change")), true))
}

/// The file that holds the state, with its bytes; nothing where the root's backend has it.
fn source(
    id: &DeploymentId,
    provider: &Provider,
    record: &Deployment,
    adoption: &Adoption,
) -> Result<Option<(Utf8PathBuf, String)>, Trouble> {
    let path = match (&adoption.from, &record.state) {
        (Some(path), _) => path.clone(),
        (None, Some(_)) => return Ok(None),
        (None, None) => {
            let root = Utf8Path::new(&provider.folder);
            match provider.workspace.as_deref().filter(|name| *name != "default") {
                Some(name) => root.join("terraform.tfstate.d").join(name).join("terraform.tfstate"),
                None => root.join("terraform.tfstate"),
            }
        }
    };
    let text = fs::read_to_string(&path).map_err(|error| {
        let what = format!("no state to take over: {path}: {error}");
        UnitEnd::failed(what, false).hint(format!("otto state adopt {id} --from FILE"))
    })?;
    Ok(Some((path, text)))
}

fn state_of(path: &Utf8Path, text: &str) -> Result<State, Trouble> {
    let why = match StateFile::parse(text) {
        StateFile::Read(state) if !state.is_empty() => return Ok(state),
        StateFile::Read(_) | StateFile::Empty | StateFile::Missing => "it holds nothing".to_owned(),
        StateFile::Unreadable { why } => why,
    };
    Err(UnitEnd::failed(format!("{path} cannot be taken over: {why}"), false).into())
}

/// States of Terraform and OpenTofu do not mix.
fn of_this_tool(context: &Context, place: &str, state: State) -> Result<(), Trouble> {
    let ours = program_name(context);
    match state.written_by() {
        Some(theirs) if theirs != ours => {
            let what =
                format!("{place} was written by `{theirs}`, and `{ours}` is what was found: their states do not mix");
            Err(UnitEnd::failed(what, false).hint(format!("put `{theirs}` first on PATH")).into())
        }
        _ => Ok(()),
    }
}

/// Puts the state where otto will look for it; returns a sentence about where it came from. What it came from stays.
async fn bring(
    context: &Context,
    unit: &UnitId,
    terraform: &Terraform,
    record: &Deployment,
    file: Option<(Utf8PathBuf, String)>,
) -> Result<String, Trouble> {
    let Some(place) = &record.state else {
        let (path, text) = file.ok_or_else(|| UnitEnd::failed("no state to take over", false))?;
        let own = terraform.dir.join("terraform.tfstate");
        disk::write_atomic(&own, text.as_bytes(), 0o600).map_err(Trouble::file(&own))?;
        return Ok(format!("the state was copied from {path}, which stays as it is"));
    };
    let shown = backend::shown(place);
    let found = backend::look(context, unit, terraform, place).await?;
    let Some((path, _)) = file else {
        let state = match &found {
            StateFile::Read(state) if !state.is_empty() => state.clone(),
            _ => {
                backend::forget_workspace(context, unit, &record.id, terraform).await?;
                let end = UnitEnd::failed(format!("no state to take over: {shown} holds nothing"), false);
                let file = format!("clowd/provision/{}/provider.yaml", record.id.provider);
                return Err(end
                    .hint(format!("name the root's own workspace in {file}, such as `workspace: default`"))
                    .into());
            }
        };
        of_this_tool(context, &shown, state)?;
        return Ok(format!("its state stays where it is: {shown}"));
    };
    backend::must_be_empty(&record.id, place, &found, &[])?;
    let invocation = terraform.state_push(&path);
    let name = program_name(context);
    let mut stream = Stream::new();
    let push = Call { tool: &name, step: "push", main: false, stream: None, invocation, lock: None };
    let called = call(context, unit, push, &mut stream).await?;
    if !called.is_clean() {
        return Err(tool_failed(&called, &stream.report(), "state push", false).into());
    }
    Ok(format!("the state was copied from {path}, which stays as it is, to {shown}"))
}

/// The hosts that the site asks for. What they boot is not asked: they are there.
fn bare_hosts(context: &Context, id: &DeploymentId) -> Result<Vec<HostSpec>, Trouble> {
    let target = context.target(id)?;
    let mut spec = target.spec.clone();
    spec.roles.values_mut().for_each(|role| role.image = None);
    let none = std::collections::BTreeMap::new();
    Ok(inputs::host_specs(&spec, None, &target.provider, &none, &|_, _| false).unwrap_or_default())
}

/// Variables that the root has a value for without otto.
fn own_values(context: &Context, folder: &Utf8Path) -> Result<BTreeSet<String>, Trouble> {
    let mut valued = tf_root::valued_variables(folder).map_err(Trouble::file(folder))?;
    let given = context.inherited.keys().chain(context.secrets.env().keys());
    valued.extend(given.filter_map(|name| name.strip_prefix("TF_VAR_").map(str::to_owned)));
    Ok(valued)
}

fn keep(declared: &Map<String, Value>, kept: impl Fn(&str) -> bool) -> Vec<String> {
    declared.keys().filter(|name| kept(name)).cloned().collect()
}

/// Plans; the plan is kept for its outputs.
async fn look(
    context: &Context,
    unit: &UnitId,
    terraform: &Terraform,
    number: usize,
) -> Result<(Report, bool), Trouble> {
    let file = plan_file(terraform);
    root::private_file(&file)?;
    let invocation = terraform.plan(Goal::Create, Some(&file), &Extra::passthrough(&context.requests.passthrough));
    plan_call(context, unit, &format!("plan-{number}"), invocation).await
}

fn plan_file(terraform: &Terraform) -> Utf8PathBuf {
    terraform.dir.join("otto.tfplan")
}

/// Addresses that a plan would do something to.
fn changes(report: &Report) -> Vec<String> {
    let acts = |action: &PlannedAction| !matches!(action, PlannedAction::Read | PlannedAction::Other(_));
    report.planned.iter().filter(|p| acts(&p.action)).map(|p| p.address.clone()).collect()
}

/// Only outputs differ, those of the file that was added: they are written into the state, and nothing else is touched.
async fn write_outputs(context: &Context, unit: &UnitId, terraform: &Terraform) -> Result<(), Trouble> {
    let file = plan_file(terraform);
    let name = program_name(context);
    let mut stream = Stream::new();
    let invocation = terraform.apply_saved(&file);
    let apply = Call { tool: &name, step: "apply", main: true, stream: None, invocation, lock: None };
    let called = call(context, unit, apply, &mut stream).await?;
    let report = stream.report();
    if called.is_clean() && report.succeeded(Operation::Apply) {
        return Ok(());
    }
    Err(tool_failed(&called, &report, "apply", false).into())
}

/// The outputs in the state.
async fn read_outputs(context: &Context, unit: &UnitId, terraform: &Terraform) -> Result<Map<String, Value>, Trouble> {
    // Plan files hold secrets in clear, and so does what is printed here.
    let _ = fs::remove_file(plan_file(terraform));
    let (name, invocation) = (program_name(context), terraform.output_json());
    let output = Call { tool: &name, step: "output", main: false, stream: None, invocation, lock: None };
    let mut stream = Stream::new();
    let called = call(context, unit, output, &mut stream).await?;
    let text = called.taken()?;
    if !called.is_clean() {
        return Err(tool_failed(&called, &stream.report(), "output", false).into());
    }
    let all: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    Ok(all.into_iter().filter_map(|(name, mut one)| Some((name, one.get_mut("value")?.take()))).collect())
}

/// What was found becomes the record.
fn settle(
    context: &Context,
    unit: &UnitId,
    mut record: Deployment,
    hosts: &[HostSpec],
    found: &Map<String, Value>,
    variables: &Map<String, Value>,
) -> Result<(), Trouble> {
    let id = record.id.clone();
    let not_so = |what: String| {
        let hint =
            format!("the roles of sites/{}/site.yaml and the output `hosts` have to name the same hosts", id.site);
        UnitEnd::failed(what, false).hint(hint)
    };
    let declared = outputs::declared(found, &[]).map_err(|e| not_so(e.to_string()))?;
    if let Some(problem) = declared.against(hosts).problem() {
        return Err(not_so(problem).into());
    }
    for warning in &declared.warnings {
        context.note(unit, warning.clone(), true)?;
    }
    (record.hosts, record.endpoint) = (declared.hosts, declared.endpoint);
    let tool = program_name(context);
    let root = context.prints.roots.get(&id.provider).cloned().unwrap_or_default();
    record.provision_hash = Some(inputs::provision_hash(&root, variables, &tool));
    record.tool = Some(tool);
    record.phase = Phase::Provisioned;
    context.remember(unit, record)?;
    (context.after_apply)(&id);
    Ok(())
}
