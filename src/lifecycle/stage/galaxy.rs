//! What a playbook needs of roles and collections, installed once into a folder of otto's, before the first playbook.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::call::{Call, call};
use super::super::context::Context;
use super::super::inputs;
use super::super::unit_end::{Trouble, UnitEnd, outcome_of};
use crate::model::UnitId;
use crate::process::Lock;
use crate::tools::ansible::galaxy::{Galaxy, requirements};
use crate::tools::{Reader, Said};

/// The file beside the playbook.
const FILE: &str = "requirements.yml";

/// The folder with `roles/` and `collections/` of the project's `requirements.yml`; nothing where there is none.
///
/// # Errors
/// A file that is wrong, or what it names cannot be had.
pub(super) async fn ready(
    context: &Context,
    unit: &UnitId,
    ansible: &Utf8Path,
    config: Option<&Utf8PathBuf>,
) -> Result<Option<Utf8PathBuf>, Trouble> {
    let file = context.config.join(FILE);
    if !file.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&file).map_err(Trouble::file(&file))?;
    let wanted = requirements(&text).map_err(|why| failed(&why, "see `ansible-galaxy install --help`"))?;
    let mut seen = String::new();
    for place in &wanted.places {
        contents(&context.config.join(place), &mut seen).map_err(Trouble::file(&file))?;
    }
    let key = inputs::hash(&[("file", &text), ("places", &seen)]);
    let folder = context.home.join("ansible").join(&key[..16]);
    let done = folder.join("otto.done");
    let _in_this_run = context.initialising.lock().await;
    let path = context.home.join("locks").join(format!("galaxy_{}", &key[..16]));
    let _nor_elsewhere = Lock::wait(&path, &context.holder).await.map_err(|e| UnitEnd::failed(e.to_string(), false))?;
    if done.is_file() {
        return Ok(Some(folder));
    }
    let program = Galaxy::beside(ansible).ok_or_else(|| {
        failed(&format!("no `ansible-galaxy` is beside {ansible}"), "install the whole of ansible-core")
    })?;
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(Trouble::file(&folder))?;
    }
    fs::create_dir_all(&folder).map_err(Trouble::file(&folder))?;
    let galaxy = Galaxy { program, file, cwd: context.config.clone(), folder: folder.clone(), config: config.cloned() };
    for (kind, _) in [("role", wanted.roles), ("collection", wanted.collections)].into_iter().filter(|(_, any)| *any) {
        let (step, invocation) = (format!("galaxy-{kind}"), galaxy.install(kind));
        let install = Call { tool: "ansible-galaxy", step: &step, main: false, stream: None, invocation, lock: None };
        let called = call(context, unit, install, &mut Silent).await?;
        if !called.is_clean() {
            let said = fs::read_to_string(called.folder.join("stderr")).unwrap_or_default();
            let last = said.lines().map(str::trim).find(|l| l.contains("ERROR") || l.contains("rror:"));
            let last = last.or_else(|| said.lines().rev().find(|l| !l.trim().is_empty())).unwrap_or("it said nothing");
            let end = failed(last, "correct the entry, or make what it names reachable; a local path needs no network");
            return Err(UnitEnd { outcome: outcome_of(&called), ..end }.into());
        }
    }
    fs::write(&done, b"").map_err(Trouble::file(&done))?;
    Ok(Some(folder))
}

fn failed(why: &str, hint: &str) -> UnitEnd {
    UnitEnd::failed(format!("clowd/config/{FILE} cannot be installed: {why}"), false).hint(hint)
}

/// All that lies at a place of this machine; nothing where there is none.
fn contents(place: &Utf8Path, into: &mut String) -> std::io::Result<()> {
    if place.is_dir() {
        let mut all: Vec<Utf8PathBuf> =
            place.read_dir_utf8()?.map(|e| e.map(camino::Utf8DirEntry::into_path)).collect::<Result<_, _>>()?;
        all.sort();
        return all.iter().filter(|path| path.file_name() != Some(".git")).try_for_each(|path| contents(path, into));
    }
    if place.is_file() {
        let bytes = fs::read(place)?;
        let text = String::from_utf8_lossy(&bytes);
        into.push_str(&inputs::hash(&[("path", place.as_str()), ("bytes", &text)]));
    }
    Ok(())
}

/// Its output is for the log.
struct Silent;

impl Reader for Silent {
    fn line(&mut self, _: &str) -> Vec<Said> {
        Vec::new()
    }
}
