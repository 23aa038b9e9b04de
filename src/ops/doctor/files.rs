//! The project's files, who may read its secrets, its store and the copies of that.

use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::recovery;
use super::super::world::{Opened, World};
use super::finding::{Finding, State};
use super::machine::writable;
use crate::model::Deployment;
use crate::model::name::counted;
use crate::project::{self, Problem};
use crate::store::{self, Store};

/// Reads the project; where it is broken, everything else is looked at all the same.
pub(super) fn project(world: &World, found: &mut Vec<Finding>) -> Option<Opened> {
    let start = world.project.clone().or_else(|| world.vars.project().map(Utf8Path::to_owned));
    let folder = match start {
        Some(folder) => Some(world.cwd.join(folder)),
        None => project::find(&world.cwd).ok(),
    };
    let Some(folder) = folder else {
        found.push(Finding::warn("project", format!("no otto.yaml in {} or above", world.cwd), "otto init"));
        return None;
    };
    let told = |problem: &Problem, state: State| {
        let place = problem.place().map(|place| format!("{place}: ")).unwrap_or_default();
        let fix = problem.hint.clone().or_else(|| Some("correct that line".to_owned()));
        Finding { check: "project", state, what: format!("{place}{}", problem.message), fix }
    };
    match project::load(&folder) {
        Ok(loaded) => {
            let what =
                format!("{} reads well: {}", loaded.project.folder, counted(loaded.project.sites.len() as u64, "site"));
            found.push(Finding::ok("project", what));
            found.extend(loaded.warnings.iter().map(|problem| told(problem, State::Warn)));
            let home = world.vars.state_folder(&folder);
            Some(Opened {
                project: loaded.project,
                origins: loaded.origins,
                values: loaded.values,
                env: loaded.env,
                home,
            })
        }
        Err(problems) => {
            let state = |problem: &Problem| if problem.warning { State::Warn } else { State::Fail };
            found.extend(problems.iter().map(|problem| told(problem, state(problem))));
            None
        }
    }
}

/// Credentials that are needed, files with keys and passwords that others may read.
pub(super) fn secrets(world: &World, opened: &Opened, found: &mut Vec<Finding>) {
    let project = &opened.project;
    let asked = world.vars.providers();
    let sites = || project.sites.values().flat_map(|site| site.environments.values().chain([&site.base]));
    let given = |name: &String| world.is_given(opened, name);
    for provider in project.provider_specs.values() {
        let needed = project.providers.contains(&provider.name) || asked.iter().any(|p| *p == provider.name.as_str());
        let listed = sites().filter_map(|shape| shape.providers.as_ref()).any(|only| only.contains(&provider.name));
        let names = &provider.credentials;
        if !needed && !listed && !names.is_empty() && !names.iter().any(given) {
            let what = format!("provider `{}` is not used, and {} not set", provider.name, names.join(", "));
            found.push(Finding::ok("credentials", what));
            continue;
        }
        for name in names {
            if given(name) {
                found.push(Finding::ok("credentials", format!("{name} is set, for {}", provider.name)));
                continue;
            }
            let what = format!("provider `{}` needs the environment variable {name}, which is not set", provider.name);
            let fix = format!("export {name}=...");
            let state = if needed { State::Fail } else { State::Warn };
            found.push(Finding { check: "credentials", state, what, fix: Some(fix) });
        }
    }
    let keys = opened.values.0.iter().filter(|(key, _)| key.ends_with(".identity")).map(|(_, path)| path.clone());
    let passwords = world.vars.names().filter(|name| name.ends_with("_PASSWORD_FILE"));
    let passwords = passwords.filter_map(|name| Some(world.vars.secret(name)?.reveal().to_owned()));
    let mut all: Vec<Utf8PathBuf> = keys.map(|path| at_home(world, opened, &path)).collect();
    all.extend(passwords.map(|path| world.cwd.join(path)));
    all.sort();
    all.dedup();
    for path in all {
        match std::fs::metadata(&path) {
            Ok(about) if about.permissions().mode() & 0o077 != 0 => {
                let what = format!("{path} may be read by others (mode {:04o})", about.permissions().mode() & 0o777);
                found.push(Finding::fail("keys", what, format!("chmod 600 {path}")));
            }
            Ok(_) => found.push(Finding::ok("keys", format!("{path} is readable by you alone"))),
            Err(error) => {
                let fix = "correct the path, or make the key: ssh-keygen -t ed25519 -f FILE";
                found.push(Finding::fail("keys", format!("{path} cannot be read: {error}"), fix));
            }
        }
    }
}

fn at_home(world: &World, opened: &Opened, path: &str) -> Utf8PathBuf {
    match (path.strip_prefix("~/"), world.vars.get("HOME")) {
        (Some(rest), Some(home)) => Utf8Path::new(home).join(rest),
        _ => Utf8Path::new(&opened.project.folder).join(path),
    }
}

/// The store, its copies, and what earlier runs left. Returns what exists.
pub(super) fn store(world: &World, opened: &Opened, found: &mut Vec<Finding>) -> Vec<Deployment> {
    let home = &opened.home;
    match writable(home) {
        Ok(()) => {}
        Err(why) => {
            let fix = "make it writable, or let OTTO_DIR name a folder that is";
            found.push(Finding::fail("store", format!("{home} cannot be written: {why}"), fix));
        }
    }
    copies(world, opened, found);
    let store = match Store::open_read_only(home) {
        Ok(store) => store,
        Err(error) => {
            found.push(Finding::fail("store", error.to_string(), "otto state restore"));
            return Vec::new();
        }
    };
    match store.examine() {
        Ok(lines) if lines.is_empty() => found.push(Finding::ok("store", format!("{home}/otto.db is sound"))),
        Ok(lines) => {
            found.push(Finding::fail("store", format!("{home}/otto.db: {}", lines.join("; ")), "otto state restore"))
        }
        Err(error) => found.push(Finding::fail("store", error.to_string(), "otto state restore")),
    }
    let records = store.deployments().unwrap_or_default();
    for (record, dirty) in records.iter().filter_map(|r| Some((r, r.dirty.as_ref()?))) {
        found.push(Finding::warn("deployments", format!("{}: {}", record.id, dirty.reason), dirty.repair.clone()));
    }
    for run in store.unended_runs().unwrap_or_default() {
        if !recovery::otto_lives(opened, &run) {
            let what = format!("run {run} has no end: its otto is gone");
            found.push(Finding::warn("runs", what, format!("otto resume {run}")));
        }
    }
    records.into_iter().filter(|record| record.phase.exists()).collect()
}

fn copies(world: &World, opened: &Opened, found: &mut Vec<Finding>) {
    match store::damaged_copies(&world.state_home(), &opened.project.id) {
        Ok(damaged) => {
            for copy in damaged {
                let what = format!("the copy {} could not be put back: {}", copy.folder, copy.why);
                let fix = format!("rm -r {}  # the next run makes a new one", copy.folder);
                found.push(Finding::fail("copies", what, fix));
            }
        }
        Err(error) => {
            let fix = "make it readable, or let XDG_STATE_HOME name another folder";
            found.push(Finding::fail("copies", error.to_string(), fix));
        }
    }
}
