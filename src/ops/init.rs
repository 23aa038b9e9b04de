//! `otto init`: a project to start from, which is the repository's own; and a newer otto's parts of it for an older one.

use camino::Utf8PathBuf;

use super::failure::{Failure, Kind, Result};
use super::world::World;
use crate::model::Name;
use crate::project::create::{Choices, create};
use crate::project::{Updated, embedded, update};

/// What is asked, unless a flag says it.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Where; the current folder when absent.
    pub folder: Option<String>,
    /// Ask nothing.
    pub yes: bool,
    /// The project's name; the folder's when absent.
    pub name: Option<String>,
    /// Where hosts run; `local` when absent.
    pub provider: Option<String>,
    /// The first site's domain; `hello.localhost` when absent.
    pub domain: Option<String>,
}

/// Writes the project into a folder; returns the files written.
///
/// # Errors
/// Files that are in the way: nothing is overwritten. A name that is none.
pub fn init(world: &World, wanted: Wanted) -> Result<(Utf8PathBuf, Vec<Utf8PathBuf>)> {
    let folder = wanted.folder.as_ref().map_or_else(|| world.cwd.clone(), |f| world.cwd.join(f));
    let choices = choices(world, wanted, &folder)?;
    let home = world.vars.state_folder(&folder);
    let written =
        create(&folder, &choices, &home.join("base")).map_err(|e| Failure::new(Kind::Project, e.to_string()))?;
    Ok((folder, written))
}

fn choices(world: &World, mut wanted: Wanted, folder: &Utf8PathBuf) -> Result<Choices> {
    let wrong = |text: String| Failure::new(Kind::Usage, text);
    let providers = providers();
    // A folder with a project has its answers; what is in the way is said without a question.
    if !wanted.yes && world.ask.can_ask() && !folder.join("otto.yaml").exists() {
        let ask = |given: Option<String>, question: &str, default: &str| {
            given.or_else(|| Some(world.ask.line(question, default)).filter(|answer| answer != default))
        };
        let name = crate::project::create::project_name(folder);
        wanted.name = ask(wanted.name, "Name of the project", name.as_str());
        wanted.provider = ask(wanted.provider, &format!("Where hosts run ({})", providers.join(", ")), "local");
        wanted.domain = ask(wanted.domain, "Domain of the first site", "hello.localhost");
    }
    let name = wanted.name.map(|name| Name::new(&name).map_err(|error| wrong(error.to_string()))).transpose()?;
    if let Some(provider) = wanted.provider.as_ref().filter(|provider| !providers.contains(provider)) {
        let what = format!("no provider `{provider}` comes with otto: {}", providers.join(", "));
        return Err(wrong(what).hint(format!("otto init, then: otto add provider {provider}")));
    }
    if let Some(domain) = &wanted.domain {
        crate::project::quantity::domain(domain).map_err(|why| wrong(format!("`{domain}` is no domain: {why}")))?;
    }
    Ok(Choices { name, provider: wanted.provider, domain: wanted.domain })
}

/// Those of the reference project.
fn providers() -> Vec<String> {
    let of = |path: &str| path.strip_prefix("clowd/provision/")?.strip_suffix("/provider.yaml").map(str::to_owned);
    embedded::files().iter().filter_map(|file| of(file.path)).collect()
}

/// Merges this otto's roles, roots and templates into the project.
///
/// # Errors
/// No project, or a file that cannot be written.
pub fn renew(world: &World, folder: Option<&str>) -> Result<(Utf8PathBuf, Updated)> {
    let start = folder.map_or_else(|| world.cwd.clone(), |f| world.cwd.join(f));
    let folder = crate::project::find(&start)
        .map_err(|error| Failure::new(Kind::Project, error.to_string()).hint("otto init"))?;
    let base = world.vars.state_folder(&folder).join("base");
    let done = update(&folder, &base).map_err(|e| Failure::new(Kind::Project, e.to_string()))?;
    Ok((folder, done))
}
