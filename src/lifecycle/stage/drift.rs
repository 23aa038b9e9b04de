//! Drift: what of a deployment changed outside of otto, by a refresh-only plan of what was applied last.
//!
//! Root and variables are the deployment's own copies, so that changes of the project are no drift. One call of Terraform
//! where nothing changed; where something did, a second one reads the plan, which alone names fields and values.

use std::fs;

use camino::Utf8Path;

use super::super::call::{Call, call};
use super::super::context::Context;
use super::super::unit_end::{Trouble, UnitEnd};
use super::root;
use super::terraform::{program_name, tool, tool_failed};
use crate::model::name::counted;
use crate::model::plan::{Drift, ResourceChange};
use crate::model::{Deployment, DeploymentId, End, ProviderKind, UnitId};
use crate::tools::terraform::args::Goal;
use crate::tools::terraform::{Extra, Operation, Planned, Stream, Terraform, changes};

/// Compares one deployment.
pub(super) async fn run(context: &Context, unit: &UnitId, id: &DeploymentId) -> Result<UnitEnd, Trouble> {
    let Some(record) = context.memory.record(id).filter(|r| r.phase.exists()) else {
        return Ok(UnitEnd::ok("nothing is there", false));
    };
    if let Some(end) = root::moved(context, &record.home) {
        return Ok(end);
    }
    let at = context.now();
    let found = changed(context, unit, id, &record).await?;
    let summary = match found.as_ref().map_or(0, Vec::len) as u64 {
        _ if found.is_none() => "its hosts are none of Terraform's: there is nothing to compare".to_owned(),
        0 => "as it was made".to_owned(),
        n => format!("{} changed outside of otto", counted(n, "resource")),
    };
    if let Some(changes) = found {
        context.remember_drift(unit, Drift { name: id.clone(), at, changes })?;
    }
    Ok(UnitEnd::ok(summary, false))
}

/// What changed; nothing where Terraform has no part in it.
async fn changed(
    context: &Context,
    unit: &UnitId,
    id: &DeploymentId,
    record: &Deployment,
) -> Result<Option<Vec<ResourceChange>>, Trouble> {
    if record.spec.on.is_some() || context.target(id)?.provider.kind != ProviderKind::Terraform {
        return Ok(None);
    }
    let folder = context.terraform_folder(id);
    if !root::is_there(&folder) {
        let end = UnitEnd::failed(format!("its copy of the root is gone from {folder}"), false);
        return Err(end.hint(format!("otto up {id}")).into());
    }
    let terraform = tool(context, unit, id, record, &folder, root::existing_variables(&folder)).await?;
    let plan_file = folder.join("otto.drift.tfplan");
    root::private_file(&plan_file)?;
    let ignored = context.target(id)?.provider.ignore_changes.clone();
    let found = compared(context, unit, &terraform, &plan_file, &ignored).await;
    // It holds secrets in clear.
    let _ = fs::remove_file(&plan_file);
    found.map(Some)
}

async fn compared(
    context: &Context,
    unit: &UnitId,
    terraform: &Terraform,
    plan_file: &Utf8Path,
    ignored: &[String],
) -> Result<Vec<ResourceChange>, Trouble> {
    let extra = Extra::passthrough(&context.requests.passthrough);
    let (name, invocation) = (program_name(context), terraform.plan(Goal::RefreshOnly, Some(plan_file), &extra));
    let plan = Call { tool: &name, step: "plan", main: false, stream: None, invocation, lock: None };
    let mut stream = Stream::new();
    let called = call(context, unit, plan, &mut stream).await?;
    let report = stream.report();
    let ended = matches!(called.end, End::Exited { code: 0 | 2 }) && report.succeeded(Operation::Plan);
    let cut_short = called.interrupted || called.timed_out;
    // Outputs that name what is gone make the plan an error, after all that changed was told.
    if cut_short || !ended && report.drift.is_empty() {
        return Err(tool_failed(&called, &report, "plan", false).into());
    }
    if !ended {
        let why = report.errors.first().map(|error| error.summary.clone()).unwrap_or_default();
        context.note(unit, format!("the plan did not come to its end ({why}): more may have changed"), true)?;
    }
    if report.drift.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = match values(context, unit, terraform, plan_file, ignored).await? {
        Some(found) => found,
        None => report.drift.iter().map(without_values).collect(),
    };
    for field in found.iter_mut().flat_map(|change| &mut change.fields) {
        for value in [&mut field.before, &mut field.after].into_iter().flatten() {
            *value = context.secrets.text(value).into_owned();
        }
    }
    for change in &found {
        let fields: Vec<String> = change.fields.iter().take(3).map(shown).collect();
        let more = if change.fields.len() > 3 { ", ..." } else { "" };
        context.note(unit, format!("{} {}  {}{more}", change.action, change.address, fields.join(", ")), true)?;
    }
    Ok(found)
}

/// Fields and values, out of the plan; nothing where Terraform did not write one that can be read.
async fn values(
    context: &Context,
    unit: &UnitId,
    terraform: &Terraform,
    plan_file: &Utf8Path,
    ignored: &[String],
) -> Result<Option<Vec<ResourceChange>>, Trouble> {
    let (name, invocation) = (program_name(context), terraform.show_json(Some(plan_file)));
    let show = Call { tool: &name, step: "show", main: false, stream: None, invocation, lock: None };
    let called = call(context, unit, show, &mut Stream::new()).await?;
    let text = called.taken()?;
    Ok(if called.is_clean() { changes::drift(&text, ignored).ok() } else { None })
}

fn without_values(planned: &Planned) -> ResourceChange {
    let action = planned.action.word().to_owned();
    ResourceChange { address: planned.address.clone(), action, fields: Vec::new() }
}

/// `status "active" -> "off"`.
fn shown(field: &crate::model::plan::FieldChange) -> String {
    let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    format!("{} {} -> {}", field.path, word(&field.before), word(&field.after))
}
