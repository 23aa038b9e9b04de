//! The name of a run, and the locks that it takes: one writer per deployment.

use std::collections::BTreeMap;

use super::conduct::Request;
use super::failure::{Failure, Kind, Result};
use super::recovery;
use super::world::{Opened, World};
use crate::model::{DeploymentId, RunId};
use crate::process::{Lock, LockError};

/// `20261121-062531-a3f9`: sorts by start, and two ottos in one second stay apart.
pub(super) fn new_run(world: &World) -> RunId {
    let now = world.clock.now();
    let (year, month, day, hour, minute, second, _) = now.civil();
    let mut bytes = [0_u8; 2];
    let _ = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    RunId(format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}-{:02x}{:02x}", bytes[0], bytes[1]))
}

/// One writer per deployment: all locks, in one order, before anything is looked at.
pub(super) async fn take(
    world: &World,
    opened: &Opened,
    ids: &[DeploymentId],
    run: &RunId,
    request: &Request,
) -> Result<BTreeMap<DeploymentId, Lock>> {
    let holder = recovery::holder(world, run, &request.name);
    let mut locks = BTreeMap::new();
    let mut ids = ids.to_vec();
    ids.sort();
    for id in ids {
        let path = opened.home.join("locks").join(id.key());
        let lock = match Lock::try_take(&path, &holder) {
            Ok(lock) => lock,
            Err(LockError::Held(other)) if request.wait => {
                (world.say)(&format!("{id} is held by {other}: waiting"));
                Lock::wait(&path, &holder).await.map_err(|e| Failure::new(Kind::Store, e.to_string()))?
            }
            Err(LockError::Held(other)) => {
                let failure = Failure::new(Kind::Locked, format!("{id} is held by {other}"));
                return Err(failure.hint(format!("{} --wait", request.consent.line)));
            }
            Err(other) => return Err(Failure::new(Kind::Store, other.to_string())),
        };
        locks.insert(id, lock);
    }
    Ok(locks)
}

/// Whether somebody works on a deployment now (or builds an image, by the lock's own name). Looks without leaving a trace.
pub(super) fn at_work(opened: &Opened, key: &str) -> bool {
    let path = opened.home.join("locks").join(key);
    path.is_file() && matches!(Lock::try_share(&path), Err(LockError::Held(_)))
}
