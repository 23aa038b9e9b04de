//! After `destroy`: images at providers go on billing. They are said, and `--images` removes those that nothing boots from.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::built;
use super::conduct::Report;
use super::failure::{Failure, Kind, Result};
use super::locks;
use super::recovery;
use super::sweep::Sweep;
use super::world::{Opened, World, unusable};
use crate::lifecycle::Recorder;
use crate::model::project::ImageFrom;
use crate::model::{EventKind, Image, Name, Outcome, Provider, Totals};
use crate::store::Store;

/// What there is of them.
#[derive(Debug, Default)]
pub struct Left {
    /// `do/nginx 12345`: still there.
    pub stay: Vec<String>,
    /// The same: removed.
    pub gone: Vec<String>,
    /// What could not be removed, with the reason.
    pub failed: Vec<String>,
}

/// Looks at the images of the providers that a destruction touched; `remove` takes those away that nothing boots from.
///
/// # Errors
/// Wrong project files, an unusable store.
pub async fn left(world: &World, report: &Report, remove: bool) -> Result<Left> {
    let touched: BTreeSet<&Name> = report.deployments.iter().map(|id| &id.provider).collect();
    let opened = world.open()?;
    let bills = |p: &&Provider| touched.contains(&p.name) && !p.is_free() && p.image_from == ImageFrom::Id;
    let providers: Vec<&Provider> = opened.project.provider_specs.values().filter(bills).collect();
    if providers.is_empty() {
        return Ok(Left::default());
    }
    let store = world.store_to_read(&opened)?;
    let (index, records) = (store.images().map_err(unusable)?, store.deployments().map_err(unusable)?);
    let booted: BTreeSet<&str> = records
        .iter()
        .filter(|r| r.phase.exists())
        .flat_map(|r| &r.hosts)
        .filter_map(|host| host.image.as_deref())
        .collect();
    let of = |image: &&Image| providers.iter().any(|p| p.name == image.provider);
    let named = |image: &Image| format!("{}/{} {}", image.provider, image.appliance, image.reference);
    let mut found = Left::default();
    let (mut going, mut seen) = (Vec::new(), BTreeSet::new());
    for image in index.iter().filter(of).filter(|image| seen.insert((&image.provider, &image.reference))) {
        if remove && !booted.contains(image.reference.as_str()) {
            going.push(image.clone());
        } else {
            found.stay.push(named(image));
        }
    }
    let id = store.id().to_owned();
    drop(store);
    if !going.is_empty() {
        take_away(world, &opened, &id, &providers, going, &mut found).await?;
    }
    Ok(found)
}

async fn take_away(
    world: &World,
    opened: &Opened,
    store_id: &str,
    providers: &[&Provider],
    going: Vec<Image>,
    found: &mut Left,
) -> Result<()> {
    let store: Arc<Store> = Arc::new(world.store(opened)?);
    let unseen = Arc::new(recovery::Unseen);
    let run = locks::new_run(world);
    let recorder = Recorder::new(run, 0, store.clone(), unseen, world.clock.clone(), Arc::default());
    let record = |kind| recorder.record(None, kind).map_err(|e| Failure::new(Kind::Store, e.to_string()));
    record(EventKind::RunStarted {
        verb: "destroy --images".to_owned(),
        argv: world.argv.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        units: Vec::new(),
    })?;
    let sweep = Sweep::of(world, opened, store_id, providers).await?;
    for image in going {
        let named = format!("{}/{} {}", image.provider, image.appliance, image.reference);
        let Some(provider) = providers.iter().find(|p| p.name == image.provider) else { continue };
        record(EventKind::Note { text: format!("removing image {named}"), warning: false })?;
        match sweep.remove(provider, &image.reference).await {
            // Only now out of the index: what stays goes on billing and must stay known.
            Ok(()) => {
                record(EventKind::ImageGone { reference: image.reference.clone() })?;
                built::forget(opened, &image.provider, &image.reference);
                found.gone.push(named);
            }
            Err(why) => found.failed.push(format!("{named}: {why}")),
        }
    }
    let (outcome, code) =
        if found.failed.is_empty() { (Outcome::Ok, 0) } else { (Outcome::Failed, super::exit::PARTIAL) };
    record(EventKind::RunEnded { outcome, code, totals: Totals::default() })?;
    store.flush().map_err(unusable)
}
