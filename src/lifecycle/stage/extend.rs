//! Extend: a lease is moved, in the record and in the tags at the provider, where whoever has no store reads it.
//!
//! The record comes first: what `reap` of this store goes by. The tags follow by an apply of the deployment's own copy of
//! its root, in which nothing but the expiry is another, and only when that changes things in place.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value};

use super::super::call::{Call, call};
use super::super::context::Context;
use super::super::inputs;
use super::super::unit_end::{Trouble, UnitEnd};
use super::root::{self, VAR_FILE};
use super::strays::left_open;
use super::terraform::{plan_call, program_name, tool, tool_failed};
use crate::model::time::span;
use crate::model::{Deployment, DeploymentId, Dirty, Moved, ProviderKind, Timestamp, UnitId};
use crate::tools::terraform::args::Goal;
use crate::tools::terraform::{Extra, Operation, PlannedAction, Stream, Terraform};

/// Moves the lease of one deployment.
pub(super) async fn run(context: &Context, unit: &UnitId, id: &DeploymentId) -> Result<UnitEnd, Trouble> {
    let Some(mut record) = context.memory.record(id).filter(|r| r.phase.exists()) else {
        return Ok(UnitEnd::ok("nothing is there", false));
    };
    let Some(wish) = context.requests.extend else { return Ok(UnitEnd::failed("nobody said until when", false)) };
    let now = context.now();
    let tagged_s = record.tagged_expiry().map_or(0, Timestamp::seconds);
    record.expires_at = wish.apply(record.expires_at, now);
    let tags = tags_of(context, id, &record)?;
    let tagged_s = tags.as_ref().map(|_| tagged_s);
    record.moved = Some(Moved { at: now, by: context.owner.clone(), tagged_s });
    context.remember(unit, record.clone())?;
    (context.after_apply)(id);
    let until = match record.expires_at {
        Some(end) => format!("its lease ends {end}, in {}", span(end.since(now))),
        None => "it may live for ever".to_owned(),
    };
    let Some(tags) = tags else { return Ok(UnitEnd::ok(until, true)) };
    let said = retag(context, unit, &mut record, tags).await?;
    Ok(UnitEnd::ok(format!("{until}{said}"), true))
}

/// What the tags are changed with.
struct Tags {
    folder: Utf8PathBuf,
    /// All variables of the last apply, and with the new expiry.
    before: Map<String, Value>,
    after: Map<String, Value>,
}

/// Nothing where there are no tags that could be changed now: the next `up` then writes them.
fn tags_of(context: &Context, id: &DeploymentId, record: &Deployment) -> Result<Option<Tags>, Trouble> {
    let by_terraform = record.spec.on.is_none() && context.target(id)?.provider.kind == ProviderKind::Terraform;
    let folder = context.terraform_folder(id);
    if !by_terraform || record.adrift().is_some() || record.home != context.home.as_str() || !root::is_there(&folder) {
        return Ok(None);
    }
    let Ok(text) = fs::read_to_string(folder.join(VAR_FILE)) else { return Ok(None) };
    let before: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    let mut after = before.clone();
    let seconds = record.expires_at.map_or(0, Timestamp::seconds);
    if let Some(value) = after.get_mut("expires_at") {
        *value = seconds.into();
    }
    if let Some(value) = after.get_mut("tags").and_then(|tags| tags.get_mut("otto:expires")) {
        *value = seconds.to_string().into();
    }
    let told = |all| {
        root::declared(&folder, all).map(|mut declared| {
            declared.retain(|name, _| record.passes(name));
            declared
        })
    };
    let same = told(&before)? == told(&after)?;
    Ok((!same).then_some(Tags { folder, before, after }))
}

fn write(folder: &Utf8Path, record: &Deployment, all: &Map<String, Value>) -> Result<Map<String, Value>, Trouble> {
    let mut declared = root::declared(folder, all)?;
    declared.retain(|name, _| record.passes(name));
    root::write_variables(folder, all, &declared)?;
    Ok(declared)
}

/// Brings the new expiry into the tags; what is said of it.
async fn retag(context: &Context, unit: &UnitId, record: &mut Deployment, tags: Tags) -> Result<String, Trouble> {
    let id = record.id.clone();
    let old = write(&tags.folder, record, &tags.before)?;
    let new = write(&tags.folder, record, &tags.after)?;
    let terraform = tool(context, unit, &id, record, &tags.folder, root::existing_variables(&tags.folder)).await?;
    let plan_file = tags.folder.join("otto.tfplan");
    root::private_file(&plan_file)?;
    let done = planned_and_applied(context, unit, record, &terraform, &plan_file).await;
    let _ = fs::remove_file(&plan_file);
    let in_the_way = match done {
        Ok(in_the_way) => in_the_way,
        Err(trouble) => {
            write(&tags.folder, record, &tags.before)?;
            return Err(trouble);
        }
    };
    if let Some(why) = in_the_way {
        write(&tags.folder, record, &tags.before)?;
        context.note(unit, format!("the tags at the provider keep the old expiry: {why}"), true)?;
        return Ok("; its tags keep the old expiry".to_owned());
    }
    let tool_name = context.tools.terraform.as_ref().map(|t| t.name.clone()).unwrap_or_default();
    let root_print = context.prints.roots.get(&id.provider).cloned().unwrap_or_default();
    let hash = |variables: &Map<String, Value>| inputs::provision_hash(&root_print, variables, &tool_name);
    if record.provision_hash == Some(hash(&old)) {
        record.provision_hash = Some(hash(&new));
    }
    if let Some(moved) = &mut record.moved {
        moved.tagged_s = None;
    }
    context.remember(unit, record.clone())?;
    Ok(String::new())
}

/// Applies what changes things in place; what stands in the way of that, if anything does.
async fn planned_and_applied(
    context: &Context,
    unit: &UnitId,
    record: &mut Deployment,
    terraform: &Terraform,
    plan_file: &Utf8Path,
) -> Result<Option<String>, Trouble> {
    let invocation = terraform.plan(Goal::Create, Some(plan_file), &Extra::default());
    let (report, unchanged) = plan_call(context, unit, "plan", invocation).await?;
    if unchanged || report.planned.is_empty() {
        return Ok(None);
    }
    if let Some(other) = report.planned.iter().find(|p| p.action != PlannedAction::Update) {
        return Ok(Some(format!("Terraform would {} {}", other.action.word(), other.address)));
    }
    let was = record.dirty.clone();
    record.dirty = Some(Dirty {
        reason: format!("moving its lease by run {} did not end", context.recorder.run()),
        repair: format!("otto up {} --yes", record.id),
        in_flight: Vec::new(),
        unfinished: Vec::new(),
    });
    context.remember(unit, record.clone())?;
    let (name, invocation) = (program_name(context), terraform.apply_saved(plan_file));
    let apply = Call { tool: &name, step: "apply", main: true, stream: None, invocation, lock: None };
    let mut stream = Stream::new();
    let called = call(context, unit, apply, &mut stream).await?;
    let report = stream.report();
    (context.after_apply)(&record.id);
    if !called.is_clean() || !report.succeeded(Operation::Apply) {
        let (in_flight, unfinished) = left_open(was.as_ref(), &report);
        if let Some(dirty) = &mut record.dirty {
            (dirty.in_flight, dirty.unfinished) = (in_flight, unfinished);
        }
        if let Some(moved) = &mut record.moved {
            // The next `up` writes them.
            moved.tagged_s = None;
        }
        context.remember(unit, record.clone())?;
        let end = tool_failed(&called, &report, "apply", true);
        return Err(end.hint(format!("otto up {} --yes", record.id)).into());
    }
    record.dirty = was;
    context.remember(unit, record.clone())?;
    Ok(None)
}
