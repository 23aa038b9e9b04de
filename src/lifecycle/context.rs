//! What all units of a run share: the recorder, the records as they are now, programs, locks, consents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

use super::ground::Grounds;
use super::plan::Target;
use super::recorder::Recorder;
use super::secrets::Secrets;
use super::stop::{StopWatch, Stopper};
use super::tally::Tally;
use super::unit_end::Trouble;
use crate::model::lease::Move;
use crate::model::plan::Drift;
use crate::model::ssh::Logins;
use crate::model::{
    Ask, Deployment, DeploymentId, EventKind, Image, Name, PriceTable, Provider, Ssh, Subject, Timestamp, UnitId,
};
use crate::process::{Holder, Lock, disk};
use crate::services::health::Checker;

/// A tool as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// `terraform`, `tofu`, `packer`, `ansible-playbook`.
    pub name: String,
    /// Absolute.
    pub path: Utf8PathBuf,
    /// `1.11.4`.
    pub version: String,
}

impl Program {
    /// Major, minor, patch.
    pub fn numbers(&self) -> (u32, u32, u32) {
        let mut parts = self.version.split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    }
}

/// The tools of a run; absent ones are not needed by it.
#[derive(Clone, Debug, Default)]
pub struct Toolset {
    /// Terraform or OpenTofu.
    pub terraform: Option<Program>,
    /// Packer.
    pub packer: Option<Program>,
    /// ansible-playbook.
    pub ansible: Option<Program>,
    /// Vagrant.
    pub vagrant: Option<Program>,
    /// Where otto unpacked packages, for images of folders.
    pub packages: Utf8PathBuf,
}

/// What the person agreed to.
#[derive(Clone, Debug, Default)]
pub struct Consent {
    /// What is new was agreed to, after it was shown.
    pub agreed_new: bool,
    /// Create and update without asking.
    pub yes: bool,
    /// The replacements of `--refresh-images` were agreed to, after they were shown.
    pub agreed_refresh: bool,
    /// Deletions and replacements too.
    pub allow_destroy: bool,
    /// Go on though the forecast is over a budget.
    pub over_budget: bool,
    /// Go on though interrupted work cannot be looked for.
    pub ignore_in_flight: bool,
    /// The command line as typed, to print the one that would go through.
    pub line: String,
}

/// What was asked of stages beside the plan.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    /// `config --check`: nothing is changed.
    pub check: bool,
    /// `destroy --lost`: machines that are gone for good.
    pub lost: Vec<String>,
    /// `test --failover`.
    pub failover: bool,
    /// What followed `--`.
    pub passthrough: Vec<String>,
    /// `up --refresh-images`.
    pub refresh: bool,
    /// `state adopt`.
    pub adopt: Option<Adoption>,
    /// Providers without their credentials, where that blocks a unit.
    pub lacking: BTreeSet<Name>,
    /// `destroy --with`: what holds data and goes all the same.
    pub with: Vec<String>,
    /// `extend`.
    pub extend: Option<Move>,
}

/// Taking over what was made without otto.
#[derive(Clone, Debug, Default)]
pub struct Adoption {
    /// The state file, absolute; the root's own when absent.
    pub from: Option<Utf8PathBuf>,
}

/// Hashes of the project's files, computed where files are read.
#[derive(Clone, Debug, Default)]
pub struct Prints {
    /// By provider: its root.
    pub roots: BTreeMap<Name, String>,
    /// Playbook and roles.
    pub config: String,
    /// By site: its content.
    pub content: BTreeMap<Name, String>,
    /// By provider: regions beside its own in which sites of the project run.
    pub regions: BTreeMap<Name, Vec<String>>,
    /// By provider and appliance: the image's inputs.
    pub images: BTreeMap<(Name, Name), String>,
}

/// By provider: what came of trying its credentials, once a run.
pub type Tried = tokio::sync::Mutex<BTreeMap<Name, Result<(), String>>>;

/// Shared by all units of a run.
pub struct Context {
    /// Numbers and writes events.
    pub recorder: Recorder,
    /// What is given to tools and never shown.
    pub secrets: Arc<Secrets>,
    /// Asks units to stop.
    pub stopper: Stopper,
    /// Tells units to stop.
    pub stop: StopWatch,
    /// Who holds this run's locks.
    pub holder: Holder,
    /// Images by provider and appliance that are built though their inputs are unchanged.
    pub rebuild: BTreeSet<(Name, Name)>,
    /// otto itself, for supervisors.
    pub exe: Utf8PathBuf,
    /// The `.otto` folder, absolute.
    pub home: Utf8PathBuf,
    /// Absolute `clowd/config`.
    pub config: Utf8PathBuf,
    /// The project's name.
    pub title: Name,
    /// The project's id.
    pub project: String,
    /// The store's id.
    pub store: String,
    /// `user@machine`.
    pub owner: String,
    /// Appliances by name: folder.
    pub appliances: BTreeMap<Name, Utf8PathBuf>,
    /// Providers by name, for images that no deployment needs yet.
    pub providers: BTreeMap<Name, Provider>,
    /// Price tables, by name.
    pub prices: BTreeMap<String, PriceTable>,
    /// What is worked on.
    pub targets: BTreeMap<DeploymentId, Target>,
    /// Locks held for the run, by deployment.
    pub locks: BTreeMap<DeploymentId, Lock>,
    /// Programs.
    pub tools: Toolset,
    /// Consents.
    pub consent: Consent,
    /// Requests.
    pub requests: Requests,
    /// Hashes.
    pub prints: Prints,
    /// Values of the user's environment that calls are made from, by name.
    pub inherited: BTreeMap<String, String>,
    /// The user has set `ANSIBLE_PIPELINING`.
    pub pipelining_set: bool,
    /// The person.
    pub ask: Arc<dyn Ask>,
    /// One question at a time.
    pub asking: tokio::sync::Mutex<()>,
    /// Building pages: one at a time.
    pub building: tokio::sync::Mutex<()>,
    /// Making a shared data folder: one at a time.
    pub initialising: tokio::sync::Mutex<()>,
    /// Providers whose credentials were tried, and why they are not taken.
    pub tried: Tried,
    /// otto's account.
    pub tally: Tally,
    /// Records and images as they are now.
    pub memory: Memory,
    /// Makes checks.
    pub checker: Checker,
    /// How hosts are reached where they do not say.
    pub ssh: Ssh,
    /// Public keys for hosts that are made.
    pub logins: Logins,
    /// A short folder for the sockets of SSH's shared connections, of this run alone.
    pub sockets: Utf8PathBuf,
    /// Machines that units of this run work on.
    pub grounds: Grounds,
    /// Called after every apply and destroy: copies states out of the project.
    pub after_apply: Box<dyn Fn(&DeploymentId) + Send + Sync>,
}

/// Records and images as this run knows them.
#[derive(Default)]
pub struct Memory {
    records: Mutex<BTreeMap<DeploymentId, Deployment>>,
    images: Mutex<BTreeMap<(Name, Name), Image>>,
    drifts: Mutex<Vec<Drift>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// From the store's snapshot.
    pub fn new(records: Vec<Deployment>, images: Vec<Image>) -> Self {
        let mut newest: BTreeMap<(Name, Name), Image> = BTreeMap::new();
        for image in images {
            // The store names the newest of each first.
            newest.entry((image.provider.clone(), image.appliance.clone())).or_insert(image);
        }
        Self {
            records: Mutex::new(records.into_iter().map(|r| (r.id.clone(), r)).collect()),
            images: Mutex::new(newest),
            drifts: Mutex::default(),
        }
    }

    /// What is known of a deployment.
    pub fn record(&self, id: &DeploymentId) -> Option<Deployment> {
        held(&self.records).get(id).cloned()
    }

    /// All that is known.
    pub fn records(&self) -> Vec<Deployment> {
        held(&self.records).values().cloned().collect()
    }

    /// What this run found to have changed outside of otto.
    pub fn drifts(&self) -> Vec<Drift> {
        let mut all = held(&self.drifts).clone();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// References of the newest images of a provider, by appliance.
    pub fn newest(&self, provider: &Name) -> BTreeMap<Name, String> {
        let images = held(&self.images);
        let of = images.iter().filter(|((p, _), _)| p == provider);
        of.map(|((_, appliance), image)| (appliance.clone(), image.reference.clone())).collect()
    }
}

impl Context {
    /// Now.
    pub fn now(&self) -> Timestamp {
        self.recorder.clock().now()
    }

    /// Records an event of a unit.
    ///
    /// # Errors
    /// When the journal cannot be written; a full disk also stops the run gently.
    pub fn record(&self, unit: &UnitId, kind: EventKind) -> Result<(), Trouble> {
        self.record_all(vec![(Some(unit.clone()), kind)])
    }

    /// Records several events as one.
    ///
    /// # Errors
    /// As [`Context::record`].
    pub fn record_all(&self, all: Vec<(Option<UnitId>, EventKind)>) -> Result<(), Trouble> {
        match self.recorder.record_all(all.clone()) {
            Err(error) if error.full => {
                self.stopper.gently(None, "the disk is full");
                // What has ended must be known to the next otto: that is what the reserve is for.
                let again = if self.give_up_reserve() { self.recorder.record_all(all) } else { Err(error) };
                again.map_err(Trouble::Journal)
            }
            other => other.map_err(Trouble::Journal),
        }
    }

    /// Gives the reserve's room back to the disk; false when that was done before.
    pub fn give_up_reserve(&self) -> bool {
        disk::Reserve::at(self.home.join("reserve")).free().unwrap_or(false)
    }

    /// A line for people.
    pub fn note(&self, unit: &UnitId, text: impl Into<String>, warning: bool) -> Result<(), Trouble> {
        self.record(unit, EventKind::Note { text: text.into(), warning })
    }

    /// Writes a deployment's record: journal first, then memory. One that is as it was is in the journal already.
    pub fn remember(&self, unit: &UnitId, record: Deployment) -> Result<(), Trouble> {
        if held(&self.memory.records).get(&record.id) == Some(&record) {
            return Ok(());
        }
        self.record(unit, EventKind::Deployment { record: Box::new(record.clone()) })?;
        held(&self.memory.records).insert(record.id.clone(), record);
        Ok(())
    }

    /// Writes down a comparison: journal first, then memory.
    pub fn remember_drift(&self, unit: &UnitId, drift: Drift) -> Result<(), Trouble> {
        self.record(unit, EventKind::Drift { record: drift.clone() })?;
        held(&self.memory.drifts).push(drift);
        Ok(())
    }

    /// Writes an image into the index: journal first, then memory.
    pub fn remember_image(&self, unit: &UnitId, image: Image) -> Result<(), Trouble> {
        self.record(unit, EventKind::Image { record: image.clone() })?;
        held(&self.memory.images).insert((image.provider.clone(), image.appliance.clone()), image);
        Ok(())
    }

    /// The price table of a provider.
    pub fn price_table(&self, provider: &Provider) -> Option<&PriceTable> {
        self.prices.get(provider.prices.as_deref()?)
    }

    /// The target of a unit.
    ///
    /// # Errors
    /// A bug: units are made from targets.
    pub fn target(&self, id: &DeploymentId) -> Result<&Target, Trouble> {
        self.targets
            .get(id)
            .ok_or_else(|| super::unit_end::UnitEnd::failed(format!("`{id}` is in no plan"), false).into())
    }

    /// The folder of a call: `runs/<run>/<unit>[.<step>]`; the unit's main step has the plain name.
    pub fn call_folder(&self, unit: &UnitId, step: &str, main: bool) -> Utf8PathBuf {
        let name = if main { unit.folder() } else { format!("{}.{step}", unit.folder()) };
        self.home.join("runs").join(&self.recorder.run().0).join(name)
    }

    /// The Terraform folder of a deployment.
    pub fn terraform_folder(&self, id: &DeploymentId) -> Utf8PathBuf {
        self.home.join("terraform").join(id.key())
    }

    /// The Vagrant folder of a deployment.
    pub fn vagrant_folder(&self, id: &DeploymentId) -> Utf8PathBuf {
        self.home.join("vagrant").join(id.key())
    }

    /// Where a deployment's hosts live, for providers whose hosts are folders.
    pub fn hosts_folder(&self, id: &DeploymentId) -> Utf8PathBuf {
        self.home.join("hosts").join(id.key())
    }

    /// A file that a tool names, as the person knows it: of the provider's folder where the tool worked in a
    /// deployment's copy of it, and relative to the project.
    pub fn source(&self, unit: &UnitId, file: &str) -> String {
        let root = match &unit.subject {
            Subject::Deployment(id) => self.targets.get(id).map(|t| Utf8PathBuf::from(&t.provider.folder)),
            Subject::Image { provider, appliance } => {
                self.appliances.get(appliance).map(|folder| folder.join(provider.as_str()))
            }
        };
        let own = root.map(|root| root.join(file)).filter(|path| path.is_file());
        let path = own.unwrap_or_else(|| file.into());
        let project = self.config.parent().and_then(Utf8Path::parent);
        project.and_then(|project| path.strip_prefix(project).ok()).unwrap_or(&path).to_string()
    }

    /// A path as the journal names it: below `.otto` where possible.
    pub fn shown(&self, path: &Utf8Path) -> String {
        path.strip_prefix(&self.home).unwrap_or(path).to_string()
    }
}
