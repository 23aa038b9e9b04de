//! A project in a temporary folder with a provider made up of two files, and the binary run in it as a person would.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// The longest that one command may take here.
const LIMIT: Duration = Duration::from_secs(180);

pub(crate) const OTTO_YAML: &str = "\
project: broken
id: 5d1c0ffee0ddba11
providers: [made]
environment: dev
";
pub(crate) const SITE_YAML: &str = "\
domains: [hello.localhost]
roles:
  box: {count: 3}
";
/// Hosts are folders; `make` is the script that makes one.
pub(crate) const ROOT: &str = r#"
variable "hosts" { type = list(object({ name = string, role = string })) }
variable "folder" { type = string }

resource "terraform_data" "host" {
  for_each = { for host in var.hosts : host.name => host }
  input    = { path = "${var.folder}/${each.key}", role = each.value.role }
  provisioner "local-exec" {
    interpreter = ["/bin/sh"]
    command     = abspath("${path.module}/make")
    environment = { HOST = self.output.path }
  }
  provisioner "local-exec" {
    when        = destroy
    interpreter = ["/bin/sh", "-c"]
    command     = "rm -rf \"$HOST\""
    environment = { HOST = self.output.path }
  }
}
"#;
pub(crate) const OUTPUTS: &str = r#"
output "hosts" {
  value = [for name, host in terraform_data.host : { name = name, role = host.input.role, address = "127.0.0.1", connection = "local" }]
}
"#;
pub(crate) const PLAYBOOK: &str = "\
- hosts: all
  gather_facts: false
  tasks:
    - name: Greet
      ansible.builtin.debug: {msg: hello}
";

/// One project and all that belongs to it; taken down when dropped, also by a panic.
pub(crate) struct Sandbox {
    folder: TempDir,
    env: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    line: String,
}

impl Sandbox {
    /// A project of three hosts that works.
    pub(crate) fn new() -> Self {
        tools();
        let sandbox = Self::bare();
        sandbox.write("otto.yaml", OTTO_YAML).write("sites/hello/site.yaml", SITE_YAML);
        sandbox.write("clowd/config/site.yml", PLAYBOOK);
        sandbox.write("clowd/provision/made/provider.yaml", "kind: terraform\nprices: free\n");
        sandbox.write("clowd/provision/made/make", "mkdir -p \"$HOST\"; echo made >>\"$HOST/made\"\n");
        sandbox.write("clowd/provision/made/main.tf", ROOT);
        sandbox.outputs(OUTPUTS);
        sandbox
    }

    /// An empty folder.
    pub(crate) fn bare() -> Self {
        let sandbox = Self { folder: TempDir::new().expect("a folder"), env: Vec::new() };
        for name in ["project", "home", "state", "bin"] {
            fs::create_dir(sandbox.path(name)).expect("a folder");
        }
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_otto"), sandbox.path("bin/otto")).expect("a link");
        sandbox
    }

    /// A folder beside the project: `home`, `state`, `bin`, `project`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("the folder").join(name)
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.path("project")
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.project().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, text).expect("a file");
        self
    }

    /// The `hosts` output, with an endpoint that answers.
    pub(crate) fn outputs(&self, hosts: &str) -> &Self {
        let endpoint = format!("output \"endpoint\" {{ value = \"http://127.0.0.1:{}/\" }}\n", page());
        self.write("clowd/provision/made/outputs.tf", &format!("{hosts}\n{endpoint}"))
    }

    /// A program of this name comes first on PATH from now on.
    pub(crate) fn program(&self, name: &str, script: &str) -> &Self {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
        self
    }

    /// PATH, with the folder of [`Sandbox::program`] first.
    pub(crate) fn search(&self) -> String {
        format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap_or_default())
    }

    /// From now on nothing is found but what [`Sandbox::program`] makes and the system's own folders have, the cache is
    /// empty, and no vendor is reached.
    pub(crate) fn alone(&mut self) -> &mut Self {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let cache = self.path("cache").display().to_string();
        self.env("PATH", &path).env("XDG_CACHE_HOME", &cache);
        self.env("HTTPS_PROXY", "http://127.0.0.1:9").env("HTTP_PROXY", "http://127.0.0.1:9")
    }

    /// What `otto tools` has found for a tool.
    pub(crate) fn tool(&self, name: &str) -> String {
        let table = self.otto(&["tools"]).out;
        let row = table.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {table}"));
        let words = row.split_whitespace().find(|word| word.starts_with('/'));
        words.unwrap_or_else(|| panic!("no path: {row}")).to_owned()
    }

    /// A variable for every command from now on.
    pub(crate) fn env(&mut self, name: &str, value: &str) -> &mut Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The command, its environment made of nothing but what is given here.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.path("bin/otto"));
        command.args(args).current_dir(self.project()).env_clear().env("PATH", self.search());
        command.env("HOME", self.path("home")).env("XDG_STATE_HOME", self.path("state"));
        command.env("XDG_CACHE_HOME", cache()).env("TF_CLI_CONFIG_FILE", "/dev/null").env("LANG", "C.UTF-8");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs otto to its end.
    pub(crate) fn otto(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args), &args.join(" "))
    }

    /// Runs a line that otto printed, as it stands.
    pub(crate) fn line(&self, line: &str) -> Ran {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words.first(), Some(&"otto"), "no command of otto: {line}");
        self.otto(&words[1..])
    }

    /// The only deployment in `otto status --json`.
    pub(crate) fn status(&self) -> Value {
        let ran = self.otto(&["status", "--json"]);
        let document: Value = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
        document["deployments"].as_array().and_then(|all| all.first()).cloned().unwrap_or(Value::Null)
    }

    /// Nothing exists by the store, and nothing in the folder of the hosts.
    pub(crate) fn is_empty(&self) -> bool {
        let status = self.status();
        let gone = status.is_null() || ["absent", "destroyed"].contains(&status["phase"].as_str().unwrap_or_default());
        gone && self.hosts().is_empty()
    }

    /// Hosts that really are there.
    pub(crate) fn hosts(&self) -> Vec<String> {
        let entries = fs::read_dir(self.project().join(".otto/hosts/dev_made_hello")).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The repair that status names, run as it stands, then all is well and can be taken down without a rest.
    pub(crate) fn repairs(&self) {
        let status = self.status();
        let repair = status["dirty"]["repair"].as_str().unwrap_or_else(|| panic!("no repair: {status}"));
        self.line(repair).code(0);
        self.heals();
    }

    /// `up` is always right; then `destroy` leaves nothing.
    pub(crate) fn heals(&self) {
        self.otto(&["up", "--yes"]).code(0);
        let status = self.status();
        assert_eq!((&status["health"], &status["dirty"]), (&Value::from("ok"), &Value::Null), "{status}");
        self.otto(&["destroy", "--yes"]).code(0);
        assert!(self.is_empty(), "{}", self.status());
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if self.project().join(".otto/otto.db").exists() && !self.hosts().is_empty() {
            let _ = assert_cmd::Command::from_std(self.command(&["destroy", "--yes"])).timeout(LIMIT).output();
        }
        let place = self.path("");
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        for process in processes {
            let pid =
                process.file_name().to_string_lossy().parse::<i32>().ok().and_then(rustix::process::Pid::from_raw);
            let below = fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(&place));
            if let (Some(pid), true) = (pid, below) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

impl Ran {
    pub(crate) fn of(command: Command, line: &str) -> Self {
        let output = assert_cmd::Command::from_std(command).timeout(LIMIT).output().expect("otto runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Self { code, out: text(output.stdout), err: text(output.stderr), line: line.to_owned() }
    }

    /// It ended with this code, and every command that it suggests parses.
    #[track_caller]
    pub(crate) fn code(self, wanted: i32) -> Self {
        assert_eq!(self.code, wanted, "otto {}\n{}\n{}", self.line, self.out, self.err);
        for line in self.suggested() {
            let words: Vec<&str> = line.split_whitespace().skip(1).chain(["--help"]).collect();
            let help = Command::new(env!("CARGO_BIN_EXE_otto")).args(words).output().expect("otto runs");
            assert!(help.status.success(), "`{line}` does not parse: {}", String::from_utf8_lossy(&help.stderr));
        }
        self
    }

    /// Every one of these is in what it said.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.err.contains(part), "`{part}` is missing in\n{}", self.err);
        }
        self
    }

    /// None of these is.
    #[track_caller]
    pub(crate) fn never_says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(!self.err.contains(part), "`{part}` is in\n{}", self.err);
        }
        self
    }

    /// Lines that a person could type: hints, repairs, resumptions.
    pub(crate) fn suggested(&self) -> Vec<String> {
        let labels = ["hint: ", "resume: ", "repair: "];
        let after = |line: &str| labels.iter().find_map(|l| line.trim().strip_prefix(l)).map(str::to_owned);
        self.err.lines().chain(self.out.lines()).filter_map(after).filter(|l| l.starts_with("otto ")).collect()
    }
}

/// Where tools are, so that they are installed once: `OTTO_TEST_CACHE`, else the user's own.
pub(crate) fn cache() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = || set("HOME").unwrap_or_default().join(".cache");
    set("OTTO_TEST_CACHE").or_else(|| set("XDG_CACHE_HOME")).unwrap_or_else(own)
}

/// Every tool is there: installed on the first call.
fn tools() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        let folder = TempDir::new().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_otto"));
        command.args(["tools", "install", "--yes"]).current_dir(folder.path()).env("XDG_CACHE_HOME", cache());
        let output = command.output().expect("otto runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
}

/// A page that is there as long as the tests are: its port. What hosts serve is not the question here.
fn page() -> u16 {
    static PORT: OnceLock<u16> = OnceLock::new();
    *PORT.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
            }
        });
        port
    })
}

/// Something is there, if only a link.
pub(crate) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
