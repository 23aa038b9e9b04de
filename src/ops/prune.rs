//! `otto images prune`: images that nothing boots from go; the newest of each appliance and provider stays.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::failure::{Failure, Kind, Result};
use super::recovery;
use super::world::{Opened, World, unusable};
use crate::lifecycle::Recorder;
use crate::model::project::ImageFrom;
use crate::model::{EventKind, Image, Outcome, Totals};
use crate::process::Lock;
use crate::store::Store;

/// What pruning came to.
#[derive(Debug, Default)]
pub struct Pruned {
    /// What went: its name, its size in bytes.
    pub gone: Vec<(String, u64)>,
    /// Images at a provider that nothing boots from: otto removes files of this machine only.
    pub elsewhere: Vec<String>,
}

/// What would go.
#[derive(Default)]
struct Found {
    /// Images with the folders that hold them.
    images: Vec<(Image, Utf8PathBuf)>,
    /// Folders of builds that did not end.
    broken: Vec<Utf8PathBuf>,
    elsewhere: Vec<String>,
}

/// Shows what nothing boots from, asks, removes it.
///
/// # Errors
/// Wrong project files, an unusable store, a build at work, no consent.
pub fn prune(world: &World, yes: bool, line: &str) -> Result<Pruned> {
    let opened = world.open()?;
    let store = Arc::new(world.store(&opened)?);
    let run = super::locks::new_run(world);
    let holder = recovery::holder(world, &run, "images prune");
    // Nobody builds meanwhile: a build's folder looks like one that did not end.
    let mut locks = Vec::new();
    for appliance in opened.project.appliances.values() {
        for provider in &appliance.providers {
            let path = opened.home.join("locks").join(format!("image_{provider}_{}", appliance.name));
            locks.push(Lock::try_take(&path, &holder).map_err(|e| Failure::new(Kind::Locked, e.to_string()))?);
        }
    }
    let found = find(&opened, &store)?;
    let mut pruned = Pruned { elsewhere: found.elsewhere.clone(), ..Pruned::default() };
    if found.images.is_empty() && found.broken.is_empty() {
        return Ok(pruned);
    }
    agree(world, &found, yes, line)?;
    let recorder =
        Recorder::new(run, 0, store.clone(), Arc::new(recovery::Unseen), world.clock.clone(), Arc::default());
    let record = |kind| recorder.record(None, kind).map_err(|e| Failure::new(Kind::Store, e.to_string()));
    record(EventKind::RunStarted {
        verb: "images prune".to_owned(),
        argv: world.argv.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        units: Vec::new(),
    })?;
    for (image, folder) in &found.images {
        // Out of the index first: what is half removed must not be booted.
        record(EventKind::ImageGone { reference: image.reference.clone() })?;
        pruned.gone.push(remove(folder)?);
    }
    for folder in &found.broken {
        pruned.gone.push(remove(folder)?);
    }
    record(EventKind::RunEnded { outcome: Outcome::Ok, code: 0, totals: Totals::default() })?;
    store.flush().map_err(unusable)?;
    Ok(pruned)
}

fn find(opened: &Opened, store: &Store) -> Result<Found> {
    let (index, records) = (store.images().map_err(unusable)?, store.deployments().map_err(unusable)?);
    let living = records.iter().filter(|r| r.phase.exists());
    let booted: BTreeSet<&str> = living.flat_map(|r| &r.hosts).filter_map(|h| h.image.as_deref()).collect();
    let mut newest = BTreeMap::new();
    let mut found = Found::default();
    let place = opened.home.join("images");
    let mut held: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    for image in &index {
        // The index names the newest of each first.
        let first = *newest.entry((&image.provider, &image.appliance)).or_insert(&image.reference) == &image.reference;
        let folder = folder_of(&place, image);
        if first || booted.contains(image.reference.as_str()) {
            held.extend(folder);
            continue;
        }
        let spec = opened.project.provider_specs.get(&image.provider);
        match folder {
            Some(folder) if spec.is_none_or(|p| p.image_from == ImageFrom::File) => {
                found.images.push((image.clone(), folder));
            }
            _ => found.elsewhere.push(format!("{} ({}, {})", image.reference, image.provider, image.appliance)),
        }
    }
    let known: BTreeSet<&Utf8PathBuf> = held.iter().chain(found.images.iter().map(|(_, folder)| folder)).collect();
    for provider in place.read_dir_utf8().into_iter().flatten().flatten().filter(|e| e.path().is_dir()) {
        for image in provider.path().read_dir_utf8().into_iter().flatten().flatten() {
            let folder = image.path().to_owned();
            if !known.contains(&folder) {
                found.broken.push(folder);
            }
        }
    }
    found.broken.sort();
    Ok(found)
}

/// `.otto/images/<provider>/<name>`, where the image is a file below it.
fn folder_of(place: &Utf8Path, image: &Image) -> Option<Utf8PathBuf> {
    let base = place.join(image.provider.as_str());
    let name = Utf8Path::new(&image.reference).strip_prefix(&base).ok()?.components().next()?;
    Some(base.join(name.as_str()))
}

fn agree(world: &World, found: &Found, yes: bool, line: &str) -> Result<()> {
    let images = found.images.iter().map(|(image, folder)| {
        let day = image.built_at.to_string();
        format!("{}  {}  built {day}", size(bytes(folder)), shown(folder))
    });
    let broken =
        found.broken.iter().map(|folder| format!("{}  {}  not in the index", size(bytes(folder)), shown(folder)));
    images.chain(broken).for_each(|line| (world.say)(&line));
    if yes {
        return Ok(());
    }
    let what = "nothing boots from these";
    if !world.ask.can_ask() {
        return Err(
            Failure::new(Kind::Declined, format!("{what}, and nobody can be asked")).hint(format!("{line} --yes"))
        );
    }
    if world.ask.confirm(&format!("{what}. Remove them?")) {
        return Ok(());
    }
    Err(Failure::new(Kind::Declined, "declined: nothing was removed"))
}

fn remove(folder: &Utf8Path) -> Result<(String, u64)> {
    let size = bytes(folder);
    let done = if folder.is_dir() { fs::remove_dir_all(folder) } else { fs::remove_file(folder) };
    match done {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::new(Kind::Store, format!("{folder} cannot be removed: {error}")))
        }
        _ => Ok((shown(folder), size)),
    }
}

/// `local/nginx-0123456789ab`.
fn shown(folder: &Utf8Path) -> String {
    let mut parts: Vec<&str> = folder.components().rev().take(2).map(|c| c.as_str()).collect();
    parts.reverse();
    parts.join("/")
}

/// Bytes in a folder.
fn bytes(folder: &Utf8Path) -> u64 {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    entries.filter_map(|e| e.metadata().ok()).filter(fs::Metadata::is_file).map(|m| m.len()).sum()
}

/// `29.8 MB`.
pub fn size(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
