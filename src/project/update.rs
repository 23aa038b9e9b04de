//! `otto init --update`: a newer otto's roles, roots and templates, merged with what was changed since.
//!
//! The base of the merge is what init (or the last update) wrote, kept below `.otto/base`. Where that is gone, what both
//! sides have in common stands for it. `otto.yaml` and the sites are the person's own and stay as they are.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};

use super::create::CreateError;
use super::embedded::{self, File};
use super::merge::{common_lines, merge};

/// What is updated.
const PARTS: &[&str] = &["clowd/", "images/", "docs/schema/", "Vagrantfile", "Makefile"];

/// What became of the files, each list sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updated {
    /// Not changed here: now the newer otto's.
    pub written: Vec<String>,
    /// Changed here and there, in different places.
    pub merged: Vec<String>,
    /// Changed here and there in the same place: marked in the file.
    pub conflicts: Vec<String>,
    /// No longer part of the reference project, and never changed here.
    pub removed: Vec<String>,
    /// Changed there, and deleted here; or changed here, and no longer part of the reference project.
    pub left: Vec<String>,
}

/// Whether a file of the reference project is updated.
fn is_meant(path: &str) -> bool {
    PARTS.iter().any(|part| path == *part || (part.ends_with('/') && path.starts_with(part)))
}

/// Keeps what was written, as the base of later updates. Files are (path, bytes).
pub(super) fn keep_base<'a>(
    base: &Utf8Path,
    files: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> Result<(), CreateError> {
    for (path, bytes) in files.filter(|(path, _)| is_meant(path)) {
        put(&base.join(path), bytes)?;
    }
    Ok(())
}

/// Brings the project in `folder` to this otto's reference project; `base` is where the last one is kept.
///
/// # Errors
/// A file that cannot be read or written; what was done before stays, and the same again goes on.
pub fn update(folder: &Utf8Path, base: &Utf8Path) -> Result<Updated, CreateError> {
    let files: Vec<File> = embedded::files().into_iter().filter(|file| is_meant(file.path)).collect();
    if files.is_empty() {
        return Err(CreateError::Nothing);
    }
    let mut done = Updated::default();
    for file in &files {
        one(folder, base, file, &mut done)?;
        put(&base.join(file.path), file.bytes)?;
    }
    let mut old = Vec::new();
    walk(base, base, &mut old);
    for path in old.into_iter().filter(|path| !files.iter().any(|file| file.path == path)) {
        let (was, now) = (read(&base.join(&path))?, read(&folder.join(&path))?);
        if now.is_some() && now == was {
            fs::remove_file(folder.join(&path)).map_err(unwritable(&folder.join(&path)))?;
            done.removed.push(path.clone());
        } else if now.is_some() {
            done.left.push(path.clone());
        }
        fs::remove_file(base.join(&path)).map_err(unwritable(&base.join(&path)))?;
    }
    Ok(done)
}

fn one(folder: &Utf8Path, base: &Utf8Path, file: &File, done: &mut Updated) -> Result<(), CreateError> {
    let path = folder.join(file.path);
    let (was, now) = (read(&base.join(file.path))?, read(&path)?);
    let name = file.path.to_owned();
    match (was, now) {
        (_, Some(now)) if now == file.bytes => {}
        (None, None) => {
            put(&path, file.bytes)?;
            done.written.push(name);
        }
        (Some(was), None) if was == file.bytes => {}
        (Some(_), None) => done.left.push(name),
        (Some(was), Some(now)) if now == was => {
            put(&path, file.bytes)?;
            done.written.push(name);
        }
        (Some(was), Some(_)) if was == file.bytes => {}
        (was, Some(now)) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (ours, theirs) = (text(&now), text(file.bytes));
            let base = was.map_or_else(|| common_lines(&ours, &theirs), |was| text(&was));
            let newer = format!("otto {}", env!("CARGO_PKG_VERSION"));
            let merged = merge(&base, &ours, &theirs, ("yours", &newer));
            put(&path, merged.text.as_bytes())?;
            let list = if merged.conflicts > 0 { &mut done.conflicts } else { &mut done.merged };
            list.push(name);
        }
    }
    Ok(())
}

fn read(path: &Utf8Path) -> Result<Option<Vec<u8>>, CreateError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unwritable(path)(error)),
    }
}

fn unwritable(path: &Utf8Path) -> impl FnOnce(std::io::Error) -> CreateError {
    let path = path.to_owned();
    move |source| CreateError::Unwritable { path, source }
}

/// Writes a file with its folders; a script may be executed, a file that is there keeps its mode.
fn put(path: &Utf8Path, bytes: &[u8]) -> Result<(), CreateError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(unwritable(parent))?;
    }
    let is_new = !path.exists();
    fs::write(path, bytes).map_err(unwritable(path))?;
    if is_new && bytes.starts_with(b"#!") {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(unwritable(path))?;
    }
    Ok(())
}

fn walk(top: &Utf8Path, folder: &Utf8Path, into: &mut Vec<String>) {
    let mut entries: Vec<Utf8PathBuf> =
        folder.read_dir_utf8().into_iter().flatten().flatten().map(|entry| entry.path().to_owned()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(top, &path, into);
        } else if let Ok(below) = path.strip_prefix(top) {
            into.push(below.to_string());
        }
    }
}
