//! `otto site show`: a site as it is written, or as it is meant.

use camino::Utf8Path;
use serde::Serialize;
use serde_json::Value;

use super::failure::{Failure, Kind, Result};
use super::world::World;
use crate::model::Name;
use crate::project::{Selection, nearest, resolved, written};

/// A site's description.
#[derive(Clone, Debug, Serialize)]
pub struct SiteShown {
    /// `otto.site/1`.
    pub schema: &'static str,
    /// Its name.
    pub site: String,
    /// In which environment; nothing when it is shown as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The document.
    pub document: Value,
    /// As YAML.
    #[serde(skip)]
    pub text: String,
}

/// Shows a site; `all` with everything merged that it stands on.
///
/// # Errors
/// Wrong project files, or no such site.
pub fn show(world: &World, name: &str, all: bool, selection: &Selection) -> Result<SiteShown> {
    let opened = world.open()?;
    let project = &opened.project;
    let wrong = |text: String| Failure::new(Kind::Usage, text);
    let Some(site) = Name::new(name).ok().filter(|site| project.sites.contains_key(site)) else {
        let failure = wrong(format!("unknown site `{name}`"));
        return Err(match nearest(name, project.sites.keys().map(Name::as_str)) {
            Some(near) => failure.hint(format!("otto site show {near}")),
            None => failure.hint("otto status"),
        });
    };
    let folder = Utf8Path::new(&project.folder);
    let unreadable = |problem: crate::project::Problem| Failure::new(Kind::Project, problem.to_string());
    let given = selection.environment.as_ref().or(selection.default_environment.as_ref());
    if all {
        let environment = match given {
            Some(word) => Name::new(word).map_err(|error| wrong(error.to_string()))?,
            None => project.environment.clone(),
        };
        if !project.knows_environment(&environment) {
            return Err(wrong(format!("unknown environment `{environment}`")).hint("otto explain environments"));
        }
        let document = resolved(folder, &site, &environment).map_err(unreadable)?;
        let text = yaml(&document)?;
        let environment = Some(environment.to_string());
        return Ok(SiteShown { schema: "otto.site/1", site: site.to_string(), environment, document, text });
    }
    let text = written(folder, &site).map_err(unreadable)?;
    let document = serde_yaml::from_str(&text).map_err(|error| Failure::new(Kind::Project, error.to_string()))?;
    Ok(SiteShown { schema: "otto.site/1", site: site.to_string(), environment: None, document, text })
}

fn yaml(document: &Value) -> Result<String> {
    serde_yaml::to_string(document).map_err(|error| Failure::new(Kind::Unexpected, error.to_string()))
}
