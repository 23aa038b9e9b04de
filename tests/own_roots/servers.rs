//! Where states are kept: PostgreSQL, and an `http` backend that allows nothing that the protocol does not.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use super::support::wait_for;

/// `nobody`: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65534;

/// A database server of this test alone.
pub(crate) struct Postgres {
    server: Child,
    pub(crate) port: u16,
    folder: TempDir,
    programs: PathBuf,
}

impl Postgres {
    /// Nothing, said plainly, where no PostgreSQL is installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("SKIPPED: no PostgreSQL here; `apt-get install postgresql` or initdb on PATH lets this test run");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("otto-pg-").tempdir().expect("a folder");
        let root = rustix::process::geteuid().is_root();
        if root {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("a folder of nobody's");
            fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("its mode");
        }
        let run = |name: &str, args: &[&str]| {
            let mut command = Command::new(programs.join(name));
            command.args(args).current_dir(folder.path()).env("LC_ALL", "C").stdin(Stdio::null());
            if root {
                command.uid(NOBODY).gid(NOBODY);
            }
            command
        };
        let made = run("initdb", &["-D", "data", "-A", "trust", "-U", "otto", "--no-sync"]).output().expect("initdb");
        good("initdb", &made);
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port();
        let own = folder.path().display().to_string();
        let args = ["-D", "data", "-h", "127.0.0.1", "-k", &own, "-p", &port.to_string(), "-c", "fsync=off"];
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let server = run("postgres", &args).stdout(Stdio::null()).stderr(log).spawn().expect("postgres");
        let this = Self { server, port, folder, programs };
        wait_for("PostgreSQL to answer", || this.sql("postgres", "select 1").status.success());
        good("createdb", &this.sql("postgres", "create database states"));
        Some(this)
    }

    fn sql(&self, database: &str, text: &str) -> Output {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "otto", "-d", database, "-Atc", text]);
        command.current_dir(self.folder.path()).stdin(Stdio::null()).output().expect("psql")
    }

    pub(crate) fn address(&self) -> String {
        format!("postgres://otto@127.0.0.1:{}/states?sslmode=disable", self.port)
    }

    /// Workspaces in a schema, sorted.
    pub(crate) fn workspaces(&self, schema: &str) -> Vec<String> {
        let output = self.sql("states", &format!("select name from {schema}.states order by name"));
        good("psql", &output);
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Its own children end with it on INT: a fast shutdown.
        let pid = rustix::process::Pid::from_child(&self.server);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        let _ = self.server.wait();
    }
}

fn good(what: &str, output: &Output) {
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The folder with `initdb`: the newest of Debian's, or that of PATH.
fn programs() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|e| e.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all: Vec<PathBuf> = debian.collect();
    all.sort();
    all.into_iter()
        .rev()
        .chain(std::env::split_paths(&path))
        .find(|folder| ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).is_file()))
}

/// The strict `http` backend.
pub(crate) struct HttpBackend {
    server: Child,
    pub(crate) port: u16,
    folder: TempDir,
}

impl HttpBackend {
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("otto-http-").tempdir().expect("a folder");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/http_backend.py");
        let (port_file, log) = (folder.path().join("port"), folder.path().join("log"));
        let mut command = Command::new("python3");
        command.arg("-B").arg(script).arg(&port_file).arg(&log).stdin(Stdio::null());
        let server = command.spawn().expect("python3");
        wait_for("the backend to listen", || port_file.is_file());
        let port = fs::read_to_string(&port_file).expect("a port").parse().expect("a number");
        Self { server, port, folder }
    }

    /// Requests so far: what, and how it was answered.
    pub(crate) fn log(&self) -> Vec<(String, u64)> {
        let text = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let line = |line: &str| {
            let value: serde_json::Value = serde_json::from_str(line).expect("a line of the log");
            (value["request"].as_str().unwrap_or_default().to_owned(), value["status"].as_u64().unwrap_or(0))
        };
        text.lines().map(line).collect()
    }

    /// From now on states cannot be written (500), or can again (200).
    pub(crate) fn writes(&self, status: u16) {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port)).expect("the backend");
        let body = format!("{{\"post\": {status}}}");
        let head =
            format!("POST /_fault HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).expect("sent");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

impl Drop for HttpBackend {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
