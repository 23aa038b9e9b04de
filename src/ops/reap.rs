//! `otto reap`: destroys what has outlived its lease, and removes what this store made and no state holds.
//!
//! Where there is no store at all (a fresh clone, only the account) the tags alone decide: what carries this project's id
//! and is past its expiry goes, nothing else. What is foreign is listed and never touched; what holds data goes by name only.

use std::time::Duration;

use serde::Serialize;

use super::adrift::{self, Adrift, Known};
use super::busy::Busy;
use super::conduct::{Request, conduct};
use super::exit;
use super::failure::{Failure, Kind, Result};
use super::locks;
use super::remove::{Removal, removed};
use super::sweep::{self, Sweep};
use super::world::{Opened, World, unusable};
use crate::lifecycle::Verb;
use crate::model::lease::grace_s;
use crate::model::orphan::holds_data;
use crate::model::time::span;
use crate::model::{Deployment, DeploymentId, Name, Orphan, Owner, Stage, Timestamp};
use crate::project::Selection;
use crate::store::Store;

/// How long one provider may take to say what exists.
const LIMIT: Duration = Duration::from_secs(60);

/// What is wanted of a reaper.
#[derive(Clone, Debug, Default)]
pub struct ReapWish {
    /// Only tell.
    pub dry_run: bool,
    /// Do not ask.
    pub yes: bool,
    /// Ids of things that hold data and go all the same.
    pub with: Vec<String>,
}

/// What becomes, or became, of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It goes.
    Reap,
    /// It stays, and `why` says why.
    Stay,
    /// It went.
    Gone,
    /// It should have gone and did not.
    Failed,
}

/// One deployment whose lease is over.
#[derive(Clone, Debug, Serialize)]
pub struct ReapedDeployment {
    /// Its name.
    pub name: DeploymentId,
    /// When its lease ended.
    pub expires_at: Timestamp,
    /// What becomes of it.
    pub fate: Fate,
    /// Why.
    pub why: String,
}

/// One thing in no state.
#[derive(Clone, Debug, Serialize)]
pub struct ReapedOrphan {
    /// Where it is.
    pub provider: Name,
    /// What the provider says of it.
    #[serde(flatten)]
    pub orphan: Orphan,
    /// Whose it is.
    pub whose: Owner,
    /// What becomes of it.
    pub fate: Fate,
    /// Why.
    pub why: String,
}

/// `otto.reap/1`.
#[derive(Clone, Debug, Serialize)]
pub struct ReapReport {
    /// `otto.reap/1`.
    pub schema: &'static str,
    /// When it was looked.
    pub at: Timestamp,
    /// Time between a lease's end and its reaping, where otto.yaml says it; see [`grace_s`].
    pub grace_s: Option<u64>,
    /// There is a store; else the tags at the providers decide.
    pub by_store: bool,
    /// Nothing was done.
    pub dry_run: bool,
    /// Deployments whose lease is over.
    pub deployments: Vec<ReapedDeployment>,
    /// Things in no state; foreign ones too.
    pub orphans: Vec<ReapedOrphan>,
    /// What could not be asked.
    pub warnings: Vec<String>,
}

impl ReapReport {
    /// Something goes.
    pub fn any(&self) -> bool {
        let fates = self.deployments.iter().map(|d| d.fate).chain(self.orphans.iter().map(|o| o.fate));
        fates.into_iter().any(|fate| fate == Fate::Reap)
    }
}

/// Reaps; `show` is called with what would go before anything does. Returns what became of it, and the exit code.
///
/// # Errors
/// Wrong project files, an unusable store, no consent.
pub async fn reap(
    world: &World,
    wish: &ReapWish,
    request: Request,
    show: &dyn Fn(&ReapReport),
) -> Result<(ReapReport, u8)> {
    let opened = world.open()?;
    let store = world.store_to_read(&opened)?;
    let by_store = !store.is_new();
    let records = if by_store { store.deployments().map_err(unusable)? } else { Vec::new() };
    let store_id = if by_store { store.id().to_owned() } else { String::new() };
    let mut report = ReapReport {
        schema: "otto.reap/1",
        at: world.clock.now(),
        grace_s: opened.project.reap_grace_s,
        by_store,
        dry_run: wish.dry_run,
        deployments: expired(world, &opened, &records),
        orphans: Vec::new(),
        warnings: Vec::new(),
    };
    let (asked, not) = sweep::asked(world, &opened, &records);
    report.warnings.extend(not.iter().map(|(provider, why)| adrift::not_asked(provider, why)));
    let sweep = Sweep::of(world, &opened, &store_id, &asked).await?;
    let answers = sweep.ask(&asked, LIMIT).await;
    let used = |name: &Name| !by_store || records.iter().any(|record| record.id.provider == *name);
    let mute = answers.iter().filter(|answer| answer.said.is_err()).map(|answer| &answer.provider);
    let unseen = mute.chain(not.iter().map(|(name, _)| name)).any(used);
    let adrift = match by_store {
        true => adrift::sort(&opened, &store_id, &Known::of(&opened, &store, &records)?, answers),
        false => of_project(&opened, answers),
    };
    let busy = Busy::of(&opened, &store, by_store)?;
    drop(store);
    list(&mut report, &opened, adrift, (wish, &busy));
    // What could not even be begun, or looked at, is no success of a reaper.
    let mut code = match unseen || report.deployments.iter().any(|d| d.fate == Fate::Failed) {
        true => exit::CREDENTIALS,
        false => exit::OK,
    };
    if wish.dry_run || !report.any() {
        let code = if report.any() && code == exit::OK { exit::CHANGES } else { code };
        return Ok((report, code));
    }
    show(&report);
    agree(world, wish, &request)?;
    let names: Vec<String> =
        report.deployments.iter().filter(|d| d.fate == Fate::Reap).map(|d| d.name.to_string()).collect();
    if !names.is_empty() {
        let done = conduct(world, destruction(request, names)).await?.code;
        code = if code == exit::OK { done } else { code };
        settle(world, &opened, &mut report)?;
    }
    let going: Vec<Removal> = report.orphans.iter_mut().filter(|o| o.fate == Fate::Reap).collect();
    if !going.is_empty() && !removed(world, &opened, &sweep, &asked, by_store, going).await? {
        code = if code == exit::OK { exit::PARTIAL } else { code };
    }
    Ok((report, code))
}

/// Deployments whose lease is over, with what becomes of each.
fn expired(world: &World, opened: &Opened, records: &[Deployment]) -> Vec<ReapedDeployment> {
    let now = world.clock.now();
    let mut found = Vec::new();
    for record in records.iter().filter(|r| r.phase.exists()) {
        let Some(expires_at) = record.expires_at.filter(|end| *end <= now) else { continue };
        let over = now.since(expires_at);
        let grace = grace_s(opened.project.reap_grace_s, Some(record.leased_from()), expires_at);
        let wanted = opened.project.wanted(&record.id);
        let (fate, why) = match () {
            () if record.protect || wanted.is_some_and(|spec| spec.protect) => {
                (Fate::Stay, format!("protected: `otto destroy {0} --confirm {0}`", record.id))
            }
            () if over < grace.saturating_mul(1000) => {
                let left = grace.saturating_mul(1000) - over;
                (Fate::Stay, format!("its lease is over for {}; it goes in {}", span(over), span(left)))
            }
            () if missing(world, opened, record).is_some() => {
                (Fate::Failed, format!("{} is not set", missing(world, opened, record).unwrap_or_default()))
            }
            () if locks::at_work(opened, &record.id.key()) => (Fate::Stay, "a run is at work on it".to_owned()),
            () => (Fate::Reap, format!("its lease is over for {}", span(over))),
        };
        found.push(ReapedDeployment { name: record.id.clone(), expires_at, fate, why });
    }
    // Hosts are not taken from a site that lives on them and may go on.
    let going: Vec<DeploymentId> = found.iter().filter(|d| d.fate == Fate::Reap).map(|d| d.name.clone()).collect();
    for one in found.iter_mut().filter(|d| d.fate == Fate::Reap) {
        let rides = |r: &&Deployment| r.phase.exists() && r.spec.carrier().as_ref() == Some(&one.name);
        if let Some(rider) = records.iter().filter(rides).find(|r| !going.contains(&r.id)) {
            (one.fate, one.why) = (Fate::Stay, format!("{} lives on its hosts", rider.id));
        }
    }
    found
}

/// A credential without which it cannot be destroyed.
fn missing(world: &World, opened: &Opened, record: &Deployment) -> Option<String> {
    let provider = opened.project.provider_specs.get(&record.id.provider)?;
    world.missing(opened, provider).next().cloned()
}

/// Without a store: all that was made for this project, as if it were its own.
fn of_project(opened: &Opened, answers: Vec<sweep::Answer>) -> Adrift {
    let mut found = Adrift::default();
    for answer in answers {
        match answer.said {
            Err(why) => found.warnings.push(adrift::not_asked(&answer.provider, &why)),
            Ok(all) => {
                for orphan in all {
                    let entry = (answer.provider.clone(), orphan);
                    match entry.1.is_of_project(&opened.project.id) {
                        true => found.ours.push(entry),
                        false if entry.1.owner("", "").is_some() => found.foreign.push(entry),
                        false => {}
                    }
                }
            }
        }
    }
    found
}

/// Decides about each thing in no state.
fn list(report: &mut ReapReport, opened: &Opened, adrift: Adrift, (wish, busy): (&ReapWish, &Busy)) {
    report.warnings.extend(adrift.warnings);
    let going: Vec<DeploymentId> =
        report.deployments.iter().filter(|d| d.fate == Fate::Reap).map(|d| d.name.clone()).collect();
    let grace = |orphan: &Orphan, end| {
        let grace = grace_s(report.grace_s, orphan.created_at.parse().ok(), end);
        i64::try_from(grace).unwrap_or(i64::MAX / 4000)
    };
    for (provider, orphan) in adrift.ours {
        let keep = opened.project.provider_specs.get(&provider).map(|p| p.keep.clone()).unwrap_or_default();
        let over = orphan.expires().is_some_and(|end| end.plus_seconds(grace(&orphan, end)) <= report.at);
        let at_work = busy.with(&orphan);
        let (fate, why) = match () {
            () if !report.by_store && !over => {
                let why = match orphan.expires() {
                    None => "it has no lease".to_owned(),
                    Some(end) => format!("its lease ends {end}"),
                };
                (Fate::Stay, why)
            }
            () if !report.by_store && is_protected(opened, &orphan) => {
                (Fate::Stay, "protected: it is destroyed by its name, from where its store is".to_owned())
            }
            () if holds_data(&orphan.kind, &keep) && !wish.with.contains(&orphan.id) => {
                (Fate::Stay, format!("it holds data: `otto reap --with {}` removes it", orphan.id))
            }
            () if !report.by_store => (Fate::Reap, "this project's, and its lease is over".to_owned()),
            () if at_work.is_some() => (Fate::Stay, at_work.unwrap_or_default()),
            () if orphan.deployment().is_some_and(|id| going.contains(&id)) => {
                (Fate::Reap, "in no state; its deployment goes".to_owned())
            }
            () => (Fate::Reap, "in no state".to_owned()),
        };
        report.orphans.push(ReapedOrphan { provider, orphan, whose: Owner::Ours, fate, why });
    }
    for (provider, orphan) in adrift.foreign {
        let why = "another store's or project's: never touched".to_owned();
        report.orphans.push(ReapedOrphan { provider, orphan, whose: Owner::Foreign, fate: Fate::Stay, why });
    }
}

/// By the project's files: a tag does not say so.
fn is_protected(opened: &Opened, orphan: &Orphan) -> bool {
    let Some(id) = orphan.deployment() else { return false };
    opened.project.environment_policy(&id.environment).protect
}

fn agree(world: &World, wish: &ReapWish, request: &Request) -> Result<()> {
    if wish.yes {
        return Ok(());
    }
    if !world.ask.can_ask() {
        let failure = Failure::new(Kind::Declined, "this would be destroyed, and nobody can be asked");
        return Err(failure.hint(format!("{} --yes", request.consent.line)));
    }
    if world.ask.confirm("Destroy all this?") {
        return Ok(());
    }
    Err(Failure::new(Kind::Declined, "declined: nothing was destroyed"))
}

fn destruction(mut request: Request, names: Vec<String>) -> Request {
    request.verb = Verb::Only(Stage::Destroy);
    request.selection = Selection { deployments: names, ..Selection::default() };
    request.consent.yes = true;
    request
}

/// What became of the deployments, by the store.
fn settle(world: &World, opened: &Opened, report: &mut ReapReport) -> Result<()> {
    let store: Store = world.store_to_read(opened)?;
    for one in report.deployments.iter_mut().filter(|d| d.fate == Fate::Reap) {
        let record = store.deployment(&one.name).map_err(unusable)?;
        match record.filter(|r| r.phase.exists()) {
            None => one.fate = Fate::Gone,
            Some(record) => {
                one.fate = Fate::Failed;
                let why = record.dirty.map_or_else(|| format!("it is {}", record.phase.word()), |dirty| dirty.reason);
                one.why = format!("{why}: `otto destroy {} --yes`", one.name);
            }
        }
    }
    Ok(())
}
