//! What a run would do. Pure: everything that had to be read, hashed or probed comes in, the graph comes out.

use std::collections::BTreeSet;

use super::hosting;
use crate::model::name::counted;
use crate::model::{
    Action, Deployment, DeploymentSpec, Host, HostState, Image, Name, Phase, Plan, PlannedUnit, Provider, ProviderKind,
    Stage, UnitId,
};

/// What `plan` is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Everything that is needed, from images to test.
    Up,
    /// One stage by its own name: it always runs.
    Only(Stage),
}

/// An image that may have to be built.
#[derive(Clone, Debug)]
pub struct ImageNeed {
    /// For which provider.
    pub provider: Name,
    /// Which kind.
    pub appliance: Name,
    /// Hash of everything that goes in today.
    pub hash: String,
    /// The newest one in the index.
    pub existing: Option<Image>,
    /// That one is still there.
    pub there: bool,
    /// That one is older than the project allows.
    pub old: bool,
}

/// A deployment with all that is known of it.
#[derive(Clone, Debug)]
pub struct Target {
    /// What it should be.
    pub spec: DeploymentSpec,
    /// What otto remembers.
    pub record: Option<Deployment>,
    /// What otto remembers of the deployment on whose hosts it lives.
    pub carrier: Option<Deployment>,
    /// Where it runs.
    pub provider: Provider,
    /// What the probes found, by host; empty when nobody asked.
    pub hosts: Vec<(String, HostState)>,
    /// Every host is up and the endpoint serves every domain.
    pub serving: bool,
    /// Hash that provisioning would have today, if every image it needs is known.
    pub provision_hash: Option<String>,
    /// Hash that configuring would have today on the hosts of the record.
    pub config_hash: Option<String>,
}

/// How the person wants it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes {
    /// Nothing is skipped.
    pub force: bool,
    /// Images are built even when unchanged.
    pub rebuild: bool,
    /// Hosts with an older image are replaced, one after the other.
    pub refresh: bool,
    /// What is there is taken over.
    pub adopt: bool,
    /// What an earlier destruction left behind goes.
    pub with: bool,
}

impl Target {
    fn exists(&self) -> bool {
        self.record.as_ref().is_some_and(|r| r.phase.exists())
    }

    fn unit(&self, stage: Stage) -> UnitId {
        UnitId::of(&self.spec.id, stage)
    }

    /// Nothing is made for it: its hosts are machines that are there, or another site's.
    pub fn has_hosts_already(&self) -> bool {
        self.spec.on.is_some() || self.provider.kind == ProviderKind::Static
    }

    /// Hosts of the record that are not wanted any more, the highest number first.
    pub fn leaving(&self) -> Vec<String> {
        let wanted: BTreeSet<String> = self.spec.host_names().into_iter().map(|(name, ..)| name).collect();
        let present = self.record.iter().filter(|r| r.phase.exists()).flat_map(|r| &r.hosts);
        let mut gone: Vec<String> = present.map(|h| h.name.clone()).filter(|n| !wanted.contains(n)).collect();
        gone.reverse();
        gone
    }

    /// Wanted hosts that the record does not hold.
    pub fn arriving(&self) -> Vec<String> {
        let present: BTreeSet<&str> =
            self.record.iter().filter(|r| r.phase.exists()).flat_map(|r| &r.hosts).map(|h| h.name.as_str()).collect();
        self.spec.host_names().into_iter().map(|(name, ..)| name).filter(|n| !present.contains(n.as_str())).collect()
    }
}

/// The graph for images and deployments.
pub fn plan(verb: Verb, images: &[ImageNeed], targets: &[Target], wishes: Wishes) -> Plan {
    let mut units = Vec::new();
    if matches!(verb, Verb::Up | Verb::Only(Stage::Images)) {
        let by_name = verb == Verb::Only(Stage::Images) && wishes.force;
        let when_old = wishes.refresh || verb == Verb::Only(Stage::Images);
        units.extend(images.iter().map(|need| image_unit(need, wishes.rebuild || by_name, when_old)));
    }
    // A site on another one's hosts looks at what that one's units do.
    let (riders, carriers): (Vec<&Target>, Vec<&Target>) = targets.iter().partition(|t| t.spec.on.is_some());
    for target in carriers.into_iter().chain(riders) {
        match verb {
            Verb::Only(Stage::Images) => {}
            Verb::Only(Stage::Destroy) => units.push(destroy_unit(target, wishes.with)),
            Verb::Only(stage @ (Stage::Extend | Stage::Drift)) => units.push(there_unit(target, stage)),
            Verb::Only(_) if wishes.adopt => {
                units.push(unit(target.unit(Stage::Provision), Action::Run, "takes over what is there"));
            }
            Verb::Only(stage) => units.push(single_unit(target, stage, images)),
            Verb::Up => {
                let provision = provision_unit(target, images, &units, wishes);
                let config = config_unit(target, &provision, wishes.force);
                let test = test_unit(target, &config);
                units.extend([provision, config, test]);
            }
        }
    }
    hosting::ordered(&mut units, targets);
    Plan { units }
}

pub(super) fn unit(id: UnitId, action: Action, why: impl Into<String>) -> PlannedUnit {
    let deployment = id.deployment().cloned();
    PlannedUnit { stage: id.stage, deployment, id, action, why: why.into(), after: Vec::new(), destroys: Vec::new() }
}

fn hosts(n: usize) -> String {
    counted(n as u64, "host")
}

fn image_unit(need: &ImageNeed, rebuild: bool, when_old: bool) -> PlannedUnit {
    let id = UnitId::image(&need.provider, &need.appliance);
    match &need.existing {
        _ if rebuild => unit(id, Action::Run, "asked for"),
        None => unit(id, Action::Run, "not built yet"),
        Some(_) if !need.there => unit(id, Action::Run, "the image is gone"),
        Some(image) if image.hash != need.hash => unit(id, Action::Run, "its inputs changed"),
        Some(_) if need.old && when_old => unit(id, Action::Run, "older than `images.max_age`"),
        Some(_) => unit(id, Action::Skip, "inputs unchanged, image is there"),
    }
}

fn provision_unit(target: &Target, images: &[ImageNeed], before: &[PlannedUnit], wishes: Wishes) -> PlannedUnit {
    if let Some(unit) = hosting::provision_unit(target, before, wishes.force) {
        return unit;
    }
    let id = target.unit(Stage::Provision);
    let stale = if wishes.refresh { refreshed(target, images, before) } else { Vec::new() };
    let mut made = match provision_reason(target, wishes.force) {
        Ok(why) if stale.is_empty() => unit(id, Action::Run, why),
        Err(why) if stale.is_empty() => return unit(id, Action::Skip, why),
        _ => unit(id, Action::Run, format!("newer images, one host after the other: {}", stale.join(", "))),
    };
    made.destroys = target.leaving();
    made.destroys.extend(stale.iter().cloned());
    let grows = !target.exists() || !target.arriving().is_empty() || !made.destroys.is_empty();
    let needed = target.spec.appliances();
    made.after = before
        .iter()
        .filter(|u| u.stage == Stage::Images)
        .filter(|u| {
            images.iter().any(|need| {
                u.id == UnitId::image(&need.provider, &need.appliance)
                    && need.provider == target.spec.id.provider
                    && needed.contains(&&need.appliance)
                    // Hosts that exist keep their image: only one that is gone may be missed by a repair.
                    && (grows || !stale.is_empty() || !need.there)
            })
        })
        .map(|u| u.id.clone())
        .collect();
    made
}

/// Hosts that were born with another image than the newest, or than the one that is going to be built.
fn refreshed(target: &Target, images: &[ImageNeed], before: &[PlannedUnit]) -> Vec<String> {
    let Some(record) = target.record.as_ref().filter(|r| r.phase.exists()) else { return Vec::new() };
    let stale = |role: &str, born: &str| {
        let appliance = record.spec.roles.iter().find(|(name, _)| name.as_str() == role)?.1.image.as_ref()?;
        let need = images.iter().find(|n| n.provider == record.id.provider && n.appliance == *appliance)?;
        let id = UnitId::image(&need.provider, &need.appliance);
        let anew = before.iter().any(|u| u.id == id && u.action == Action::Run);
        Some(anew || need.existing.as_ref().is_some_and(|image| image.reference != born))
    };
    let is_stale = |h: &&Host| h.image.as_deref().and_then(|born| stale(&h.role, born)) == Some(true);
    let hosts = record.hosts.iter().filter(is_stale);
    hosts.map(|h| h.name.clone()).collect()
}

/// Why provisioning runs, or (as error) why it is skipped.
fn provision_reason(target: &Target, force: bool) -> Result<String, String> {
    let total = target.spec.host_names().len();
    let Some(record) = target.record.as_ref().filter(|r| r.phase.exists()) else {
        return Ok(format!("new: {}", hosts(total)));
    };
    if let Some(dirty) = record.adrift() {
        return Ok(format!("repair: {}", dirty.reason));
    }
    let (arriving, leaving) = (target.arriving(), target.leaving());
    if !arriving.is_empty() || !leaving.is_empty() {
        let signed = |sign: &str, names: &[String]| names.iter().map(|n| format!("{sign}{n}")).collect::<Vec<_>>();
        let mut all = signed("-", &leaving);
        all.extend(signed("+", &arriving));
        return Ok(format!("hosts change: {}", all.join(" ")));
    }
    if force {
        return Ok("forced".to_owned());
    }
    let down: Vec<&str> = target.hosts.iter().filter(|(_, s)| *s != HostState::Up).map(|(n, _)| n.as_str()).collect();
    if target.provider.probed && !down.is_empty() {
        return Ok(format!("not up: {}", down.join(", ")));
    }
    let same = record.provision_hash.is_some() && record.provision_hash == target.provision_hash;
    if same && record.adopted.is_some() && record.phase == Phase::Provisioned && record.config_hash.is_none() {
        // Terraform was asked when it was taken over, and nothing was done since.
        return Err("no changes: taken over as it is".to_owned());
    }
    match (target.provider.probed, same) {
        (true, true) => Err(format!("inputs unchanged, {} up", hosts(total))),
        (true, false) => Ok("its inputs changed".to_owned()),
        (false, _) if target.provider.kind == ProviderKind::Vagrant => {
            Ok("Vagrant is asked whether all is as it should be".to_owned())
        }
        (false, _) => Ok("Terraform is asked whether all is as it should be".to_owned()),
    }
}

fn config_unit(target: &Target, provision: &PlannedUnit, force: bool) -> PlannedUnit {
    let id = target.unit(Stage::Config);
    let record = target.record.as_ref().filter(|r| r.phase.exists());
    let unchanged = record.is_some_and(|r| r.config_hash.is_some() && r.config_hash == target.config_hash);
    let mut made = if force {
        unit(id, Action::Run, "forced")
    } else if provision.action != Action::Skip {
        unit(id, Action::Run, "hosts may change")
    } else if let Some(dirty) = record.and_then(|r| r.dirty.as_ref()) {
        unit(id, Action::Run, format!("repair: {}", dirty.reason))
    } else if !target.provider.probed {
        unit(id, Action::Run, "Ansible is asked whether all is as it should be")
    } else if !unchanged {
        unit(id, Action::Run, "playbook, variables or content changed")
    } else if !target.serving {
        unit(id, Action::Run, "it does not serve")
    } else {
        unit(id, Action::Skip, "inputs unchanged, site serves")
    };
    made.after = vec![provision.id.clone()];
    made
}

fn test_unit(target: &Target, config: &PlannedUnit) -> PlannedUnit {
    let mut made = unit(target.unit(Stage::Test), Action::Run, "the bootstrap check");
    made.after = vec![config.id.clone()];
    made
}

/// A stage called by its own name.
fn single_unit(target: &Target, stage: Stage, images: &[ImageNeed]) -> PlannedUnit {
    let id = target.unit(stage);
    if stage != Stage::Provision {
        return if target.exists() {
            unit(id, Action::Run, "asked for")
        } else {
            unit(id, Action::Blocked, format!("nothing is provisioned: `otto up {}` makes it", target.spec.id))
        };
    }
    if let Some(unit) = hosting::provision_unit(target, &[], true) {
        return unit;
    }
    let arriving = target.arriving();
    let missing: Vec<&str> = target
        .spec
        .appliances()
        .into_iter()
        .filter(|a| {
            !arriving.is_empty() && !images.iter().any(|n| n.appliance == **a && n.existing.is_some() && n.there)
        })
        .map(Name::as_str)
        .collect();
    if !missing.is_empty() {
        let why = format!("no image of {}: `otto images` builds what is missing", missing.join(", "));
        return unit(id, Action::Blocked, why);
    }
    let mut made = match provision_reason(target, true) {
        Ok(why) if why != "forced" => unit(id, Action::Run, why),
        _ => unit(id, Action::Run, "asked for"),
    };
    made.destroys = target.leaving();
    made
}

/// Asked for on all that is there.
fn there_unit(target: &Target, stage: Stage) -> PlannedUnit {
    let id = target.unit(stage);
    if target.exists() { unit(id, Action::Run, "asked for") } else { unit(id, Action::Skip, "nothing is there") }
}

fn destroy_unit(target: &Target, with: bool) -> PlannedUnit {
    let id = target.unit(Stage::Destroy);
    let Some(record) = target.record.as_ref().filter(|r| r.phase.exists()) else {
        let left = target.record.iter().flat_map(|r| &r.kept).filter(|kept| !kept.holds_up);
        let left: Vec<String> = left.map(|kept| kept.address.clone()).collect();
        if left.is_empty() || !with {
            return unit(id, Action::Skip, "nothing is there");
        }
        return unit(id, Action::Run, format!("left behind: {}", left.join(", ")));
    };
    let mut made = unit(id, Action::Run, format!("{} to take down", hosts(record.hosts.len())));
    made.destroys = record.hosts.iter().rev().map(|h| h.name.clone()).collect();
    made
}
