//! The host list of a deployment's machines, written from the site, and the copy of the Vagrantfile that reads it.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::context::Context;
use super::super::inputs;
use super::super::plan::Target;
use super::super::unit_end::{Trouble, UnitEnd};
use crate::model::{DeploymentId, HostSpec};
use crate::process::disk;
use crate::tools::vagrant::Vagrant;
use crate::tools::vagrant::list::{HostList, Listed, addresses};

/// Eight hexadecimal digits of a deployment in this folder, as no other clone has them.
fn mark(context: &Context, id: &DeploymentId) -> String {
    let hash = inputs::hash(&[("home", context.home.as_str()), ("deployment", &id.key())]);
    hash.get(..8).unwrap_or_default().to_owned()
}

fn prefix(mark: &str) -> String {
    format!("otto_{mark}_")
}

/// A list of machines of which nothing but the record is left. With the prefix of the last one: by these names the Vagrantfile
/// may remove what Vagrant does not know.
pub(super) fn again(context: &Context, id: &DeploymentId, hosts: Vec<Listed>) -> HostList {
    HostList { prefix: prefix(&mark(context, id)), hosts }
}

/// The list of today; who had an address keeps it.
pub(super) fn wanted(context: &Context, target: &Target, hosts: &[HostSpec], last: &HostList) -> HostList {
    let names: Vec<String> = hosts.iter().map(|host| host.name.clone()).collect();
    let before: BTreeMap<String, String> =
        last.hosts.iter().map(|host| (host.name.clone(), host.address.clone())).collect();
    let mark = mark(context, &target.spec.id);
    let seed = u32::from_str_radix(&mark, 16).unwrap_or_default();
    let all = addresses(&names, &before, seed);
    let base = target.provider.bases.get("box").cloned().unwrap_or_default();
    let listed = hosts.iter().map(|host| Listed {
        name: host.name.clone(),
        role: host.role.clone(),
        image: if host.image.is_empty() { base.clone() } else { host.image.clone() },
        size: host.size.clone(),
        address: all.get(&host.name).cloned().unwrap_or_default(),
    });
    HostList { prefix: prefix(&mark), hosts: listed.collect() }
}

/// The list of the last `up`; none before the first.
pub(super) fn read_list(dir: &Utf8Path) -> Result<HostList, Trouble> {
    let path = Vagrant::list(dir);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(HostList::default()),
        other => other.map_err(Trouble::file(&path))?,
    };
    HostList::read(&text).map_err(|why| UnitEnd::failed(format!("{path}: {why}"), false).into())
}

/// Writes the list that the Vagrantfile reads.
pub(super) fn write_list(dir: &Utf8Path, list: &HostList) -> Result<(), Trouble> {
    let path = Vagrant::list(dir);
    disk::write_atomic(&path, list.text().as_bytes(), 0o600).map_err(Trouble::file(&path))
}

/// The provider's own Vagrantfile, else the project's; a copy, so that `destroy` works after a branch switch.
pub(super) fn copy_vagrantfile(context: &Context, provider: &str, dir: &Utf8Path) -> Result<(), Trouble> {
    let project = context.config.parent().and_then(Utf8Path::parent).map(Utf8Path::to_owned);
    let places: Vec<Utf8PathBuf> = [Some(Utf8PathBuf::from(provider)), project].into_iter().flatten().collect();
    let found = places.iter().map(|place| place.join("Vagrantfile")).find(|path| path.is_file());
    let to = Vagrant::vagrantfile(dir);
    fs::create_dir_all(dir).map_err(Trouble::file(dir))?;
    let Some(from) = found else {
        if to.is_file() {
            return Ok(());
        }
        let what = "there is no `Vagrantfile` in the project, and none beside `provider.yaml`";
        return Err(UnitEnd::failed(what, false).hint("otto init --update").into());
    };
    let text = fs::read(&from).map_err(Trouble::file(&from))?;
    disk::write_atomic(&to, &text, 0o600).map_err(Trouble::file(&to))
}
