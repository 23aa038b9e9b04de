//! What Packer left of a build below `.otto/images`: by it a build is known whose otto was killed at its end. It goes with its
//! image, else the next run would believe in one that the provider has no more.

use std::fs;

use super::world::Opened;
use crate::model::Name;
use crate::tools::packer::manifest;

/// Forgets the builds of an image that was removed at its provider.
pub(super) fn forget(opened: &Opened, provider: &Name, reference: &str) {
    let place = opened.home.join("images").join(provider.as_str());
    for build in place.read_dir_utf8().into_iter().flatten().flatten() {
        let Ok(text) = fs::read_to_string(build.path().join("manifest.json")) else { continue };
        let built = manifest::read(&text, build.path()).unwrap_or_default();
        // `12345`, or with its regions `ams3,fra1:12345`.
        let is_it = |id: &str| id == reference || id.rsplit(':').next() == Some(reference);
        if built.iter().any(|one| is_it(&one.artifact_id)) {
            // What cannot be removed is found to be no image when a host should boot it.
            let _ = fs::remove_dir_all(build.path());
        }
    }
}
