//! `otto state show|restore`: the store, its copies, and the way back from a lost one.

use super::failure::{Failure, Kind, Result};
use super::world::{Opened, World, unusable};
use crate::store::{self, Copy, Restored, Store};

/// What there is to show.
pub struct Shown {
    /// The `.otto` folder.
    pub home: String,
    /// The store's id, or why it cannot be used.
    pub store: std::result::Result<String, String>,
    /// Deployments that exist, by the store.
    pub exists: Vec<String>,
    /// Copies outside of the project, newest first.
    pub copies: Vec<Copy>,
}

/// The store and its copies; works with a store that cannot be used.
///
/// # Errors
/// Wrong project files.
pub fn show(world: &World) -> Result<Shown> {
    let opened = world.open()?;
    let opened_store = Store::open_read_only(&opened.home);
    let exists = match &opened_store {
        Ok(store) => store
            .deployments()
            .map_err(unusable)?
            .into_iter()
            .filter(|r| r.phase.exists())
            .map(|r| r.id.to_string())
            .collect(),
        Err(_) => Vec::new(),
    };
    let store = match &opened_store {
        Ok(store) if store.is_new() => Err("there is none yet".to_owned()),
        Ok(store) => Ok(store.id().to_owned()),
        Err(error) => Err(error.to_string()),
    };
    Ok(Shown { home: opened.home.to_string(), store, exists, copies: copies(world, &opened)? })
}

/// Puts the newest copy (or the one named) back where the store is missing or cannot be used.
///
/// # Errors
/// No copy, or a store that is usable: nothing is ever overwritten.
pub fn restore(world: &World, name: Option<&str>) -> Result<(Copy, Restored)> {
    let opened = world.open()?;
    let copies = copies(world, &opened)?;
    let folder = &opened.project.folder;
    let chosen = match name {
        Some(name) => copies.iter().find(|c| c.folder.file_name().is_some_and(|n| n.starts_with(name))),
        None => copies.iter().find(|c| c.project_folder.as_str() == folder).or_else(|| copies.first()),
    };
    let Some(copy) = chosen else {
        let failure =
            Failure::new(Kind::Store, format!("no copy of this project's state is in `{}`", world.state_home()));
        return Err(failure.hint("otto state show"));
    };
    let restored = store::restore(copy, &opened.home).map_err(|e| Failure::new(Kind::Store, e.to_string()))?;
    Ok((copy.clone(), restored))
}

fn copies(world: &World, opened: &Opened) -> Result<Vec<Copy>> {
    store::list_copies(&world.state_home(), &opened.project.id).map_err(unusable)
}
