//! The whole of otto with the real Vagrant and real containers: a Docker daemon of the test's own in namespaces of its own
//! (`tests/fixtures/docker`), whose image lets in Vagrant's user. It ends, with all that it made, with the value or with the test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::support::hosts::{base, near};
use super::support::{Output, Running, Sandbox, processes, schema, summary, units, wait_for};
use super::{HELLO, KEY, repository};

/// The daemon of one test.
struct Docker {
    daemon: Child,
    folder: tempfile::TempDir,
}

/// Why the real Vagrant can make nothing with Docker here.
fn missing() -> Option<String> {
    let packages = |name: &str| ["/usr/sbin", "/usr/bin"].iter().any(|dir| Path::new(dir).join(name).is_file());
    if let Some(name) = ["dockerd", "docker"].iter().find(|name| !packages(name)) {
        return Some(format!(
            "there is no `{name}` in /usr/sbin or /usr/bin; `apt-get install docker.io` lets this test run"
        ));
    }
    let home = tempfile::tempdir().expect("a folder");
    match Command::new("vagrant").arg("--version").env("HOME", home.path()).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("`vagrant` does not work: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(_) => Some("there is no `vagrant` here; `apt-get install vagrant` lets this test run".to_owned()),
    }
}

impl Docker {
    /// Starts it; nothing where that cannot be, which is said.
    fn start() -> Option<Self> {
        if let Some(why) = missing() {
            eprintln!("SKIPPED: {why}");
            return None;
        }
        let base = base(false)?;
        let folder = tempfile::Builder::new().prefix("otto-docker-").tempdir().expect("a folder");
        let log = File::create(folder.path().join("script")).expect("a log");
        let daemon = Command::new("unshare")
            .args(["--net", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"])
            .args([&repository("tests/fixtures/docker/daemon"), &base, &folder.path().join("work")])
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("unshare");
        let mut docker = Self { daemon, folder };
        let why = docker.work().join("why");
        wait_for("the Docker daemon", || {
            let ended = docker.daemon.try_wait().expect("its state").is_some();
            let said = || fs::read_to_string(docker.folder.path().join("script")).unwrap_or_default();
            assert!(!ended || why.exists(), "{}", said());
            ended || docker.work().join("ready").exists()
        });
        if let Ok(why) = fs::read_to_string(why) {
            eprintln!("SKIPPED: no container can run here: {}", why.trim());
            return None;
        }
        Some(docker)
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    fn socket(&self) -> String {
        format!("unix://{}", self.work().join("docker.sock").display())
    }

    /// Docker by hand, past otto and Vagrant.
    #[track_caller]
    fn docker(&self, args: &[&str]) -> Vec<String> {
        let mut command = Command::new(self.work().join("bin/docker"));
        let output = command.args(args).env("DOCKER_HOST", self.socket()).output().expect("docker");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    /// Names of the containers in these states, without otto's prefix, sorted.
    fn containers(&self, filter: &[&str]) -> Vec<String> {
        let all = self.docker(&[&["ps", "--format", "{{.Names}}"], filter].concat());
        let mut all: Vec<String> =
            all.iter().map(|name| name.splitn(3, '_').nth(2).unwrap_or(name).to_owned()).collect();
        all.sort();
        all
    }

    /// The container of a machine.
    fn container(&self, machine: &str) -> String {
        let all = self.docker(&["ps", "-a", "--format", "{{.Names}}"]);
        all.into_iter().find(|name| name.ends_with(machine)).unwrap_or_else(|| panic!("no container of {machine}"))
    }

    /// As a container is that was made, and Vagrant interrupted before it came into the machine's network.
    fn leave_network(&self, machine: &str) {
        let networks = self.docker(&["network", "ls", "--filter", "name=vagrant_network_", "--format", "{{.Name}}"]);
        assert_eq!(networks.len(), 1, "{networks:?}");
        self.docker(&["start", &self.container(machine)]);
        self.docker(&["network", "disconnect", &networks[0], &self.container(machine)]);
    }

    /// A program that finds this daemon, and containers by Vagrant.
    fn with_docker(&self, command: &mut Command) {
        let own = Path::new(env!("CARGO_BIN_EXE_otto")).parent().expect("a folder").display().to_string();
        let path = std::env::var("PATH").expect("a PATH");
        command.env("PATH", format!("{}:{own}:{path}", self.work().join("bin").display()));
        command.env("DOCKER_HOST", self.socket()).env_remove("DOCKER_CONTEXT").env_remove("DOCKER_TLS_VERIFY");
        command.env("VAGRANT_DEFAULT_PROVIDER", "docker").env("OTTO_VAGRANT_DOCKER_IMAGE", "otto-test/host:1");
    }

    /// Vagrant by hand, as the documents tell: in a deployment's folder.
    #[track_caller]
    fn vagrant(&self, sandbox: &Sandbox, args: &[&str]) {
        let folder = sandbox.path(&format!(".otto/vagrant/{KEY}"));
        let mut command = Command::new("vagrant");
        command.args(args).current_dir(&folder).env("HOME", sandbox.base().join("home"));
        command.env("VAGRANT_CWD", &folder).env("VAGRANT_DOTFILE_PATH", folder.join("state"));
        command.env("OTTO_VAGRANT_HOSTS", folder.join("hosts.json")).env("VAGRANT_CHECKPOINT_DISABLE", "1");
        self.with_docker(&mut command);
        let output = command.output().expect("vagrant");
        assert!(output.status.success(), "{args:?}: {output:?}");
    }

    fn start_otto(&self, sandbox: &Sandbox, args: &[&str]) -> Running {
        let mut command = sandbox.command(args, &sandbox.folder);
        self.with_docker(&mut command);
        Running::spawn(near(self.daemon.id(), &command), &sandbox.base())
    }

    fn otto(&self, sandbox: &Sandbox, args: &[&str]) -> Output {
        self.start_otto(sandbox, args).wait()
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        drop(self.daemon.stdin.take());
        let _ = self.daemon.wait();
    }
}

/// What Vagrant notes of a machine while its container is being made, and after that where Vagrant was killed just then.
fn unnoted(sandbox: &Sandbox, machine: &str) {
    let id = sandbox.path(&format!(".otto/vagrant/{KEY}/state/machines/{machine}/docker/id"));
    assert!(id.is_file(), "{} is where Vagrant notes a container", id.display());
    fs::write(id, "preparing").expect("written");
}

#[test]
fn real_machines_come_up_are_repaired_and_go() {
    let Some(docker) = Docker::start() else { return };
    let sandbox = Sandbox::new("real");
    sandbox.edit("sites/hello/site.yaml", "image: nginx, count: 2", "count: 1");
    sandbox.edit("sites/hello/site.yaml", "image: haproxy, ", "");
    let otto = |args: &[&str]| docker.otto(&sandbox, args);
    let status = |code: i32| {
        let document = otto(&["status", "--json"]).ends(code).json();
        schema::STATUS.holds(&document);
        document["deployments"][0].clone()
    };

    let said = otto(&["up", HELLO, "--yes", "--json"]).ends(0);
    assert!(!said.stderr.contains("OTTO_VAGRANT"), "{}", said.stderr);
    let events = said.events();
    assert_eq!(summary(&events, "dev/vagrant/hello:provision"), "2 machines up");
    assert_eq!(units(&events, "ok").len(), 3, "it serves, and was tested: {events:#?}");
    assert_eq!(docker.containers(&[]), ["lb-1", "www-1"]);
    docker.vagrant(&sandbox, &["validate"]);
    assert_eq!(otto(&["ssh", "dev/vagrant/hello/www-1", "--", "whoami"]).ends(0).stdout.trim(), "vagrant");
    assert_eq!(status(0)["phase"], "tested");
    assert_eq!(units(&otto(&["up", HELLO, "--json"]).ends(0).events(), "skipped").len(), 2, "nothing is to be done");

    // By another hand: one machine is stopped, one removed. otto's repair is cut short as it makes a third.
    docker.docker(&["stop", &docker.container("lb-1")]);
    docker.docker(&["rm", "-f", &docker.container("www-1")]);
    assert_eq!(status(2)["phase"], "tested");
    sandbox.edit("sites/hello/site.yaml", "count: 1, size: small}\n  lb", "count: 2, size: small}\n  lb");
    let running = docker.start_otto(&sandbox, &["up", HELLO, "--yes"]);
    wait_for("the third machine", || docker.containers(&["-a"]).contains(&"www-2".to_owned()));
    running.kill();
    processes::end_all_in(&sandbox.folder);
    unnoted(&sandbox, "www-2");
    docker.leave_network("lb-1");
    let record = status(2);
    assert_eq!(record["phase"], "partial", "{record}");
    otto(&["resume", "--yes"]).ends(0);
    assert_eq!(docker.containers(&[]), ["lb-1", "www-1", "www-2"]);
    assert_eq!(status(0)["phase"], "tested");

    // A container that Vagrant does not know any more goes as well.
    unnoted(&sandbox, "www-1");
    otto(&["destroy", HELLO, "--yes"]).ends(0);
    assert!(docker.containers(&["-a"]).is_empty());
    let networks = docker.docker(&["network", "ls", "--format", "{{.Name}}"]);
    assert!(networks.iter().all(|name| ["bridge", "host", "none"].contains(&name.as_str())), "{networks:?}");
    assert_eq!(status(0)["phase"], "destroyed");
    assert!(!sandbox.path(&format!(".otto/vagrant/{KEY}")).exists());
}
