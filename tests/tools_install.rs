//! Finding tools among good, old, broken and foreign programs; and, when asked for, installing them for real.

#![allow(clippy::print_stderr)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Instant;

use otto::net::Client;
use otto::tools::find::{Found, Origin, Search, Tool, Unfit, Version, find, find_all};
use otto::tools::install::{InstallEvent, Package, State, Wanted, ensure, packages};

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// A folder with two places on PATH and a cache.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn search(&self) -> Search {
        let path = format!("{}:relative::{}", self.at("one").display(), self.at("two").display());
        Search::new(OsStr::new(&path), self.at("cache"))
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn program(&self, path: &str, text: &str) -> PathBuf {
        let path = self.at(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(&path, text).expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
        path
    }

    fn says(&self, path: &str, words: &str) -> PathBuf {
        self.program(path, &format!("#!/bin/sh\necho '{words}'\n"))
    }

    fn find(&self, tool: Tool) -> Result<Found, Unfit> {
        run(find(tool, &self.search()))
    }
}

#[test]
fn the_first_on_path_decides() {
    let place = Place::new();
    assert_eq!(place.find(Tool::Packer), Err(Unfit::Missing { tool: Tool::Packer }));
    let second = place.says("two/packer", "Packer v1.16.0");
    assert_eq!(place.find(Tool::Packer).map(|found| found.program), Ok(second));
    let first = place.says("one/packer", "Packer v1.6.6");
    let found = place.find(Tool::Packer).expect("Packer");
    assert_eq!((found.program, found.version, found.origin), (first.clone(), Version(1, 6, 6), Origin::Path));
    fs::set_permissions(&first, fs::Permissions::from_mode(0o644)).expect("its mode");
    if !rustix::process::geteuid().is_root() {
        assert_ne!(place.find(Tool::Packer).map(|found| found.program), Ok(first));
    }
}

#[test]
fn one_that_is_too_old_gives_way_to_the_cache_only() {
    let place = Place::new();
    place.says("one/terraform", "Terraform v1.3.9");
    place.says("two/terraform", "Terraform v1.9.0");
    let old = place.find(Tool::Terraform).expect_err("too old");
    assert!(matches!(old, Unfit::TooOld { version: Version(1, 3, 9), .. }), "{old:?}");
    assert!(old.to_string().ends_with("Terraform 1.3.9 is too old, 1.4.0 or newer is needed"), "{old}");
    place.says("cache/tools/terraform-1.9.8/terraform", "Terraform v1.9.8");
    place.says("cache/tools/terraform-1.11.4/terraform", "Terraform v1.11.4");
    let found = place.find(Tool::Terraform).expect("the cache's");
    assert_eq!((found.version, found.origin, found.passed_over.len()), (Version(1, 11, 4), Origin::Cache, 1));
}

#[test]
fn foreign_and_broken_programs_are_passed_over() {
    let place = Place::new();
    let dictionary = place.says("elsewhere/cracklib-packer", "Packer v9.9.9");
    fs::create_dir_all(place.at("one")).expect("a folder");
    symlink(&dictionary, place.at("one/packer")).expect("a link");
    let error = place.find(Tool::Packer).expect_err("not Packer");
    assert!(error.to_string().contains("password dictionary"), "{error}");
    let good = place.says("two/packer", "Packer v1.6.6");
    let found = place.find(Tool::Packer).expect("the second");
    assert_eq!((found.program, found.passed_over.len()), (good, 1));
    place.program("one/terraform", "#!/bin/sh\necho 'no version is set' >&2\nexit 126\n");
    let error = place.find(Tool::Terraform).expect_err("broken");
    assert!(error.to_string().contains("exit code 126 (no version is set)"), "{error}");
    place.program("one/ansible-playbook", "#!/nonexistent/python3\n");
    let error = place.find(Tool::Ansible).expect_err("its Python is gone");
    assert!(matches!(error, Unfit::Broken { .. }), "{error}");
}

#[test]
fn opentofu_stands_in_for_terraform() {
    let place = Place::new();
    place.says("two/tofu", "OpenTofu v1.6.2");
    assert_eq!(place.find(Tool::Terraform).map(|found| found.tool), Ok(Tool::Tofu));
    place.says("one/terraform", "Terraform v1.11.4");
    assert_eq!(place.find(Tool::Terraform).map(|found| found.tool), Ok(Tool::Terraform));
    let preferring = Search { prefer_tofu: true, ..place.search() };
    assert_eq!(run(find(Tool::Terraform, &preferring)).map(|found| found.tool), Ok(Tool::Tofu));
    place.says("one/terraform", "OpenTofu v1.5.0");
    let found = place.find(Tool::Terraform).expect("the real one");
    assert_eq!((found.tool, found.version), (Tool::Tofu, Version(1, 6, 2)));
}

#[test]
fn a_second_search_starts_no_program() {
    let place = Place::new();
    let calls = place.at("calls");
    let python = place.program("bin/python3", "#!/bin/sh\nexec /bin/sh \"$@\"\n");
    let text =
        format!("#!{}\necho x >> '{}'\necho 'ansible-playbook [core 2.19.14]'\n", python.display(), calls.display());
    let program = place.program("one/ansible-playbook", &text);
    let count = || fs::read_to_string(&calls).map_or(0, |text| text.lines().count());
    for _ in 0..3 {
        assert_eq!(place.find(Tool::Ansible).map(|found| found.version), Ok(Version(2, 19, 14)));
        assert_eq!(count(), 1);
    }
    place.program("one/ansible-playbook", &text.replace("2.19.14", "2.20.00"));
    assert_eq!(place.find(Tool::Ansible).map(|found| found.version), Ok(Version(2, 20, 0)));
    assert_eq!(count(), 2);
    fs::remove_file(&program).expect("gone");
    assert!(matches!(place.find(Tool::Ansible), Err(Unfit::Missing { .. })));
}

#[test]
fn what_is_half_installed_does_not_count() {
    let place = Place::new();
    place.says("cache/ansible/bin/ansible-playbook", "ansible-playbook [core 2.19.14]");
    place.says("cache/packages/root/usr/bin/packer", "Packer v1.6.6");
    assert!(place.find(Tool::Ansible).is_ok() && place.find(Tool::Packer).is_ok());
    fs::write(place.at("cache/ansible.unfinished"), "").expect("a mark");
    fs::write(place.at("cache/packages/unfinished"), "").expect("a mark");
    assert!(place.find(Tool::Ansible).is_err() && place.find(Tool::Packer).is_err());
}

#[test]
fn a_machine_without_apt_is_told_what_to_type() {
    let place = Place::new();
    place.says("one/dnf", "");
    let wanted = [Package::named("otto-has-no-such-program")];
    let mut events = Vec::new();
    let error = run(packages(&wanted, &place.search(), &mut |event| events.push(event))).expect_err("no apt");
    assert_eq!(error.administrator.as_deref(), Some("sudo dnf install otto-has-no-such-program"));
    assert!(matches!(events.last(), Some(InstallEvent { state: State::Failed { .. }, .. })));
}

/// Everything, for real: as root or an ordinary user, twice, the second time with nothing left to do.
#[test]
fn everything_is_installed_into_the_cache() {
    let Some(cache) = std::env::var_os("OTTO_TEST_INSTALL").filter(|folder| Path::new(folder).is_absolute()) else {
        eprintln!("skipped: fetches 60 MB; OTTO_TEST_INSTALL=<absolute folder> runs it (and reuses what is there)");
        return;
    };
    // A PATH without the tools, so that they have to be installed; it stays, because the environment made with its
    // Python needs it.
    let hidden = Path::new(&cache).join("path");
    fs::create_dir_all(&hidden).expect("a folder");
    for program in ["apt-get", "dpkg-deb", "python3", "dpkg", "sh", "rm", "gpgv"] {
        let real = Path::new("/usr/bin").join(program);
        let link = hidden.join(program);
        if real.exists() && !link.is_symlink() {
            symlink(real, link).expect("a link");
        }
    }
    let search = Search::new(hidden.as_os_str(), &cache);
    let tools = vec![Tool::Packer, Tool::Ansible];
    let wanted = Wanted { tools, packages: vec![Package::named("nginx"), Package::named("haproxy")] };
    let began = Instant::now();
    let mut report = |event: InstallEvent| {
        eprintln!("{:5.1} s {}: {} {:?}", began.elapsed().as_secs_f32(), event.subject, event.step, event.state);
    };
    let ready = run(ensure(&wanted, &search, &Client::new(), &mut report)).expect("everything");
    eprintln!("{:5.1} s {ready:#?}", began.elapsed().as_secs_f32());
    assert!(ready.tools.iter().all(|found| found.origin == Origin::Cache));
    let began = Instant::now();
    let mut silent = |event: InstallEvent| panic!("nothing is left to do: {event:?}");
    run(ensure(&wanted, &search, &Client::new(), &mut silent)).expect("everything");
    eprintln!("again in {:?}", began.elapsed());
    assert!(run(find_all(&wanted.tools, &search)).iter().all(Result::is_ok));
}
