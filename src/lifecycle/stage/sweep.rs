//! Finds what carries this deployment's tags and is in no state, by the provider's own `orphans`.
//!
//! Only what carries this store's own tags is ever removed; what carries another store's is a refusal, and what holds data
//! goes only by its name.

use std::fs;

use camino::Utf8Path;
use serde_json::{Map, Value, json};

use super::super::call::{Call, Called, call};
use super::super::context::Context;
use super::super::unit_end::{Trouble, UnitEnd};
use super::root::{self, VAR_FILE};
use super::terraform::{program_name, tool_failed};
use crate::model::orphan::holds_data;
use crate::model::{DeploymentId, Orphan, Owner, Provider, Quantity, UnitId};
use crate::process::disk;
use crate::tools::orphans::{Form, Listing, NAME, of_output};
use crate::tools::script::interpreted;
use crate::tools::terraform::{Extra, Operation, Stream, Terraform, root as tf_root};
use crate::tools::{Invocation, Reader, Stop, Unread};

/// An `orphans` that does not end for this long is ended.
const LIMIT_MS: u64 = 120_000;

/// What a sweep of one deployment found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Of this deployment, with this store's tags.
    pub(super) ours: Vec<Orphan>,
    /// The same deployment, made by another store (or by whoever did not say for which project).
    pub(super) foreign: Vec<Orphan>,
}

/// Asks the provider; `None` where it has no way to be asked.
pub(super) async fn list(
    context: &Context,
    unit: &UnitId,
    id: &DeploymentId,
    step: &str,
) -> Result<Option<Found>, Trouble> {
    let folder = context.terraform_folder(id);
    let found = match Form::of(&folder).map_err(Trouble::file(&folder))? {
        None => return Ok(None),
        Some(Form::Program(words)) => {
            let mut lines = Listing::default();
            run(context, unit, (NAME, &words), (step, &["list"]), &folder, &mut lines).await?;
            lines.found().map_err(|why| UnitEnd::failed(why, false).hint(format!("see `{}`", words.join(" "))))?
        }
        Some(Form::Sources(sources)) => sources_of(context, unit, step, &folder, &sources).await?,
    };
    let of_this = found.into_iter().filter(|orphan| orphan.is_of(id));
    // Another project's deployment may have the same name: it is another one.
    let of_this = of_this.filter(|o| o.tag("project").is_none_or(|project| project == context.project));
    let (ours, foreign) = of_this.partition(|o| o.owner(&context.project, &context.store) == Some(Owner::Ours));
    Ok(Some(Found { ours, foreign }))
}

/// Asks how large an image is: a vendor bills it by the GB, and Packer does not say. `folder` is the image's own.
/// Nothing where that cannot be learnt, which is said.
pub(super) async fn image_size(
    context: &Context,
    unit: &UnitId,
    provider: &Provider,
    folder: &Utf8Path,
    reference: &str,
) -> Result<Option<Quantity>, Trouble> {
    let Ok(Some(Form::Program(words))) = Form::of(Utf8Path::new(&provider.folder)) else { return Ok(None) };
    let tags = json!({"otto:project": context.project, "otto:store": context.store});
    let variables = json!({"region": provider.region, "tags": tags});
    let path = folder.join(VAR_FILE);
    disk::write_atomic(&path, variables.to_string().as_bytes(), 0o600).map_err(Trouble::file(&path))?;
    let mut lines = Listing::default();
    let asked = run(context, unit, (NAME, &words), ("size", &["list"]), folder, &mut lines).await;
    let found = match asked {
        Ok(()) => lines.found(),
        Err(Trouble::End(end)) => Err(end.summary),
        Err(other) => return Err(other),
    };
    match found {
        Ok(found) => Ok(found.iter().find(|one| one.id == reference).and_then(Orphan::gigabytes)),
        Err(why) => {
            context.note(unit, format!("the size of {reference} is not known, so its cost is not: {why}"), true)?;
            Ok(None)
        }
    }
}

/// Removes these, each by its own call, so that one that fails is named; what holds data stays, and is said.
/// Returns how many went.
pub(super) async fn remove(
    context: &Context,
    unit: &UnitId,
    id: &DeploymentId,
    orphans: &[Orphan],
) -> Result<usize, Trouble> {
    let folder = context.terraform_folder(id);
    let Some(form) = Form::of(&folder).map_err(Trouble::file(&folder))? else { return Ok(0) };
    let (data, rest): (Vec<&Orphan>, Vec<&Orphan>) = orphans.iter().partition(|o| is_data(context, id, o));
    for orphan in data {
        let what = format!("{} stays: a {} goes only by its name", told(orphan), orphan.kind);
        context.note(unit, format!("{what}: otto reap --with {}", orphan.id), true)?;
    }
    for (number, orphan) in rest.iter().enumerate() {
        let Form::Program(words) = &form else {
            let what = format!("{} is in no state, and the data sources in `orphans` cannot remove it", told(orphan));
            return Err(UnitEnd::failed(what, false)
                .hint("remove it at the provider, then the same command again")
                .into());
        };
        context.note(unit, format!("removing {}: no state holds it", told(orphan)), false)?;
        let step = format!("remove-{}", number + 1);
        let args = ["remove", orphan.id.as_str()];
        run(context, unit, (NAME, words), (&step, &args), &folder, &mut Listing::default()).await?;
    }
    Ok(rest.len())
}

/// Whether it goes only by its name.
pub(super) fn is_data(context: &Context, id: &DeploymentId, orphan: &Orphan) -> bool {
    holds_data(&orphan.kind, &context.target(id).map(|t| t.provider.keep.clone()).unwrap_or_default())
}

fn told(orphan: &Orphan) -> String {
    format!("{} `{}` ({})", orphan.kind, orphan.name, orphan.id)
}

/// Whether the provider has a way to be asked.
pub(super) fn can_be_asked(context: &Context, id: &DeploymentId) -> bool {
    Form::of(&context.terraform_folder(id)).is_ok_and(|form| form.is_some())
}

/// What an account has only once and deployments share (a public key, on some clouds): `shared add` before an apply,
/// `shared remove` after a destruction. Nothing where the provider has no such program.
pub(super) async fn shared(context: &Context, unit: &UnitId, id: &DeploymentId, verb: &str) -> Result<(), Trouble> {
    let folder = context.terraform_folder(id);
    let program = folder.join("shared");
    if !program.is_file() {
        return Ok(());
    }
    let words = interpreted(&program).map_err(Trouble::file(&program))?;
    run(context, unit, ("shared", &words), (verb, &[verb]), &folder, &mut Unread).await
}

async fn run(
    context: &Context,
    unit: &UnitId,
    (tool, words): (&str, &[String]),
    (step, args): (&str, &[&str]),
    folder: &Utf8Path,
    lines: &mut dyn Reader,
) -> Result<(), Trouble> {
    let invocation = Invocation::new(&words[0], folder, Stop::Script)
        .args(words[1..].iter().map(String::as_str).chain(args.iter().copied()))
        .env("OTTO_VARS", folder.join(VAR_FILE))
        .limit_ms(LIMIT_MS);
    let step = format!("{tool}-{step}");
    let called = one(context, unit, tool, &step, invocation, lines).await?;
    if called.is_clean() {
        return Ok(());
    }
    let said = fs::read_to_string(called.folder.join("stderr")).unwrap_or_default();
    let last = said.lines().last().unwrap_or("it said nothing");
    let end =
        UnitEnd::failed(format!("`{tool} {}` ended with {}: {last}", args.join(" "), called.end.describe()), false);
    Err(end.hint(format!("see `{}`", called.folder.join("stderr"))).into())
}

async fn one(
    context: &Context,
    unit: &UnitId,
    tool: &str,
    step: &str,
    invocation: Invocation,
    reader: &mut dyn Reader,
) -> Result<Called, Trouble> {
    let asked = Call { tool, step, main: false, stream: None, invocation, lock: None };
    let called = call(context, unit, asked, reader).await?;
    if called.interrupted {
        return Err(Trouble::Stopped { step: step.to_owned() });
    }
    Ok(called)
}

/// Asks data sources: `apply` reads them, and there is nothing else that it could do.
async fn sources_of(
    context: &Context,
    unit: &UnitId,
    step: &str,
    folder: &Utf8Path,
    sources: &Utf8Path,
) -> Result<Vec<Orphan>, Trouble> {
    let program =
        context.tools.terraform.as_ref().ok_or_else(|| UnitEnd::failed("no Terraform was found to ask with", false))?;
    let text = fs::read_to_string(folder.join(VAR_FILE)).map_err(Trouble::file(folder.join(VAR_FILE)))?;
    let all: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    let declared = root::declared(sources, &all)?;
    let var_file = Some(root::write_variables(sources, &all, &declared)?);
    let terraform =
        Terraform { var_file, ..Terraform::plain(&program.path, &program.name, program.numbers(), sources) };
    let (name, init) = (program_name(context), format!("orphans-{step}-init"));
    if tf_root::needs_init(sources).map_err(Trouble::file(sources))? {
        let mut stream = Stream::new();
        let called = one(context, unit, &name, &init, terraform.init().limit_ms(LIMIT_MS), &mut stream).await?;
        if !called.is_clean() {
            return Err(tool_failed(&called, &stream.report(), "init", false).into());
        }
    }
    let mut stream = Stream::new();
    let asked = terraform.apply_new(&Extra::default()).limit_ms(LIMIT_MS);
    let called = one(context, unit, &name, &format!("orphans-{step}"), asked, &mut stream).await?;
    let report = stream.report();
    if !called.is_clean() || !report.succeeded(Operation::Apply) {
        return Err(tool_failed(&called, &report, "orphans", false).into());
    }
    of_output(report.outputs.get("orphans")).map_err(|why| UnitEnd::failed(why, false).into())
}
