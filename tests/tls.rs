//! HTTPS through the binary, on real nginx and haproxy: the project's own authority, files of one's own, and every way in
//! which a certificate is wrong.

#![allow(clippy::print_stderr)]

#[path = "support/mod.rs"]
mod support;

use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use serde_json::Value;
use support::{Sandbox, processes};

const HELLO: &str = "dev/local/hello";
const BLOG: &str = "dev/local/blog";

/// What curl gets from a URL: its exit status, the answer's status and the page.
fn curl(sandbox: &Sandbox, url: &str, more: &[&str]) -> (i32, String, String) {
    let mut command = Command::new("curl");
    command.args(["-s", "-m", "10", "-w", "\n%{http_code} %{redirect_url}"]).args(more).arg(url);
    let output = command.current_dir(&sandbox.folder).output().expect("curl");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (page, end) = text.rsplit_once('\n').unwrap_or(("", &text));
    (output.status.code().unwrap_or(-1), end.trim().to_owned(), page.to_owned())
}

fn endpoint(sandbox: &Sandbox, name: &str, code: i32) -> String {
    sandbox.status_of(name, code)["endpoint"].as_str().expect("an endpoint").to_owned()
}

fn port(endpoint: &str) -> u16 {
    let port = endpoint.strip_prefix("https://127.0.0.1:").and_then(|rest| rest.strip_suffix('/'));
    port.and_then(|p| p.parse().ok()).unwrap_or_else(|| panic!("{endpoint}"))
}

/// The findings about certificates that are not ok.
fn findings(status: &Value) -> Vec<String> {
    let checks = status["checks"].as_array().expect("checks");
    let bad = checks.iter().filter(|c| c["kind"] == "tls" && c["state"] != "ok");
    bad.map(|c| format!("{} {}: {}", c["state"], c["name"], c["detail"])).collect()
}

#[test]
fn sites_are_secured_by_the_projects_own_authority_and_back() {
    let sandbox = Sandbox::new("demo");
    sandbox.edit("sites/hello/site.yaml", "\nroles:", "\ntls: self-signed\nroles:");
    sandbox.edit("sites/blog/site.yaml", "\nroles:", "\ntls: {mode: self-signed, redirect: false}\nroles:");
    sandbox.otto(&["up", "--yes"]).ends(0);
    for (name, domains) in [(HELLO, &["hello.localhost", "www.hello.localhost"][..]), (BLOG, &["blog.localhost"])] {
        let port = port(&endpoint(&sandbox, name, 0));
        for domain in domains {
            let url = format!("https://{domain}:{port}/");
            let (code, status, page) = curl(&sandbox, &url, &["--cacert", ".otto/tls/authority.pem"]);
            assert_eq!((code, status.as_str()), (0, "200"), "{url} {page}");
            assert_eq!(curl(&sandbox, &url, &[]).0, 60, "{url}: nobody else believes it");
        }
    }
    // Plain HTTP leads there, with path and query; without `redirect` it goes on to serve.
    let hello = port(&endpoint(&sandbox, HELLO, 0));
    let (_, to, _) = curl(&sandbox, &format!("http://www.hello.localhost:{}/a?b=1", hello + 10_000), &[]);
    assert_eq!(to, format!("301 https://www.hello.localhost:{hello}/a?b=1"));
    let blog = port(&endpoint(&sandbox, BLOG, 0));
    assert_eq!(curl(&sandbox, &format!("http://blog.localhost:{}/", blog + 10_000), &[]).1, "200");
    sandbox.otto(&["test", "--failover"]).ends(0);
    // Nothing is due: nothing runs. The certificate stays the same.
    let made = std::fs::read(sandbox.path(".otto/tls/dev_local_hello.pem")).expect("a certificate");
    let events = sandbox.otto(&["up", "--yes", "--json"]).ends(0).events();
    assert_eq!(support::units(&events, "skipped").len(), 6, "{:?}", support::outcomes(&events));
    sandbox.otto(&["config", "--yes"]).ends(0);
    assert_eq!(std::fs::read(sandbox.path(".otto/tls/dev_local_hello.pem")).expect("a certificate"), made);
    // Off again: HTTP serves, nobody listens for HTTPS.
    sandbox.edit("sites/hello/site.yaml", "tls: self-signed", "tls: off");
    sandbox.otto(&["up", "--yes"]).ends(0);
    assert_eq!(curl(&sandbox, &format!("http://hello.localhost:{}/", hello + 10_000), &[]).1, "200");
    assert_eq!(curl(&sandbox, &format!("https://hello.localhost:{hello}/"), &["-k"]).0, 7);
    sandbox.otto(&["destroy", "--yes"]).ends(0);
    assert_eq!(processes::living_in(&sandbox.folder), Vec::new());
}

/// An authority of someone else's, and what it signs.
struct Signer(Issuer<'static, KeyPair>, String);

impl Signer {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, "someone else");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("an authority").pem();
        Self(Issuer::new(params, key), pem)
    }

    /// A certificate and its key, good for so many days from now on.
    fn sign(&self, names: &[&str], days: i64) -> (String, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        let at = otto::model::Timestamp(now_ms()).plus_seconds(days * 86_400);
        let (year, month, day, ..) = at.civil();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year as i32, month as u8, day as u8);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }
}

fn now_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_millis()).expect("a time")
}

#[test]
fn files_of_ones_own_are_served_and_watched() {
    let sandbox = Sandbox::new("demo");
    let signer = Signer::new();
    let names = ["hello.localhost", "www.hello.localhost"];
    let place = |(certificate, key): (String, String)| {
        sandbox.write("sites/hello/tls/certificate.pem", &certificate);
        sandbox.write("sites/hello/tls/key.pem", &key);
    };
    sandbox.edit("sites/hello/site.yaml", "\nroles:", "\ntls: files\nroles:");
    // Not there: told with the line, and nothing begins.
    sandbox.otto(&["up", "--yes", HELLO]).ends(20).says("sites/hello/site.yaml:").says("tls/certificate.pem");
    place(signer.sign(&names, 90));
    sandbox.write("authority.pem", &signer.1);
    sandbox.otto(&["up", "--yes", HELLO]).ends(0);
    let port = port(&endpoint(&sandbox, HELLO, 0));
    for name in names {
        let got = curl(&sandbox, &format!("https://{name}:{port}/"), &["--cacert", "authority.pem"]);
        assert_eq!((got.0, got.1.as_str()), (0, "200"), "{got:?}");
    }
    // The key of another certificate: refused before anything is touched, and the site serves on.
    let (certificate, key) = (signer.sign(&names, 90).0, signer.sign(&names, 90).1);
    place((certificate, key));
    let refused = sandbox.otto(&["config", HELLO]).ends(30);
    assert!(refused.stderr.contains("key.pem: the key belongs to another certificate"), "{}", refused.stderr);
    sandbox.otto(&["test", HELLO]).ends(2).says("the key belongs to another certificate");
    let seen = findings(&sandbox.status_of(HELLO, 2));
    assert!(seen.iter().any(|f| f.contains("the key belongs to another certificate")), "{seen:?}");
    assert_eq!(curl(&sandbox, &format!("https://hello.localhost:{port}/"), &["--cacert", "authority.pem"]).1, "200");
    // About to end: a warning. Ended: critical. Both are served as they are, and said.
    for (days, code, words) in [(5, 1, "it ends in"), (-3, 2, "it ended")] {
        place(signer.sign(&names, days));
        sandbox.otto(&["config", HELLO]).ends(0);
        let seen = findings(&sandbox.status_of(HELLO, code));
        assert!(seen.len() == 2 && seen.iter().all(|f| f.contains(words)), "{days}: {seen:?}");
        sandbox.otto(&["test", HELLO]).ends(if code == 2 { 2 } else { 0 });
    }
    // For somebody else.
    place(signer.sign(&["other.example"], 90));
    sandbox.otto(&["config", HELLO]).ends(0);
    let seen = findings(&sandbox.status_of(HELLO, 2));
    assert!(seen.iter().all(|f| f.contains("it is for other.example")), "{seen:?}");
    place(signer.sign(&names, 90));
    sandbox.otto(&["up", "--yes", HELLO]).ends(0);
    sandbox.otto(&["destroy", "--yes"]).ends(0);
}

#[test]
fn no_key_is_in_a_log() {
    let sandbox = Sandbox::new("demo");
    sandbox.edit("sites/blog/site.yaml", "\nroles:", "\ntls: self-signed\nroles:");
    sandbox.otto(&["up", "--yes", "--verbose", BLOG]).ends(0);
    sandbox.otto(&["config", BLOG, "--", "-vvv", "--diff"]).ends(0);
    let pem = std::fs::read_to_string(sandbox.path(".otto/tls/dev_local_blog.pem")).expect("a certificate");
    let key = pem.lines().skip_while(|line| !line.contains("PRIVATE KEY")).nth(1).expect("a key").to_owned();
    let found: Vec<_> = support::files(&sandbox.path(".otto"))
        .into_iter()
        .filter(|path| std::fs::read(path).is_ok_and(|b| b.windows(key.len()).any(|w| w == key.as_bytes())))
        .filter(|path| !path.starts_with(sandbox.path(".otto/tls")) && !path.to_string_lossy().contains("/certs/"))
        .collect();
    assert_eq!(found, Vec::<std::path::PathBuf>::new());
    sandbox.otto(&["destroy", "--yes"]).ends(0);
}
