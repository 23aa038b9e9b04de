//! `otto status`: what there is, how it is, since when, until when.

use super::adrift::{self, Known};
use super::ages::Ages;
use super::bill::{self, Accounts};
use super::choose;
use super::failure::Result;
use super::reach::{self, Looked};
use super::recovery;
use super::sweep::{self, Sweep};
use super::world::{Opened, World, unusable};
use crate::lifecycle::recover::OpenCall;
use crate::model::status::{
    DeploymentStatus, DirtyStatus, DriftStatus, HostStatus, LeaseStatus, OrphanStatus, Spend, StatusReport,
};
use crate::model::{
    Deployment, DeploymentId, Health, HostState, LastRun, LeaseState, Outcome, Owner, Phase, RunId, Timestamp,
};
use crate::project::Selection;
use crate::services::health::{Checker, worst};
use crate::store::{DriftRow, Store};
use std::time::Duration;

/// How long one provider may take to say what exists: nobody waits longer for a status.
const SWEEP: Duration = Duration::from_secs(10);

/// Looks at every deployment that is meant; probes hosts and endpoints unless `offline`.
///
/// # Errors
/// Wrong project files, an unusable store.
pub async fn status(world: &World, selection: &Selection, offline: bool) -> Result<StatusReport> {
    let everything = *selection == Selection::default();
    let opened = if offline && everything { world.open_frame()? } else { world.open()? };
    let store = world.store_to_read(&opened)?;
    let mut records = store.deployments().map_err(unusable)?;
    let all = records.clone();
    if !everything {
        let meant = choose::existing(&opened.project, selection, &records)?;
        records.retain(|r| meant.contains(&r.id));
    }
    let index = store.images().map_err(unusable)?;
    let unended = unended(&opened, &store)?;
    let now = world.clock.now();
    let ages = Ages::new(&opened.project, &index, now);
    let ids: Vec<DeploymentId> = records.iter().map(|record| record.id.clone()).collect();
    let last = store.last_runs(&ids, &[]).map_err(unusable)?;
    let looks = store.drift_last().map_err(unusable)?;
    let looked: Vec<DeploymentId> = ids.iter().filter(|id| looks.contains_key(*id)).cloned().collect();
    let changed = store.last_runs(&looked, &HARMLESS).map_err(unusable)?;
    let accounts = Accounts::new(&opened.project, &store.ledger(None).map_err(unusable)?, now);
    let checker = if offline { None } else { Some(Checker::new()) };
    let rows = records.iter().map(|record| {
        let (opened, looks, last, changed, ages) = (&opened, &looks, &last, &changed, &ages);
        let (unended, checker, accounts) = (&unended, &checker, &accounts);
        async move {
            let found = match checker {
                Some(checker) if record.phase.exists() && !record.hosts.is_empty() => {
                    Some(look(world, checker, opened, record, now).await)
                }
                _ => None,
            };
            let at_work = AtWork::of(&record.id, unended);
            let last = last.get(&record.id).map(|last| last_run(last, &at_work));
            let mut row = row(record, found, last, &at_work, ages, now);
            row.spend = accounts.of(&record.id);
            row.drift = looks.get(&record.id).and_then(|look| drift(look, record, changed.get(&record.id)));
            if !offline && row.drift.as_ref().is_some_and(|drift| drift.changes > 0) {
                row.health = row.health.worst(Health::Warning);
            }
            row
        }
    });
    let rows = futures_util::future::join_all(rows);
    let everywhere = !offline && everything;
    let (deployments, orphans) = match everywhere {
        true => tokio::join!(rows, orphans(world, &opened, &store, &all)),
        false => (rows.await, Ok(Vec::new())),
    };
    Ok(StatusReport { schema: "otto.status/1".to_owned(), at: now, deployments, orphans: orphans? })
}

/// What providers say that exists and no state holds. What cannot be asked is a warning, and spoils nothing.
async fn orphans(world: &World, opened: &Opened, store: &Store, records: &[Deployment]) -> Result<Vec<OrphanStatus>> {
    let now = world.clock.now();
    let (asked, not) = sweep::asked(world, opened, records);
    not.iter().for_each(|(provider, why)| world.warn(&adrift::not_asked(provider, why)));
    if asked.is_empty() || store.is_new() {
        return Ok(Vec::new());
    }
    let sweep = match Sweep::of(world, opened, store.id(), &asked).await {
        Ok(sweep) => sweep,
        Err(failure) => {
            world.warn(&format!("no provider was asked what exists: {}", failure.what));
            return Ok(Vec::new());
        }
    };
    let answers = sweep.ask(&asked, SWEEP).await;
    let found = adrift::sort(opened, store.id(), &Known::of(opened, store, records)?, answers);
    found.warnings.iter().for_each(|warning| world.warn(warning));
    let ours = found.ours.into_iter().map(|one| (one, Owner::Ours));
    let all = ours.chain(found.foreign.into_iter().map(|one| (one, Owner::Foreign)));
    Ok(all
        .map(|((provider, orphan), whose)| {
            let cost = bill::orphan(&opened.project, &provider, &orphan, now);
            OrphanStatus {
                provider: provider.to_string(),
                deployment: orphan.deployment(),
                orphan,
                whose,
                per_hour: cost.map(|(per_hour, _)| per_hour.to_string()),
                accrued: cost.map(|(_, accrued)| accrued.to_string()),
            }
        })
        .collect())
}

/// Verbs after which what a look for drift found is still so.
const HARMLESS: [&str; 2] = ["test", "extend"];

/// The last look for drift, unless something was done since.
fn drift(found: &DriftRow, record: &Deployment, last: Option<&LastRun>) -> Option<DriftStatus> {
    let since = last.is_some_and(|run| run.ended_at.is_none_or(|end| end > found.at));
    (record.phase.exists() && !since).then_some(DriftStatus { at: found.at, changes: u64::from(found.changes) })
}

/// The exit code of a report, as a Nagios plugin: the worst of what exists, of its leases, and of what is in no state.
pub fn code(report: &StatusReport, offline: bool) -> u8 {
    let existing = || report.deployments.iter().filter(|d| d.phase.exists());
    let leases = existing().filter_map(|d| d.lease.as_ref()).map(|lease| match lease.state {
        LeaseState::Over => Health::Critical,
        LeaseState::Ending => Health::Warning,
        LeaseState::Ok | LeaseState::None => Health::Ok,
    });
    let adrift = report.orphans.iter().filter(|one| one.whose == Owner::Ours).map(|_| Health::Warning);
    // Offline nobody was asked: what is not known is no alarm.
    let health = existing().filter(|_| !offline).map(|d| d.health);
    leases.chain(adrift).chain(health).reduce(Health::worst).unwrap_or(Health::Ok).nagios()
}

async fn look(world: &World, checker: &Checker, opened: &Opened, record: &Deployment, now: Timestamp) -> Looked {
    let current = opened.project.wanted(&record.id);
    let spec = current.as_ref().unwrap_or(&record.spec);
    reach::look(checker, (&opened.project, &opened.home, &world.exe), record, spec, now).await
}

/// A run without an end.
struct Unended {
    run: RunId,
    lives: bool,
    /// Calls whose processes go on though its otto is gone.
    calls: Vec<OpenCall>,
}

/// Runs that have no end: whether their otto lives, and else what of them does.
fn unended(opened: &Opened, store: &Store) -> Result<Vec<Unended>> {
    let mut found = Vec::new();
    for run in store.unended_runs().map_err(unusable)? {
        let lives = recovery::otto_lives(opened, &run);
        let calls = if lives { Vec::new() } else { recovery::left_at_work(opened, store, &run)? };
        found.push(Unended { run, lives, calls });
    }
    Ok(found)
}

/// What is at work for a deployment.
struct AtWork {
    /// Runs whose otto lives.
    living: Vec<RunId>,
    /// A call that goes on without its otto.
    left: Option<(RunId, String)>,
}

impl AtWork {
    fn of(id: &DeploymentId, unended: &[Unended]) -> Self {
        let left = unended.iter().find_map(|one| {
            let call = one.calls.iter().find(|call| call.unit.deployment() == Some(id))?;
            Some((one.run.clone(), format!("{} {}", call.tool, call.step)))
        });
        Self { living: unended.iter().filter(|one| one.lives).map(|one| one.run.clone()).collect(), left }
    }
}

/// What the journal says of a last run, and whether that can still be so.
fn last_run(last: &LastRun, at_work: &AtWork) -> LastRun {
    let mut last = last.clone();
    let left = at_work.left.as_ref().is_some_and(|(run, _)| *run == last.id);
    if last.outcome == Outcome::Running && !left && !at_work.living.contains(&last.id) {
        last.outcome = Outcome::Lost;
    }
    last
}

fn row(
    record: &Deployment,
    found: Option<Looked>,
    last_run: Option<LastRun>,
    at_work: &AtWork,
    ages: &Ages<'_>,
    now: Timestamp,
) -> DeploymentStatus {
    let exists = record.phase.exists();
    let asked = found.is_some();
    let (states, checks) = found.unwrap_or_default();
    let state = |name: &str| states.iter().find(|(n, _)| n == name).map_or(HostState::Unknown, |(_, s)| *s);
    let left = at_work.left.as_ref().map(|(run, call)| DirtyStatus {
        reason: format!("the otto of run {run} is gone and its `{call}` is still at work"),
        repair: format!("otto resume {run}"),
    });
    let at_work = left.is_none() && last_run.as_ref().is_some_and(|run| run.outcome == Outcome::Running);
    let dirty = record.dirty.as_ref().filter(|_| exists && !at_work);
    let dirty = dirty.map(|d| DirtyStatus { reason: d.reason.clone(), repair: d.repair.clone() });
    let dirty = left.filter(|_| exists).or(dirty);
    let mut health = if asked { worst(&checks) } else { Health::Unknown };
    if !exists {
        health = Health::Ok;
    } else if asked && (dirty.is_some() || ages.too_old(record)) {
        health = health.worst(Health::Warning);
    }
    if matches!(record.phase, Phase::Partial | Phase::Destroying) && !at_work {
        health = health.worst(Health::Critical);
    }
    DeploymentStatus {
        name: record.id.clone(),
        environment: record.id.environment.to_string(),
        provider: record.id.provider.to_string(),
        site: record.id.site.to_string(),
        phase: record.phase,
        dirty,
        endpoint: record.front(record.spec.tls.as_ref()),
        hosts: record
            .hosts
            .iter()
            .map(|h| HostStatus {
                name: h.name.clone(),
                role: h.role.clone(),
                address: h.address.clone(),
                image: h.image.clone(),
                state: state(&h.name),
            })
            .collect(),
        health,
        checks,
        created_at: exists.then_some(record.created_at),
        lease: exists.then(|| lease(record, now)),
        last_run,
        spend: free(),
        stale: ages.stale(Some(record)),
        drift: None,
        kept: record.kept.clone(),
    }
}

fn lease(record: &Deployment, now: Timestamp) -> LeaseStatus {
    let left_s = record.expires_at.map(|end| end.seconds() - now.seconds());
    LeaseStatus { expires_at: record.expires_at, left_s, state: record.lease_state(now), protect: record.protect }
}

/// Nothing, until the ledger says more.
fn free() -> Spend {
    let zero = || "0.00".to_owned();
    Spend {
        currency: "USD".to_owned(),
        accrued: zero(),
        month: zero(),
        per_hour: zero(),
        forecast: zero(),
        unpriced: Vec::new(),
    }
}
