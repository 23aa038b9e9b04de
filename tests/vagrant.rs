//! The provider `vagrant`: recorded transcripts through the reader, the whole of otto over a strict stand-in
//! (`tests/fixtures/vagrant`), and where they are there the real Vagrant with the project's Vagrantfile, and with Docker.

#![allow(clippy::print_stderr)]
#![cfg(target_os = "linux")]

#[path = "vagrant/docker.rs"]
mod docker;
mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output as Raw};

use otto::model::Diagnostic;
use otto::tools::Reader;
use otto::tools::vagrant::{HostList, Listed, Report, Stream};
use serde_json::Value;
use support::hosts::Hosts;
use support::{Output, Running, Sandbox, processes, schema, summary, units, wait_for};

const HELLO: &str = "dev/vagrant/hello";
const KEY: &str = "dev_vagrant_hello";

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn recorded(name: &str) -> Report {
    let text = fs::read_to_string(repository("tests/data/streams").join(name)).expect("a recorded stream");
    let mut stream = Stream::new(2);
    text.lines().for_each(|line| drop(stream.line(line)));
    stream.report()
}

#[test]
fn recorded_transcripts_are_read() {
    let docker = recorded("vagrant-up-machine-readable.txt");
    assert_eq!(docker.begun.iter().collect::<Vec<_>>(), ["www1", "www2"]);
    assert_eq!(docker.begun, docker.done);
    assert_eq!(docker.providers["www2"], "docker");
    let libvirt = recorded("vagrant-libvirt-up-machine-readable.txt");
    assert_eq!(libvirt.done.iter().collect::<Vec<_>>(), ["www1"]);
    assert_eq!(libvirt.providers["www1"], "libvirt");
    assert_eq!([docker.errors, libvirt.errors], [Vec::<Diagnostic>::new(), Vec::new()]);
}

/// A project whose site has hosts of the base box alone, and a Vagrant that remembers machines in a folder.
struct Place {
    sandbox: Sandbox,
    stub: PathBuf,
    path: String,
}

impl Place {
    fn new(sandbox: Sandbox) -> Self {
        let (stub, bin) = (sandbox.base().join("stub"), sandbox.base().join("bin"));
        fs::create_dir_all(stub.join("machines")).expect("a folder");
        fs::create_dir_all(&bin).expect("a folder");
        symlink(repository("tests/fixtures/vagrant/vagrant"), bin.join("vagrant")).expect("a link");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a PATH"));
        Self { sandbox, stub, path }
    }

    /// Without images: roles boot the base box.
    fn bare() -> Self {
        let sandbox = Sandbox::new("vms");
        sandbox.edit("sites/hello/site.yaml", "image: nginx, count: 2", "count: 2");
        sandbox.edit("sites/hello/site.yaml", "image: haproxy, ", "");
        Self::new(sandbox)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.sandbox.command(args, &self.sandbox.folder);
        let own = Path::new(env!("CARGO_BIN_EXE_otto")).parent().expect("a folder").display().to_string();
        command.env("PATH", format!("{}:{own}", self.path)).env("VAGRANT_STUB", &self.stub);
        command
    }

    fn start(&self, args: &[&str]) -> Running {
        Running::spawn(self.command(args), &self.sandbox.base())
    }

    fn otto(&self, args: &[&str]) -> Output {
        self.start(args).wait()
    }

    fn tell(&self, name: &str, text: &str) {
        fs::write(self.stub.join(name), text).expect("a file");
    }

    /// Names of the machines that there are, without otto's prefix.
    fn machines(&self) -> Vec<String> {
        let all = fs::read_dir(self.stub.join("machines")).expect("a folder").flatten();
        let name = |name: String| name.splitn(3, '_').nth(2).unwrap_or(&name).to_owned();
        let mut all: Vec<String> = all.map(|e| name(e.file_name().to_string_lossy().into_owned())).collect();
        all.sort();
        all
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.stub.join("calls")).unwrap_or_default()
    }

    fn record(&self, code: i32) -> Value {
        let document = self.otto(&["status", "--json", "--offline"]).ends(code).json();
        schema::STATUS.holds(&document);
        document["deployments"][0].clone()
    }
}

#[test]
fn machines_follow_the_site_and_go_with_it() {
    let place = Place::bare();
    place.otto(&["provision", HELLO]).ends(40).says("--yes");
    assert!(place.machines().is_empty());
    let events = place.otto(&["provision", HELLO, "--yes", "--json"]).ends(0).events();
    assert_eq!(summary(&events, "dev/vagrant/hello:provision"), "3 machines up");
    assert_eq!(place.machines(), ["lb-1", "www-1", "www-2"]);
    let list = fs::read_to_string(place.sandbox.path(&format!(".otto/vagrant/{KEY}/hosts.json"))).expect("a list");
    let list = HostList::read(&list).expect("a list");
    let of = |name: &str| list.hosts.iter().find(|host| host.name == name).expect("it is in the list").clone();
    assert_eq!((of("lb-1").image.as_str(), of("www-1").size.as_str()), ("debian/bookworm64", "1x512"));

    // SSH that is forwarded to this machine is asked on the private address, with the machine's own key.
    let record = place.record(0);
    let hosts = record["hosts"].as_array().expect("hosts");
    assert_eq!(hosts.len(), 3, "{record}");
    assert_eq!(record["endpoint"], format!("http://{}/", of("lb-1").address));
    for host in hosts {
        assert_eq!(host["address"], of(host["name"].as_str().expect("a name")).address.as_str());
    }

    place.sandbox.edit("sites/hello/site.yaml", "count: 2", "count: 1");
    place.otto(&["provision", HELLO, "--yes"]).ends(40).says("--allow-destroy");
    assert_eq!(place.machines().len(), 3);
    let events = place.otto(&["provision", HELLO, "--yes", "--allow-destroy", "--json"]).ends(0).events();
    assert_eq!(summary(&events, "dev/vagrant/hello:provision"), "2 machines up, 1 destroyed");
    assert_eq!(place.machines(), ["lb-1", "www-1"]);
    assert!(place.calls().contains("destroy -f --machine-readable www-2\n"), "{}", place.calls());

    let drift = place.otto(&["drift", HELLO]).ends(0);
    assert!(format!("{}{}", drift.stdout, drift.stderr).contains("nothing to compare"), "{drift:?}");
    place.otto(&["extend", HELLO, "--for", "9h"]).ends(0);

    // Another clone has machines of its own.
    let other = Place { sandbox: place.sandbox.clone_as("clone"), stub: place.stub.clone(), path: place.path.clone() };
    other.otto(&["provision", HELLO, "--yes"]).ends(0);
    assert_eq!(place.machines().len(), 4);
    other.otto(&["destroy", HELLO, "--yes"]).ends(0);
    assert_eq!(place.machines(), ["lb-1", "www-1"]);

    let events = place.otto(&["destroy", HELLO, "--yes", "--json"]).ends(0).events();
    assert_eq!(summary(&events, "dev/vagrant/hello:destroy"), "2 machines destroyed");
    assert!(place.machines().is_empty());
    assert!(!place.sandbox.path(&format!(".otto/vagrant/{KEY}")).exists());
    assert_eq!(place.record(0)["phase"], "destroyed");
}

#[test]
fn a_machine_that_cannot_be_made_leaves_a_true_record() {
    let place = Place::bare();
    place.tell("fail", "www-2");
    let said = place.otto(&["provision", HELLO, "--yes"]).ends(32);
    let said = said.says("www-2 cannot be made: the stand-in was told so, and says it in two lines.");
    assert!(said.stderr.contains("otto resume"), "{}", said.stderr);
    let record = place.record(0);
    assert_eq!(record["phase"], "partial", "{record}");
    fs::remove_file(place.stub.join("fail")).expect("removed");
    place.otto(&["resume", "--yes"]).ends(0);
    assert_eq!(place.machines(), ["lb-1", "www-1", "www-2"]);
    place.otto(&["destroy", HELLO, "--yes"]).ends(0);
    assert!(place.machines().is_empty());
}

#[test]
fn machines_are_neither_lost_nor_made_twice_when_otto_is_killed() {
    for all in [false, true] {
        let place = Place::bare();
        place.tell("delay", "0.7");
        let running = place.start(&["provision", HELLO, "--yes"]);
        wait_for("the first machine", || place.machines().len() == 1);
        running.kill();
        if all {
            // The supervisor and Vagrant as well.
            processes::living_in(&place.sandbox.folder).iter().for_each(processes::Process::kill);
        }
        let said = place.otto(&["resume", "--yes"]).ends(0);
        assert_eq!(place.machines(), ["lb-1", "www-1", "www-2"], "{}", said.stderr);
        let record = place.record(0);
        assert_eq!((&record["phase"], &record["dirty"]), (&"provisioned".into(), &Value::Null), "{record}");
        let ups = place.calls().lines().filter(|call| call.starts_with("up ")).count();
        assert!(ups <= 2, "{}", place.calls());
        place.otto(&["destroy", HELLO, "--yes"]).ends(0);
        assert!(place.machines().is_empty());
    }
}

#[test]
fn without_vagrant_its_units_are_blocked_and_the_others_planned() {
    let sandbox = Sandbox::bare("none");
    let nothing = sandbox.base().join("nothing");
    fs::create_dir_all(&nothing).expect("a folder");
    let otto = |args: &[&str], providers: &str| -> Raw {
        let mut command = sandbox.command(args, &sandbox.folder);
        command.env("PATH", &nothing).env("CLOWD_PROVIDERS", providers).env("DIGITALOCEAN_TOKEN", "none");
        command.env_remove("GOOGLE_PROJECT").env_remove("GOOGLE_APPLICATION_CREDENTIALS").output().expect("otto")
    };
    let planned = otto(&["plan", "--json"], "do, gcp, vagrant");
    assert_eq!(planned.status.code(), Some(23), "{}", String::from_utf8_lossy(&planned.stderr));
    let plan: Value = serde_json::from_slice(&planned.stdout).expect("a plan");
    for unit in plan["units"].as_array().expect("units") {
        let id = unit["id"].as_str().expect("an id");
        let (action, why) = (&unit["action"], unit["why"].as_str().expect("a reason"));
        if id.contains("vagrant") {
            assert_eq!(action, "blocked", "{unit}");
            assert!(why.contains("Vagrant is not installed") && why.contains("on PATH"), "{unit}");
        } else if id.contains("gcp") {
            assert!(action == "blocked" && why.contains("GOOGLE_PROJECT"), "{unit}");
        } else {
            assert_eq!(action, "run", "{unit}");
        }
    }
    assert_eq!(otto(&["plan"], "vagrant").status.code(), Some(21));
    let up = otto(&["up", "--yes"], "vagrant");
    assert_eq!(up.status.code(), Some(21));
    assert!(String::from_utf8_lossy(&up.stderr).contains("apt-get install vagrant"));
    // Nobody who needs no Vagrant is asked for one.
    assert_eq!(otto(&["plan"], "local").status.code(), Some(0));
}

/// A box in place of the one that qemu would build: Packer is real, the machine is not.
const BOX: &str = r#"
variable "output_dir" { type = string }
variable "name" { type = string }
source "null" "image" { communicator = "none" }
build {
  sources = ["source.null.image"]
  provisioner "shell-local" { inline = ["echo box >'${var.output_dir}/${var.name}.box'"] }
  post-processors {
    post-processor "artifice" { files = ["${var.output_dir}/${var.name}.box"] }
    post-processor "manifest" { output = "${var.output_dir}/manifest.json" }
  }
}
"#;

#[test]
fn a_site_comes_up_on_machines_that_answer() {
    let Some(mut hosts) = Hosts::start() else { return };
    let place = Place::new(Sandbox::new("site"));
    place.sandbox.edit("sites/hello/site.yaml", "image: nginx, count: 2", "image: nginx, count: 1");
    for appliance in ["nginx", "haproxy"] {
        place.sandbox.write(&format!("images/{appliance}/vagrant/image.pkr.hcl"), BOX);
        fs::remove_file(place.sandbox.path(&format!("images/{appliance}/vagrant/plugins.pkr.hcl"))).expect("removed");
    }
    let key = hosts.key().display().to_string();
    let of = |address: &str| serde_json::json!({"HostName": address, "Port": 22, "User": "admin", "IdentityFile": key});
    let reached = serde_json::json!({"lb-1": of("10.88.0.10"), "www-1": of("10.88.0.11")});
    place.tell("addresses.json", &reached.to_string());
    let start = |hosts: &Hosts, args: &[&str]| Running::spawn(hosts.near(&place.command(args)), &place.sandbox.base());
    let otto = |args: &[&str]| start(&hosts, args).wait();
    let events = otto(&["up", HELLO, "--yes", "--json"]).ends(0).events();
    assert_eq!(units(&events, "ok").len(), 5, "{events:#?}");
    assert!(place.calls().contains("box add --machine-readable --force --name otto/nginx-"), "{}", place.calls());
    assert!(hosts.get("10.88.0.10", "hello.localhost").contains("Hello from otto"));
    let events = otto(&["up", HELLO, "--json"]).ends(0).events();
    assert_eq!(units(&events, "skipped").len(), 4, "what is up and unchanged is left alone: {events:#?}");
    assert_eq!(otto(&["ssh", "dev/vagrant/hello/www-1", "--", "whoami"]).ends(0).stdout.trim(), "admin");
    assert_eq!(otto(&["status", "--json"]).ends(0).json()["deployments"][0]["phase"], "tested");

    // A machine that went by another hand is made again, with a host key of its own.
    hosts.tell("rekey", "web-a");
    hosts.tell("kill", "web-a");
    let all = fs::read_dir(place.stub.join("machines")).expect("a folder").flatten();
    let www = all.map(|e| e.path()).find(|path| path.to_string_lossy().ends_with("www-1")).expect("a machine");
    fs::remove_file(www).expect("removed");
    let running = start(&hosts, &["up", HELLO, "--yes"]);
    wait_for("the machine", || place.machines() == ["lb-1", "www-1"]);
    hosts.tell("boot", "web-a");
    running.wait().ends(0);
    assert!(hosts.get("10.88.0.10", "hello.localhost").contains("Hello from otto"));
    start(&hosts, &["destroy", HELLO, "--yes"]).wait().ends(0);
    assert!(place.machines().is_empty());
}

#[test]
fn boxes_are_built_by_a_packer_that_is_installed() {
    support::tools();
    let own = support::cache().join("otto/packages/root/usr/bin/packer");
    let packer = if own.is_file() { own } else { PathBuf::from("packer") };
    let folder = tempfile::tempdir().expect("a folder");
    for appliance in ["nginx", "haproxy", "otto", "clowd"] {
        let place = repository(&format!("images/{appliance}/vagrant"));
        let vars = folder.path().join("vars.json");
        let name = format!("{appliance}-0123456789ab");
        let values = serde_json::json!({
            "run": "20261121-062531-a3f9", "output_dir": folder.path(), "name": name, "base": "https://localhost/a.qcow2",
        });
        fs::write(&vars, values.to_string()).expect("written");
        let mut command = Command::new(&packer);
        command.arg("validate").arg(format!("-var-file={}", vars.display())).arg(place.join("image.pkr.hcl"));
        command.env("OTTO_BIN", env!("CARGO_BIN_EXE_otto")).env("CHECKPOINT_DISABLE", "1");
        let output = command.output().expect("packer");
        assert!(output.status.success(), "{}: {output:?}", place.display());
        let template = fs::read_to_string(place.join("image.pkr.hcl")).expect("a template");
        let at = |word: &str| template.find(word).unwrap_or_else(|| panic!("{word} is not in {}", place.display()));
        assert!(at("install.sh") < at("tidy.sh") && at("tidy.sh") < at("keys.sh"), "the key comes after the tidying");
        let plugins = fs::read_to_string(place.join("plugins.pkr.hcl")).expect("plugins");
        assert!(plugins.contains("required_plugins") && plugins.contains("hashicorp/qemu"));
    }
}

/// Vagrant with the project's own Vagrantfile and a list of two hosts.
fn vagrant(program: &Path, folder: &Path, args: &[&str]) -> Raw {
    Command::new(program)
        .args(args)
        .current_dir(folder)
        .env("HOME", folder)
        .env("VAGRANT_CWD", folder)
        .env("VAGRANT_DOTFILE_PATH", folder.join("state"))
        .env("OTTO_VAGRANT_HOSTS", folder.join("hosts.json"))
        .env("VAGRANT_CHECKPOINT_DISABLE", "1")
        .output()
        .expect("vagrant")
}

#[test]
fn the_real_vagrant_takes_the_vagrantfile_and_tells_what_is_there() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let Some(program) = std::env::split_paths(&path).map(|dir| dir.join("vagrant")).find(|file| file.is_file()) else {
        eprintln!("SKIPPED: there is no `vagrant` here; `apt-get install vagrant vagrant-libvirt` lets this test run");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(repository("Vagrantfile"), folder.path().join("Vagrantfile")).expect("a copy");
    let host = |name: &str, image: &str, n: u8| Listed {
        name: name.into(),
        role: "www".into(),
        image: image.into(),
        size: "2x1024".into(),
        address: format!("192.168.56.{n}"),
    };
    let hosts = vec![host("lb-1", "debian/bookworm64", 10), host("www-1", "/images/nginx-1.box", 11)];
    let list = HostList { prefix: "otto_12345678_".into(), hosts };
    fs::write(folder.path().join("hosts.json"), list.text()).expect("a list");
    let call = |args: &[&str]| vagrant(&program, folder.path(), args);
    let said = |raw: &Raw| format!("{}{}", String::from_utf8_lossy(&raw.stdout), String::from_utf8_lossy(&raw.stderr));
    let checked = call(&["validate", "--ignore-provider"]);
    assert!(checked.status.success(), "{}", said(&checked));
    let status = call(&["status", "--machine-readable"]);
    let mut stream = Stream::new(2);
    String::from_utf8_lossy(&status.stdout).lines().for_each(|line| drop(stream.line(line)));
    let report = stream.report();
    if !status.status.success() {
        // Without VirtualBox, libvirt and Docker it says so, in a class of its own.
        assert!(!report.errors.is_empty(), "{}", said(&status));
        eprintln!("SKIPPED: Vagrant has nothing here to make machines with: {}", report.errors[0].summary);
        return;
    }
    assert_eq!(report.states.len(), 2, "{}", said(&status));
    assert!(report.existing().is_empty());
    let checked = call(&["validate", "--machine-readable"]);
    assert!(checked.status.success(), "{}", said(&checked));
}
