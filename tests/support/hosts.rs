//! Three hosts with a real sshd each, in network namespaces (`tests/fixtures/hosts`): `lb-a` 10.88.0.10, `web-a` 10.88.0.11, and
//! `web-b` 10.99.0.12, which only `lb-a` can reach. They end with the value, or with the test.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use super::{Output, Sandbox, cache, wait_for};

/// The hosts of one test.
pub(crate) struct Hosts {
    lab: Child,
    input: Option<ChildStdin>,
    folder: tempfile::TempDir,
    /// Commands given so far.
    given: usize,
}

/// Requests that go on until they are stopped.
pub(crate) struct Load {
    child: Child,
    count: PathBuf,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hosts").join(name)
}

/// Why there can be no such hosts here.
fn impossible() -> Option<String> {
    if !rustix::process::getuid().is_root() {
        // In a user namespace sshd cannot become its unprivileged user.
        return Some("only root can make hosts with a real sshd in namespaces".to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |name: &&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    if let Some(name) = ["ssh", "ssh-keygen", "ip", "nsenter", "apt-get"].iter().find(|name| !there(name)) {
        return Some(format!("no `{name}` here; `apt-get install openssh-client iproute2` lets this test run"));
    }
    let tried = Command::new("unshare").args(["--net", "--mount", "--pid", "--fork", "true"]).output();
    match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("no namespaces here: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Some(format!("no `unshare` here: {error}")),
    }
}

/// The folder that hosts boot from, made once; nothing where there can be no hosts, which is said.
pub(crate) fn base(acme: bool) -> Option<PathBuf> {
    if let Some(why) = impossible() {
        eprintln!("SKIPPED: {why}");
        return None;
    }
    super::tools(); // with them come nginx and haproxy
    let (base, packages) = (cache().join("otto-test-hosts"), cache().join("otto/packages/root"));
    fs::create_dir_all(cache()).expect("a cache");
    let lock = cache().join("otto-test-hosts.lock");
    let make = |fixture: PathBuf, args: &[&PathBuf]| {
        let made = Command::new("flock").arg(&lock).arg(fixture).args(args).output().expect("flock");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    make(fixture("base"), &[&base, &packages]);
    if acme {
        make(fixture("acme"), &[&base]);
    }
    Some(base)
}

/// A command in the network of a process.
pub(crate) fn near(pid: u32, command: &Command) -> Command {
    let mut inside = Command::new("nsenter");
    inside.args(["-t", &pid.to_string(), "-n", "--"]);
    inside.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    if let Some(folder) = command.get_current_dir() {
        inside.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => inside.env(name, value),
            None => inside.env_remove(name),
        };
    }
    inside
}

impl Hosts {
    /// Starts them; nothing where that cannot be, which is said.
    pub(crate) fn start() -> Option<Self> {
        Self::begin(false)
    }

    /// The same, with certbot on the hosts and an authority to ask (see [`Hosts::program`]).
    pub(crate) fn with_acme() -> Option<Self> {
        Self::begin(true)
    }

    /// A program that was fetched with the hosts.
    pub(crate) fn program(name: &str) -> PathBuf {
        cache().join("otto-test-hosts/usr/bin").join(name)
    }

    fn begin(acme: bool) -> Option<Self> {
        let base = base(acme)?;
        let folder = tempfile::Builder::new().prefix("otto-hosts-").tempdir().expect("a folder");
        let key = folder.path().join("key");
        let keygen = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
        assert!(keygen.expect("ssh-keygen").success());
        let log = File::create(folder.path().join("log")).expect("a log");
        let mut lab = Command::new("unshare")
            .args(["--net", "--mount", "--propagation", "private"])
            .args([&fixture("lab"), &base, &key.with_extension("pub"), &folder.path().join("work")])
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("unshare");
        let input = lab.stdin.take();
        let mut hosts = Self { lab, input, folder, given: 0 };
        let work = hosts.work();
        wait_for("the hosts", || {
            let ended = hosts.lab.try_wait().expect("its state").is_some();
            assert!(!ended, "{}", fs::read_to_string(hosts.folder.path().join("log")).unwrap_or_default());
            work.join("ready").exists()
        });
        Some(hosts)
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// The private key that lets in root, `admin` (sudo without a password) and `careful` (with `open sesame`).
    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    /// Something on the network from which the hosts are seen.
    pub(crate) fn near(&self, command: &Command) -> Command {
        near(self.lab.id(), command)
    }

    /// otto, near the hosts.
    pub(crate) fn otto(&self, sandbox: &Sandbox, args: &[&str]) -> Output {
        self.otto_with(sandbox, args, &[])
    }

    /// The same with variables of its own.
    pub(crate) fn otto_with(&self, sandbox: &Sandbox, args: &[&str], env: &[(&str, &str)]) -> Output {
        let mut command = self.near(&sandbox.command(args, &sandbox.folder));
        let output = command.envs(env.iter().copied()).output().expect("otto");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Output { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// A shell on a host, past SSH.
    #[track_caller]
    pub(crate) fn on(&self, host: &str, line: &str) -> String {
        let pid = fs::read_to_string(self.work().join(host).join("pid")).expect("its pid");
        let root = self.work().join("disk").join(host).join("root");
        let output = Command::new("nsenter")
            .args(["-t", pid.trim(), "-r", "-m", "-p", "-n", "-u", "-i", "chroot"]) // -r: this machine may be a chroot itself
            .arg(root)
            .args(["/bin/sh", "-c", line])
            .output()
            .expect("nsenter");
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// `rekey`, `kill` or `boot` of a host.
    pub(crate) fn tell(&mut self, verb: &str, host: &str) {
        self.given += 1;
        writeln!(self.input.as_mut().expect("its input"), "{verb} {host}").expect("a pipe");
        let answers = self.work().join("answers");
        wait_for(verb, || fs::read_to_string(&answers).is_ok_and(|text| text.lines().count() >= self.given));
    }

    /// The whole answer of a web server to one request.
    pub(crate) fn get(&self, address: &str, domain: &str) -> String {
        let line = format!(
            "exec 3<>/dev/tcp/{address}/80 && printf 'GET / HTTP/1.0\\r\\nHost: {domain}\\r\\n\\r\\n' >&3 && cat <&3"
        );
        let mut command = Command::new("bash");
        command.args(["-c", &line]);
        let output = self.near(&command).output().expect("bash");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Asks on and on; an answer counts when it holds the words.
    pub(crate) fn load(&self, address: &str, domain: &str, words: &str) -> Load {
        let count = self.folder.path().join(format!("load-{domain}"));
        let script = "n=0 bad=0
            while :; do
              n=$((n + 1))
              case $(exec 3<>\"/dev/tcp/$1/80\" && printf 'GET / HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n' \"$2\" >&3 && cat <&3) in
                *\"$3\"*) ;; *) bad=$((bad + 1)) ;;
              esac
              echo \"$n $bad\" >\"$4.new\" && mv \"$4.new\" \"$4\"
            done";
        let mut command = Command::new("bash");
        command.args(["-c", script, "load", address, domain, words]).arg(&count);
        let child = self.near(&command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("bash");
        wait_for("a first request", || count.exists());
        Load { child, count }
    }
}

impl Load {
    /// How many were asked and how many of them failed.
    pub(crate) fn stop(mut self) -> (u32, u32) {
        self.child.kill().expect("a kill");
        let _ = self.child.wait();
        let text = fs::read_to_string(&self.count).expect("a count");
        let mut numbers = text.split_whitespace().map(|n| n.parse().expect("a number"));
        (numbers.next().expect("a number"), numbers.next().expect("a number"))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        // At the end of its input the lab ends, with all hosts.
        drop(self.input.take());
        let _ = self.lab.wait();
    }
}
