//! Vendors are asked by an executable of the provider's folder: one of a made-up provider, and DigitalOcean's own against
//! two pages of a stand-in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use super::vapor::project;
use crate::support::{Sandbox, wait_for};

fn bill(sandbox: &Sandbox, script: &str) {
    sandbox.write("clowd/provision/vapor/bill", script);
    let path = sandbox.path("clowd/provision/vapor/bill");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("executable");
}

#[test]
fn prices_are_refreshed_row_by_row_and_none_is_dropped() {
    let sandbox = project("", "2");
    sandbox.otto(&["prices", "update"]).ends(2).says("nobody can be asked");
    let first = r#"{"type":"host","match":{"size":"s1"},"amount":"0.75","unit":"hour","source":"the fog today"}"#;
    let more =
        r#"{"type":"host","match":{"size":"s3"},"amount":"2","unit":"hour","month":"900","source":"the fog today"}"#;
    bill(
        &sandbox,
        &format!(
            "#!/bin/sh\ncase $1 in\nprices) echo '{first}'; echo '{more}' ;;\nmonth) echo '{{\"month\":\"12.34\",\"currency\":\"USD\",\"at\":\"today\"}}' ;;\nesac\n"
        ),
    );
    let said = sandbox.otto(&["prices", "update", "vapor"]).ends(0).stdout;
    for words in ["host s1: 0.50 is now 0.75", "host s3: new", "1 changed, 1 new, 0 as they were, 1 not named and kept"]
    {
        assert!(said.contains(words), "{words} in\n{said}");
    }
    let table = fs::read_to_string(sandbox.path("clowd/prices/vapor.yaml")).expect("the table");
    assert!(
        table.contains("{size: s2}, amount: 1, unit: hour, rule: vapor, source: the fog, as_of: 2026-07-01"),
        "{table}"
    );
    assert!(table.contains("{type: host, match: {size: s1}, amount: 0.75, unit: hour, rule: vapor, source: \"the fog today\", as_of: 20"), "{table}");
    assert!(table.contains("month: 900.00, rule: vapor"), "{table}");
    let plan = sandbox.otto(&["plan", "--json"]).ends(0).json();
    assert_eq!(plan["costs"][0]["per_hour"], "2.25", "{plan}");
    let report = sandbox.otto(&["spend", "--json", "--actual"]).ends(0).json();
    crate::support::schema::SPEND.holds(&report);
    assert_eq!(report["actual"][0]["month"], "12.34", "{report}");
    // What is no table is not written.
    bill(
        &sandbox,
        "#!/bin/sh\necho '{\"type\":\"host\",\"match\":{\"colour\":\"grey\"},\"amount\":\"1\",\"unit\":\"hour\",\"source\":\"x\"}'\n",
    );
    sandbox.otto(&["prices", "update", "vapor"]).ends(30).says("stays as it was");
    assert_eq!(fs::read_to_string(sandbox.path("clowd/prices/vapor.yaml")).expect("the table"), table);
    bill(&sandbox, "#!/bin/sh\necho refused >&2; exit 1\n");
    sandbox.otto(&["prices", "update", "vapor"]).ends(30).says("refused");
    let report = sandbox.otto(&["spend", "--json", "--actual"]).ends(0).json();
    assert_eq!(report["actual"][0]["why"], "refused", "{report}");
}

/// The stand-in's process, ended with the value.
struct Api(Child);

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const API: &str = r#"
import http.server, json, sys
class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        pages = {"1": [{"slug": "s-1vcpu-1gb", "price_hourly": 0.00893, "price_monthly": 6.0}], "2": [{"slug": "s-new", "price_hourly": 0.5, "price_monthly": 336}]}
        body, code = {"id": "unauthorized", "message": "Unable to authenticate you"}, 401
        if self.headers.get("Authorization") == "Bearer good":
            code = 200
            if self.path.startswith("/v2/customers/my/balance"):
                body = {"month_to_date_usage": "23.44", "account_balance": "0.00", "generated_at": "2026-11-21T00:00:00Z"}
            else:
                page = "2" if "?page=2&" in self.path else "1"
                body = {"sizes": pages[page], "links": {"pages": {"next": "x"} if page == "1" else {}}}
        data = json.dumps(body).encode()
        self.send_response(code); self.send_header("Content-Length", str(len(data))); self.end_headers(); self.wfile.write(data)
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Api)
open(sys.argv[1], "w").write(str(server.server_address[1])); server.serve_forever()
"#;

#[test]
fn digitalocean_is_asked_with_its_own_token() {
    let sandbox = Sandbox::new("asked");
    sandbox.edit("otto.yaml", "providers: [local]", "providers: [do]");
    let port = sandbox.path("port");
    let api = Command::new("python3").args(["-c", API]).arg(&port).stdin(Stdio::null()).spawn().expect("python3");
    let _api = Api(api);
    wait_for("the stand-in", || fs::read_to_string(&port).is_ok_and(|text| !text.is_empty()));
    let url = format!("http://127.0.0.1:{}", fs::read_to_string(&port).expect("a port"));
    let otto = |args: &[&str], token: &str| {
        let mut command = sandbox.command(args, &sandbox.folder);
        command.env("DIGITALOCEAN_TOKEN", token).env("DIGITALOCEAN_API_URL", &url);
        let output = command.output().expect("otto");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, said, errors) = otto(&["prices", "update", "do"], "good");
    assert_eq!(code, Some(0), "{said}{errors}");
    assert!(
        said.contains("digitalocean_droplet s-new: new") && said.contains("0 changed, 1 new, 1 as they were"),
        "{said}"
    );
    let table = fs::read_to_string(sandbox.path("clowd/prices/do.yaml")).expect("the table");
    assert!(
        table.contains(
            "match: {size: s-new}, amount: 0.50, unit: hour, month: 336.00, rule: droplet, source: \"GET /v2/sizes\""
        ),
        "{table}"
    );
    assert!(
        table.starts_with("# What DigitalOcean charges") && table.contains("digitalocean_volume, amount: 0.10"),
        "{table}"
    );
    let (code, said, _) = otto(&["spend", "--actual", "--json"], "good");
    assert!(code == Some(0) && said.contains("\"month\": \"23.44\""), "{said}");
    let (code, _, errors) = otto(&["prices", "update", "do"], "a-bad-token");
    assert!(code == Some(30) && errors.contains("refuses the token") && !errors.contains("a-bad-token"), "{errors}");
}
