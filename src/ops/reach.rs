//! Reaching hosts: the ways of checks, and keys, looked at before anything starts.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::conduct::Request;
use super::failure::{Failure, Kind, Result};
use super::world::{World, unusable};
use crate::lifecycle::{Verb, https};
use crate::model::ssh::{Access, Logins};
use crate::model::{
    CheckResult, Deployment, DeploymentId, DeploymentSpec, HostState, Project, ProviderKind, RunId, Ssh, Stage,
    Timestamp, Ways,
};
use crate::process::capture;
use crate::services::health::{Checker, Level, Scope};
use crate::store::Store;
use crate::tools::ssh;

/// Every address there is.
const ANYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// How a deployment's hosts are reached; its files are written if that is possible.
pub(super) fn access(project: &Project, home: &Utf8Path, record: &Deployment) -> Access {
    let access = ssh::access(home, &record.spec.carrier().unwrap_or_else(|| record.id.clone()), &project.ssh);
    if record.hosts.iter().any(|host| !host.is_local()) {
        // On a read-only disk what is there has to do.
        let _ = ssh::write(&access, &record.hosts);
    }
    access
}

/// How checks reach hosts behind other ones.
fn ways(project: &Project, home: &Utf8Path, exe: &Utf8Path, record: &Deployment) -> Ways {
    access(project, home, record).ways(&record.hosts, &ssh::program(exe))
}

/// States of hosts by name, and what the checks found.
pub(super) type Looked = (Vec<(String, HostState)>, Vec<CheckResult>);

/// Probes the hosts of a deployment and asks where visitors come in, as `spec` says that it should be; its own checks
/// are for `test`. Of the project: its values, `.otto`, and otto itself.
pub(super) async fn look(
    checker: &Checker,
    (project, home, exe): (&Project, &Utf8Path, &Utf8Path),
    record: &Deployment,
    spec: &DeploymentSpec,
    now: Timestamp,
) -> Looked {
    let tls = https::expected(home, record, spec, now);
    let ways = ways(project, home, exe, record);
    let scope = Scope {
        hosts: &record.hosts,
        endpoint: record.endpoint.as_deref(),
        domains: &spec.domains,
        checks: &[],
        tls: tls.as_ref(),
        ways: &ways,
    };
    checker.look(&scope, Level::Quick).await
}

/// A short folder for sockets, this run's alone: their paths have 108 bytes, and another run's connection may lead to a
/// machine that is not there any more.
pub(super) fn sockets(world: &World, home: &Utf8Path, run: &RunId) -> Utf8PathBuf {
    let user = rustix::process::getuid().as_raw();
    let runtime = world.vars.get("XDG_RUNTIME_DIR").map_or_else(|| Utf8PathBuf::from("/tmp"), Utf8PathBuf::from);
    let folder = runtime.join(format!("otto-{user}"));
    let _ = std::fs::DirBuilder::new().mode(0o700).create(&folder);
    // In a folder that all may write to somebody else may have been first.
    let own = std::fs::symlink_metadata(&folder)
        .is_ok_and(|about| about.is_dir() && about.uid() == user && about.mode() & 0o077 == 0);
    let folder = if own { folder } else { home.join("ssh") };
    folder.join(run.0.rsplit('-').next().unwrap_or("run"))
}

/// Ends the shared connections of a run; those of one that was killed end by themselves, a minute after their last use.
pub(super) async fn hang_up(sockets: &Utf8Path) {
    for socket in sockets.read_dir_utf8().into_iter().flatten().flatten() {
        let path = format!("ControlPath={}", socket.path());
        let args = ["-F", "none", "-o", &path, "-O", "exit", "otto"];
        let _ = capture("ssh".into(), &args, &BTreeMap::new(), Duration::from_secs(2)).await;
    }
    let _ = std::fs::remove_dir_all(sockets);
}

/// Private keys that are named exist, and nobody else can read them: ssh would refuse one host after the other.
///
/// # Errors
/// All that is wrong with them, with what mends it.
pub(super) fn keys(project: &Project, store: &Store, ids: &[DeploymentId], request: &Request) -> Result<()> {
    if request.verb == Verb::Only(Stage::Images) {
        return Ok(());
    }
    let records = store.deployments().map_err(unusable)?;
    let mut named: BTreeSet<String> = BTreeSet::new();
    for id in ids {
        let record = records.iter().find(|r| r.id == *id && r.phase.exists());
        let remote = project.provider_specs.get(&id.provider).is_some_and(|p| p.kind == ProviderKind::Static)
            || record.is_some_and(|r| r.hosts.iter().any(|h| !h.is_local()));
        if remote {
            named.extend(project.ssh.identity.clone());
            // Vagrant makes the keys of its machines, and makes them again.
            let own = project.provider_specs.get(&id.provider).is_some_and(|p| p.kind == ProviderKind::Vagrant);
            named.extend(record.iter().filter(|_| !own).flat_map(|r| &r.hosts).filter_map(|h| h.identity.clone()));
            let wanted = project.wanted(id).map(|spec| spec.machines).unwrap_or_default();
            named.extend(wanted.into_iter().filter_map(|machine| machine.identity));
        }
    }
    let mut failure = Failure::new(Kind::Credentials, "a private key cannot be used");
    for key in named {
        match std::fs::metadata(&key) {
            Err(error) => {
                failure = failure.because(format!("`{key}`: {error}"));
                failure =
                    failure.hint("correct `identity` in otto.yaml or site.yaml, or leave it out to use the agent");
            }
            Ok(about) if !about.is_file() => failure = failure.because(format!("`{key}` is no file")),
            Ok(about) if about.mode() & 0o077 != 0 && about.uid() == rustix::process::getuid().as_raw() => {
                let mode = about.mode() & 0o777;
                failure =
                    failure.because(format!("`{key}` can be read by others (mode {mode:04o}): ssh does not use it"));
                failure = failure.hint(format!("chmod 600 {key}"));
            }
            Ok(_) => {}
        }
    }
    failure.hints.dedup();
    if failure.causes.is_empty() { Ok(()) } else { Err(failure) }
}

/// Who may log in to hosts that are made, and from where: from anywhere, while otto.yaml says nothing of it.
///
/// # Errors
/// A file that is named and cannot be read.
pub(super) fn logins(project: &Project) -> Result<Logins> {
    let anywhere = || ANYWHERE.map(str::to_owned).to_vec();
    let admin_cidrs = project.admin_cidrs.clone().unwrap_or_else(anywhere);
    Ok(Logins { public_keys: public_keys(&project.ssh)?, admin_cidrs })
}

/// The keys themselves: of `public_keys`, else of the file beside the private one.
fn public_keys(settings: &Ssh) -> Result<Vec<String>> {
    let mut all = Vec::new();
    let line =
        |text: &str| text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned);
    for key in &settings.public_keys {
        if key.contains(' ') {
            all.push(key.clone());
            continue;
        }
        let text = std::fs::read_to_string(key).map_err(|error| {
            let what = format!("the public key `{key}` of `ssh.public_keys` in otto.yaml cannot be read: {error}");
            Failure::new(Kind::Project, what).hint("correct the path, or write the key itself")
        })?;
        all.extend(line(&text));
    }
    if settings.public_keys.is_empty()
        && let Some(identity) = &settings.identity
        && let Ok(text) = std::fs::read_to_string(format!("{identity}.pub"))
    {
        all.extend(line(&text));
    }
    Ok(all)
}
