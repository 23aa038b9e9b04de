//! The checks of a deployment against real nginx and haproxy.

#![allow(clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use otto::model::{CheckResult, Health, Host, Ways};
use otto::net::Client;
use otto::services::health::{Level, Scope, Settings, deployment, worst};
use otto::tools::find::Search;

mod support;

/// A server that is ended with the test.
struct Server(Child);

impl Server {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a server"))
    }

    fn stop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port()
}

/// nginx as one process: a second one (its worker) would outlive a kill.
fn nginx(program: &Path, folder: &Path, name: &str, port: u16) -> Server {
    let prefix = folder.join(name);
    fs::create_dir_all(prefix.join("www")).expect("folders");
    fs::write(prefix.join("www/index.html"), "hello from nginx").expect("a page");
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {kind}; "))
        .collect();
    let text = format!(
        "daemon off; master_process off; pid nginx.pid; error_log error.log; events {{}}
         http {{ access_log off; {temporary}
           server {{ listen 127.0.0.1:{port} default_server; server_name other; return 404; }}
           server {{ listen 127.0.0.1:{port}; server_name hello.localhost www.hello.localhost;
                     root www; add_header X-Served-By {name} always; }} }}"
    );
    fs::write(prefix.join("nginx.conf"), text).expect("a configuration");
    Server::start(Command::new(program).arg("-p").arg(&prefix).args(["-c", "nginx.conf", "-e", "error.log"]))
}

fn haproxy(program: &Path, libraries: &Path, folder: &Path, port: u16, backends: &[(String, u16)]) -> Server {
    let servers: String = backends
        .iter()
        .map(|(name, port)| format!("  server {name} 127.0.0.1:{port} check inter 100ms fall 1 rise 1\n"))
        .collect();
    let text = format!(
        "defaults\n  mode http\n  timeout connect 1s\n  timeout client 5s\n  timeout server 5s\n  retries 2\n\
         option redispatch\nfrontend in\n  bind 127.0.0.1:{port}\n  default_backend all\n\
         backend all\n  balance roundrobin\n{servers}"
    );
    let file = folder.join("haproxy.cfg");
    fs::write(&file, text).expect("a configuration");
    Server::start(Command::new(program).arg("-db").arg("-f").arg(file).env("LD_LIBRARY_PATH", libraries))
}

fn host(name: &str, port: u16) -> Host {
    let role = name.split('-').next().unwrap_or(name);
    let json = format!(
        r#"{{"name":"{name}","role":"{role}","address":"127.0.0.1","connection":"local","probe":"tcp:{port}"}}"#
    );
    serde_json::from_str(&json).expect("a host")
}

fn bad(results: &[CheckResult]) -> Vec<String> {
    let bad = results.iter().filter(|result| result.state != Health::Ok);
    bad.map(|result| format!("{}: {}", result.name, result.detail)).collect()
}

/// PATH and the system's folders, then what otto unpacked for this user.
fn search() -> Search {
    let own = std::env::var_os("OTTO_TEST_CACHE").or_else(|| std::env::var_os("XDG_CACHE_HOME")).map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = own.unwrap_or_else(home);
    let cache = if cache.join("packages").exists() { cache } else { cache.join("otto") };
    Search::new(&std::env::var_os("PATH").unwrap_or_default(), cache)
}

#[test]
fn real_servers_are_healthy_until_one_is_lost() {
    support::tools();
    let search = search();
    let program = |name: &str| search.program(name).unwrap_or_else(|| panic!("no {name}, though it was installed")).0;
    let (www, lb) = (program("nginx"), program("haproxy"));
    let libraries = search.packages_root().join("usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH));
    let folder = tempfile::tempdir().expect("a folder");
    let backends: Vec<(String, u16)> = (1..=3).map(|n| (format!("www-{n}"), free_port())).collect();
    let mut servers: Vec<Server> =
        backends.iter().map(|(name, port)| nginx(&www, folder.path(), name, *port)).collect();
    let front = free_port();
    let _lb = haproxy(&lb, &libraries, folder.path(), front, &backends);
    let mut hosts: Vec<Host> = backends.iter().map(|(name, port)| host(name, *port)).collect();
    hosts.insert(0, host("lb-1", front));
    let domains = ["hello.localhost".to_owned(), "www.hello.localhost".to_owned()];
    let endpoint = format!("http://127.0.0.1:{front}/");
    let scope = Scope {
        hosts: &hosts,
        endpoint: Some(&endpoint),
        domains: &domains,
        checks: &[],
        tls: None,
        ways: &Ways::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let client = Client::new();
    let ask = |level, settings| {
        let began = Instant::now();
        let results = runtime.block_on(deployment(&client, &scope, level, settings));
        eprintln!("{level:?}: {} checks in {:?}", results.len(), began.elapsed());
        results
    };
    let patient = Settings { patience: Duration::from_secs(10), ..Settings::default() };
    assert_eq!(bad(&ask(Level::Full, patient)), Vec::<String>::new());
    assert_eq!(worst(&ask(Level::Quick, Settings::default())), Health::Ok);
    assert_eq!(ask(Level::Full, Settings::default()).len(), 4 + 6 + 2 + 1);

    servers[1].stop();
    std::thread::sleep(Duration::from_millis(400));
    let text = bad(&ask(Level::Full, Settings::default())).join("\n");
    assert!(text.contains("www-2 up: ") && text.contains("www-2 never answered in 12 connections"), "{text}");
    assert!(!text.contains("endpoint serves"), "visitors notice nothing: {text}");

    let strange = ["foreign.localhost".to_owned()];
    let scope = Scope { domains: &strange, ..scope };
    let found = runtime.block_on(deployment(&client, &scope, Level::Quick, Settings::default()));
    assert!(bad(&found).join("\n").contains("endpoint serves foreign.localhost: answered 404"), "{found:?}");
}
