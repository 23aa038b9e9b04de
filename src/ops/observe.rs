//! Looks at what is there: records, images, files' hashes, host probes. What it finds goes into the pure plan.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::ages::Ages;
use super::failure::{Failure, Kind, Result};
use super::reach;
use crate::lifecycle::inputs::{self, Identity};
use crate::lifecycle::{ImageNeed, Prints, Target, Toolset, config_hash, machines_print};
use crate::model::project::{Environment, ImageFrom};
use crate::model::site::Shape;
use crate::model::ssh::Logins;
use crate::model::{
    Deployment, DeploymentId, DeploymentSpec, Health, Image, Name, Project, Provider, ProviderKind, Timestamp,
};
use crate::project::fingerprint;
use crate::services::health::Checker;

/// Everything a plan needs.
pub(super) struct Observed {
    /// Deployments in order.
    pub targets: Vec<Target>,
    /// Images that selected hosts boot, or all of them.
    pub images: Vec<ImageNeed>,
    /// Hashes.
    pub prints: Prints,
}

/// Which images are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Images {
    /// Those that the selected deployments boot.
    Booted,
    /// All that the selected providers have a template for.
    All,
    /// None.
    None,
}

/// What observing starts from.
pub(super) struct Ground<'a> {
    /// The project.
    pub project: &'a Project,
    /// `.otto`.
    pub home: &'a Utf8Path,
    /// The store's id.
    pub store: &'a str,
    /// What the store remembers.
    pub records: &'a [Deployment],
    /// The image index.
    pub index: &'a [Image],
    /// Tools as found.
    pub tools: &'a Toolset,
    /// The time.
    pub now: Timestamp,
    /// otto itself.
    pub exe: &'a Utf8Path,
    /// Who may log in to hosts that are made.
    pub logins: &'a Logins,
}

impl Ground<'_> {
    fn ages(&self) -> Ages<'_> {
        Ages::new(self.project, self.index, self.now)
    }
}

/// Observes deployments and images; probes hosts when `probe` says so.
///
/// # Errors
/// Files that cannot be read, and providers that are not there.
pub(super) async fn observe(
    ground: &Ground<'_>,
    ids: &[DeploymentId],
    images: Images,
    probe: bool,
) -> Result<Observed> {
    let mut prints = Prints { config: print(fingerprint::config(ground.project))?, ..Prints::default() };
    let mut targets = Vec::new();
    for id in ids {
        targets.push(target(ground, id, &mut prints)?);
    }
    let images = needs(ground, &targets, ids, images, &mut prints)?;
    let newest = |provider: &Name| -> BTreeMap<Name, String> {
        let of = images.iter().filter(|n| n.provider == *provider && n.there);
        of.filter_map(|n| Some((n.appliance.clone(), n.existing.as_ref()?.reference.clone()))).collect()
    };
    let mut declared = BTreeMap::new();
    for target in &mut targets {
        let newest = newest(&target.spec.id.provider);
        target.provision_hash = provision_hash(ground, target, &newest, &prints, &mut declared)?;
        let exists = target.record.as_ref().filter(|r| r.phase.exists());
        target.config_hash = exists.map(|r| config_hash(ground.home, &prints, &target.spec, &r.hosts, ground.now));
    }
    if probe {
        look(ground, &mut targets).await;
    }
    Ok(Observed { targets, images, prints })
}

fn print<T, E: ToString>(found: std::result::Result<T, E>) -> Result<T> {
    found.map_err(|e| Failure::new(Kind::Project, e.to_string()))
}

fn target(ground: &Ground<'_>, id: &DeploymentId, prints: &mut Prints) -> Result<Target> {
    let record = ground.records.iter().find(|r| r.id == *id).cloned();
    let spec = ground.project.wanted(id).or_else(|| record.as_ref().map(|r| r.spec.clone()));
    let Some(mut spec) = spec else {
        return Err(
            Failure::new(Kind::Usage, format!("`{id}` is neither in the project nor in the store")).hint("otto status")
        );
    };
    let provider = match ground.project.provider_specs.get(&id.provider) {
        Some(provider) => provider.clone(),
        None => departed(ground, id, &spec),
    };
    if !prints.roots.contains_key(&id.provider) && ground.project.provider_specs.contains_key(&id.provider) {
        prints.roots.insert(id.provider.clone(), print(fingerprint::root(ground.project, &id.provider))?);
    }
    if let Some(build) = spec.build.as_ref().filter(|build| Utf8Path::new(&build.folder).is_dir()) {
        let hash = print(fingerprint::build(build))?;
        let folder = ground.home.join("content").join(id.site.as_str()).join(&hash[..16]);
        spec.content = Some(folder.into_string());
        prints.content.insert(id.site.clone(), hash);
    } else if !prints.content.contains_key(&id.site)
        && spec.content.as_ref().is_some_and(|folder| Utf8Path::new(folder).is_dir())
    {
        prints.content.insert(id.site.clone(), print(fingerprint::content(&spec))?);
    }
    let carrier = spec.carrier().and_then(|on| ground.records.iter().find(|r| r.id == on).cloned());
    Ok(Target {
        spec,
        record,
        carrier,
        provider,
        hosts: Vec::new(),
        serving: false,
        provision_hash: None,
        config_hash: None,
    })
}

/// A provider whose folder is gone: its deployments keep a copy of their root, which is enough to destroy them.
fn departed(ground: &Ground<'_>, id: &DeploymentId, spec: &DeploymentSpec) -> Provider {
    Provider {
        name: id.provider.clone(),
        folder: ground.home.join("terraform").join(id.key()).to_string(),
        kind: match () {
            () if !spec.machines.is_empty() => ProviderKind::Static,
            () if ground.home.join("vagrant").join(id.key()).exists() => ProviderKind::Vagrant,
            () => ProviderKind::Terraform,
        },
        sizes: BTreeMap::new(),
        bases: BTreeMap::new(),
        region: String::new(),
        credentials: Vec::new(),
        image_from: ImageFrom::Id,
        image_match: None,
        prices: None,
        probed: false,
        workspace: None,
        variables: BTreeSet::new(),
        backend_config: Vec::new(),
        keep: Vec::new(),
        ignore_changes: Vec::new(),
    }
}

fn needs(
    ground: &Ground<'_>,
    targets: &[Target],
    ids: &[DeploymentId],
    which: Images,
    prints: &mut Prints,
) -> Result<Vec<ImageNeed>> {
    let mut wanted: BTreeSet<(Name, Name)> = BTreeSet::new();
    match which {
        Images::None => {}
        Images::Booted => wanted.extend(
            targets
                .iter()
                .flat_map(|t| t.spec.appliances().into_iter().map(|a| (t.spec.id.provider.clone(), a.clone()))),
        ),
        Images::All => {
            let providers: BTreeSet<&Name> = ids.iter().map(|id| &id.provider).collect();
            for appliance in ground.project.appliances.values() {
                let of = appliance.providers.iter().filter(|p| providers.contains(p));
                wanted.extend(of.map(|p| (p.clone(), appliance.name.clone())));
            }
        }
    }
    let version = ground.tools.packer.as_ref().map_or("none", |p| p.version.as_str());
    let mut found = Vec::new();
    for (provider, appliance) in wanted {
        let files = print(fingerprint::appliance(ground.project, &provider, &appliance))?;
        let spec = ground.project.provider_specs.get(&provider);
        let regions = spec.map(|spec| regions(ground.project, spec)).unwrap_or_default();
        // An archive is the same everywhere; what a cloud keeps lies in its regions.
        let place = spec.filter(|spec| spec.image_from == ImageFrom::Id).map(|s| format!("{} {regions:?}", s.region));
        let mut parts = vec![("files", files.as_str()), ("packer", version), ("otto", env!("CARGO_PKG_VERSION"))];
        parts.extend(place.as_deref().map(|place| ("place", place)));
        let hash = inputs::hash(&parts);
        prints.regions.insert(provider.clone(), regions);
        let existing = ground.index.iter().find(|i| i.provider == provider && i.appliance == appliance).cloned();
        let there =
            existing.as_ref().is_some_and(|image| is_there(image, ground.project.provider_specs.get(&provider)));
        prints.images.insert((provider.clone(), appliance.clone()), hash.clone());
        let old = existing.as_ref().is_some_and(|image| ground.ages().over(image));
        found.push(ImageNeed { provider, appliance, hash, existing, there, old });
    }
    Ok(found)
}

/// Regions beside the provider's own in which sites of the project run on it: what their hosts boot has to lie there too.
pub(super) fn regions(project: &Project, provider: &Provider) -> Vec<String> {
    // A site that names no providers means those of otto.yaml; where none of them has regions (`local`), any.
    let placed = |name: &&Name| project.provider_specs.get(*name).is_some_and(|spec| !spec.region.is_empty());
    let usual = project.providers.contains(&provider.name) || !project.providers.iter().any(|name| placed(&name));
    let in_use = |shape: &Shape, policy: Option<&Environment>| {
        let kept = policy.and_then(|policy| policy.providers.as_ref()).is_none_or(|only| only.contains(&provider.name));
        kept && shape.providers.as_ref().map_or(usual, |only| only.contains(&provider.name))
    };
    let mut all = BTreeSet::new();
    for site in project.sites.values() {
        let mut add = |shape: &Shape, policy: Option<&Environment>| {
            all.extend(shape.region.clone().filter(|_| in_use(shape, policy)));
        };
        add(site.shape(&project.environment), Some(&project.environment_policy(&project.environment)));
        let named = project.environments.keys().chain(site.environments.keys());
        named.for_each(|name| add(site.shape(name), Some(&project.environment_policy(name))));
        site.patterns.iter().for_each(|(_, shape)| add(shape, None));
        project.patterns.iter().for_each(|(_, policy)| add(&site.base, Some(policy)));
    }
    all.into_iter().filter(|region| *region != provider.region).collect()
}

/// A file's existence can be seen; an id of a cloud is taken from the index.
fn is_there(image: &Image, provider: Option<&Provider>) -> bool {
    let by_file = provider.is_some_and(|p| p.image_from == ImageFrom::File);
    !by_file || std::fs::metadata(&image.reference).is_ok_and(|m| image.size.is_none_or(|size| m.len() == size))
}

/// The hash an apply would have now; nothing when an image is still to be built. `declared` holds the variables of the
/// roots read so far, by folder: hundreds of deployments have the same one.
fn provision_hash(
    ground: &Ground<'_>,
    target: &Target,
    newest: &BTreeMap<Name, String>,
    prints: &Prints,
    declared: &mut BTreeMap<String, BTreeSet<String>>,
) -> Result<Option<String>> {
    let Some(record) = target.record.as_ref().filter(|r| r.phase.exists()) else { return Ok(None) };
    if target.spec.on.is_some() || target.provider.kind == ProviderKind::Static {
        return Ok(Some(machines_print(&target.spec)));
    }
    let Ok(hosts) = inputs::host_specs(&target.spec, Some(record), &target.provider, newest, &|_, _| false) else {
        return Ok(None);
    };
    let Some(root) = prints.roots.get(&target.spec.id.provider) else { return Ok(None) };
    if target.provider.kind == ProviderKind::Vagrant {
        return Ok(Some(inputs::machines_list_hash(root, &hosts)));
    }
    let identity = Identity::of(record, &ground.project.id, ground.store, ground.logins);
    let folder: Utf8PathBuf = ground.home.join("hosts").join(target.spec.id.key());
    let all = inputs::root_variables(&target.spec, &hosts, &identity, folder.as_str());
    let root_folder = &target.provider.folder;
    if !declared.contains_key(root_folder) {
        let names = crate::tools::terraform::root::declared_variables(Utf8Path::new(root_folder));
        let names = names.map_err(|e| Failure::new(Kind::Project, format!("{root_folder}: {e}")))?;
        declared.insert(root_folder.clone(), names);
    }
    let declared = &declared[root_folder];
    let variables = all.into_iter().filter(|(name, _)| declared.contains(name) && record.passes(name)).collect();
    let tool =
        ground.tools.terraform.as_ref().map(|t| t.name.clone()).or_else(|| record.tool.clone()).unwrap_or_default();
    Ok(Some(inputs::provision_hash(root, &variables, &tool)))
}

/// Probes every host and asks every endpoint, all at once.
async fn look(ground: &Ground<'_>, targets: &mut [Target]) {
    let checker = Checker::new();
    let looks = targets.iter_mut().map(|target| {
        let checker = &checker;
        async move {
            let Some(record) = target.record.as_ref().filter(|r| r.phase.exists() && !r.hosts.is_empty()) else {
                return;
            };
            let Ground { project, home, exe, now, .. } = *ground;
            let (states, results) = reach::look(checker, (project, home, exe), record, &target.spec, now).await;
            target.hosts = states;
            target.serving = crate::services::health::worst(&results) == Health::Ok;
        }
    });
    futures_util::future::join_all(looks).await;
}
