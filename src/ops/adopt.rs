//! `otto state adopt DEPLOYMENT`: takes over what was made without otto.

use super::choose;
use super::conduct::{Report, Request, conduct};
use super::failure::{Failure, Kind, Result};
use super::world::World;
use crate::lifecycle::{Adoption, Verb};
use crate::model::Stage;
use crate::project::Selection;

/// Adopts one deployment; `from` is a state file, the root's own state when absent.
///
/// # Errors
/// Not exactly one deployment, and whatever keeps a run from beginning.
pub async fn adopt(world: &World, name: &str, from: Option<&str>, mut request: Request) -> Result<Report> {
    let opened = world.open()?;
    let flags = Selection { deployments: vec![name.to_owned()], ..Selection::default() };
    let ids = choose::wanted(&opened.project, &flags.with_defaults(&world.vars))?;
    let [id] = ids.as_slice() else {
        let all: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let failure = Failure::new(Kind::Usage, format!("`{name}` means {}", all.join(", ")));
        return Err(failure.hint(format!("otto state adopt {}", all[0])));
    };
    "adopt".clone_into(&mut request.name);
    request.verb = Verb::Only(Stage::Provision);
    request.selection = Selection { deployments: vec![id.to_string()], ..Selection::default() };
    request.wishes.adopt = true;
    request.requests.adopt = Some(Adoption { from: from.map(|path| world.cwd.join(path)) });
    conduct(world, request).await
}
