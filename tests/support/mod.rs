//! What tests of the whole program share: a project in a folder of its own, the program's answers, requests by hand.
//! Real tools: they are installed once by `otto tools install --yes`, into the user's cache (`OTTO_TEST_CACHE` names
//! another folder for it).

#![allow(dead_code, reason = "every test binary uses its part")]

pub(crate) mod digitalocean;
pub(crate) mod google;
pub(crate) mod hosts;
pub(crate) mod http;
pub(crate) mod load;
pub(crate) mod processes;
pub(crate) mod providers;
pub(crate) mod schema;
pub(crate) mod stand_in;
pub(crate) mod toy;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How the program ended and what it said.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// The same, having ended with this code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code; stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output as one document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e} in\n{}\n{}", self.stdout, self.stderr))
    }

    /// Standard output as the events of a run: every line valid, numbered without a gap, the end at the end.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in `{line}`"));
        let events: Vec<Value> = self.stdout.lines().map(parse).collect();
        assert!(!events.is_empty(), "no events; stderr:\n{}", self.stderr);
        for (n, event) in events.iter().enumerate() {
            schema::EVENT.holds(event);
            assert_eq!(event["seq"], n + 1, "{event}");
            assert_eq!(event["run"], events[0]["run"], "{event}");
            assert_eq!(event["type"] == "run_started", n == 0, "{event}");
            assert_eq!(event["type"] == "run_ended", n + 1 == events.len(), "{event}");
        }
        let last = &events[events.len() - 1];
        assert_eq!(last["code"], self.code, "{last}");
        events
    }

    /// The command line that a refusal prints: the last hint.
    #[track_caller]
    pub(crate) fn hint(&self) -> String {
        let hint = self.stderr.lines().rev().find_map(|line| line.trim().strip_prefix("hint: "));
        hint.unwrap_or_else(|| panic!("no hint in\n{}", self.stderr)).to_owned()
    }

    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "`{words}` is not in\n{}", self.stderr);
        self
    }
}

/// The outcome of each unit, by name, in the order of their ends.
pub(crate) fn outcomes(events: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let ended = events.iter().filter(|e| e["type"] == "unit_ended");
    ended.map(|e| (text(&e["unit"]), text(&e["outcome"]))).collect()
}

/// The units that ended this way, sorted.
pub(crate) fn units(events: &[Value], outcome: &str) -> Vec<String> {
    let mut found: Vec<String> = outcomes(events).into_iter().filter(|(_, o)| o == outcome).map(|(u, _)| u).collect();
    found.sort();
    found
}

/// What a unit said at its end.
pub(crate) fn summary<'a>(events: &'a [Value], unit: &str) -> &'a str {
    let end = events.iter().find(|e| e["type"] == "unit_ended" && e["unit"] == unit);
    end.and_then(|e| e["summary"].as_str()).unwrap_or_default()
}

/// A run that goes on beside the test. Its output goes to files, as it would in a script.
pub(crate) struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    /// Starts a command; `base` is the folder for its output.
    pub(crate) fn spawn(mut command: Command, base: &Path) -> Self {
        let outputs = tempfile::Builder::new().prefix("output-").tempdir_in(base).expect("a folder").keep();
        let (out, err) = (outputs.join("stdout"), outputs.join("stderr"));
        command.stdout(File::create(&out).expect("a file")).stderr(File::create(&err).expect("a file"));
        Self { child: command.spawn().expect("otto"), out, err }
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid")
    }

    pub(crate) fn wait(mut self) -> Output {
        let status = self.child.wait().expect("its end");
        let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).expect("its output")).into_owned();
        Output { code: status.code().unwrap_or(-1), stdout: read(&self.out), stderr: read(&self.err) }
    }

    /// Kills it, it alone.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("a kill");
        let _ = self.child.wait();
    }

    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.err).unwrap_or_default()
    }
}

/// A folder with home, state and projects of its own. Whatever lives in it is ended with it.
struct Root(TempDir);

impl Drop for Root {
    fn drop(&mut self) {
        processes::end_all_in(self.0.path());
    }
}

/// A project made by `otto init`.
pub(crate) struct Sandbox {
    pub(crate) folder: PathBuf,
    root: Arc<Root>,
}

impl Sandbox {
    /// A project in a folder of this name, with the tools ready.
    pub(crate) fn new(name: &str) -> Self {
        tools();
        Self::bare(name)
    }

    /// The same without asking for tools.
    pub(crate) fn bare(name: &str) -> Self {
        let root = Root(tempfile::Builder::new().prefix("otto-test-").tempdir().expect("a folder"));
        // Without symbolic links: processes are found by the true name of the folder they work in.
        let folder = root.0.path().canonicalize().expect("its name").join(name);
        fs::create_dir_all(root.0.path().join("home")).expect("a home");
        let sandbox = Self { folder, root: Arc::new(root) };
        let made = sandbox.command(["init", name], &sandbox.base()).output().expect("otto init");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        sandbox
    }

    /// Another clone of this project, beside it: the same files and id, no `.otto`.
    pub(crate) fn clone_as(&self, name: &str) -> Self {
        let folder = self.base().join(name);
        copy_tree(&self.folder, &folder);
        Self { folder, root: self.root.clone() }
    }

    /// A project of its own beside this one: the same machine and user, another id.
    pub(crate) fn beside(&self, name: &str) -> Self {
        let made = self.command(["init", name], &self.base()).output().expect("otto init");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { folder: self.base().join(name), root: self.root.clone() }
    }

    /// The folder with home, state and projects.
    pub(crate) fn base(&self) -> PathBuf {
        self.root.0.path().canonicalize().expect("its name")
    }

    /// otto with these arguments, not started yet.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>, cwd: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_otto"));
        command.args(args).current_dir(cwd).stdin(Stdio::null());
        let foreign = std::env::vars_os().filter(|(name, _)| {
            let name = name.to_string_lossy();
            name.starts_with("OTTO_") || name.starts_with("CLOWD_") || name.starts_with("ANSIBLE_") || name == "CI"
        });
        for (name, _) in foreign {
            command.env_remove(name);
        }
        command.env("HOME", self.base().join("home")).env("XDG_STATE_HOME", self.base().join("state"));
        command.env("XDG_CACHE_HOME", cache());
        // Installed as a person has it: what otto prints names it plainly.
        let bin = Path::new(env!("CARGO_BIN_EXE_otto")).parent().expect("a folder").display().to_string();
        command.env("PATH", format!("{bin}:{}", std::env::var("PATH").expect("a PATH")));
        command
    }

    pub(crate) fn start<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Running {
        Running::spawn(self.command(args, &self.folder), &self.base())
    }

    /// Runs otto in the project.
    pub(crate) fn otto(&self, args: &[&str]) -> Output {
        self.start(args).wait()
    }

    /// Runs a line that otto printed, as a shell would.
    pub(crate) fn line(&self, line: &str) -> Output {
        let own = self.command([""; 0], &self.folder);
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(&self.folder).stdin(Stdio::null());
        for (name, value) in own.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        let output = shell.output().expect("a shell");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Output { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// A file of the project.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(&path, text).expect("a file");
    }

    /// Replaces words in a file of the project, which must be there.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(path)).expect("a file");
        assert!(text.contains(from), "`{from}` is not in {path}");
        fs::write(self.path(path), text.replace(from, to)).expect("a file");
    }

    /// `otto status --json`, checked against its schema; it must end with this code.
    #[track_caller]
    pub(crate) fn status(&self, code: i32) -> Value {
        let document = self.otto(&["status", "--json"]).ends(code).json();
        schema::STATUS.holds(&document);
        document
    }

    /// One deployment of the status.
    #[track_caller]
    pub(crate) fn status_of(&self, name: &str, code: i32) -> Value {
        let document = self.status(code);
        let all = document["deployments"].as_array().expect("a list");
        let found = all.iter().find(|d| d["name"] == name);
        found.unwrap_or_else(|| panic!("{name} is not in {document}")).clone()
    }

    /// The port of a deployment's endpoint.
    #[track_caller]
    pub(crate) fn port(&self, name: &str, code: i32) -> u16 {
        let endpoint = self.status_of(name, code)["endpoint"].as_str().expect("an endpoint").to_owned();
        let port = endpoint.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.strip_suffix('/'));
        port.and_then(|p| p.parse().ok()).unwrap_or_else(|| panic!("{endpoint}"))
    }

    /// The folder of a host.
    pub(crate) fn host(&self, key: &str, host: &str) -> PathBuf {
        self.path(&format!(".otto/hosts/{key}/{host}"))
    }

    /// Nothing of its hosts is left: no process, no folder, nobody listening at these ports.
    #[track_caller]
    pub(crate) fn is_clean(&self, ports: &[u16]) {
        assert_eq!(processes::living_in(&self.folder), Vec::new(), "processes in {}", self.folder.display());
        for folder in [".otto/hosts", ".otto/terraform"] {
            let left: Vec<PathBuf> = files(&self.path(folder));
            assert!(left.iter().all(|p| p.starts_with(self.path(".otto/terraform/.data"))), "{left:?}");
        }
        for port in ports {
            assert!(std::net::TcpStream::connect(("127.0.0.1", *port)).is_err(), "port {port}");
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let hosts = files(&self.path(".otto/hosts"));
        if !hosts.is_empty() {
            let _ = self.command(["destroy", "--yes", "--wait"], &self.folder).output();
        }
    }
}

/// What lies in a folder, empty folders left out.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten().filter(|e| e.file_name() != ".otto") {
        let target = to.join(entry.file_name());
        if entry.file_type().expect("its type").is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// Waits for something that is about to happen.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !there() {
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The cache with the tools: the user's own, unless `OTTO_TEST_CACHE` names another.
pub(crate) fn cache() -> PathBuf {
    let given = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    given("OTTO_TEST_CACHE").or_else(|| given("XDG_CACHE_HOME")).unwrap_or_else(home)
}

/// Installs what is missing, once.
pub(crate) fn tools() {
    static READY: OnceLock<()> = OnceLock::new();
    READY.get_or_init(|| {
        let sandbox = Sandbox::bare("tools");
        sandbox.otto(&["tools", "install", "--yes"]).ends(0);
    });
}
