//! What provisioning would change, attribute by attribute: Terraform's own plan, made in a folder that is removed again.
//!
//! Nothing of the deployment is touched: root, state and lock file are copied, and the plan (which holds secrets in
//! clear) never leaves that folder.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::context::Program;
use super::inputs::{self, Identity};
use super::plan::Target;
use super::stage::{backend, root};
use crate::model::plan::ResourceChange;
use crate::model::ssh::Logins;
use crate::model::{Name, RunId};
use crate::process::{Captured, capture};
use crate::tools::Invocation;
use crate::tools::terraform::args::{Extra, Goal, Terraform};
use crate::tools::terraform::backend::OVERRIDE_FILE;
use crate::tools::terraform::{changes, root as tf_root};

/// A plan asks every resource; of a large root that takes minutes.
const LIMIT: Duration = Duration::from_secs(900);

/// What previews of several deployments share.
pub struct Ground<'a> {
    /// `.otto`.
    pub home: &'a Utf8Path,
    /// Project and store, for the tags.
    pub ids: (&'a str, &'a str),
    /// Who may log in, and from where.
    pub logins: &'a Logins,
    /// Who asks.
    pub owner: &'a str,
    /// Terraform or OpenTofu.
    pub program: &'a Program,
    /// Secrets for its environment, and what is taken out of it (set to nothing).
    pub env: BTreeMap<String, String>,
    /// References of images by appliance; one that is still to be built has none.
    pub newest: BTreeMap<Name, String>,
}

/// A folder for one preview, removed with all that is in it.
struct Scratch(Utf8PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What an apply of this deployment would do.
///
/// # Errors
/// What Terraform says, or a file that cannot be read.
pub async fn preview(ground: &Ground<'_>, target: &Target) -> Result<Vec<ResourceChange>, String> {
    let id = &target.spec.id;
    let scratch = Scratch(ground.home.join("preview").join(format!("{}-{}", std::process::id(), id.key())));
    let dir = scratch.0.join("terraform").join(id.key());
    private(&dir)?;
    root::copy_of(Utf8Path::new(&target.provider.folder), &dir).map_err(|trouble| trouble.to_string())?;
    let own = ground.home.join("terraform").join(id.key());
    for name in ["terraform.tfstate", ".terraform.lock.hcl"] {
        if own.join(name).is_file() {
            fs::copy(own.join(name), dir.join(name)).map_err(|error| format!("{name}: {error}"))?;
        }
    }
    let variables = variables(ground, target, &dir)?;
    let text = |error: std::io::Error| format!("{dir}: {error}");
    let record = target.record.as_ref().filter(|record| record.phase.exists());
    let mut terraform = Terraform {
        program: ground.program.path.clone(),
        tofu: ground.program.name == "tofu",
        version: ground.program.numbers(),
        dir: dir.clone(),
        data_dir: None,
        workspace: None,
        init_args: Vec::new(),
        var_file: Some(variables),
        env: BTreeMap::new(),
    };
    match record.and_then(|record| record.state.as_ref()) {
        Some(place) => backend::connect_to(&mut terraform, id, place, &target.provider.backend_config)
            .map_err(|trouble| trouble.to_string())?,
        // What does not exist has no state: none is asked for, and none made.
        None if tf_root::backend(&dir).map_err(text)?.is_some() => {
            fs::write(dir.join(OVERRIDE_FILE), "terraform {\n  backend \"local\" {}\n}\n").map_err(text)?;
        }
        None => {}
    }
    if tf_root::needs_init(&dir).map_err(text)? {
        ask(ground, &dir, &terraform.init(), &[0]).await?;
    }
    let plan = dir.join("otto.tfplan");
    let planned = ask(ground, &dir, &terraform.plan(Goal::Create, Some(&plan), &Extra::default()), &[0, 2]).await?;
    if planned.code == 0 {
        return Ok(Vec::new());
    }
    let shown = ask(ground, &dir, &terraform.show_json(Some(&plan)), &[0]).await?;
    changes::changes(&shown.stdout)
}

fn private(dir: &Utf8Path) -> Result<(), String> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| format!("{dir}: {error}"))
}

/// The var file that an apply would be given.
fn variables(ground: &Ground<'_>, target: &Target, dir: &Utf8Path) -> Result<Utf8PathBuf, String> {
    let record = target.record.as_ref().filter(|record| record.phase.exists());
    let mut newest = ground.newest.clone();
    for appliance in target.spec.appliances() {
        newest.entry(appliance.clone()).or_insert_with(|| format!("(the image of {appliance}, not built yet)"));
    }
    let hosts =
        inputs::host_specs(&target.spec, record, &target.provider, &newest, &|_, _| false).map_err(|missing| {
            format!("no image of {}", missing.iter().map(Name::as_str).collect::<Vec<_>>().join(", "))
        })?;
    let identity = match record {
        Some(record) => Identity::of(record, ground.ids.0, ground.ids.1, ground.logins),
        None => Identity {
            run: RunId("(this run)".to_owned()),
            owner: ground.owner.to_owned(),
            expires_at: None,
            project: ground.ids.0.to_owned(),
            store: ground.ids.1.to_owned(),
            logins: ground.logins.clone(),
        },
    };
    let folder = ground.home.join("hosts").join(target.spec.id.key());
    let all = inputs::root_variables(&target.spec, &hosts, &identity, folder.as_str());
    let mut declared = root::declared(dir, &all).map_err(|trouble| trouble.to_string())?;
    let theirs = record.and_then(|record| record.adopted.as_ref());
    declared.retain(|name, _| theirs.is_none_or(|theirs| !theirs.contains(name)));
    root::write_variables(dir, &all, &declared).map_err(|trouble| trouble.to_string())
}

async fn ask(ground: &Ground<'_>, dir: &Utf8Path, call: &Invocation, good: &[i32]) -> Result<Captured, String> {
    let mut env = ground.env.clone();
    env.extend(call.env.clone());
    let chdir = format!("-chdir={dir}");
    let args: Vec<&str> = std::iter::once(chdir.as_str()).chain(call.args.iter().map(String::as_str)).collect();
    let answer = capture(&call.program, &args, &env, LIMIT).await.map_err(|error| error.to_string())?;
    if good.contains(&answer.code) {
        return Ok(answer);
    }
    Err(format!(
        "`{}` ended with exit code {}: {}",
        call.args.first().map_or("", String::as_str),
        answer.code,
        said(&answer)
    ))
}

/// The first error in what Terraform said: of its stream of JSON, else of its text.
fn said(answer: &Captured) -> String {
    let lines = answer.stdout.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut errors = lines.filter(|line| line["@level"] == "error");
    let first = errors.next().and_then(|line| line["@message"].as_str().map(str::to_owned));
    let text = || answer.stderr.lines().find(|line| line.contains("rror")).unwrap_or("it said nothing").to_owned();
    first.unwrap_or_else(text)
}
