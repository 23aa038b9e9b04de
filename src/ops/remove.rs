//! Removes things at providers, one call each, and asks whether they are gone. With a store it is a run in the journal:
//! what is about to go is written down first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::built;
use super::failure::{Failure, Kind, Result};
use super::locks;
use super::reap::{Fate, ReapedOrphan};
use super::recovery;
use super::sweep::Sweep;
use super::world::{Opened, World, unusable};
use crate::lifecycle::Recorder;
use crate::model::{EventKind, Name, Outcome, Provider, Totals};
use crate::process::Lock;

/// How long one provider may take to say what exists.
const LIMIT: Duration = Duration::from_secs(60);
/// Things that stand on others go first; what is refused because of them goes in a later round.
const ROUNDS: usize = 4;
/// A provider may list for a while what is gone already.
const PATIENCE: [u64; 5] = [0, 1, 2, 4, 8];

/// One thing that is to go.
pub(super) type Removal<'a> = &'a mut ReapedOrphan;

/// The journal of a removal; nobody's without a store.
struct Journal(Option<(Recorder, Arc<crate::store::Store>)>);

impl Journal {
    fn begin(world: &World, opened: &Opened, by_store: bool) -> Result<Self> {
        if !by_store {
            return Ok(Self(None));
        }
        let store = Arc::new(world.store(opened)?);
        let unseen = Arc::new(recovery::Unseen);
        let run = locks::new_run(world);
        let recorder = Recorder::new(run, 0, store.clone(), unseen, world.clock.clone(), Arc::default());
        let journal = Self(Some((recorder, store)));
        journal.record(EventKind::RunStarted {
            verb: "reap".to_owned(),
            argv: world.argv.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            units: Vec::new(),
        })?;
        Ok(journal)
    }

    fn record(&self, kind: EventKind) -> Result<()> {
        let Some((recorder, _)) = &self.0 else { return Ok(()) };
        recorder.record(None, kind).map_err(|e| Failure::new(Kind::Store, e.to_string()))
    }

    fn end(&self, well: bool) -> Result<()> {
        let (outcome, code) = if well { (Outcome::Ok, 0) } else { (Outcome::Failed, super::exit::PARTIAL) };
        self.record(EventKind::RunEnded { outcome, code, totals: Totals::default() })?;
        match &self.0 {
            Some((_, store)) => store.flush().map_err(unusable),
            None => Ok(()),
        }
    }
}

/// Removes all of these and looks whether they are gone; whether everything went.
///
/// # Errors
/// A journal that cannot be written.
pub(super) async fn removed(
    world: &World,
    opened: &Opened,
    sweep: &Sweep<'_>,
    providers: &[&Provider],
    by_store: bool,
    mut going: Vec<Removal<'_>>,
) -> Result<bool> {
    let journal = Journal::begin(world, opened, by_store)?;
    let _locks = if by_store { take(world, opened, &mut going) } else { Vec::new() };
    // A host before the firewall that it is behind.
    going.sort_by_key(|one| {
        (!matches!(one.orphan.kind.as_str(), "host" | "builder" | "droplet"), one.orphan.id.clone())
    });
    for round in 1..=ROUNDS {
        let mut progress = false;
        for one in going.iter_mut().filter(|one| one.fate == Fate::Reap) {
            let Some(provider) = providers.iter().find(|p| p.name == one.provider) else { continue };
            if round == 1 {
                let told = format!("removing {}", told(one));
                (world.say)(&told);
                journal.record(EventKind::Note { text: told, warning: false })?;
            }
            match sweep.remove(provider, &one.orphan.id).await {
                Ok(()) => {
                    one.fate = Fate::Gone;
                    progress = true;
                }
                Err(why) => one.why = why,
            }
        }
        let left = going.iter().any(|one| one.fate == Fate::Reap);
        if !left || !progress {
            break;
        }
    }
    still_there(sweep, providers, &mut going).await;
    for one in &mut going {
        if one.fate == Fate::Reap {
            one.fate = Fate::Failed;
        }
    }
    for image in going.iter().filter(|one| one.fate == Fate::Gone && one.orphan.kind == "image") {
        built::forget(opened, &image.provider, &image.orphan.id);
    }
    let well = going.iter().all(|one| one.fate != Fate::Failed);
    journal.end(well)?;
    Ok(well)
}

/// One writer per deployment: what somebody works on now stays for the next time.
fn take(world: &World, opened: &Opened, going: &mut [Removal<'_>]) -> Vec<Lock> {
    let holder = recovery::holder(world, &locks::new_run(world), "reap");
    let mut held: BTreeMap<String, Option<Lock>> = BTreeMap::new();
    for one in going.iter_mut() {
        let Some(id) = one.orphan.deployment() else { continue };
        let path = opened.home.join("locks").join(id.key());
        let lock = held.entry(id.key()).or_insert_with(|| Lock::try_take(&path, &holder).ok());
        if lock.is_none() {
            one.fate = Fate::Stay;
            one.why = format!("a run is at work on {id}");
        }
    }
    held.into_values().flatten().collect()
}

/// The provider is asked whether what was removed is gone.
async fn still_there(sweep: &Sweep<'_>, providers: &[&Provider], going: &mut [Removal<'_>]) {
    let of: Vec<&Provider> =
        providers.iter().copied().filter(|p| going.iter().any(|one| one.provider == p.name)).collect();
    for seconds in PATIENCE {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let answers = sweep.ask(&of, LIMIT).await;
        let mut there = false;
        for one in going.iter_mut().filter(|one| matches!(one.fate, Fate::Gone | Fate::Failed)) {
            let answer = answers.iter().find(|answer| answer.provider == one.provider);
            let (fate, why) = match answer.map(|answer| &answer.said) {
                Some(Ok(all)) if all.iter().all(|other| other.id != one.orphan.id) => (Fate::Gone, None),
                Some(Ok(_)) => (Fate::Failed, Some("it is still there after it was removed".to_owned())),
                Some(Err(why)) => (Fate::Failed, Some(format!("whether it is gone is not known: {why}"))),
                None => (Fate::Failed, Some(unasked(&one.provider))),
            };
            there |= fate == Fate::Failed;
            one.fate = fate;
            one.why = why.unwrap_or_else(|| one.why.clone());
        }
        if !there {
            break;
        }
    }
}

fn unasked(provider: &Name) -> String {
    format!("whether it is gone is not known: `{provider}` was not asked")
}

/// `host `dev-shop-www-1` (381) of dev/do/shop`.
pub(super) fn told(one: &ReapedOrphan) -> String {
    let of = one.orphan.deployment().map(|id| format!(" of {id}")).unwrap_or_default();
    format!("{} `{}` ({}) at {}{of}", one.orphan.kind, one.orphan.name, one.orphan.id, one.provider)
}
