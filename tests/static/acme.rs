//! A certificate from an authority, over the real protocol: pebble asks the balancer by its domains, certbot answers there.

use std::fs;
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::Value;

use super::project;
use super::support::hosts::Hosts;
use super::support::{Sandbox, wait_for};

const HELLO: &str = "dev/static/hello";
const GATE: &str = "10.88.0.1";

/// The authority and the names it believes in; both end with the value.
struct Authority {
    names: Child,
    pebble: Option<Child>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new(hosts: &Hosts) -> Self {
        let folder = tempfile::Builder::new().prefix("otto-acme-").tempdir().expect("a folder");
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "pebble's own door");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        fs::write(folder.path().join("door.pem"), ca.self_signed(&key).expect("an authority").pem()).expect("a file");
        let door = CertificateParams::new(vec![GATE.to_owned(), "localhost".to_owned()]).expect("names");
        let own = KeyPair::generate().expect("a key");
        let signed = door.signed_by(&own, &Issuer::new(ca, key)).expect("a certificate");
        fs::write(folder.path().join("api.pem"), signed.pem()).expect("a file");
        fs::write(folder.path().join("api.key"), own.serialize_pem()).expect("a file");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let config = serde_json::json!({"pebble": {
            "listenAddress": format!("{GATE}:14000"), "managementListenAddress": format!("{GATE}:15000"),
            "certificate": path("api.pem"), "privateKey": path("api.key"), "httpPort": 80, "tlsPort": 443,
            "ocspResponderURL": "", "externalAccountBindingRequired": false, "certificateValidityPeriod": 518_400,
        }});
        fs::write(folder.path().join("pebble.json"), config.to_string()).expect("a file");
        let mut names = Command::new(Hosts::program("pebble-challtestsrv"));
        names.args(["-defaultIPv4", "10.88.0.10", "-defaultIPv6", "", "-dns01", &format!("{GATE}:8053")]);
        names.args(["-management", &format!("{GATE}:8055"), "-http01", "", "-https01", "", "-tlsalpn01", ""]);
        let names = hosts.near(&names).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("names");
        Self { names, pebble: None, folder }
    }

    /// Begins to issue; writes down whom to believe: its door, and what it signs with.
    fn open(&mut self, hosts: &Hosts, sandbox: &Sandbox) {
        let mut pebble = Command::new(Hosts::program("pebble"));
        pebble.args(["-dnsserver", &format!("{GATE}:8053"), "-config"]).arg(self.folder.path().join("pebble.json"));
        pebble.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "0").env("PEBBLE_AUTHZREUSE", "0");
        let log = fs::File::create(self.folder.path().join("log")).expect("a log");
        let child = hosts.near(&pebble).stdout(log.try_clone().expect("a log")).stderr(log).spawn();
        self.pebble = Some(child.expect("pebble"));
        let door = self.folder.path().join("door.pem");
        let root = || {
            let mut curl = Command::new("curl");
            curl.args(["-sf", "-m", "2", "--cacert"]).arg(&door).arg(format!("https://{GATE}:15000/roots/0"));
            let answer = hosts.near(&curl).output().expect("curl");
            answer.status.success().then(|| String::from_utf8_lossy(&answer.stdout).into_owned())
        };
        wait_for("the authority", || root().is_some());
        let all = format!("{}{}", fs::read_to_string(&door).expect("a file"), root().expect("a root"));
        fs::write(sandbox.path("sites/hello/authority.pem"), all).expect("a file");
    }

    /// What it is told about a name: nothing found, or found again.
    fn lose(&self, hosts: &Hosts, lost: bool) {
        let verb = if lost { "set-servfail" } else { "clear-servfail" };
        let mut curl = Command::new("curl");
        curl.args(["-sf", "-d", r#"{"host":"www.hello.test"}"#, &format!("http://{GATE}:8055/{verb}")]);
        assert!(hosts.near(&curl).status().expect("curl").success());
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        for child in std::iter::once(&mut self.names).chain(&mut self.pebble) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The serial of what visitors are shown, who signed it, and whether the page is there.
fn shown(hosts: &Hosts, sandbox: &Sandbox, name: &str) -> (String, bool) {
    let line = format!(
        "openssl s_client -connect 10.88.0.10:443 -servername {name} </dev/null 2>/dev/null | openssl x509 -noout -serial -issuer"
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]);
    let said = String::from_utf8_lossy(&hosts.near(&shell).output().expect("openssl").stdout).into_owned();
    let mut curl = Command::new("curl");
    curl.args(["-sfk", "-m", "10", "--resolve", &format!("{name}:443:10.88.0.10"), &format!("https://{name}/")]);
    let page = hosts.near(&curl).current_dir(&sandbox.folder).output().expect("curl");
    (said, String::from_utf8_lossy(&page.stdout).contains("Hello from otto"))
}

fn certificates(status: &Value) -> Vec<(String, String)> {
    let checks = status["deployments"][0]["checks"].as_array().expect("checks").iter().filter(|c| c["kind"] == "tls");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    checks.map(|c| (text(&c["state"]), text(&c["detail"]))).collect()
}

#[test]
fn an_authority_issues_renews_and_fails_without_harm() {
    let Some(hosts) = Hosts::with_acme() else { return };
    let sandbox = project(&hosts, "root");
    let mut authority = Authority::new(&hosts);
    sandbox.write(
        "sites/hello/authority.pem",
        &fs::read_to_string(authority.folder.path().join("door.pem")).expect("a file"),
    );
    sandbox.edit("sites/hello/site.yaml", "hello.localhost, www.hello.localhost", "hello.test, www.hello.test");
    let tls = format!(
        "\ntls: {{mode: acme, directory: \"https://{GATE}:14000/dir\", email: ops@hello.test, ca: authority.pem}}\nroles:"
    );
    sandbox.edit("sites/hello/site.yaml", "\nroles:", &tls);

    // Nobody there to ask: explained; the site answers all the same, with a certificate of otto's own.
    let refused = hosts.otto(&sandbox, &["up", "--yes", HELLO]).ends(32);
    assert!(
        refused.stderr.contains("the authority issued nothing for hello.test www.hello.test"),
        "{}",
        refused.stderr
    );
    let (before, serves) = shown(&hosts, &sandbox, "hello.test");
    assert!(serves && before.contains("otto own"), "{before}");
    let status = hosts.otto(&sandbox, &["status", "--json"]).ends(2).json();
    assert!(certificates(&status).iter().all(|(_, why)| why.contains("nobody who is trusted signed it")), "{status}");

    // A domain that leads nowhere: the authority's own words.
    authority.open(&hosts, &sandbox);
    authority.lose(&hosts, true);
    let refused = hosts.otto(&sandbox, &["up", "--yes", HELLO]).ends(30);
    assert!(refused.stderr.contains("www.hello.test") && refused.stderr.contains("Detail:"), "{}", refused.stderr);
    assert!(shown(&hosts, &sandbox, "www.hello.test").1);

    // Issued, served, believed.
    authority.lose(&hosts, false);
    hosts.otto(&sandbox, &["up", "--yes", HELLO]).ends(0);
    let (issued, serves) = shown(&hosts, &sandbox, "www.hello.test");
    assert!(serves && issued.contains("Pebble"), "{issued}");
    let status = hosts.otto(&sandbox, &["status", "--json"]).ends(1).json();
    assert!(
        certificates(&status).iter().all(|(state, why)| state == "warning" && why.contains("in 5 days")),
        "{status}"
    );

    // Not due: kept. Due: renewed by what the timer calls, and served without a request lost.
    let renew = "sh /usr/local/lib/otto/acme renew";
    hosts.on("lb-a", renew);
    assert_eq!(shown(&hosts, &sandbox, "www.hello.test").0, issued);
    hosts.on("lb-a", "sed -i 's/^renew_before_expiry.*/renew_before_expiry = 300 hours/' /var/lib/otto/acme/etc/renewal/otto-hello.conf");
    hosts.on("lb-a", renew);
    let (renewed, serves) = shown(&hosts, &sandbox, "www.hello.test");
    assert!(serves && renewed.contains("Pebble") && renewed != issued, "{renewed}");
    assert!(hosts.on("lb-a", "cat /etc/cron.d/otto-acme").contains(renew));

    // Due, and the authority refuses: what there is goes on.
    authority.lose(&hosts, true);
    hosts.on("lb-a", "sed -i 's/^renew_before_expiry.*/renew_before_expiry = 300 hours/' /var/lib/otto/acme/etc/renewal/otto-hello.conf");
    hosts.on("lb-a", &format!("! {renew}"));
    assert_eq!(shown(&hosts, &sandbox, "www.hello.test"), (renewed, true));

    hosts.otto(&sandbox, &["destroy", "--yes", HELLO]).ends(0);
    let left = hosts.on(
        "lb-a",
        "ls -d /etc/cron.d/otto-acme /etc/otto /etc/haproxy/certs/otto-* /etc/haproxy/sites/* 2>/dev/null; true",
    );
    assert_eq!(left, "");
}
