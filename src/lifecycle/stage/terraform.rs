//! Terraform or OpenTofu for one deployment: which of the two, its data folder (made once, then only read), and what its
//! ends mean.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::call::{Call, Called, call};
use super::super::context::{Context, Program};
use super::super::inputs;
use super::super::unit_end::{Trouble, UnitEnd, outcome_of};
use super::backend;
use crate::model::{Deployment, DeploymentId, UnitId};
use crate::process::Lock;
use crate::tools::Invocation;
use crate::tools::terraform::{Report, Stream, Terraform, root as tf_root};

/// The Terraform call of a deployment: its tool, its folder, the shared data folder (initialised once).
///
/// # Errors
/// When its state belongs to the other tool, or `init` fails.
pub(super) async fn tool(
    context: &Context,
    unit: &UnitId,
    id: &DeploymentId,
    record: &Deployment,
    folder: &Utf8Path,
    var_file: Option<Utf8PathBuf>,
) -> Result<Terraform, Trouble> {
    let program: &Program =
        context.tools.terraform.as_ref().ok_or_else(|| UnitEnd::failed("no Terraform was found", false))?;
    if let Some(bound) = record.tool.as_ref().filter(|bound| **bound != program.name) {
        let end = UnitEnd::failed(
            format!("its state was written by {bound}, and {} is what PATH has: their states do not mix", program.name),
            false,
        );
        return Err(end
            .hint(format!("put {bound} first on PATH, or destroy {id} with it and bring it up anew"))
            .into());
    }
    let read = |e| Trouble::file(folder)(e);
    let mut terraform = Terraform {
        program: program.path.clone(),
        tofu: program.name == "tofu",
        version: program.numbers(),
        dir: folder.to_owned(),
        data_dir: None,
        workspace: None,
        init_args: Vec::new(),
        var_file,
        env: BTreeMap::new(),
    };
    context.secrets.learn_outputs(&folder.join("terraform.tfstate"));
    if let Some(place) = &record.state {
        backend::connect(context, &mut terraform, id, place)?;
    }
    if !tf_root::needs_init(folder).map_err(read)? {
        return Ok(terraform);
    }
    let key = data_key(program, folder, &terraform.init_args)?;
    let data = context.home.join("terraform").join(".data").join(&key);
    terraform.data_dir = Some(data.clone());
    let done = data.join("otto.done");
    let _one_at_a_time = context.initialising.lock().await;
    let path = context.home.join("locks").join(format!("init_{key}"));
    let _nor_elsewhere = Lock::wait(&path, &context.holder).await.map_err(|e| UnitEnd::failed(e.to_string(), false))?;
    if done.is_file() && folder.join(".terraform.lock.hcl").is_file() == data.join("lock.hcl").is_file() {
        return Ok(terraform);
    }
    if let Ok(lock) = fs::read(data.join("lock.hcl")) {
        fs::write(folder.join(".terraform.lock.hcl"), lock).map_err(Trouble::file(folder))?;
        if done.is_file() {
            return Ok(terraform);
        }
    }
    let mut stream = Stream::new();
    let invocation = terraform.init();
    let called = call(
        context,
        unit,
        Call { tool: &program.name, step: "init", main: false, stream: None, invocation, lock: None },
        &mut stream,
    )
    .await?;
    if !called.is_clean() {
        return Err(tool_failed(&called, &stream.report(), "init", false).into());
    }
    if let Ok(lock) = fs::read(folder.join(".terraform.lock.hcl")) {
        fs::write(data.join("lock.hcl"), lock).map_err(Trouble::file(&data))?;
    }
    fs::write(&done, b"").map_err(Trouble::file(&done))?;
    // With the lock file that it wrote the folder has another key: the providers need not come a second time for it.
    let with_lock = data_key(program, folder, &terraform.init_args)?;
    if with_lock != key {
        let _ = std::os::unix::fs::symlink(&key, data.with_file_name(with_lock));
    }
    Ok(terraform)
}

/// The name of the `TF_DATA_DIR` that a folder can share.
fn data_key(program: &Program, folder: &Utf8Path, init_args: &[String]) -> Result<String, Trouble> {
    let key = tf_root::data_key(folder, program.name == "tofu", &program.version).map_err(Trouble::file(folder))?;
    Ok(if init_args.is_empty() { key } else { format!("{key}-{}", told(folder, init_args)) })
}

/// A plan: what it would do, and whether that is nothing at all (outputs count as something).
///
/// # Errors
/// It did not come to its end.
pub(super) async fn plan_call(
    context: &Context,
    unit: &UnitId,
    step: &str,
    invocation: Invocation,
) -> Result<(Report, bool), Trouble> {
    let mut stream = Stream::new();
    let name = program_name(context);
    let plan = Call { tool: &name, step, main: false, stream: None, invocation, lock: None };
    let called = call(context, unit, plan, &mut stream).await?;
    let report = stream.report();
    // 2 means changes; everything else than 0 and 2 is a failure.
    let code_fits = called.end.is_zero() || called.end == crate::model::End::Exited { code: 2 };
    let stopped = called.interrupted || called.timed_out;
    if !code_fits || stopped || !report.errors.is_empty() || report.plan_summary.is_none() {
        return Err(tool_failed(&called, &report, "plan", false).into());
    }
    Ok((report, called.end.is_zero()))
}

/// The hash of what `init` is told of the backend, with the files that it names.
fn told(folder: &Utf8Path, args: &[String]) -> String {
    let files = args.iter().map(|arg| fs::read_to_string(folder.join(arg.trim_start_matches("-backend-config="))));
    let files: Vec<String> = files.map(Result::unwrap_or_default).collect();
    let mut hash = inputs::hash(&[("args", &args.join("\n")), ("files", &files.join("\n"))]);
    hash.truncate(12);
    hash
}

/// `3 created, 1 changed, 1 destroyed`.
pub(super) fn summary(report: &Report) -> String {
    let Some(done) = &report.final_summary else { return String::new() };
    let parts = [(done.add, "created"), (done.change, "changed"), (done.remove, "destroyed")];
    let said: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if said.is_empty() { "no changes".to_owned() } else { said.join(", ") }
}

pub(super) fn program_name(context: &Context) -> String {
    context.tools.terraform.as_ref().map_or_else(|| "terraform".to_owned(), |t| t.name.clone())
}

/// What a failed call of Terraform means as a unit's end.
pub(super) fn tool_failed(called: &Called, report: &Report, step: &str, changed: bool) -> UnitEnd {
    let outcome = outcome_of(called);
    let first = report.errors.first().or(called.errors.first());
    let summary = match first {
        _ if called.interrupted => format!("`{step}` was interrupted"),
        Some(diagnostic) => format!("`{step}` failed: {}", diagnostic.summary),
        None => format!("`{step}` ended with {} and without its final summary", called.end.describe()),
    };
    let mut end = UnitEnd { outcome, ..UnitEnd::failed(summary, changed) };
    let said = fs::read_to_string(called.folder.join("stderr")).unwrap_or_default();
    end.hints = crate::tools::terraform::explain::hints(&report.errors, &said);
    end
}
