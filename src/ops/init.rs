//! `otto init`: a project to start from, which is the repository's own.

use camino::Utf8PathBuf;

use super::failure::{Failure, Kind, Result};
use super::world::World;
use crate::project::create;

/// Writes the project into a folder; returns the files written.
///
/// # Errors
/// Files that are in the way: nothing is overwritten.
pub fn init(world: &World, folder: Option<&str>) -> Result<(Utf8PathBuf, Vec<Utf8PathBuf>)> {
    let folder = folder.map_or_else(|| world.cwd.clone(), |f| world.cwd.join(f));
    let written = create(&folder).map_err(|e| Failure::new(Kind::Project, e.to_string()))?;
    Ok((folder, written))
}
