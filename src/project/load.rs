//! Finding a project and reading all of it: `otto.yaml`, `clowd/provision/`, `images/`, `sites/`.
//!
//! Every file is read even when others are wrong, so that all problems come at once; a project is handed out only
//! when there is no problem at all.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::{Appliance, DeploymentId, Name, PriceTable, Project, Provider, Site};

use super::clash;
use super::dotenv::{self, EnvVar};
use super::node::{Kind, Node};
use super::origin::{Origin, Origins, Values};
use super::otto_file::{self, OttoFile};
use super::problem::{Problem, tidy};
use super::read::{Fields, NAME_RULE, Reading, SHARED_FILE};
use super::shape::Known;
use super::site_file::{self, Environments};
use super::{prices_file, provider_file, roles, roots, rules, yaml};

/// The file that makes a folder a project.
pub const PROJECT_FILE: &str = "otto.yaml";
const MAX_FILE: u64 = 1 << 20;

/// A project with what is known about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The values.
    pub project: Project,
    /// Where each of them comes from.
    pub origins: Origins,
    /// The values as they are written.
    pub values: Values,
    /// Variables for the tools, later files over earlier ones.
    pub env: Vec<EnvVar>,
    /// What stops nothing and should be read.
    pub warnings: Vec<Problem>,
}

/// There is no project to be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no `otto.yaml` in `{start}` or in a folder above it: run `otto init`, or name the folder with `--project`")]
pub struct NoProject {
    /// Where the search began.
    pub start: Utf8PathBuf,
}

/// The nearest folder with `otto.yaml`, from `start` upwards, absolute.
///
/// # Errors
/// When no folder up to the root has one.
pub fn find(start: &Utf8Path) -> Result<Utf8PathBuf, NoProject> {
    let none = || NoProject { start: start.to_owned() };
    let absolute = camino::absolute_utf8(start).map_err(|_| none())?;
    let found = absolute.ancestors().find(|folder| folder.join(PROJECT_FILE).is_file());
    found.map(Utf8Path::to_owned).ok_or_else(none)
}

/// Reads a project.
///
/// # Errors
/// Every problem of every file, those of `otto.yaml` first; never an empty list.
pub fn load(folder: &Utf8Path) -> Result<Loaded, Vec<Problem>> {
    read(folder, true)
}

/// Reads a project without its sites, for what needs none of hundreds; errors as of [`load`].
pub fn load_frame(folder: &Utf8Path) -> Result<Loaded, Vec<Problem>> {
    read(folder, false)
}

fn read(folder: &Utf8Path, whole: bool) -> Result<Loaded, Vec<Problem>> {
    let folder = match folder.canonicalize_utf8() {
        Ok(folder) => folder,
        Err(error) => {
            return Err(vec![Problem::new(format!("the project folder `{folder}` cannot be opened: {error}"))]);
        }
    };
    let (origins, values) = (Origins::default(), Values::default());
    let mut loader = Loader { folder, whole, problems: Vec::new(), origins, values, env: Vec::new() };
    let project = loader.project();
    let Loader { mut problems, origins, values, env, .. } = loader;
    tidy(&mut problems);
    let (warnings, errors): (Vec<_>, Vec<_>) = problems.into_iter().partition(|problem| problem.warning);
    if errors.is_empty() {
        return Ok(Loaded { project, origins, values, env, warnings });
    }
    Err(errors.into_iter().chain(warnings).collect())
}

impl Loaded {
    /// The rules of one deployment, each finding with the line of its key.
    pub fn check(&self, id: &DeploymentId) -> Vec<Problem> {
        rules::placed(&self.project, &self.origins, id)
    }
}

/// The keys of a file's document, which has to be a map.
pub(super) fn document<'n>(reading: &mut Reading, node: &'n Node) -> Option<Fields<'n>> {
    if let Kind::Map(entries) = &node.kind {
        return Some(Fields::top(node.at, entries));
    }
    let message = format!("the file is {}", node.described());
    reading.problem(node.at, "", message, "expected keys with values");
    None
}

struct Loader {
    folder: Utf8PathBuf,
    /// The sites too.
    whole: bool,
    problems: Vec<Problem>,
    origins: Origins,
    values: Values,
    env: Vec<EnvVar>,
}

impl Loader {
    fn project(&mut self) -> Project {
        let provision = self.folders("clowd/provision", "provider.yaml");
        let images = self.folders("images", "");
        let sites = if self.whole { self.folders("sites", "site.yaml") } else { Vec::new() };
        let appliances = self.appliances(&images);
        let roles = roles::there(&self.folder.join("clowd/config"));
        let provider_names: Vec<&str> = provision.iter().map(|(name, _)| name.as_str()).collect();
        let file = self.otto_file(&provider_names);
        // Without its file nothing is known about environments, and nothing is said about them.
        let told = file.is_some();
        let file = file.unwrap_or_default();
        let provider_specs = self.providers(&provision);
        let prices = self.prices(&provider_specs);
        let mut environments: Vec<&str> = file.environments.keys().map(Name::as_str).collect();
        environments.push(file.environment.as_str());
        let known = Known {
            appliances: &appliances,
            providers: provider_names,
            sites: sites.iter().map(|(name, _)| name.as_str()).collect(),
            roles: &roles,
        };
        let known_environments =
            Environments { names: environments.clone(), patterns: file.patterns.iter().map(|(p, _)| p).collect() };
        let read = self.sites(&sites, &known, told.then_some(&known_environments));
        for file in &file.env_files {
            let more = dotenv::read(&self.folder, file, &mut self.problems);
            self.env.retain(|old| more.iter().all(|new| new.name != old.name));
            self.env.extend(more);
        }
        self.problems.extend(clash::riders(&read, &self.origins));
        self.problems.extend(clash::find(&read, &environments, &provider_specs, &self.origins));
        Project {
            folder: self.folder.to_string(),
            name: file.name.unwrap_or_else(|| file.environment.clone()),
            id: file.id,
            providers: file.providers,
            environment: file.environment,
            budget: file.budget,
            environments: file.environments,
            patterns: file.patterns,
            tools: file.tools,
            sites: read,
            provider_specs,
            prices,
            appliances,
            config: self.folder.join("clowd/config").into_string(),
            image_max_age_s: file.image_max_age_s,
            reap_grace_s: file.reap_grace_s,
            ssh: file.ssh,
            admin_cidrs: file.admin_cidrs,
        }
    }

    fn otto_file(&mut self, providers: &[&str]) -> Option<OttoFile> {
        let scope = "project";
        let read = |reading: &mut Reading, node: &Node| Some(otto_file::read(reading, node, providers));
        self.read_with(PROJECT_FILE, scope, read)
    }

    fn providers(&mut self, folders: &[(String, Utf8PathBuf)]) -> BTreeMap<Name, Provider> {
        let mut all = BTreeMap::new();
        for (text, path) in folders {
            let file = format!("clowd/provision/{text}/provider.yaml");
            let Some(name) = self.folder_name(text, "clowd/provision") else { continue };
            let read =
                |reading: &mut Reading, node: &Node| provider_file::read(reading, node, name.clone(), path.to_string());
            let Some(mut provider) = self.read_with(&file, &format!("providers.{text}"), read) else { continue };
            if let Some((what, hint)) = roots::lacking(provider.kind, path, &self.folder) {
                self.problems.push(Problem::of(file, what).hint(hint).key("kind"));
            }
            provider.variables = roots::variables(path);
            all.insert(name, provider);
        }
        all
    }

    /// Tables of prices, and whether every provider's is there.
    fn prices(&mut self, providers: &BTreeMap<Name, Provider>) -> BTreeMap<String, PriceTable> {
        let mut all = BTreeMap::new();
        let entries = self.folder.join("clowd/prices").read_dir_utf8().into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().strip_suffix(".yaml").map(str::to_owned)).collect();
        names.sort();
        for name in names {
            let read = |reading: &mut Reading, node: &Node| prices_file::read(reading, node, &name);
            if let Some(table) = self.read_with(&format!("clowd/prices/{name}.yaml"), &format!("prices.{name}"), read) {
                all.insert(name, table);
            }
        }
        for provider in providers.values() {
            let Some(table) = provider.prices.as_ref().filter(|word| *word != "free") else { continue };
            if !self.folder.join(format!("clowd/prices/{table}.yaml")).is_file() {
                let origin = self.origins.get(&format!("providers.{}.prices", provider.name)).cloned();
                self.problems.push(no_table(provider, table, origin.as_ref()));
            }
        }
        all
    }

    fn sites(
        &mut self,
        folders: &[(String, Utf8PathBuf)],
        known: &Known<'_>,
        environments: Option<&Environments<'_>>,
    ) -> BTreeMap<Name, Site> {
        let mut all = BTreeMap::new();
        let mut real: BTreeMap<(u64, u64), &str> = BTreeMap::new();
        let shared = self.shared();
        for (text, path) in folders {
            let Some(name) = self.folder_name(text, "sites") else { continue };
            if let Ok(about) = fs::metadata(path)
                && let Some(other) = real.insert((about.dev(), about.ino()), text)
            {
                let message = format!("duplicate site: `sites/{text}` and `sites/{other}` are one folder");
                self.problems.push(Problem::of(format!("sites/{text}"), message).hint("remove the link"));
                continue;
            }
            let read = |reading: &mut Reading, node: &Node| {
                site_file::read(reading, node, &name, path, known, environments, shared.as_ref())
            };
            let file = format!("sites/{text}/site.yaml");
            if let Some(site) = self.read_with(&file, &format!("sites.{text}"), read) {
                all.insert(name, site);
            }
        }
        all
    }

    /// `sites/_defaults.yaml`: what lies below every site.
    fn shared(&mut self) -> Option<Node> {
        if self.folder.join(SHARED_FILE).symlink_metadata().is_err() {
            return None;
        }
        let read = |reading: &mut Reading, node: &Node| document(reading, node).map(|_| node.clone());
        let mut node = self.read_with(SHARED_FILE, "", read)?;
        node.mark_shared();
        Some(node)
    }

    /// Folders with at least one template.
    fn appliances(&mut self, folders: &[(String, Utf8PathBuf)]) -> BTreeMap<Name, Appliance> {
        let mut all = BTreeMap::new();
        for (text, path) in folders {
            let inner = self.folders(&format!("images/{text}"), "image.pkr.hcl");
            if inner.is_empty() {
                continue;
            }
            let Some(name) = self.folder_name(text, "images") else { continue };
            let mut providers = Vec::new();
            for (provider, _) in &inner {
                providers.extend(self.folder_name(provider, &format!("images/{text}")));
            }
            all.insert(name.clone(), Appliance { name, folder: path.to_string(), providers });
        }
        all
    }

    fn folder_name(&mut self, text: &str, parent: &str) -> Option<Name> {
        let name = Name::new(text).ok();
        if name.is_none() {
            let problem = Problem::of(format!("{parent}/{text}"), format!("`{text}` is no name for a folder here"));
            self.problems.push(problem.hint(NAME_RULE));
        }
        name
    }

    /// One file through one reader, everything found put where it belongs.
    fn read_with<T>(
        &mut self,
        file: &str,
        scope: &str,
        read: impl FnOnce(&mut Reading, &Node) -> Option<T>,
    ) -> Option<T> {
        let text = match text_of(&self.folder, file) {
            Ok(text) => text,
            Err(problem) => {
                self.problems.push(*problem);
                return None;
            }
        };
        let mut reading = Reading::new(file, scope);
        let node = yaml::parse(file, &text, &mut reading.problems);
        let value = node.and_then(|node| read(&mut reading, &node));
        self.problems.append(&mut reading.problems);
        // Not `append`: it builds the whole map anew, for each of hundreds of files.
        self.origins.0.extend(std::mem::take(&mut reading.origins.0));
        self.values.0.extend(std::mem::take(&mut reading.values.0));
        value
    }

    /// Sorted folders of a folder that hold `marker` (all, when it is empty); hidden ones and files are not meant.
    fn folders(&mut self, parent: &str, marker: &str) -> Vec<(String, Utf8PathBuf)> {
        let entries = match self.folder.join(parent).read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                self.problems.push(Problem::of(parent, format!("the folder cannot be read: {error}")));
                return Vec::new();
            }
        };
        let mut all = Vec::new();
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.problems.push(Problem::of(parent, format!("an entry cannot be read: {error}")));
                    continue;
                }
            };
            let (name, path) = (entry.file_name().to_owned(), entry.path().to_owned());
            if name.starts_with('.') || !path.is_dir() {
                continue;
            }
            if marker.is_empty() || path.join(marker).symlink_metadata().is_ok() {
                all.push((name, path));
            } else {
                self.without_marker(parent, &name, &path, marker);
            }
        }
        all.sort();
        all
    }

    /// A folder that is probably meant and would silently be left out.
    fn without_marker(&mut self, parent: &str, name: &str, path: &Utf8Path, marker: &str) {
        let place = format!("{parent}/{name}");
        let near = marker.replace(".yaml", ".yml");
        if near != marker && path.join(&near).exists() {
            let problem = Problem::of(format!("{place}/{near}"), format!("the file is called `{near}`"));
            self.problems.push(problem.hint(format!("rename it to `{marker}`")));
        } else if marker == "site.yaml" {
            let problem = Problem::of(place, "no `site.yaml` in it: the folder is left out");
            self.problems.push(problem.hint("write one, or remove the folder").warn());
        } else if marker == "provider.yaml" && roots::is_there(path) {
            let problem = Problem::of(place, "no `provider.yaml` in it: it is no provider of this project");
            self.problems.push(problem.hint("write one with `kind: terraform`").warn());
        }
    }
}

fn no_table(provider: &Provider, table: &str, origin: Option<&Origin>) -> Problem {
    let file = format!("clowd/provision/{}/provider.yaml", provider.name);
    let problem = Problem::of(file, format!("there is no price table `clowd/prices/{table}.yaml`"));
    let hint = "`otto init --update` brings otto's own; or write one, or say `prices: free`: until then it is unpriced";
    // Not an error: what a project brought up before there were tables has to come down as well.
    let problem = problem.key("prices").hint(hint).warn();
    match origin {
        Some(Origin::File { line, column, .. }) => problem.at(*line, *column),
        _ => problem,
    }
}

/// A file's text: a regular file, of bounded size, in UTF-8.
fn text_of(folder: &Utf8Path, file: &str) -> Result<String, Box<Problem>> {
    let wrong = |message: String| Box::new(Problem::of(file, message));
    let path = folder.join(file);
    let unreadable = |error: std::io::Error| wrong(format!("the file cannot be read: {error}"));
    let about = fs::metadata(&path).map_err(unreadable)?;
    if !about.is_file() {
        return Err(wrong("this is no file".to_owned()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len().min(MAX_FILE)).unwrap_or(0) + 1);
    fs::File::open(&path).and_then(|f| f.take(MAX_FILE + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(wrong("the file is larger than 1 MiB".to_owned()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|b| **b == b'\n').count() + 1;
        let column = good.iter().rev().take_while(|b| **b != b'\n').count() + 1;
        let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let problem = Problem::of(file, "not UTF-8").at(place(line), place(column)).hint("save the file as UTF-8");
        Box::new(problem)
    })
}
