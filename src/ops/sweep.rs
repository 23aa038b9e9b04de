//! Asks providers what exists, for `status` and `reap`: each once, all at the same time, none for ever. What one answers
//! that is wrong is a line, and spoils nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use super::observe::regions;
use super::secrets;
use super::toolbox;
use super::world::{Opened, World, private_folder};
use crate::lifecycle::{Program, Secrets};
use crate::model::{Deployment, Name, Orphan, Provider, ProviderKind};
use crate::process::{capture, disk};
use crate::tools::Reader;
use crate::tools::orphans::{Form, Listing, of_output};
use crate::tools::terraform::{Extra, Operation, Stream, Terraform, root};

/// What one provider answered.
pub(super) struct Answer {
    /// Which.
    pub(super) provider: Name,
    /// What exists there, or why that is not known.
    pub(super) said: Result<Vec<Orphan>, String>,
}

/// Who asks: a project, by a store or without one.
pub(super) struct Sweep<'a> {
    opened: &'a Opened,
    /// Empty where there is none.
    store: &'a str,
    secrets: std::sync::Arc<Secrets>,
    env: BTreeMap<String, String>,
    terraform: Option<Program>,
}

/// The var file of one question (`OTTO_VARS`), removed after it.
pub(super) struct Vars(pub(super) Utf8PathBuf);

impl Vars {
    /// Writes one into the project's own folder.
    pub(super) fn write(opened: &Opened, provider: &Provider, variables: &Value) -> Result<Self, String> {
        let folder = opened.home.join("sweep");
        private_folder(&folder).map_err(|error| format!("{folder}: {error}"))?;
        let path = folder.join(format!("{}-{}.json", provider.name, std::process::id()));
        let text = variables.to_string();
        disk::write_atomic(&path, text.as_bytes(), 0o600).map_err(|error| format!("{path}: {error}"))?;
        Ok(Self(path))
    }
}

impl Drop for Vars {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl<'a> Sweep<'a> {
    /// Prepares to ask these.
    pub(super) async fn of(
        world: &World,
        opened: &'a Opened,
        store: &'a str,
        providers: &[&Provider],
    ) -> super::Result<Sweep<'a>> {
        let secrets = secrets::gather(world, opened)?;
        let mut env: BTreeMap<String, String> =
            secrets.env().iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect();
        let foreign = ["TF_CLI_ARGS", "TF_WORKSPACE", "TF_LOG", "TF_DATA_DIR"];
        let foreign = foreign.iter().flat_map(|start| world.vars.beginning_with(start));
        env.extend(foreign.map(|name| (name.to_owned(), String::new())));
        let by_sources = |p: &&Provider| matches!(Form::of(Utf8Path::new(&p.folder)), Ok(Some(Form::Sources(_))));
        let terraform = match providers.iter().copied().any(|p| by_sources(&p)) {
            true => toolbox::present(world, &opened.project).await.terraform,
            false => None,
        };
        Ok(Self { opened, store, secrets, env, terraform })
    }

    /// Asks all of them at once; each has `limit` to answer.
    pub(super) async fn ask(&self, providers: &[&Provider], limit: Duration) -> Vec<Answer> {
        let asked = providers.iter().map(|provider| async move {
            let said = match tokio::time::timeout(limit, self.list(provider, limit)).await {
                Ok(said) => said,
                Err(_) => Err(format!("it did not answer within {} s", limit.as_secs())),
            };
            Answer { provider: provider.name.clone(), said: said.map_err(|why| self.secrets.text(&why).into_owned()) }
        });
        futures_util::future::join_all(asked).await
    }

    async fn list(&self, provider: &Provider, limit: Duration) -> Result<Vec<Orphan>, String> {
        let folder = Utf8Path::new(&provider.folder);
        match Form::of(folder).map_err(|error| error.to_string())? {
            None => Ok(Vec::new()),
            Some(Form::Program(words)) => Listing::of(&self.program(provider, &words, &["list"], limit).await?).found(),
            Some(Form::Sources(sources)) => self.sources(provider, &sources, limit).await,
        }
    }

    /// Removes one thing.
    ///
    /// # Errors
    /// What the provider's program says.
    pub(super) async fn remove(&self, provider: &Provider, id: &str) -> Result<(), String> {
        let limit = Duration::from_secs(120);
        let words = match Form::of(Utf8Path::new(&provider.folder)).map_err(|error| error.to_string())? {
            Some(Form::Program(words)) => words,
            Some(Form::Sources(_)) => {
                return Err("the data sources in `orphans` can only look: remove it at the provider".to_owned());
            }
            None => return Err(format!("clowd/provision/{} has no `orphans`", provider.name)),
        };
        let done = self.program(provider, &words, &["remove", id], limit).await;
        done.map(drop).map_err(|why| self.secrets.text(&why).into_owned())
    }

    async fn program(
        &self,
        provider: &Provider,
        words: &[String],
        args: &[&str],
        limit: Duration,
    ) -> Result<String, String> {
        let vars = Vars::write(self.opened, provider, &self.variables(provider))?;
        let mut env = self.env.clone();
        env.insert("OTTO_VARS".to_owned(), vars.0.to_string());
        let all: Vec<&str> = words[1..].iter().map(String::as_str).chain(args.iter().copied()).collect();
        let answer = capture(Utf8Path::new(&words[0]), &all, &env, limit).await.map_err(|error| error.to_string())?;
        if answer.code == 0 {
            return Ok(answer.stdout);
        }
        let last = answer.stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        Err(format!("`orphans {}` ended with exit code {}: {last}", args.join(" "), answer.code))
    }

    /// Asks data sources, in a copy of theirs.
    async fn sources(&self, provider: &Provider, from: &Utf8Path, limit: Duration) -> Result<Vec<Orphan>, String> {
        let program = self.terraform.as_ref().ok_or("no Terraform was found to ask with")?;
        let dir = self.opened.home.join("sweep").join(provider.name.as_str());
        let text = |error: std::io::Error| format!("{dir}: {error}");
        private_folder(&dir).map_err(text)?;
        for file in root::own_files(from).map_err(text)? {
            if let Some(parent) = dir.join(&file).parent() {
                fs::create_dir_all(parent).map_err(text)?;
            }
            fs::copy(from.join(&file), dir.join(&file)).map_err(text)?;
        }
        let names = root::declared_variables(&dir).map_err(text)?;
        let mut all = self.variables(provider);
        if let Some(all) = all.as_object_mut() {
            all.retain(|name, _| names.contains(name));
        }
        let file = dir.join("otto.vars.json");
        disk::write_atomic(&file, all.to_string().as_bytes(), 0o600).map_err(text)?;
        let plain = Terraform::plain(&program.path, &program.name, program.numbers(), &dir);
        let terraform = Terraform { var_file: Some(file), ..plain };
        let mut report = None;
        let init = root::needs_init(&dir).map_err(text)?.then(|| terraform.init());
        for call in init.into_iter().chain([terraform.apply_new(&Extra::default())]) {
            let mut env = self.env.clone();
            env.extend(call.env.clone());
            let chdir = format!("-chdir={dir}");
            let args: Vec<&str> = std::iter::once(chdir.as_str()).chain(call.args.iter().map(String::as_str)).collect();
            let answer = capture(&call.program, &args, &env, limit).await.map_err(|error| error.to_string())?;
            let mut stream = Stream::new();
            answer.stdout.lines().for_each(|line| drop(stream.line(line)));
            let said = stream.report();
            if answer.code != 0 {
                let why = said.errors.first().map_or("it said nothing".to_owned(), |error| error.summary.clone());
                return Err(format!("`{}` of its data sources failed: {why}", call.args[0]));
            }
            report = Some(said);
        }
        let report =
            report.filter(|report| report.succeeded(Operation::Apply)).ok_or("its data sources did not end")?;
        of_output(report.outputs.get("orphans"))
    }

    /// What `orphans` is told: no deployment, but whose things are looked for.
    fn variables(&self, provider: &Provider) -> Value {
        let mut tags = json!({"otto:project": self.opened.project.id});
        if !self.store.is_empty() {
            tags["otto:store"] = self.store.into();
        }
        json!({
            "deployment": "", "environment": "", "site": "", "run": "", "owner": "", "expires_at": 0, "domains": [],
            "hosts": [], "region": provider.region, "regions": regions(&self.opened.project, provider), "tags": tags, "ssh_public_keys": [], "admin_cidrs": [], "vars": {},
            "folder": self.opened.home.join("hosts").join("-"),
        })
    }
}

/// Providers that are to be asked: those in use, or whose credentials are there; with the reason why one cannot be. One
/// whose hosts are seen by otto's probes holds nothing that they do not see.
pub(super) fn asked<'a>(
    world: &World,
    opened: &'a Opened,
    records: &[Deployment],
) -> (Vec<&'a Provider>, Vec<(Name, String)>) {
    let (mut asked, mut not) = (Vec::new(), Vec::new());
    for provider in opened.project.provider_specs.values() {
        let has_a_way = !matches!(Form::of(Utf8Path::new(&provider.folder)), Ok(None));
        if provider.probed || provider.kind == ProviderKind::Static || !has_a_way {
            continue;
        }
        let missing = world.missing(opened, provider).next();
        let exists = records.iter().any(|r| r.id.provider == provider.name && r.phase.exists());
        let used = records.iter().any(|r| r.id.provider == provider.name);
        match missing {
            None if used || !provider.credentials.is_empty() => asked.push(provider),
            Some(name) if exists => not.push((provider.name.clone(), format!("{name} is not set"))),
            _ => {}
        }
    }
    (asked, not)
}
