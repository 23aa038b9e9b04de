//! Debian packages downloaded with apt's own configuration and sources, and installed nowhere.
//!
//! apt resolves against the machine's package state, so exactly what is missing comes, dependencies included. Its own
//! lists and archives lie in otto's cache: no root, no system lock, nothing of the machine is changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use super::super::find::{Call, Captured, capture};
use super::lock::CacheLock;

/// How long fetched package lists count as current.
const LISTS_FRESH: Duration = Duration::from_secs(3600);
const UPDATE_LIMIT: Duration = Duration::from_secs(120);
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(600);
const UNPACK_LIMIT: Duration = Duration::from_secs(120);

/// apt in otto's cache.
pub(super) struct Apt<'a> {
    /// `<cache>/packages`.
    folder: &'a Path,
    lock: &'a CacheLock,
    /// The package lists were asked for by this one: asking again would bring nothing new.
    asked: AtomicBool,
}

impl<'a> Apt<'a> {
    /// Writes apt's configuration. The lock is handed to every program started.
    pub(super) fn new(folder: &'a Path, lock: &'a CacheLock) -> Result<Self, String> {
        let shown = folder.display().to_string();
        if shown.contains(['"', '\n']) {
            return Err(format!("{shown}: apt's configuration cannot hold this path"));
        }
        let apt = Self { folder, lock, asked: AtomicBool::new(false) };
        for part in ["apt/state/lists/partial", "apt/cache/archives/partial"] {
            let path = folder.join(part);
            fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        // Given with -c: what APT_CONFIG names is read before the system's files and cannot clear their hooks (container
        // images delete the archives after each step).
        let text = format!(
            "#clear APT::Update::Pre-Invoke;\n#clear APT::Update::Post-Invoke;\n\
             #clear APT::Update::Post-Invoke-Success;\n#clear DPkg::Post-Invoke;\n\
             Dir::State \"{shown}/apt/state\";\nDir::State::status \"/var/lib/dpkg/status\";\n\
             Dir::Cache \"{shown}/apt/cache\";\nAcquire::Languages \"none\";\n\
             Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\nAcquire::Retries \"1\";\n\
             Acquire::http::Timeout \"15\";\nAcquire::https::Timeout \"15\";\nAPT::Sandbox::User \"\";\n"
        );
        let path = apt.configuration();
        fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(apt)
    }

    /// Fetches the package lists unless they are recent. What failed is told, and not yet the end: the packages may
    /// come from the sources that did answer.
    pub(super) async fn refresh(&self) -> Result<(), String> {
        if self.lists_are_fresh() { Ok(()) } else { self.update().await }
    }

    /// Downloads packages with what they need; the archives, in no order.
    pub(super) async fn download(&self, names: &[String]) -> Result<Vec<PathBuf>, String> {
        let mut done = self.install_download_only(names).await;
        // Recent lists may still name what the servers no longer have.
        let asked = self.asked.load(Ordering::Relaxed);
        if !asked && !done.end.is_zero() && done.over.is_none() && self.update().await.is_ok() {
            done = self.install_download_only(names).await;
        }
        if !done.end.is_zero() {
            return Err(format!("apt-get: {}", done.describe()));
        }
        let archives = self.archives();
        if archives.is_empty() {
            let names = names.join(", ");
            return Err(format!("apt-get has nothing to fetch: {names} counts as installed, and its program is gone"));
        }
        Ok(archives)
    }

    async fn update(&self) -> Result<(), String> {
        self.asked.store(true, Ordering::Relaxed);
        let call = self.call(["-o", "APT::Update::Error-Mode=any", "update"]).limit(UPDATE_LIMIT);
        let done = capture(call).await;
        if done.end.is_zero() {
            let _ = fs::write(self.stamp(), "");
            return Ok(());
        }
        Err(done.describe())
    }

    async fn install_download_only(&self, names: &[String]) -> Captured {
        self.discard_archives();
        let options = ["-y", "-d", "--no-install-recommends", "-o", "Debug::NoLocking=true", "install"];
        capture(self.call(options.into_iter().chain(names.iter().map(String::as_str))).limit(DOWNLOAD_LIMIT)).await
    }

    /// Takes an archive's files out, owned by whoever runs this.
    pub(super) async fn unpack(&self, archive: &Path, into: &Path) -> Result<(), String> {
        let call = Call::new("dpkg-deb", [Path::new("-x"), archive, into]);
        let done = capture(call.limit(UNPACK_LIMIT).hold(self.lock.file())).await;
        if done.end.is_zero() { Ok(()) } else { Err(format!("dpkg-deb -x {}: {}", archive.display(), done.describe())) }
    }

    /// Removes downloaded archives.
    pub(super) fn discard_archives(&self) {
        for archive in self.archives() {
            let _ = fs::remove_file(archive);
        }
    }

    fn call<A: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Call {
        let head = ["-c".into(), self.configuration().into_os_string()];
        let args = head.into_iter().chain(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        Call::new("apt-get", args)
            .hold(self.lock.file())
            .env("LC_ALL", "C")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .without("APT_CONFIG")
    }

    fn archives(&self) -> Vec<PathBuf> {
        let folder = self.folder.join("apt/cache/archives");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "deb")).collect()
    }

    fn lists_are_fresh(&self) -> bool {
        let written = fs::metadata(self.stamp()).and_then(|meta| meta.modified());
        written.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age < LISTS_FRESH))
    }

    fn stamp(&self) -> PathBuf {
        self.folder.join("apt/lists-fetched")
    }

    fn configuration(&self) -> PathBuf {
        self.folder.join("apt.conf")
    }
}
