//! Projects on a made-up account: the folder of the slow provider, or the stand-in API with a real plugin.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::support::{Output, cache, processes, schema, tools};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

/// One account: whatever several projects and stores make on it.
pub(crate) struct Account {
    folder: TempDir,
    env: Vec<(String, String)>,
    api: Option<Child>,
}

impl Drop for Account {
    fn drop(&mut self) {
        if let Some(api) = &mut self.api {
            let _ = api.kill();
            let _ = api.wait();
        }
        processes::end_all_in(self.folder.path());
    }
}

/// A project on an account, with a home and a state folder of its own.
pub(crate) struct Lab {
    pub(crate) account: Arc<Account>,
    name: String,
    env: Vec<(String, String)>,
}

impl Account {
    fn new() -> Self {
        tools();
        let folder = tempfile::Builder::new().prefix("otto-guard-").tempdir().expect("a folder");
        Self { folder, env: Vec::new(), api: None }
    }

    /// Its things are folders.
    pub(crate) fn slow() -> Arc<Self> {
        let mut account = Self::new();
        let things = account.path("account");
        fs::create_dir(&things).expect("a folder");
        let env = [("SLOW_CLOUD", things.display().to_string()), ("SLOW_SECONDS", "0.1".to_owned())];
        account.env = env.map(|(name, value)| (name.to_owned(), value)).into();
        account.env.push(("SLOW_UNMAKE_SECONDS".to_owned(), "0.05".to_owned()));
        account.env.push(("TF_CLI_CONFIG_FILE".to_owned(), "/dev/null".to_owned()));
        Arc::new(account)
    }

    /// Its things are droplets and volumes of the stand-in API; nothing without a Go toolchain.
    pub(crate) fn api() -> Option<Arc<Self>> {
        let settings = plugin()?;
        let mut account = Self::new();
        let place = account.path("account");
        fs::create_dir(&place).expect("a folder");
        let mut command = Command::new("python3");
        command.args(["-B", &format!("{FIXTURES}/plugin/cloud.py")]).arg(&place).arg("0.05").stdin(Stdio::null());
        account.api = Some(command.spawn().expect("python3 is there"));
        let port = wait_for("the stand-in", || fs::read_to_string(place.join("port")).ok());
        let env = [
            ("DIGITALOCEAN_API_URL", format!("http://127.0.0.1:{port}")),
            ("DIGITALOCEAN_TOKEN", "t0ken-of-the-test".to_owned()),
            ("TF_CLI_CONFIG_FILE", settings.display().to_string()),
        ];
        account.env = env.map(|(name, value)| (name.to_owned(), value)).into();
        Some(Arc::new(account))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("the folder").join(name)
    }

    /// The things in the slow provider's folder: name and id.
    pub(crate) fn things(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("account/things")).into_iter().flatten().flatten();
        let mut found: Vec<String> = entries
            .map(|e| {
                format!(
                    "{} {}",
                    fs::read_to_string(e.path().join("name")).unwrap_or_default().trim(),
                    e.file_name().to_string_lossy()
                )
            })
            .collect();
        found.sort();
        found
    }

    /// Where the slow provider's things are.
    pub(crate) fn folder(&self) -> PathBuf {
        self.path("account/things")
    }

    /// Asks the stand-in API.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let port = fs::read_to_string(self.path("account/port")).expect("a port");
        let script = "import sys,urllib.request as u\n\
            r=u.Request(sys.argv[2],method=sys.argv[1],data=sys.argv[3].encode() or None)\nprint(u.urlopen(r,timeout=20).read().decode() or 'null')";
        let url = format!("http://127.0.0.1:{port}{path}");
        let answer =
            Command::new("python3").args(["-c", script, method, &url, body]).output().expect("python3 is there");
        serde_json::from_slice(&answer.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&answer.stderr)))
    }

    /// Names of the droplets or volumes, sorted.
    pub(crate) fn names(&self, kind: &str) -> Vec<String> {
        let all = self.ask("GET", &format!("/v2/{kind}"), "");
        let mut names: Vec<String> = all[kind]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["name"].as_str().expect("a name").to_owned())
            .collect();
        names.sort();
        names
    }
}

impl Lab {
    /// A project of this name with this `otto.yaml` below its id; its provider is that of the account.
    pub(crate) fn new(account: &Arc<Account>, name: &str, id: &str, policy: &str) -> Self {
        let lab = Self { account: account.clone(), name: name.to_owned(), env: Vec::new() };
        let (fixture, provider) = if account.api.is_some() { ("plugin", "cloud") } else { ("slow", "slow") };
        copy(&Path::new(FIXTURES).join(fixture), &lab.folder());
        for folder in ["home", "state"] {
            fs::create_dir_all(lab.account.path(&format!("{name}-{folder}"))).expect("a folder");
        }
        lab.write(
            "otto.yaml",
            &format!("project: guard\nid: {id}\nproviders: [{provider}]\nenvironment: dev\n{policy}\n"),
        );
        lab
    }

    /// A fresh clone: the same files and id, nothing that it ever made, another person's home.
    pub(crate) fn cloned(&self, name: &str) -> Self {
        let clone = Self { account: self.account.clone(), name: name.to_owned(), env: Vec::new() };
        copy(&self.folder(), &clone.folder());
        for folder in ["home", "state"] {
            fs::create_dir_all(clone.account.path(&format!("{name}-{folder}"))).expect("a folder");
        }
        clone
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.account.path(&self.name)
    }

    pub(crate) fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.folder().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, text).expect("a file");
        self
    }

    pub(crate) fn env(&mut self, name: &str, value: &str) -> &mut Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs otto to its end.
    pub(crate) fn otto(&self, args: &[&str]) -> Output {
        let done = self.command(args).output().expect("otto");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Output { code: done.status.code().unwrap_or(-1), stdout: text(&done.stdout), stderr: text(&done.stderr) }
    }

    /// Starts otto and goes on.
    pub(crate) fn start(&self, args: &[&str]) -> Started {
        let child = self.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Started(child.expect("otto"))
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_otto"));
        let bin = Path::new(env!("CARGO_BIN_EXE_otto")).parent().expect("a folder").display().to_string();
        command.args(args).current_dir(self.folder()).stdin(Stdio::null()).env_clear();
        command.env("PATH", format!("{bin}:{}", std::env::var("PATH").expect("a PATH"))).env("LANG", "C.UTF-8");
        command.env("HOME", self.account.path(&format!("{}-home", self.name)));
        command
            .env("XDG_STATE_HOME", self.account.path(&format!("{}-state", self.name)))
            .env("XDG_CACHE_HOME", cache());
        command.envs(self.account.env.iter().map(|(n, v)| (n, v))).envs(self.env.iter().map(|(n, v)| (n, v)));
        command
    }

    /// `otto status --json`, by its schema.
    pub(crate) fn status(&self) -> Value {
        let document = self.otto(&["status", "--json"]).json();
        schema::STATUS.holds(&document);
        document
    }

    /// The first deployment of the status.
    pub(crate) fn deployment(&self) -> Value {
        self.status()["deployments"][0].clone()
    }

    /// When the first deployment's lease ends is waited for.
    pub(crate) fn outlive(&self, seconds_more: u64) {
        let left = self.deployment()["lease"]["left_s"].as_i64().expect("a lease");
        std::thread::sleep(Duration::from_secs(u64::try_from(left + 1).unwrap_or(0) + seconds_more));
    }
}

/// A run that goes on beside the test.
pub(crate) struct Started(Child);

impl Started {
    pub(crate) fn wait(mut self) {
        let _ = self.0.wait();
    }
}

/// The plugin, built once a test run; the settings that make Terraform take it from its folder.
fn plugin() -> Option<PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guard-plugin");
        let _ = fs::remove_dir_all(&place);
        copy(&Path::new(FIXTURES).join("plugin/provider"), &place.join("source"));
        let target = place.join("mirror/cloud.example/otto/digitalocean/2.99.1").join(platform()?);
        let binary = target.join("terraform-provider-digitalocean_v2.99.1");
        let done =
            Command::new("go").args(["build", "-o"]).arg(&binary).arg(".").current_dir(place.join("source")).output();
        if !done.as_ref().is_ok_and(|done| done.status.success()) {
            eprintln!("SKIPPED: the provider plugin cannot be built here: {done:?}");
            return None;
        }
        let settings = place.join("terraform.rc");
        let text = format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}/mirror\"\n  }}\n}}\n",
            place.display()
        );
        fs::write(&settings, text).expect("a file");
        Some(settings)
    });
    built.clone()
}

fn platform() -> Option<String> {
    let Ok(said) = Command::new("go").args(["env", "GOOS", "GOARCH"]).output() else {
        eprintln!("SKIPPED: no Go toolchain on PATH, and the provider plugin is built with it");
        return None;
    };
    Some(String::from_utf8_lossy(&said.stdout).split_whitespace().collect::<Vec<_>>().join("_"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let (name, target) = (entry.file_name(), to.join(entry.file_name()));
        if name == ".otto" || name == "cloud.py" {
            continue;
        }
        if entry.path().is_dir() {
            if name != "provider" {
                copy(&entry.path(), &target);
            }
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

pub(crate) fn wait_for<T>(what: &str, mut there: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = there() {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
