//! A deployment's own copy of its Terraform root: so that `destroy` works after a branch switch or without the site's folder.
//!
//! `.otto/terraform/<key>/` holds copies of the root's own files and otto's var file, its state and nothing shared.
//! What lies around the root in the project is linked around the copy, so that `../../modules/x` resolves.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{OpenOptionsExt, symlink};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value};

use super::super::context::Context;
use super::super::unit_end::{Trouble, UnitEnd};
use crate::model::{DeploymentId, Provider};
use crate::process::disk;
use crate::tools::terraform::backend::OVERRIDE_FILE;
use crate::tools::terraform::root;

/// The var file's name in the copy.
pub(super) const VAR_FILE: &str = "otto.vars.json";
/// What Terraform is given: the same, cut to what the root declares (an undeclared name is a warning on every call).
const DECLARED_FILE: &str = "otto.declared.json";
/// What stays in the copy though the root does not hold it.
const KEPT: &[&str] = &[
    VAR_FILE,
    DECLARED_FILE,
    OVERRIDE_FILE,
    "terraform.tfstate",
    "terraform.tfstate.backup",
    "errored.tfstate",
    ".terraform.lock.hcl",
];
/// Names in `.otto` that are otto's own, and the folder that the root itself lies in.
const RESERVED: &[&str] = &["provision", "locks", "runs", "terraform", "images", "hosts", "otto.db"];

/// Refreshes the copy from the provider's folder.
///
/// # Errors
/// Files that cannot be read or written.
pub(super) fn refresh(context: &Context, id: &DeploymentId, provider: &Provider) -> Result<Utf8PathBuf, Trouble> {
    let to = context.terraform_folder(id);
    copy_of(Utf8Path::new(&provider.folder), &to)?;
    Ok(to)
}

/// Makes `to` a copy of a root, with what lies around it in the project.
///
/// # Errors
/// Files that cannot be read or written.
pub(in crate::lifecycle) fn copy_of(from: &Utf8Path, to: &Utf8Path) -> Result<(), Trouble> {
    fs::create_dir_all(to).map_err(Trouble::file(to))?;
    let own = root::own_files(from).map_err(Trouble::file(from))?;
    let mut wanted: BTreeSet<Utf8PathBuf> = KEPT.iter().map(Utf8PathBuf::from).collect();
    for file in own {
        let (source, target) = (from.join(&file), to.join(&file));
        copy(&source, &target)?;
        wanted.insert(file);
    }
    drop_stale(to, to, &wanted)?;
    link_surroundings(from, to)
}

/// Copies a file with its mode unless it is the same already.
fn copy(source: &Utf8Path, target: &Utf8Path) -> Result<(), Trouble> {
    let bytes = fs::read(source).map_err(Trouble::file(source))?;
    if fs::read(target).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(Trouble::file(parent))?;
    }
    fs::write(target, bytes).map_err(Trouble::file(target))?;
    let mode = fs::metadata(source).map_err(Trouble::file(source))?.permissions();
    fs::set_permissions(target, mode).map_err(Trouble::file(target))
}

/// Removes files of the root that the root no longer holds: a leftover `.tf` would still be part of it.
fn drop_stale(base: &Utf8Path, folder: &Utf8Path, wanted: &BTreeSet<Utf8PathBuf>) -> Result<(), Trouble> {
    for entry in folder.read_dir_utf8().map_err(Trouble::file(folder))? {
        let path = entry.map_err(Trouble::file(folder))?.into_path();
        let below = path.strip_prefix(base).unwrap_or(&path).to_owned();
        if path.is_dir() && !path.is_symlink() {
            if wanted.iter().any(|w| w.starts_with(&below)) {
                drop_stale(base, &path, wanted)?;
            }
        } else if path.extension().is_some_and(|e| e == "tf" || e == "json" || e == "tfvars")
            && !wanted.contains(&below)
        {
            fs::remove_file(&path).map_err(Trouble::file(&path))?;
        }
    }
    Ok(())
}

/// Links the neighbours of the root (`../x`) and of its parent (`../../x`) around the copy.
fn link_surroundings(from: &Utf8Path, to: &Utf8Path) -> Result<(), Trouble> {
    for (source, target) in [(from.parent(), to.parent()), (grandparent(from), grandparent(to))] {
        let (Some(source), Some(target)) = (source, target) else { continue };
        for entry in source.read_dir_utf8().map_err(Trouble::file(source))? {
            let entry = entry.map_err(Trouble::file(source))?;
            let link = target.join(entry.file_name());
            let skipped = RESERVED.contains(&entry.file_name()) || entry.path().join("provider.yaml").exists();
            if !skipped && link.symlink_metadata().is_err() {
                symlink(entry.path(), &link)
                    .or_else(|e| link.symlink_metadata().map(|_| ()).map_err(|_| e))
                    .map_err(Trouble::file(&link))?;
            }
        }
    }
    Ok(())
}

fn grandparent(path: &Utf8Path) -> Option<&Utf8Path> {
    path.parent().and_then(Utf8Path::parent)
}

/// Keeps of the variables what the root declares.
///
/// # Errors
/// A root that cannot be read.
pub(in crate::lifecycle) fn declared(
    folder: &Utf8Path,
    all: &Map<String, Value>,
) -> Result<Map<String, Value>, Trouble> {
    let names = root::declared_variables(folder).map_err(Trouble::file(folder))?;
    Ok(all.iter().filter(|(name, _)| names.contains(*name)).map(|(n, v)| (n.clone(), v.clone())).collect())
}

/// Writes all variables (for `orphans`) and those that the root declares; returns the latter's path. Both 0600.
pub(in crate::lifecycle) fn write_variables(
    folder: &Utf8Path,
    all: &Map<String, Value>,
    declared: &Map<String, Value>,
) -> Result<Utf8PathBuf, Trouble> {
    write_one(folder.join(VAR_FILE), all)?;
    write_one(folder.join(DECLARED_FILE), declared)
}

fn write_one(path: Utf8PathBuf, variables: &Map<String, Value>) -> Result<Utf8PathBuf, Trouble> {
    let text = Value::Object(variables.clone()).to_string();
    if fs::read_to_string(&path).is_ok_and(|present| present == text) {
        return Ok(path);
    }
    disk::write_atomic(&path, text.as_bytes(), 0o600).map_err(Trouble::file(&path))?;
    Ok(path)
}

/// The var file of the last apply: a destruction needs no more than that.
pub(super) fn existing_variables(folder: &Utf8Path) -> Option<Utf8PathBuf> {
    Some(folder.join(DECLARED_FILE)).filter(|path| path.is_file())
}

/// Whether the copy of a root is there.
pub(super) fn is_there(folder: &Utf8Path) -> bool {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    entries.into_iter().any(|e| e.file_name().ends_with(".tf") || e.file_name().ends_with(".tf.json"))
}

/// Creates a private file, empty.
pub(super) fn private_file(path: &Utf8Path) -> Result<(), Trouble> {
    fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop).map_err(Trouble::file(path))
}

/// Why this deployment cannot be worked on from here: it was made elsewhere, and its state names that place.
pub(super) fn moved(context: &Context, home: &str) -> Option<UnitEnd> {
    (home != context.home.as_str()).then(|| {
        UnitEnd::failed(
            format!("it was made in `{home}`, and its state names paths there; this is `{}`", context.home),
            false,
        )
        .hint(format!("move the project back so that `{home}` is its folder, then destroy it there first"))
    })
}
