//! Programs that images are made of (nginx, haproxy): what the machine has counts, the rest is unpacked into the cache.
//!
//! Unpacked as root too: installing such a package would start a public service.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use futures_util::future::join_all;

use super::super::find::{Origin, Search};
use super::apt::Apt;
use super::event::{InstallError, InstallEvent, Reporter, State, Steps};
use super::lock::CacheLock;
use super::unpack::merge;

const STEP: &str = "Debian packages";

/// A Debian package and the program that it is wanted for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// The package's name.
    pub name: String,
    /// The program's file name.
    pub program: String,
}

impl Package {
    /// A package whose program has the same name.
    pub fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { program: name.clone(), name }
    }

    /// Reads a list: one package a line, `name` or `name program`; `#` begins a comment.
    pub fn read_list(text: &str) -> Vec<Self> {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
        lines
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                let name = words.next()?;
                Some(Self { name: name.to_owned(), program: words.next().unwrap_or(name).to_owned() })
            })
            .collect()
    }
}

/// A program that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The package it was wanted from.
    pub package: String,
    /// Absolute.
    pub path: PathBuf,
    /// Where it was found.
    pub origin: Origin,
    /// Size and time of the file: another text means another program. Goes into an image's hash.
    pub identity: String,
}

/// All programs of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provided {
    /// In the order of the list.
    pub programs: Vec<Program>,
    /// The tree of unpacked packages, when at least one program comes from it.
    pub root: Option<PathBuf>,
    /// Folders of that tree for LD_LIBRARY_PATH.
    pub libraries: Vec<PathBuf>,
}

/// The packages of a list whose programs are nowhere.
pub fn missing<'a>(list: &'a [Package], search: &Search) -> Vec<&'a Package> {
    let mut missing: Vec<&Package> = list.iter().filter(|package| search.program(&package.program).is_none()).collect();
    missing.sort();
    missing.dedup();
    missing
}

/// Makes all programs of a list available, fetching what is missing.
///
/// # Errors
/// No apt on this machine, no network, or a package without the program.
pub async fn packages(
    list: &[Package],
    search: &Search,
    report: &mut (dyn FnMut(InstallEvent) + Send),
) -> Result<Provided, InstallError> {
    provide(list, search, &Queue::default(), &Reporter::new(report)).await
}

pub(super) async fn provide(
    list: &[Package],
    search: &Search,
    queue: &Queue,
    reporter: &Reporter<'_>,
) -> Result<Provided, InstallError> {
    let absent = missing(list, search);
    if !absent.is_empty() {
        let names: Vec<&str> = absent.iter().map(|package| package.name.as_str()).collect();
        let steps = reporter.on(names.join(", "));
        unpack(&absent, search, queue, &steps).await?;
    }
    provided(list, search).map_err(|package| {
        let why = format!("the package {} has no program {}", package.name, package.program);
        reporter.on(package.name.clone()).fail(STEP, why, None)
    })
}

/// Packages wanted by several installations of one otto: who gets to the lock first fetches them for all.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<BTreeSet<String>>);

impl Queue {
    fn add(&self, names: &[String]) {
        if let Ok(mut queue) = self.0.lock() {
            queue.extend(names.iter().cloned());
        }
    }

    fn take(&self) -> Vec<String> {
        self.0.lock().map(|mut queue| std::mem::take(&mut *queue).into_iter().collect()).unwrap_or_default()
    }
}

/// Unpacks packages into the cache, one otto at a time.
pub(super) async fn unpack(
    absent: &[&Package],
    search: &Search,
    queue: &Queue,
    steps: &Steps<'_>,
) -> Result<(), InstallError> {
    let names: Vec<String> = absent.iter().map(|package| package.name.clone()).collect();
    let by_hand = || administrator(search, &names.iter().map(String::as_str).collect::<Vec<_>>());
    if search.program("apt-get").is_none() || search.program("dpkg-deb").is_none() {
        return Err(steps.fail(STEP, "apt-get and dpkg-deb are not on this machine", by_hand()));
    }
    queue.add(&names);
    let lock = CacheLock::take(&search.cache, "packages", steps).await;
    let lock = lock.map_err(|why| steps.fail(STEP, why, by_hand()))?;
    // Another installation may have done it meanwhile.
    if absent.iter().all(|package| search.unpacked(&package.program).is_some()) {
        return Ok(());
    }
    steps.tell(STEP, State::Begun);
    match fetch(&names, search, queue, &lock).await {
        Ok(()) => {
            steps.tell(STEP, State::Done);
            Ok(())
        }
        Err(why) => Err(steps.fail(STEP, why, by_hand())),
    }
}

/// Downloads, unpacks beside, then moves into place under the mark that says it is not finished.
async fn fetch(names: &[String], search: &Search, queue: &Queue, lock: &CacheLock) -> Result<(), String> {
    let folder = search.cache.join("packages");
    let apt = Apt::new(&folder, lock)?;
    let lists = apt.refresh().await;
    let mut together = queue.take();
    together.extend(names.iter().filter(|name| !together.contains(name)).cloned().collect::<Vec<_>>());
    let mut archives = apt.download(&together).await;
    if archives.is_err() && together.len() > names.len() {
        // What another installation wants must not stand in the way of this one.
        archives = apt.download(names).await;
    }
    let archives = archives.map_err(|why| match lists {
        Err(lists) => format!("{why}; package lists: {lists}"),
        Ok(()) => why,
    })?;
    let part = folder.join("root.part");
    let shown = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    match fs::remove_dir_all(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(shown(&part, error)),
        _ => {}
    }
    fs::create_dir_all(&part).map_err(|e| shown(&part, e))?;
    for unpacked in join_all(archives.iter().map(|archive| apt.unpack(archive, &part))).await {
        unpacked?;
    }
    let (root, mark) = (search.packages_root(), search.packages_unfinished());
    fs::write(&mark, "").map_err(|e| shown(&mark, e))?;
    merge(&part, &root).map_err(|e| shown(&root, e))?;
    fs::remove_file(&mark).map_err(|e| shown(&mark, e))?;
    apt.discard_archives();
    Ok(())
}

fn provided<'a>(list: &'a [Package], search: &Search) -> Result<Provided, &'a Package> {
    let mut programs = Vec::new();
    for package in list {
        let (path, origin) = search.program(&package.program).ok_or(package)?;
        let identity = identity(&path);
        programs.push(Program { package: package.name.clone(), path, origin, identity });
    }
    let from_cache = programs.iter().any(|program| program.origin == Origin::Cache);
    let root = from_cache.then(|| search.packages_root());
    let libraries = root.as_deref().map(library_folders).unwrap_or_default();
    Ok(Provided { programs, root, libraries })
}

fn identity(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    fs::metadata(path).map_or_else(|_| name.to_string(), |meta| format!("{name} {} {}", meta.size(), meta.mtime()))
}

/// `usr/lib`, `lib` and their folders per machine type, where they are there.
fn library_folders(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for base in [root.join("usr/lib"), root.join("lib")] {
        let machines = fs::read_dir(&base).into_iter().flatten().flatten().map(|entry| entry.path());
        let named = |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().contains("-linux-"));
        found.extend(machines.filter(|path| path.is_dir()).filter(named));
        if base.is_dir() {
            found.push(base);
        }
    }
    found
}

/// The command with which someone who may can install packages the usual way.
pub(super) fn administrator(search: &Search, names: &[&str]) -> Option<String> {
    let names = names.join(" ");
    let commands = [
        ("apt-get", "sudo apt-get install --no-install-recommends"),
        ("dnf", "sudo dnf install"),
        ("zypper", "sudo zypper install"),
        ("pacman", "sudo pacman -S"),
        ("apk", "sudo apk add"),
        ("brew", "brew install"),
    ];
    let known = commands.iter().find(|(program, _)| search.program(program).is_some());
    known.map(|(_, command)| format!("{command} {names}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let list = Package::read_list("# what the image holds\nnginx\nnginx-light nginx # smaller\n\n  haproxy\n");
        let pairs: Vec<_> = list.iter().map(|p| (p.name.as_str(), p.program.as_str())).collect();
        assert_eq!(pairs, [("nginx", "nginx"), ("nginx-light", "nginx"), ("haproxy", "haproxy")]);
    }

    #[test]
    fn half_moved_packages_do_not_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let search = Search::new(std::ffi::OsStr::new(""), folder.path());
        let program = search.packages_root().join("usr/sbin/frob");
        fs::create_dir_all(program.parent().expect("a parent")).expect("folders");
        fs::copy("/bin/sh", &program).expect("a program");
        assert_eq!(search.program("frob").map(|(_, origin)| origin), Some(Origin::Cache));
        fs::write(search.packages_unfinished(), "").expect("the mark");
        assert_eq!(missing(&[Package::named("frob")], &search).len(), 1);
    }
}
