//! What is asked of, and said about, providers that are not this machine: whether their images are still there, and from
//! where their hosts answer SSH.

use std::collections::BTreeSet;
use std::time::Duration;

use camino::Utf8Path;
use serde_json::Value;

use super::credentials::Lacking;
use super::sweep::Sweep;
use super::world::{Opened, World};
use crate::lifecycle::{ImageNeed, Target};
use crate::model::dns::{self, DnsRecord};
use crate::model::project::ImageFrom;
use crate::model::{Action, Deployment, Name, Plan, Project, Provider, Stage};
use crate::tools::orphans::Form;

/// An account with thousands of things has many pages.
const LIMIT: Duration = Duration::from_secs(60);
/// What `orphans list` calls an image.
const IMAGE: &str = "image";

/// Looks whether the images that would be taken as they are still exist, by `orphans list` of their provider. One that cannot
/// be asked is believed: its images are taken from the index.
pub(super) async fn still_there(
    world: &World,
    opened: &Opened,
    store: &str,
    lacking: &Lacking,
    images: &mut [ImageNeed],
) {
    let known = images.iter().filter(|need| need.existing.is_some() && need.there);
    let names: BTreeSet<Name> = known.map(|need| need.provider.clone()).collect();
    let by_id = |provider: &&Provider| {
        provider.image_from == ImageFrom::Id && matches!(Form::of(Utf8Path::new(&provider.folder)), Ok(Some(_)))
    };
    let named = names.iter().filter(|name| !lacking.contains_key(*name));
    let asked: Vec<&Provider> =
        named.filter_map(|name| opened.project.provider_specs.get(name)).filter(by_id).collect();
    if asked.is_empty() {
        return;
    }
    let Ok(sweep) = Sweep::of(world, opened, store, &asked).await else { return };
    for answer in sweep.ask(&asked, LIMIT).await {
        match answer.said {
            Ok(found) => {
                let there = |id: &str| found.iter().any(|thing| thing.kind == IMAGE && thing.id == id);
                for need in images.iter_mut().filter(|need| need.provider == answer.provider) {
                    need.there &= need.existing.as_ref().is_some_and(|image| there(&image.reference));
                }
            }
            Err(why) => {
                let name = answer.provider;
                (world.say)(&format!("warning: whether the images of `{name}` are still there is not known: {why}"));
            }
        }
    }
}

/// Hosts that will be made and answer SSH from everywhere, because nobody said from where: it stands behind the reason.
pub(super) fn remark(plan: &mut Plan, targets: &[Target], opened: &Opened) {
    if opened.project.admin_cidrs.is_some() {
        return;
    }
    for unit in plan.units.iter_mut().filter(|unit| unit.stage == Stage::Provision && unit.action == Action::Run) {
        let target = targets.iter().find(|target| Some(&target.spec.id) == unit.deployment.as_ref());
        let new = target.is_some_and(|t| t.record.as_ref().is_none_or(|record| !record.phase.exists()));
        if new && target.is_some_and(|t| t.provider.takes("admin_cidrs") && t.spec.on.is_none()) {
            unit.why = format!("{}; SSH from any address: `admin_cidrs` in otto.yaml narrows it", unit.why);
        }
    }
}

/// Records of public names that no zone of the provider gets from its root.
pub(super) fn records(record: &Deployment, project: &Project) -> Vec<DnsRecord> {
    let provider = project.provider_specs.get(&record.id.provider);
    let sets = provider.is_some_and(|provider| provider.takes("domains") && provider.takes("vars"));
    let zone = record.spec.vars.get("dns_zone").and_then(Value::as_str).filter(|_| sets && record.spec.on.is_none());
    dns::wanted(record, zone)
}
