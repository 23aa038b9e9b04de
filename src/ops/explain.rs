//! `otto explain`: every value that is in effect, and where it comes from. Secrets are named, never shown.

use camino::Utf8PathBuf;
use serde::Serialize;

use super::failure::{Failure, Kind, Result};
use super::world::{Opened, World};
use crate::project::vars::DECLARED;
use crate::project::{Origin, Selection, nearest};

/// What stands in place of a secret.
const HIDDEN: &str = "***";

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// `environment`, `sites.hello.roles.www.count`, `env.APP_KEY`.
    pub key: String,
    /// As it is written; `***` for a secret.
    pub value: String,
    /// `sites/hello/site.yaml:7`, `--env`, `environment variable OTTO_ENV`, `default`.
    pub from: String,
}

/// The document of `--json`.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// `otto.explain/1`.
    pub schema: &'static str,
    /// Sorted as shown: settings first.
    pub values: Vec<Explained>,
}

/// Everything, or what a key names: whole, its beginning, its end or a part between dots.
///
/// # Errors
/// Wrong project files, or a key that names nothing.
pub fn explain(world: &World, selection: &Selection, key: Option<&str>) -> Result<Explanation> {
    let opened = world.open()?;
    let mut values = settings(world, &opened, selection);
    values.extend(variables(world, &opened));
    for (key, origin) in &opened.origins.0 {
        let Some(value) = opened.values.0.get(key).filter(|_| !key.contains('[')) else { continue };
        let shown = key.strip_prefix("project.").unwrap_or(key).to_owned();
        if !values.iter().any(|known| known.key == shown) {
            values.push(Explained { key: shown, value: value.clone(), from: origin.to_string() });
        }
    }
    let Some(key) = key else { return Ok(Explanation { schema: "otto.explain/1", values }) };
    let dotted = format!(".{key}.");
    let meant: Vec<Explained> = values.iter().filter(|v| format!(".{}.", v.key).contains(&dotted)).cloned().collect();
    if meant.is_empty() {
        let words = values.iter().map(|v| v.key.as_str());
        let parts = values.iter().flat_map(|v| v.key.split('.'));
        let failure = Failure::new(Kind::Usage, format!("nothing is called `{key}`"));
        return Err(match nearest(key, words.chain(parts)) {
            Some(near) => failure.hint(format!("otto explain {near}")),
            None => failure.hint("otto explain"),
        });
    }
    Ok(Explanation { schema: "otto.explain/1", values: meant })
}

fn settings(world: &World, opened: &Opened, selection: &Selection) -> Vec<Explained> {
    let of_file = |key: &str| opened.origins.get(key).cloned().unwrap_or(Origin::Default);
    let flag = |name: &str| Origin::Flag(name.to_owned());
    let env = |name: &str| Origin::Env(name.to_owned());
    let project = match (&world.project, world.vars.project()) {
        (Some(_), _) => flag("--project").to_string(),
        (None, Some(_)) => env("OTTO_PROJECT").to_string(),
        (None, None) => "the nearest folder with otto.yaml".to_owned(),
    };
    let (environment, from) = match (&selection.environment, &selection.default_environment) {
        (Some(name), _) => (name.clone(), flag("--env")),
        (None, Some(name)) => (name.clone(), env("OTTO_ENV")),
        (None, None) => (opened.project.environment.to_string(), of_file("project.environment")),
    };
    let (providers, by) = match (selection.providers.as_slice(), selection.default_providers.as_slice()) {
        ([], []) => {
            let names: Vec<String> = opened.project.providers.iter().map(ToString::to_string).collect();
            (names.join(", "), of_file("project.providers"))
        }
        ([], names) => (names.join(", "), env("CLOWD_PROVIDERS")),
        (names, _) => (names.join(", "), flag("--provider")),
    };
    let folder = |key: &str, path: Utf8PathBuf, variable: &str| {
        let from = if world.vars.is_set(variable) { env(variable) } else { Origin::Default };
        Explained { key: key.to_owned(), value: path.into_string(), from: from.to_string() }
    };
    let row = |key: &str, value: String, from: String| Explained { key: key.to_owned(), value, from };
    vec![
        row("folder", opened.project.folder.clone(), project),
        row("environment", environment, from.to_string()),
        row("providers", providers, by.to_string()),
        folder("state", opened.home.clone(), "OTTO_DIR"),
        folder("cache", world.cache(), "XDG_CACHE_HOME"),
        folder("copies", world.state_home(), "XDG_STATE_HOME"),
    ]
}

/// Variables that are set and mean something to otto, to a provider, or stand in an env file.
fn variables(world: &World, opened: &Opened) -> Vec<Explained> {
    let mut all = Vec::new();
    let mut add = |name: &str, value: String, from: String| {
        all.push(Explained { key: format!("env.{name}"), value, from });
    };
    for var in DECLARED.iter().filter(|var| var.name.starts_with("OTTO_") || var.name.starts_with("CLOWD_")) {
        if let Some(value) = world.vars.get(var.name) {
            add(var.name, value.to_owned(), "the environment".to_owned());
        }
    }
    for var in &opened.env {
        let place = format!("{}:{}", var.file, var.line);
        let set = world.vars.is_set(&var.name);
        let from = if set { format!("the environment, over {place}") } else { place };
        add(&var.name, HIDDEN.to_owned(), from);
    }
    for provider in opened.project.provider_specs.values() {
        for name in provider.credentials.iter().filter(|name| !opened.env.iter().any(|var| var.name == **name)) {
            let set = world.vars.is_set(name);
            let value = if set { HIDDEN } else { "not set" };
            let from = if set { "the environment".to_owned() } else { format!("needed by {}", provider.name) };
            add(name, value.to_owned(), from);
        }
    }
    all
}
