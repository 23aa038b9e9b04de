//! What is asked of, and said about, providers that are not this machine: whether their images are still there, and from
//! where their hosts answer SSH.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use camino::Utf8Path;
use serde_json::{Value, json};

use super::credentials::Lacking;
use super::world::{Opened, World};
use crate::lifecycle::{ImageNeed, Secrets, Target};
use crate::model::dns::{self, DnsRecord};
use crate::model::project::ImageFrom;
use crate::model::{Action, Deployment, Name, Plan, Project, Provider, Stage};
use crate::process::{capture, disk};
use crate::tools::script::interpreted;

/// An account with thousands of things has many pages.
const LIMIT: Duration = Duration::from_secs(60);
/// What `orphans list` calls an image.
const IMAGE: &str = "image";

/// Looks whether the images that would be taken as they are still exist, by `orphans list` of their provider. One that cannot
/// be asked is believed: its images are taken from the index.
pub(super) async fn still_there(
    world: &World,
    opened: &Opened,
    (store, secrets): (&str, &Secrets),
    lacking: &Lacking,
    images: &mut [ImageNeed],
) {
    let known = images.iter().filter(|need| need.existing.is_some() && need.there);
    let providers: BTreeSet<Name> = known.map(|need| need.provider.clone()).collect();
    for name in providers.iter().filter(|name| !lacking.contains_key(*name)) {
        let Some(provider) = opened.project.provider_specs.get(name) else { continue };
        if provider.image_from != ImageFrom::Id || !Utf8Path::new(&provider.folder).join("orphans").is_file() {
            continue;
        }
        match images_of(opened, store, secrets, provider).await {
            Ok(found) => {
                for need in images.iter_mut().filter(|need| need.provider == *name) {
                    need.there &= need.existing.as_ref().is_some_and(|image| found.contains(&image.reference));
                }
            }
            Err(why) => {
                let why = secrets.text(&why).into_owned();
                (world.say)(&format!("warning: whether the images of `{name}` are still there is not known: {why}"));
            }
        }
    }
}

/// Ids of the images that a provider lists.
async fn images_of(
    opened: &Opened,
    store: &str,
    secrets: &Secrets,
    provider: &Provider,
) -> Result<BTreeSet<String>, String> {
    let folder = opened.home.join("orphans");
    let vars = folder.join(format!("{}.json", provider.name));
    let tags = json!({ "otto:project": opened.project.id, "otto:store": store });
    let all = json!({ "region": provider.region, "tags": tags });
    std::fs::create_dir_all(&folder).map_err(|error| format!("{folder}: {error}"))?;
    disk::write_atomic(&vars, all.to_string().as_bytes(), 0o600).map_err(|error| format!("{vars}: {error}"))?;
    let program = Utf8Path::new(&provider.folder).join("orphans");
    let words = interpreted(&program).map_err(|error| format!("{program}: {error}"))?;
    let program = Utf8Path::new(&words[0]);
    let args: Vec<&str> = words[1..].iter().map(String::as_str).chain(["list"]).collect();
    let mut env: BTreeMap<String, String> =
        secrets.env().iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect();
    env.insert("OTTO_VARS".to_owned(), vars.into_string());
    let answer = capture(program, &args, &env, LIMIT).await.map_err(|error| error.to_string())?;
    if answer.code != 0 {
        let last = answer.stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        return Err(format!("`orphans list` ended with exit code {}: {}", answer.code, last.trim()));
    }
    let lines = answer.stdout.lines().filter(|line| !line.trim().is_empty());
    let things: Result<Vec<Value>, _> = lines.map(serde_json::from_str).collect();
    let things = things.map_err(|error| format!("`orphans list` printed a line that is no JSON: {error}"))?;
    let images = things.iter().filter(|thing| thing["kind"] == IMAGE);
    Ok(images.filter_map(|thing| thing["id"].as_str().map(str::to_owned)).collect())
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
