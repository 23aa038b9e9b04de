//! Reaching hosts by SSH: the deployment's files, the ways of its checks, and waiting until it answers, with the reason.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::Semaphore;

use super::context::Context;
use super::unit_end::{Trouble, UnitEnd};
use crate::model::ssh::Access;
use crate::model::{DeploymentSpec, EventKind, Host, UnitId, Ways};
use crate::tools::ssh::{self, Refusal};

/// Between two logins that a host is asked for.
const PAUSE: Duration = Duration::from_secs(1);
/// Logins at the same time: sshd turns away many at once, and hosts may share a jump.
const AT_ONCE: usize = 6;

impl Context {
    /// How a deployment's hosts are reached.
    pub fn access(&self, spec: &DeploymentSpec) -> Access {
        ssh::access(&self.home, &spec.carrier().unwrap_or_else(|| spec.id.clone()), &self.ssh)
    }

    /// The same, with its files written where a host needs them.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn access_ready(&self, spec: &DeploymentSpec, hosts: &[Host]) -> Result<Access, Trouble> {
        let access = self.access(spec);
        if hosts.iter().any(Host::by_ssh) {
            ssh::write(&access, hosts).map_err(Trouble::file(&access.config))?;
        }
        Ok(access)
    }

    /// How checks reach hosts behind other ones.
    ///
    /// # Errors
    /// The deployment's files cannot be written.
    pub fn ways(&self, spec: &DeploymentSpec, hosts: &[Host]) -> Result<Ways, Trouble> {
        Ok(self.access_ready(spec, hosts)?.ways(hosts, &ssh::program(&self.exe)))
    }
}

/// Waits until every host lets otto in, saying what it waits for.
///
/// # Errors
/// A host that does not in time, or says something that waiting does not mend.
pub(super) async fn wait(
    context: &Context,
    unit: &UnitId,
    spec: &DeploymentSpec,
    hosts: &[Host],
    all: &[Host],
) -> Result<(), Trouble> {
    let access = &context.access_ready(spec, all)?;
    let asked: Vec<&Host> = hosts.iter().filter(|host| host.by_ssh()).collect();
    let until = Instant::now() + Duration::from_secs(context.ssh.wait_s);
    let (permits, ready) = (&Semaphore::new(AT_ONCE), &AtomicU32::new(0));
    let total = u32::try_from(asked.len()).unwrap_or(u32::MAX);
    let each = asked.iter().map(|host| async move {
        let (mut told, mut stop) = (String::new(), context.stop.clone());
        let stopped = || Trouble::Stopped { step: "ssh".to_owned() };
        loop {
            let asking = async {
                let _permit = permits.acquire().await.expect("the semaphore is never closed");
                ssh::login(&context.exe, access, host, all).await
            };
            let answer = tokio::select! {
                answer = asking => answer,
                Ok(_) = stop.wait_for(|stop| stop.requested()) => return Err(stopped()),
            };
            let Err(refusal) = answer else {
                ready.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            };
            if refusal.lasting || Instant::now() + PAUSE > until {
                return Err(refused(context, host, &refusal).into());
            }
            if told != refusal.what {
                let text = format!("waiting for SSH on {} ({}): {}", host.name, host.address, refusal.what);
                context.note(unit, text, false)?;
                told.clone_from(&refusal.what);
            }
            let done = ready.load(Ordering::Relaxed);
            let what = format!("waiting for SSH on {}", host.name);
            context.record(unit, EventKind::Progress { done, total, what })?;
            tokio::time::sleep(PAUSE).await;
        }
    });
    join_all(each).await.into_iter().collect()
}

/// Forgets the keys of hosts that an apply made anew, so that their new ones are accepted. What it made and what names no
/// host may be any of them.
///
/// # Errors
/// The file of host keys cannot be written.
pub(super) fn forget(
    context: &Context,
    spec: &DeploymentSpec,
    before: &[Host],
    now: &[Host],
    made: &[String],
) -> Result<(), Trouble> {
    let of = |address: &str, host: &Host| address.contains(&format!("[\"{}\"]", host.name));
    let unclear = made.iter().any(|address| !now.iter().any(|host| of(address, host)));
    let anew = |host: &&Host| {
        let same = before.iter().any(|old| old.name == host.name && old.address == host.address);
        !same || unclear || made.iter().any(|address| of(address, host))
    };
    let anew: Vec<&Host> = now.iter().filter(|host| host.by_ssh()).filter(anew).collect();
    let access = context.access(spec);
    ssh::forget(&access, &anew).map_err(Trouble::file(&access.known_hosts))
}

fn refused(context: &Context, host: &Host, refusal: &Refusal) -> UnitEnd {
    let waited = if refusal.lasting { String::new() } else { format!(" within {} s", context.ssh.wait_s) };
    let what = format!("{} ({}) does not let otto in by SSH{waited}: {}", host.name, host.address, refusal.what);
    refusal.hints.iter().fold(UnitEnd::failed(what, false), |end, hint| end.hint(hint.clone()))
}
