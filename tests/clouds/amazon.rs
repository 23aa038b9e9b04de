//! Amazon, against moto (from PyPI, in the tests' cache), whose instances are records with nobody behind them. Images: Packer's real
//! `amazon-ebs` on the templates of `images/*/aws`, the build's own steps on the machine left out. The unchanged root: real Terraform with a
//! stand-in for the provider.

#[path = "amazon_root.rs"]
mod root;

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::fs::{FlockOperation, flock};
use serde_json::Value;

use crate::repository;
use crate::support::{Output, Sandbox, cache, wait_for};

/// One account.
pub(crate) struct Amazon {
    server: Child,
    url: String,
    pub(crate) sandbox: Sandbox,
}

/// moto's server, installed once.
fn moto() -> Result<PathBuf, String> {
    let venv = cache().join("otto-test-moto");
    let (server, done) = (venv.join("bin/moto_server"), venv.join("done"));
    fs::create_dir_all(cache()).map_err(|e| e.to_string())?;
    let lock = File::create(cache().join("otto-test-moto.lock")).map_err(|e| e.to_string())?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|e| e.to_string())?;
    if done.is_file() {
        return Ok(server);
    }
    let run = |program: PathBuf, args: &[&str]| {
        let output = Command::new(program).args(args).stdin(Stdio::null()).output().map_err(|e| e.to_string())?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if output.status.success() { Ok(()) } else { Err(said) }
    };
    run("python3".into(), &["-m", "venv", &venv.display().to_string()])?;
    run(venv.join("bin/pip"), &["install", "-q", "moto[ec2,s3,server]"])?;
    fs::write(done, "").map_err(|e| e.to_string())?;
    Ok(server)
}

impl Amazon {
    pub(crate) fn start() -> Option<Self> {
        let server = match moto() {
            Ok(server) => server,
            Err(why) => {
                eprintln!("SKIPPED: moto, the stand-in for Amazon, cannot be installed: {why}");
                return None;
            }
        };
        let sandbox = Sandbox::new("amazon");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let mut command = Command::new(server);
        command.args(["-H", "127.0.0.1", "-p", &free.port().to_string()]);
        command.env("MOTO_AMIS_PATH", repository("tests/fixtures/amazon/amis.json"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = command.spawn().expect("moto");
        wait_for("moto", || TcpStream::connect(free).is_ok());
        Some(Self { server, url: format!("http://{free}"), sandbox })
    }

    fn with_account(&self, mut command: Command) -> Output {
        command.envs([
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_POLL_DELAY_SECONDS", "1"),
        ]);
        command.envs([("AWS_ENDPOINT_URL", &self.url), ("AWS_ENDPOINT_URL_EC2", &self.url)]);
        command.env("TF_CLI_CONFIG_FILE", self.sandbox.base().join("terraform.rc"));
        let output = command.output().expect("a program");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Output { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    pub(crate) fn otto(&self, args: &[&str]) -> Output {
        self.with_account(self.sandbox.command(args, &self.sandbox.folder))
    }

    /// The provider's own sweep.
    pub(crate) fn orphans(&self, args: &[&str]) -> Vec<Value> {
        let id = fs::read_to_string(self.sandbox.path("otto.yaml")).expect("a file");
        let id = id.lines().find_map(|line| line.strip_prefix("id:")).and_then(|rest| rest.split('"').nth(1));
        let vars = self.sandbox.base().join("vars.json");
        let regions = ["eu-central-1"];
        let text = serde_json::json!({"region": "us-east-1", "regions": regions, "tags": {"otto:project": id.expect("an id")}});
        fs::write(&vars, text.to_string()).expect("written");
        let mut command = Command::new("python3");
        command.arg(self.sandbox.path("clowd/provision/aws/orphans")).args(args).env("OTTO_VARS", vars);
        let listed = self.with_account(command).ends(0);
        listed.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

impl Amazon {
    /// One call of moto's API.
    pub(crate) fn call(&self, service: &str, path: &str, body: &str) -> String {
        let place = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(place).expect("moto");
        let scope = format!("key/20261121/us-east-1/{service}/aws4_request");
        let kind = if body.starts_with('<') { "text/xml" } else { "application/x-www-form-urlencoded" };
        let head = format!(
            "POST {path} HTTP/1.0\r\nHost: {place}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n\r\n",
            body.len()
        );
        stream.write_all((head + body).as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.lines().next().is_some_and(|line| line.contains(" 20")), "{answer}");
        answer
    }
}

impl Drop for Amazon {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn an_image_is_built_found_again_and_missed_when_it_is_gone() {
    let Some(amazon) = Amazon::start() else { return };
    let sandbox = &amazon.sandbox;
    amazon.orphans(&["check"]);
    let template = fs::read_to_string(sandbox.path("images/nginx/aws/image.pkr.hcl")).expect("a template");
    let (before, rest) = template.split_once("  provisioner \"shell\" {").expect("a provisioner");
    let (_, after) = rest.split_once("\n  }\n").expect("its end");
    let alone = format!("{before}{after}").replace("  ssh_username", "  communicator = \"none\"\n  ssh_username");
    sandbox.write("images/nginx/aws/image.pkr.hcl", &alone);
    for other in ["haproxy", "otto", "clowd"] {
        fs::remove_dir_all(sandbox.path(&format!("images/{other}/aws"))).expect("a folder");
    }
    // One of those that moto begins with.
    sandbox.edit("clowd/provision/aws/provider.yaml", "base: debian-12-amd64-*", "base: ami-03cf127a");
    let images = ["images", "--site", "blog", "--provider", "aws"];

    amazon.otto(&images).ends(0).says("not built yet");
    let found = amazon.orphans(&["list"]);
    assert_eq!(found.len(), 1, "the builder has gone: {found:?}");
    assert_eq!(found[0]["kind"], "image");
    assert!(found[0]["tags"]["otto:image"].as_str().is_some_and(|name| name.starts_with("nginx-")), "{found:?}");
    amazon.otto(&images).ends(0).says("image is there");
    amazon.orphans(&["remove", found[0]["id"].as_str().expect("an id")]);
    assert!(amazon.orphans(&["list"]).is_empty());
    amazon.otto(&images).ends(0).says("the image is gone");
    assert_eq!(amazon.orphans(&["list"]).len(), 1);
}
