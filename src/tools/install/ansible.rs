//! Ansible in a virtual environment of otto's own, by Python's package installer and with its user's settings.
//!
//! An environment cannot be moved after it is made, so it is made in place, and a mark beside it says until the end
//! that it is not finished.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::find::{Call, Search, capture};
use super::event::{InstallError, State, Steps};
use super::lock::CacheLock;
use super::packages::{Package, Queue, administrator, unpack};
use super::releases::ANSIBLE;

const STEP: &str = "Python package";
const VENV_LIMIT: Duration = Duration::from_secs(60);
const PIP_LIMIT: Duration = Duration::from_secs(600);
/// The Debian package that holds pip as one file.
const PIP_PACKAGE: &str = "python3-pip-whl";
/// Prints where Python keeps the pip that it gives to new environments.
const FIND_WHEEL: &str = "
import glob, os, sys, sysconfig
if sys.version_info < (3, 9):
    sys.exit('Python %d.%d is too old, 3.9 or newer is needed' % sys.version_info[:2])
import venv
folders = [sysconfig.get_config_var('WHEEL_PKG_DIR'), '/usr/share/python-wheels',
           os.path.join(sysconfig.get_paths()['stdlib'], 'ensurepip', '_bundled')]
for folder in filter(None, folders):
    for wheel in sorted(glob.glob(os.path.join(folder, 'pip-*.whl'))):
        print(wheel)
";

/// Makes `<cache>/ansible` anew.
pub(super) async fn make(
    search: &Search,
    queue: &Queue,
    lock: &CacheLock,
    steps: &Steps<'_>,
) -> Result<(), InstallError> {
    let (python, wheel) = match find_python(search).await {
        Ok(found) => found,
        Err(why) => return Err(steps.fail("Python", why, administrator(search, &["python3", "python3-venv"]))),
    };
    let pip = match wheel {
        Some(wheel) => Pip::Wheel(wheel),
        None => find_pip(&python, search, queue, steps).await?,
    };
    steps.tell(STEP, State::Begun);
    let made = make_in_place(search, lock, &python, &pip).await;
    match made {
        Ok(()) => {
            steps.tell(STEP, State::Done);
            Ok(())
        }
        Err(why) => {
            let _ = fs::remove_dir_all(search.ansible()).and_then(|()| fs::remove_file(search.ansible_unfinished()));
            Err(steps.fail(STEP, why, administrator(search, &["ansible-core"])))
        }
    }
}

/// What installs into the new environment. None of them has to be installed into it first, which alone would take
/// longer than everything else.
enum Pip {
    /// pip as one file, run from there.
    Wheel(PathBuf),
    /// The pip of the machine's own Python.
    Machine,
}

async fn make_in_place(search: &Search, lock: &CacheLock, python: &Path, pip: &Pip) -> Result<(), String> {
    let (folder, mark) = (search.ansible(), search.ansible_unfinished());
    fs::write(&mark, "").map_err(|e| format!("{}: {e}", mark.display()))?;
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(format!("{}: {error}", folder.display())),
        _ => {}
    }
    let bare = Call::new(python, ["-m".as_ref(), "venv".as_ref(), "--without-pip".as_ref(), folder.as_os_str()]);
    let done = capture(bare.limit(VENV_LIMIT).hold(lock.file()).without("PYTHONHOME")).await;
    if !done.end.is_zero() {
        return Err(format!("{} -m venv: {}", python.display(), done.describe()));
    }
    let inside = folder.join("bin/python");
    let options = ["install", "--retries", "1", "--timeout", "10", "--no-compile", ANSIBLE];
    let call = match pip {
        Pip::Wheel(wheel) => Call::new(&inside, ["-m", "pip"].iter().chain(&options)).env("PYTHONPATH", wheel),
        Pip::Machine => {
            let head = ["-m".as_ref(), "pip".as_ref(), "--python".as_ref(), inside.as_os_str()];
            Call::new(python, head.into_iter().chain(options.iter().map(AsRef::as_ref)))
        }
    };
    // `user = true` in someone's pip settings is for their own environment; here it would be refused.
    let call = call.env("PIP_USER", "0").env("PIP_NO_INPUT", "1").env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    let done = capture(call.limit(PIP_LIMIT).hold(lock.file()).without("PYTHONHOME")).await;
    if !done.end.is_zero() {
        return Err(format!("pip install {ANSIBLE}: {}", done.describe()));
    }
    fs::remove_file(&mark).map_err(|e| format!("{}: {e}", mark.display()))
}

/// The first Python on PATH (then /usr/bin) that can make environments, and the pip it has for them.
async fn find_python(search: &Search) -> Result<(PathBuf, Option<PathBuf>), String> {
    let mut why = "python3 is not on PATH".to_owned();
    let system = Some(PathBuf::from("/usr/bin/python3")).filter(|path| path.is_file());
    for python in search.on_path("python3").chain(system) {
        let call = Call::new(&python, ["-c", FIND_WHEEL]).limit(Duration::from_secs(10)).without("PYTHONHOME");
        let done = capture(call).await;
        if done.end.is_zero() {
            let wheel = done.stdout_text().lines().next_back().map(PathBuf::from);
            return Ok((python, wheel));
        }
        why = format!("{}: {}", python.display(), done.describe());
    }
    Err(why)
}

/// A pip for a Python that has none for its environments: the machine's own, or Debian's package unpacked.
async fn find_pip(python: &Path, search: &Search, queue: &Queue, steps: &Steps<'_>) -> Result<Pip, InstallError> {
    let call = Call::new(python, ["-m", "pip", "--version"]).limit(Duration::from_secs(10)).without("PYTHONHOME");
    let done = capture(call).await;
    if done.end.is_zero() {
        return Ok(Pip::Machine);
    }
    steps.pass_over("pip of this machine", format!("{}: {}", python.display(), done.describe()));
    if let Some(wheel) = unpacked_wheel(search) {
        return Ok(Pip::Wheel(wheel));
    }
    unpack(&[&Package::named(PIP_PACKAGE)], search, queue, steps).await?;
    let why = || format!("no pip in {}", search.packages_root().display());
    unpacked_wheel(search).map(Pip::Wheel).ok_or_else(|| steps.fail(PIP_PACKAGE, why(), None))
}

fn unpacked_wheel(search: &Search) -> Option<PathBuf> {
    if search.packages_unfinished().exists() {
        return None;
    }
    let wheels = search.packages_root().join("usr/share/python-wheels");
    let entries = fs::read_dir(&wheels).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.into_iter().find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pip-")))
}
