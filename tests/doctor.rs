//! The doctor: ten things are broken one after another, each is found, and what is printed mends it.

#![allow(clippy::print_stderr)]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use support::{Output, Sandbox};

/// Nothing of the machine that the tests run on is to be found.
fn doctor(sandbox: &Sandbox, env: &[(&str, &str)], before: &str) -> (Output, Vec<Value>) {
    let program = env!("CARGO_BIN_EXE_otto");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{before}\n'{program}' doctor --json")]);
    let own = sandbox.command([""; 0], &sandbox.folder);
    for (name, value) in own.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    for name in ["LC_ALL", "LC_CTYPE", "LANG", "SSH_AUTH_SOCK"] {
        command.env_remove(name);
    }
    command.envs(env.iter().copied()).current_dir(&sandbox.folder).stdin(Stdio::null());
    let output = command.output().expect("sh");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let output =
        Output { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) };
    let document = output.json();
    assert_eq!(document["schema"], "otto.doctor/1");
    let findings = document["findings"].as_array().expect("a list").clone();
    (output, findings)
}

/// What is wrong of one kind: state, words, fix.
fn wrong(findings: &[Value], check: &str) -> Option<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = findings.iter().find(|f| f["check"] == check && f["state"] != "ok");
    found.map(|f| (text(&f["state"]), text(&f["what"]), text(&f["fix"])))
}

/// It is found, and the printed line, typed into the same shell, mends it.
#[track_caller]
fn found_and_mended(sandbox: &Sandbox, check: &str, words: &str, env: &[(&str, &str)]) {
    let (output, findings) = doctor(sandbox, env, "");
    let (state, what, fix) = wrong(&findings, check).unwrap_or_else(|| panic!("{check}: {}", output.stdout));
    assert!(what.contains(words), "{what}");
    assert_eq!((state.as_str(), output.code), ("fail", 2), "{what}");
    let (output, findings) = doctor(sandbox, env, &fix);
    assert_eq!(wrong(&findings, check), None, "`{fix}` did not help: {}", output.stderr);
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A web server in Python whose clock is off.
fn server(folder: &Path, address: &str, port: u64, off: i64) -> Server {
    let script = format!(
        "import http.server as s, time, email.utils as e\n\
         class H(s.BaseHTTPRequestHandler):\n\
         \x20   def date_time_string(self, timestamp=None): return e.formatdate(time.time() + {off}, usegmt=True)\n\
         \x20   def do_GET(self): self.send_response(200); self.end_headers()\n\
         \x20   def log_message(self, *a): pass\n\
         s.ThreadingHTTPServer.allow_reuse_address = True\n\
         s.ThreadingHTTPServer(('{address}', {port}), H).serve_forever()\n"
    );
    let child = Command::new("python3").args(["-c", &script]).current_dir(folder).stdin(Stdio::null()).spawn();
    let server = Server(child.expect("python3"));
    support::wait_for("the server", || std::net::TcpStream::connect(format!("{address}:{port}")).is_ok());
    server
}

fn end_web_server(host: &Path) {
    for process in support::processes::living_in(host) {
        let pid = rustix::process::Pid::from_raw(process.pid).expect("a pid");
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
    support::wait_for("its end", || support::processes::living_in(host).is_empty());
}

#[test]
fn ten_faults_are_found_and_mended() {
    let sandbox = Sandbox::new("patient");
    fs::remove_dir_all(sandbox.path("sites/hello")).expect("removed");
    sandbox.otto(&["up", "--yes"]).ends(0);
    let (output, findings) = doctor(&sandbox, &[], "");
    assert_eq!(output.code, 0, "{findings:#?}");
    let path = sandbox.command([""; 0], &sandbox.folder);
    let path = path.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, value)| value).expect("a PATH");
    let path = path.to_str().expect("UTF-8").to_owned();

    // 1. An old Terraform comes first on PATH.
    let old = sandbox.path("../old");
    fs::create_dir(&old).expect("a folder");
    fs::write(old.join("terraform"), "#!/bin/sh\necho Terraform v0.12.31\n").expect("a program");
    fs::set_permissions(old.join("terraform"), fs::Permissions::from_mode(0o755)).expect("its mode");
    let (_, findings) = doctor(&sandbox, &[("PATH", &format!("{}:{path}", old.display()))], "");
    let (_, what, fix) = wrong(&findings, "tools").expect("the old one");
    assert!(what.contains("Terraform 0.12.31 is too old"), "{what}");
    assert!(fix == "otto tools install --yes" || fix.contains("take it off PATH"), "{fix}");
    fs::remove_file(old.join("terraform")).expect("taken off PATH");
    let (_, findings) = doctor(&sandbox, &[("PATH", &format!("{}:{path}", old.display()))], "");
    assert_eq!(wrong(&findings, "tools"), None);

    // 2. No Python: a PATH with nothing but what is needed besides.
    let few = sandbox.path("../few");
    fs::create_dir(&few).expect("a folder");
    for name in ["terraform", "packer", "sh"] {
        let at = path.split(':').map(|folder| Path::new(folder).join(name)).find(|path| path.is_file());
        if let Some(at) = at {
            symlink(at, few.join(name)).expect("a link");
        }
    }
    let (_, findings) = doctor(&sandbox, &[("PATH", few.to_str().expect("UTF-8"))], "");
    let (_, what, fix) = wrong(&findings, "python").expect("no Python");
    assert!(what.contains("python3 is not on PATH") && fix.contains("install python3"), "{what}: {fix}");
    // Not a link: a Python looks for its library from where it is called.
    let script = format!("#!/bin/sh\nPATH='{path}' exec python3 \"$@\"\n");
    fs::write(few.join("python3"), script).expect("installed");
    fs::set_permissions(few.join("python3"), fs::Permissions::from_mode(0o755)).expect("its mode");
    let (_, findings) = doctor(&sandbox, &[("PATH", few.to_str().expect("UTF-8"))], "");
    assert_eq!(wrong(&findings, "python"), None);

    // 3. and 6. and 7. The environment.
    found_and_mended(&sandbox, "locale", "is not UTF-8", &[("LC_ALL", "de_DE.ISO-8859-1")]);
    fs::write(sandbox.path("../blocked"), "").expect("a file");
    let blocked = sandbox.path("../blocked").join("below").display().to_string();
    found_and_mended(&sandbox, "cache", "cannot be written", &[("XDG_CACHE_HOME", &blocked)]);
    found_and_mended(&sandbox, "agent", "no agent answers", &[("SSH_AUTH_SOCK", "/nowhere/agent")]);

    // 4. Somebody else has the port of a host whose server died.
    let host = sandbox.host("dev_local_blog", "www-1");
    let about: Value = serde_json::from_slice(&fs::read(host.join("host.json")).expect("host.json")).expect("JSON");
    let (address, port) =
        (about["address"].as_str().expect("an address"), about["http_port"].as_u64().expect("a port"));
    end_web_server(&host);
    let mut other = server(Path::new("/"), address, port, 0);
    let (_, findings) = doctor(&sandbox, &[], "");
    let (_, what, fix) = wrong(&findings, "port").expect("a taken port");
    assert!(what.contains("www-1 of dev/local/blog") && what.contains(&other.0.id().to_string()), "{what}");
    let mended = std::thread::scope(|scope| {
        let line = scope.spawn(|| sandbox.line(&fix));
        // Its parent is this test: until it is waited for, it is a zombie that holds nothing.
        let _ = other.0.wait();
        line.join().expect("the line")
    });
    mended.ends(0);
    assert_eq!(doctor(&sandbox, &[], "").0.code, 0);

    // 5. A host whose clock is ten minutes behind.
    end_web_server(&host);
    let late = server(&host, address, port, -600);
    let (_, findings) = doctor(&sandbox, &[], "");
    let (state, what, fix) = wrong(&findings, "clock").expect("the skew");
    assert!(state == "fail" && what.contains("the clock of www-1") && what.contains("behind"), "{what}");
    assert!(fix.contains("timedatectl set-ntp true"), "{fix}");
    // A clock that was set right: the host's own server tells the time again.
    drop(late);
    sandbox.otto(&["up", "--yes"]).ends(0);
    assert_eq!(wrong(&doctor(&sandbox, &[], "").1, "clock"), None);

    // 8. A copy of the state is damaged.
    let copies = support::files(&sandbox.path("../state/otto"));
    let copy = copies.iter().find(|path| path.ends_with("otto.db")).expect("a copy");
    let mut bytes = fs::read(copy).expect("its bytes");
    let middle = bytes.len() / 2;
    bytes[100..200].fill(0x55);
    bytes[middle..middle + 4096].fill(0xAA);
    fs::write(copy, bytes).expect("damaged");
    found_and_mended(&sandbox, "copies", "could not be put back", &[]);

    // 9. A provider's credentials are missing.
    sandbox.write("clowd/provision/cloud/provider.yaml", "kind: terraform\ncredentials: [CLOUD_TOKEN]\n");
    sandbox.write("clowd/provision/cloud/main.tf", "");
    sandbox.edit("otto.yaml", "providers: [local]", "providers: [local, cloud]");
    found_and_mended(&sandbox, "credentials", "CLOUD_TOKEN", &[]);
    sandbox.edit("otto.yaml", "providers: [local, cloud]", "providers: [local]");

    // 10. A key that others may read.
    let key = sandbox.path("../home/.ssh/id");
    fs::create_dir_all(key.parent().expect("a parent")).expect("a folder");
    fs::write(&key, "key").expect("a key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).expect("its mode");
    sandbox.edit("otto.yaml", "environment: dev", "ssh: {identity: ~/.ssh/id}\nenvironment: dev");
    found_and_mended(&sandbox, "keys", "may be read by others (mode 0640)", &[]);
}

#[test]
fn broken_files_do_not_stop_it() {
    let sandbox = Sandbox::bare("broken");
    sandbox.edit("otto.yaml", "providers:", "provdiers:");
    let mut command = sandbox.command(["doctor"], &sandbox.folder);
    let output = command.env_remove("SSH_AUTH_SOCK").output().expect("otto");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("unknown key `provdiers`") && text.contains("did you mean `providers`?"), "{text}");
    assert!(text.contains("fault"), "{text}");
    let mut command = sandbox.command(["status"], &sandbox.folder);
    let output = command.env("OTTO_EVN", "prod").output().expect("otto");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let slip = "warning: otto does not know the environment variable `OTTO_EVN`: did you mean `OTTO_ENV`?";
    assert_eq!(text.matches(slip).count(), 1, "{text}");
}
