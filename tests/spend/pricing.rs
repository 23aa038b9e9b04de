//! `otto prices update` of Amazon and Google, against stand-ins of their price lists: `tests/fixtures/pricing.py`.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::{Output, Sandbox};

struct Vendors {
    server: Child,
    url: String,
    sandbox: Sandbox,
}

impl Vendors {
    fn new() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pricing.py");
        let mut command = Command::new("python3");
        command.arg("-B").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = command.spawn().expect("python3");
        let mut port = String::new();
        BufReader::new(server.stdout.take().expect("its output")).read_line(&mut port).expect("a port");
        let sandbox = Sandbox::new("priced");
        // One site elsewhere: its region is asked for as well.
        for (provider, region) in [("aws", "eu-central-1"), ("gcp", "europe-west3")] {
            let site = format!(
                "domains: [{provider}.test]\nproviders: [{provider}]\nregion: {region}\nroles: {{www: {{}}}}\n"
            );
            sandbox.write(&format!("sites/{provider}/site.yaml"), &site);
        }
        Self { server, url: format!("http://127.0.0.1:{}", port.trim()), sandbox }
    }

    fn update(&self, provider: &str, secret: &str) -> Output {
        let mut command = self.sandbox.command(["prices", "update", provider], &self.sandbox.folder);
        command.env("AWS_ENDPOINT_URL_PRICING", &self.url);
        command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", format!("secret-of-{secret}"));
        command.env("GOOGLE_CLOUD_BILLING_CUSTOM_ENDPOINT", format!("{}/v1/", self.url));
        command.env("GOOGLE_PROJECT", "p").env("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere");
        command.env("GOOGLE_OAUTH_ACCESS_TOKEN", format!("token-of-{secret}"));
        let output = command.output().expect("otto");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Output { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    #[track_caller]
    fn holds(&self, provider: &str, rows: &[&str]) {
        let table = fs::read_to_string(self.sandbox.path(&format!("clowd/prices/{provider}.yaml"))).expect("a table");
        for row in rows {
            assert!(table.contains(row), "{row} is not in\n{table}");
        }
    }
}

impl Drop for Vendors {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        let _ = self.server.wait();
    }
}

#[test]
fn amazons_price_list_is_asked_for_the_regions_and_sizes_of_the_project() {
    let vendors = Vendors::new();
    let said = vendors.update("aws", "the-team").ends(0).stdout;
    for words in ["aws_instance us-east-1* t3.small: 0.0208 is now 0.0209", "aws_instance eu-central-1* t3.micro: new"]
    {
        assert!(said.contains(words), "{words} in\n{said}");
    }
    let list = "source: \"AWS Price List API, GetProducts\"";
    vendors.holds(
        "aws",
        &[
            &format!("{{type: aws_instance, match: {{region: \"us-east-1*\", size: t3.micro}}, amount: 0.0104, unit: hour, rule: instance, {list}"),
            "match: {region: \"eu-central-1*\", size: t3.micro}, amount: 0.012, unit: hour, rule: instance",
            "match: {region: \"eu-central-1*\", size: gp3}, amount: 0.0952, unit: gb_month",
            &format!("{{type: aws_ebs_snapshot, amount: 0.05, unit: gb_month, {list}"),
            &format!("{{type: aws_public_ipv4, amount: 0.005, unit: hour, {list}"),
            "{type: aws_nat_gateway, match: {region: \"eu-central-1*\"}, amount: 0.052, unit: hour, rule: hours",
            &format!("{{type: aws_lb, match: {{region: \"*us-east-1*\", size: network}}, amount: 0.0225, unit: hour, rule: hours, {list}"),
            // Not named: it stays as it was.
            "match: {size: r6i.large, region: \"us-east-1*\"}, amount: 0.126, unit: hour, rule: instance, source: \"karpenter",
        ],
    );
    let refused = vendors.update("aws", "a-stranger").ends(30).says("InvalidSignatureException");
    assert!(!refused.stderr.contains("secret-of-a-stranger"));
}

#[test]
fn googles_machines_are_put_together_of_cores_and_memory() {
    let vendors = Vendors::new();
    let said = vendors.update("gcp", "the-team").ends(0).stdout;
    assert!(said.contains("google_compute_instance us-central1* f1-micro: 0.0076 is now 0.0079"), "{said}");
    let list = "source: \"Cloud Billing Catalog, list price\"";
    vendors.holds(
        "gcp",
        &[
            &format!("match: {{region: \"us-central1*\", size: e2-micro}}, amount: 0.008376428, unit: hour, rule: machine, {list}"),
            "match: {region: \"us-central1*\", size: e2-standard-2}, amount: 0.06701142, unit: hour, rule: machine",
            "match: {region: \"us-central1*\", size: n1-standard-1}, amount: 0.04749975, unit: hour, rule: machine",
            "match: {region: \"europe-west3*\", size: e2-medium}, amount: 0.046, unit: hour, rule: machine",
            &format!("match: {{region: \"us-central1*\", size: pd-standard}}, amount: 0.04, unit: gb_month, {list}"),
            "match: {region: \"europe-west3*\", size: pd-standard}, amount: 0.048, unit: gb_month",
            &format!("{{type: google_compute_snapshot, amount: 0.05, unit: gb_month, {list}"),
            &format!("{{type: google_external_ip, amount: 0.005, unit: hour, {list}"),
        ],
    );
    let refused = vendors.update("gcp", "a-stranger").ends(30).says("Google refuses");
    assert!(!refused.stderr.contains("token-of-a-stranger"));
}
