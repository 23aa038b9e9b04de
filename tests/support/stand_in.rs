//! A stand-in for a cloud (`tests/fixtures/stand_in.py`): its API on loopback, its machines records, or namespaces with a real sshd. It
//! ends with the value, or with the test.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::{Value, json};

use super::{Output, Running, Sandbox, hosts, providers, wait_for};

/// One account at a cloud.
pub(crate) struct StandIn {
    api: Child,
    input: Option<ChildStdin>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) url: String,
    pub(crate) machines: bool,
    rc: PathBuf,
}

impl StandIn {
    /// Starts the one of this name, for Terraform; its machines boot from `base`, or are records. Nothing where the provider cannot be had.
    pub(crate) fn start(name: &str, base: Option<PathBuf>) -> Option<Self> {
        let mirror = providers::mirror()?;
        let cloud = Self::bare(name, base);
        providers::configuration(&cloud.rc, mirror);
        Some(cloud)
    }

    /// The same for whoever needs no provider.
    pub(crate) fn bare(name: &str, base: Option<PathBuf>) -> Self {
        let folder = tempfile::Builder::new().prefix("otto-cloud-").tempdir().expect("a folder");
        let rc = folder.path().join("terraform.rc");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name).join("api.py");
        let mut command = Command::new(if base.is_some() { "unshare" } else { "python3" });
        if base.is_some() {
            command.args(["--net", "--mount", "--propagation", "private", "python3"]);
        }
        command.arg("-B").arg(script).arg(folder.path());
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
        Self { api, input, folder, url, machines: base.is_some(), rc }
    }

    /// Makes a project one that works on a provider, with a key of its own and this user on the machines.
    pub(crate) fn settle(&self, sandbox: &Sandbox, provider: &str, user: &str) {
        let key = self.key();
        let wait = if self.machines { "20s" } else { "1s" };
        let ssh = format!("{{{user}identity: {0}, public_keys: [{0}.pub], wait: {wait}}}", key.display());
        sandbox.edit("otto.yaml", "providers: [local]", &format!("providers: [{provider}]"));
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

    /// otto with these variables, where the machines can be reached.
    pub(crate) fn command(&self, sandbox: &Sandbox, args: &[&str], env: &[(&str, String)]) -> Command {
        let mut command = sandbox.command(args, &sandbox.folder);
        command.env("TF_CLI_CONFIG_FILE", &self.rc).envs(env.iter().map(|(name, value)| (*name, value)));
        self.near(command)
    }

    /// A command where the machines can be reached.
    pub(crate) fn near(&self, command: Command) -> Command {
        if self.machines { hosts::near(self.api.id(), &command) } else { command }
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

    /// Settings of the stand-in; see its `api.py`.
    pub(crate) fn set(&self, settings: &Value) {
        self.control("/set", settings);
    }

    /// A fault to come; see `stand_in.py`.
    pub(crate) fn fault(&self, fault: &Value) {
        self.control("/fault", fault);
    }

    /// No more faults.
    pub(crate) fn forgive(&self) {
        self.control("/forgive", &json!({}));
    }

    /// Somebody else changes something; see its `api.py`.
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

    /// How often a request was made, by its beginning such as `POST /v2/droplets`.
    pub(crate) fn asked(&self, request: &str) -> usize {
        let text = fs::read_to_string(self.folder.path().join("requests.jsonl")).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let told =
            lines.map(|l| format!("{} {}", l["method"].as_str().unwrap_or(""), l["path"].as_str().unwrap_or("")));
        told.filter(|one| one.starts_with(request)).count()
    }

    /// Nothing of these kinds is left, and nobody asked for what the stand-in does not know.
    #[track_caller]
    pub(crate) fn has_none(&self, kinds: &[&str]) {
        let state = self.state();
        for kind in kinds {
            assert_eq!(state[kind], json!([]), "{kind}");
        }
        assert_eq!(state["unknown"], json!([]));
    }

    /// The whole answer of a web server to one request.
    pub(crate) fn get(&self, address: &str, domain: &str) -> String {
        let line = format!(
            "exec 3<>/dev/tcp/{address}/80 && printf 'GET / HTTP/1.0\\r\\nHost: {domain}\\r\\n\\r\\n' >&3 && cat <&3"
        );
        let mut command = Command::new("bash");
        command.args(["-c", &line]);
        let output = self.near(command).output().expect("bash");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// otto on an account: what tests of every cloud ask of it.
pub(crate) trait Account {
    /// otto with the account's credentials, where the machines can be reached.
    fn command(&self, sandbox: &Sandbox, args: &[&str]) -> Command;

    fn start(&self, sandbox: &Sandbox, args: &[&str]) -> Running {
        Running::spawn(self.command(sandbox, args), &sandbox.base())
    }

    fn otto(&self, sandbox: &Sandbox, args: &[&str]) -> Output {
        self.start(sandbox, args).wait()
    }

    /// The same with variables of its own.
    fn otto_with(&self, sandbox: &Sandbox, args: &[&str], env: &[(&str, &str)]) -> Output {
        let mut command = self.command(sandbox, args);
        command.envs(env.iter().copied());
        Running::spawn(command, &sandbox.base()).wait()
    }

    /// `otto status --json`: one deployment of it.
    #[track_caller]
    fn status_of(&self, sandbox: &Sandbox, name: &str, code: i32) -> Value {
        let document = self.otto(sandbox, &["status", "--json"]).ends(code).json();
        let found = document["deployments"].as_array().expect("a list").iter().find(|d| d["name"] == name);
        found.unwrap_or_else(|| panic!("{name} is not in {document}")).clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // At the end of its input it ends, with all machines.
        drop(self.input.take());
        let _ = self.api.wait();
    }
}
