//! Finds what carries this deployment's tags and is in no state, by the provider's own `orphans` executable.
//!
//! Only what carries this store's own tags is ever removed; what carries another store's is a refusal.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use super::super::call::{Call, call};
use super::super::context::Context;
use super::super::unit_end::{Trouble, UnitEnd};
use super::root::VAR_FILE;
use crate::model::{DeploymentId, Diagnostic, UnitId};
use crate::tools::script::interpreted;
use crate::tools::{Invocation, Reader, Said, Stop};

/// An orphans executable that says nothing for this long is ended.
const LIMIT_MS: u64 = 120_000;

/// One thing that exists at the provider, as `orphans list` prints it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Orphan {
    /// What `orphans remove` takes.
    pub id: String,
    /// `host`, `volume`, ...
    #[serde(default)]
    pub kind: String,
    /// Shown.
    #[serde(default)]
    pub name: String,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, serde_json::Value>,
}

impl Orphan {
    /// A tag in either spelling: `otto:deployment`, or `otto_deployment` where a colon is refused.
    fn tag(&self, name: &str) -> Option<String> {
        let value = self.tags.get(&format!("otto:{name}")).or_else(|| self.tags.get(&format!("otto_{name}")))?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    fn is_of(&self, id: &DeploymentId) -> bool {
        self.tag("deployment").is_some_and(|d| d == id.key() || d == id.to_string())
    }

    fn is_ours(&self, context: &Context) -> bool {
        self.tag("store").as_deref() == Some(&context.store) && self.tag("project").as_deref() == Some(&context.project)
    }
}

/// What a sweep of one deployment found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Of this deployment, with this store's tags.
    pub(super) ours: Vec<Orphan>,
    /// Of this deployment's name, made by another store or project.
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
    let Some(program) = executable(&folder) else { return Ok(None) };
    let mut lines = Lines::default();
    run(context, unit, &program, step, &["list"], &folder, &mut lines).await?;
    if let Some(line) = lines.broken {
        let end =
            UnitEnd::failed(format!("`orphans list` printed a line that is no JSON object with an id: {line}"), false);
        return Err(end.hint(format!("see `{program}`")).into());
    }
    let (ours, foreign) = lines.found.into_iter().filter(|o| o.is_of(id)).partition(|o| o.is_ours(context));
    Ok(Some(Found { ours, foreign }))
}

/// Removes these; each by its own call, so that one that fails is named.
pub(super) async fn remove(
    context: &Context,
    unit: &UnitId,
    id: &DeploymentId,
    orphans: &[Orphan],
) -> Result<(), Trouble> {
    let folder = context.terraform_folder(id);
    let Some(program) = executable(&folder) else { return Ok(()) };
    for (number, orphan) in orphans.iter().enumerate() {
        context.note(
            unit,
            format!("removing {} `{}` ({}): no state holds it", orphan.kind, orphan.name, orphan.id),
            false,
        )?;
        let step = format!("remove-{}", number + 1);
        run(context, unit, &program, &step, &["remove", &orphan.id], &folder, &mut Lines::default()).await?;
    }
    Ok(())
}

/// Whether the provider has a way to be asked.
pub(super) fn can_be_asked(context: &Context, id: &DeploymentId) -> bool {
    executable(&context.terraform_folder(id)).is_some()
}

/// What an account has only once and deployments share (a public key, on some clouds): `shared add` before an apply,
/// `shared remove` after a destruction. Nothing where the provider has no such program.
pub(super) async fn shared(context: &Context, unit: &UnitId, id: &DeploymentId, verb: &str) -> Result<(), Trouble> {
    let folder = context.terraform_folder(id);
    let program = folder.join("shared");
    if !program.is_file() {
        return Ok(());
    }
    run(context, unit, &program, verb, &[verb], &folder, &mut Ignored).await
}

/// Nothing that is said is read.
struct Ignored;

impl Reader for Ignored {
    fn line(&mut self, _: &str) -> Vec<Said> {
        Vec::new()
    }
}

fn executable(folder: &Utf8Path) -> Option<Utf8PathBuf> {
    let path = folder.join("orphans");
    path.is_file().then_some(path)
}

async fn run(
    context: &Context,
    unit: &UnitId,
    program: &Utf8Path,
    step: &str,
    args: &[&str],
    folder: &Utf8Path,
    lines: &mut dyn Reader,
) -> Result<(), Trouble> {
    let program_name = program.file_name().unwrap_or_default().to_owned();
    let (program, mut all) = interpreted(program).map_err(Trouble::file(program))?;
    all.extend(args.iter().map(|a| (*a).to_owned()));
    let invocation = Invocation::new(program, folder, Stop::Script)
        .args(all)
        .env("OTTO_VARS", folder.join(VAR_FILE))
        .limit_ms(LIMIT_MS);
    let tool = if program_name == "shared" { "shared" } else { "orphans" };
    let step = format!("{tool}-{step}");
    let called =
        call(context, unit, Call { tool, step: &step, main: false, stream: None, invocation, lock: None }, lines)
            .await?;
    if called.is_clean() {
        return Ok(());
    }
    if called.interrupted {
        return Err(Trouble::Stopped { step });
    }
    let said = std::fs::read_to_string(called.folder.join("stderr")).unwrap_or_default();
    let last = said.lines().last().unwrap_or("it said nothing");
    let end =
        UnitEnd::failed(format!("`{tool} {}` ended with {}: {last}", args.join(" "), called.end.describe()), false);
    Err(end.hint(format!("see `{}`", called.folder.join("stderr"))).into())
}

/// Reads `orphans list`.
#[derive(Default)]
struct Lines {
    found: Vec<Orphan>,
    broken: Option<String>,
}

impl Reader for Lines {
    fn line(&mut self, line: &str) -> Vec<Said> {
        if line.trim().is_empty() {
            return Vec::new();
        }
        match serde_json::from_str(line) {
            Ok(orphan) => self.found.push(orphan),
            Err(_) => self.broken = Some(line.to_owned()),
        }
        match &self.broken {
            Some(line) => vec![Said::Diagnostic(Diagnostic::error(format!("orphans: {line}")))],
            None => Vec::new(),
        }
    }
}
