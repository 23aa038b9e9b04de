//! Where secrets come from at the start of a run: `env_files`, credentials, files named by `*_PASSWORD_FILE`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::failure::{Failure, Kind, Result};
use super::world::{Opened, World};
use crate::lifecycle::Secrets;
use crate::model::Secret;

/// Ends of names whose values are secrets by what they are called.
const SECRET_ENDS: &[&str] = &["_TOKEN", "_SECRET", "_PASSWORD", "_PASSWD", "_API_KEY", "_ACCESS_KEY", "_PRIVATE_KEY"];
/// Names that end so hold the path of a file, which is no secret itself.
const FILE_END: &str = "_PASSWORD_FILE";

/// Everything that is known of secrets before a run begins.
///
/// # Errors
/// A password file that cannot be read: the tools could only fail later.
pub(super) fn gather(world: &World, opened: &Opened) -> Result<Arc<Secrets>> {
    let mut env: BTreeMap<String, Secret> = BTreeMap::new();
    for var in opened.env.iter().filter(|var| !world.vars.is_set(&var.name)) {
        env.insert(var.name.clone(), var.value.clone());
    }
    let project = Utf8Path::new(&opened.project.folder);
    let mut values: Vec<Secret> = Vec::new();
    let exported = world.vars.names().filter(|name| name.ends_with(FILE_END));
    let exported =
        exported.filter_map(|name| Some((name.to_owned(), world.cwd.join(world.vars.secret(name)?.reveal()))));
    let filed = opened.env.iter().filter(|var| var.name.ends_with(FILE_END) && env.contains_key(&var.name));
    let filed = filed.map(|var| (var.name.clone(), project.join(var.value.reveal())));
    let files: Vec<(String, Utf8PathBuf)> = exported.chain(filed).collect();
    for (name, path) in files {
        values.extend(password(&name, &path)?);
        // Tools work in other folders: the path is made whole.
        env.insert(name, Secret::new(path.into_string()));
    }
    values.extend(opened.env.iter().filter(|var| !var.name.ends_with(FILE_END)).map(|var| var.value.clone()));
    let credentials = opened.project.provider_specs.values().flat_map(|provider| provider.credentials.iter());
    values.extend(credentials.filter_map(|name| world.vars.secret(name).cloned()));
    let called_so = |name: &&str| SECRET_ENDS.iter().any(|end| name.ends_with(end));
    values.extend(world.vars.names().filter(called_so).filter_map(|name| world.vars.secret(name).cloned()));
    let secrets = Secrets::new(env, innocent(opened));
    secrets.learn(values.iter().map(Secret::reveal));
    Ok(Arc::new(secrets))
}

/// What a password file holds. A program prints it when it is asked, and is not asked here.
fn password(name: &str, path: &Utf8Path) -> Result<Option<Secret>> {
    let unreadable = |error: std::io::Error| {
        Failure::new(Kind::Credentials, format!("{name} names `{path}`, which cannot be read: {error}"))
            .hint(format!("write the password into that file, or unset {name}"))
    };
    let about = std::fs::metadata(path).map_err(unreadable)?;
    let program = std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o111 != 0;
    if program {
        return Ok(None);
    }
    let text = std::fs::read(path).map_err(unreadable)?;
    Ok(Some(Secret::new(String::from_utf8_lossy(&text).trim())))
}

/// The project's own names.
fn innocent(opened: &Opened) -> BTreeSet<String> {
    let project = &opened.project;
    let mut all: BTreeSet<String> = [project.name.to_string(), project.environment.to_string()].into();
    all.extend(project.environments.keys().chain(project.sites.keys()).map(ToString::to_string));
    all.extend(project.provider_specs.keys().chain(project.appliances.keys()).map(ToString::to_string));
    all.extend(project.sites.values().flat_map(|site| site.base.domains.iter().cloned()));
    all.extend(project.sites.values().flat_map(|site| site.base.roles.keys().map(ToString::to_string)));
    all
}
