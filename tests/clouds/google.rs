//! The sweep of `gcp`, against a few lists of the API: what is found, in which order, and what is not touched.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::repository;

struct Google {
    server: Child,
    port: String,
    folder: tempfile::TempDir,
}

impl Google {
    fn start() -> Self {
        let mut command = Command::new("python3");
        command.arg("-B").arg(repository("tests/fixtures/google.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = command.spawn().expect("python3");
        let mut port = String::new();
        BufReader::new(server.stdout.take().expect("its output")).read_line(&mut port).expect("a port");
        let google = Self { server, port: port.trim().to_owned(), folder: tempfile::tempdir().expect("a folder") };
        google.file("vars.json", &json!({"tags": {"otto:project": "ours"}}));
        google
    }

    fn file(&self, name: &str, document: &Value) {
        fs::write(self.folder.path().join(name), document.to_string()).expect("written");
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Exit code, what it printed, and its last words.
    fn orphans(&self, args: &[&str]) -> (Option<i32>, Vec<Value>, String) {
        let mut command = Command::new("python3");
        command.arg(repository("clowd/provision/gcp/orphans")).args(args).env_remove("GOOGLE_OAUTH_ACCESS_TOKEN");
        command.env("GOOGLE_PROJECT", "p").env("GOOGLE_APPLICATION_CREDENTIALS", self.path("account.json"));
        command.env("GOOGLE_COMPUTE_CUSTOM_ENDPOINT", format!("http://127.0.0.1:{}/compute/v1/", self.port));
        let output = command.env("OTTO_VARS", self.path("vars.json")).output().expect("python3");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        (output.status.code(), lines, String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

impl Drop for Google {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        let _ = self.server.wait();
    }
}

fn private_key(folder: &Path) -> Option<String> {
    let file = folder.join("key.pem");
    let made = Command::new("openssl").args(["genrsa", "-out"]).arg(&file).arg("2048").output().ok()?;
    made.status.success().then(|| fs::read_to_string(file).expect("a key"))
}

#[test]
fn what_is_ours_is_found_in_the_order_of_its_removal() {
    let google = Google::start();
    let Some(key) = private_key(google.folder.path()) else {
        eprintln!("SKIPPED: no openssl here, with which `clowd/provision/gcp/orphans` signs");
        return;
    };
    let token = format!("http://127.0.0.1:{}/token", google.port);
    let account = json!({"type": "service_account", "client_email": "otto@p", "private_key": key, "token_uri": token});
    google.file("account.json", &account);
    assert_eq!(google.orphans(&["check"]).0, Some(0));
    let listed = |google: &Google| -> Vec<String> {
        let (code, lines, said) = google.orphans(&["list"]);
        assert_eq!(code, Some(0), "{said}");
        lines.iter().map(|line| format!("{} {}", line["kind"], line["id"]).replace('"', "")).collect()
    };
    let (host, network) = ("projects/p/zones/us-central1-b/instances/www", "projects/p/global/networks/net");
    assert_eq!(listed(&google), [format!("host {host}"), format!("network {network}"), "image golden".to_owned()]);
    assert_eq!(google.orphans(&["list"]).1[0]["tags"]["otto:deployment"], "dev_gcp_hello");
    let (code, _, said) = google.orphans(&["remove", "projects/p/global/firewalls/theirs"]);
    assert!(code == Some(1) && said.contains("it stays"), "{said}");
    for id in [host, network, "golden", "golden"] {
        assert_eq!(google.orphans(&["remove", id]).0, Some(0), "{id}");
    }
    assert!(listed(&google).is_empty());
    google.file("account.json", &json!({"type": "nonsense"}));
    assert_eq!(google.orphans(&["check"]).0, Some(1));
}
