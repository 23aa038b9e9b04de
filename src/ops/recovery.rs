//! Before a run: earlier runs that ended without saying so are looked at, and what still works for them is waited for.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;

use super::failure::{Failure, Kind, Result};
use super::world::{Opened, World, unusable};
use crate::lifecycle::recover::{self, OpenCall};
use crate::lifecycle::{Recorder, Secrets, Trouble};
use crate::model::{Deployment, DeploymentId, RunId, Subject};
use crate::process::{Holder, Lock, LockError, at_work};
use crate::store::Store;

/// The lock that says that the otto of a run lives. Unlike a deployment's it is not handed to supervisors.
pub(super) fn run_lock(opened: &Opened, run: &RunId, holder: &Holder) -> std::result::Result<Lock, LockError> {
    Lock::try_take(&lock_path(opened, run), holder)
}

/// Whether the otto of a run lives; looks without taking the lock for itself, and on a read-only disk too.
pub(crate) fn otto_lives(opened: &Opened, run: &RunId) -> bool {
    let path = lock_path(opened, run);
    path.is_file() && matches!(Lock::try_share(&path), Err(LockError::Held(_)))
}

/// Calls of a run whose otto is gone that go on all the same, be it that their supervisor is gone, too.
pub(super) fn left_at_work(opened: &Opened, store: &Store, run: &RunId) -> Result<Vec<OpenCall>> {
    let events = store.events(run, 0, usize::MAX).map_err(unusable)?;
    let mut calls = recover::interrupted(&events).map(|old| old.calls).unwrap_or_default();
    calls.retain(|call| at_work(&opened.home.join(&call.folder)));
    Ok(calls)
}

fn lock_path(opened: &Opened, run: &RunId) -> Utf8PathBuf {
    opened.home.join("runs").join(&run.0).join("otto.lock")
}

/// Settles every dead run that touches one of these deployments (or builds an image).
///
/// # Errors
/// A journal that cannot be read or written.
pub(super) async fn settle(
    world: &World,
    opened: &Opened,
    store: &Arc<Store>,
    ids: &[DeploymentId],
    secrets: &Arc<Secrets>,
) -> Result<()> {
    for run in store.unended_runs().map_err(unusable)? {
        let holder = holder(world, &run, "recovery");
        // A run whose otto lives is nobody's business but its own.
        let Ok(_alive) = run_lock(opened, &run, &holder) else { continue };
        let events = store.events(&run, 0, usize::MAX).map_err(unusable)?;
        let Some(old) = recover::interrupted(&events) else { continue };
        let touches = old.begun.iter().chain(&old.waiting).any(|unit| match &unit.subject {
            Subject::Deployment(id) => ids.contains(id),
            Subject::Image { .. } => true,
        });
        if !touches && !old.calls.is_empty() {
            continue;
        }
        let mut records: BTreeMap<DeploymentId, Deployment> =
            store.deployments().map_err(unusable)?.into_iter().map(|r| (r.id.clone(), r)).collect();
        let recorder = Recorder::new(
            run.clone(),
            old.last_seq,
            store.clone(),
            Arc::new(Unseen),
            world.clock.clone(),
            secrets.clone(),
        );
        let say = world.say.clone();
        recover::settle(&recorder, &old, &opened.home, &mut records, &move |line| say(&line)).await.map_err(trouble)?;
        // The otto that would have done it was gone before its tools were.
        secrets.folder(&opened.home.join("runs").join(&run.0));
        (world.say)(&format!("run {run} ({}) had ended without saying so: its units are looked after now", old.verb));
    }
    Ok(())
}

fn trouble(trouble: Trouble) -> Failure {
    Failure::new(Kind::Store, format!("an earlier run cannot be looked after: {trouble}"))
}

/// Who holds a lock, for the one who finds it held.
pub(super) fn holder(world: &World, run: &RunId, verb: &str) -> Holder {
    Holder {
        pid: std::process::id(),
        run: Some(run.clone()),
        verb: verb.to_owned(),
        host: world.host(),
        since: world.clock.now(),
    }
}

/// Events that are no news for the screen: of an old run, or of a verb that tells itself what it did.
pub(super) struct Unseen;

impl crate::model::Sink for Unseen {
    fn record(&self, _: &crate::model::Event) -> std::result::Result<(), crate::model::SinkError> {
        Ok(())
    }
}
