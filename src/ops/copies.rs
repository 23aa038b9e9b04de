//! Copies of states and store outside the project: what remembers when `.otto` is gone.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::world::{Opened, World};
use crate::model::DeploymentId;
use crate::store::{self, Store};

/// Copies the store and all Terraform states; a copy that fails is said, not fatal: what was made is in the store.
pub(super) fn save(world: &World, opened: &Opened, store: &Store) {
    if let Err(error) =
        try_save(&world.state_home(), opened.project.id.as_str(), &opened.project.folder, &opened.home, store)
    {
        (world.say)(&format!("warning: no copy of the state was made: {error}"));
    }
}

/// The hook that a run calls after every apply and destroy.
pub(super) fn after_apply(
    world: &World,
    opened: &Opened,
    store: Arc<Store>,
) -> Box<dyn Fn(&DeploymentId) + Send + Sync> {
    let (state_home, say) = (world.state_home(), world.say.clone());
    let (project, folder, home) = (opened.project.id.clone(), opened.project.folder.clone(), opened.home.clone());
    Box::new(move |_| {
        if let Err(error) = try_save(&state_home, &project, &folder, &home, &store) {
            say(&format!("warning: no copy of the state was made: {error}"));
        }
    })
}

fn try_save(
    state_home: &Utf8Path,
    project: &str,
    folder: &str,
    home: &Utf8Path,
    store: &Store,
) -> Result<(), store::StoreError> {
    let files = states(home);
    store::save_copy(store, state_home, project, Utf8Path::new(folder), &files).map(drop)
}

/// Key and path of every deployment's local state.
fn states(home: &Utf8Path) -> Vec<(String, Utf8PathBuf)> {
    let entries = home.join("terraform").read_dir_utf8().into_iter().flatten().flatten();
    let found = entries.filter(|e| DeploymentId::from_key(e.file_name()).is_ok());
    found
        .map(|e| (e.file_name().to_owned(), e.path().join("terraform.tfstate")))
        .filter(|(_, path)| path.is_file())
        .collect()
}
