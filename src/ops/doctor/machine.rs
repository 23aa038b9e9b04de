//! This computer: folders that can be written, room, locale, the agent of keys, variables with a slip in their name.

use std::os::unix::net::UnixStream;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::world::{FLOOR, World};
use super::finding::Finding;
use crate::process::disk;

pub(super) async fn look(world: &World, found: &mut Vec<Finding>) {
    folder("cache", "XDG_CACHE_HOME", &world.cache(), found);
    folder("copies", "XDG_STATE_HOME", &world.state_home(), found);
    locale(world, found);
    agent(world, found);
    for slip in world.vars.unknown() {
        let fix = slip.hint.clone().unwrap_or_default();
        found.push(Finding::warn("environment", slip.message, fix));
    }
}

/// A folder that otto makes when it needs it.
fn folder(check: &'static str, variable: &str, path: &Utf8Path, found: &mut Vec<Finding>) {
    match writable(path) {
        Ok(()) => found.push(Finding::ok(check, format!("{path} can be written"))),
        Err(why) => {
            let fix = format!("export {variable}=\"$HOME/.otto-{check}\"  # or make it a folder of yours");
            found.push(Finding::fail(check, format!("{path} cannot be written: {why}"), fix));
            return;
        }
    }
    if let Some(free) = nearest(path).and_then(|there| disk::free(&there).ok())
        && free < FLOOR
    {
        let what = format!("{} MB are free at {path}, {} MB are needed to start anything", free >> 20, FLOOR >> 20);
        found.push(Finding::fail("disk", what, format!("free some space at {path}")));
    }
}

/// Tries it in the nearest folder that is there.
pub(super) fn writable(path: &Utf8Path) -> Result<(), String> {
    let Some(there) = nearest(path) else { return Err("nothing of it is there".to_owned()) };
    if !there.is_dir() {
        return Err(format!("`{there}` is no folder"));
    }
    let probe = there.join(format!(".otto-doctor-{}", std::process::id()));
    std::fs::OpenOptions::new().write(true).create_new(true).open(&probe).map_err(|error| error.to_string())?;
    std::fs::remove_file(&probe).map_err(|error| error.to_string())
}

fn nearest(path: &Utf8Path) -> Option<Utf8PathBuf> {
    path.ancestors().find(|above| above.symlink_metadata().is_ok()).map(Utf8Path::to_owned)
}

/// Tools run in the locale of the person, Ansible's own calls apart: one that is not UTF-8, or not there, spoils names.
fn locale(world: &World, found: &mut Vec<Finding>) {
    let named = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| Some((name, world.vars.get(name)?)));
    let Some((name, value)) = named.filter(|(_, value)| !matches!(*value, "C" | "POSIX")) else {
        found.push(Finding::ok("locale", "none is set: programs use their own default"));
        return;
    };
    let fix = format!("export {name}=C.UTF-8");
    let plain = value.to_ascii_lowercase().replace('-', "");
    if !plain.ends_with("utf8") {
        let what = format!("{name}={value} is not UTF-8: Ansible refuses it, and names in other letters are spoilt");
        found.push(Finding::fail("locale", what, fix));
    } else if !plain.starts_with("c.") && !installed(value) {
        found.push(Finding::warn("locale", format!("{name}={value} is not installed on this machine"), fix));
    } else {
        found.push(Finding::ok("locale", format!("{name}={value}")));
    }
}

/// Compiled into an archive, or a folder of its own. Where there is neither list, it is taken as there.
fn installed(value: &str) -> bool {
    let lists = ["/usr/lib/locale", "/usr/share/i18n/locales", "/usr/share/locale"].map(Utf8Path::new);
    if !lists.iter().any(|folder| folder.is_dir()) || Utf8Path::new("/usr/lib/locale/locale-archive").is_file() {
        return true;
    }
    let plain = |name: &str| name.to_ascii_lowercase().replace('-', "");
    let wanted = plain(value);
    let there = Utf8Path::new("/usr/lib/locale").read_dir_utf8();
    there.into_iter().flatten().flatten().any(|entry| plain(entry.file_name()) == wanted)
}

/// An agent that is named and does not answer makes every SSH login wait or fail.
fn agent(world: &World, found: &mut Vec<Finding>) {
    let Some(socket) = world.vars.get("SSH_AUTH_SOCK") else { return };
    match UnixStream::connect(socket) {
        Ok(_) => found.push(Finding::ok("agent", format!("the SSH agent at {socket} answers"))),
        Err(error) => {
            let what = format!("SSH_AUTH_SOCK names {socket}, and no agent answers there: {error}");
            found.push(Finding::fail("agent", what, "unset SSH_AUTH_SOCK  # or: eval \"$(ssh-agent)\" && ssh-add"));
        }
    }
}
