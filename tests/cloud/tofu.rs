//! The same root under OpenTofu. Runs where one is: `OTTO_TEST_TOFU` is the path of a `tofu`, else it is looked for on PATH.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::support::digitalocean::{Account as _, Cloud};
use super::support::{Output, Sandbox, processes, wait_for};
use super::{NAMES, PROVISION, THINGS, things};

/// A PATH on which a working `tofu` is found; without one there is no such test, which is said.
fn path() -> Option<String> {
    let given = std::env::var_os("OTTO_TEST_TOFU").filter(|path| !path.is_empty()).map(PathBuf::from);
    let program = given.clone().unwrap_or_else(|| PathBuf::from("tofu"));
    let said = Command::new(&program).arg("version").output();
    let works = said.is_ok_and(|o| o.status.success() && String::from_utf8_lossy(&o.stdout).contains("OpenTofu v"));
    if !works {
        eprintln!("SKIPPED: `{}` is no working OpenTofu; OTTO_TEST_TOFU names another", program.display());
        return None;
    }
    let otto = Path::new(env!("CARGO_BIN_EXE_otto")).parent().expect("a folder").display().to_string();
    let own = given.and_then(|p| p.parent().map(|folder| folder.display().to_string()));
    let folders = [Some(otto), own, Some(std::env::var("PATH").expect("a PATH"))];
    Some(folders.into_iter().flatten().collect::<Vec<_>>().join(":"))
}

struct Tofu {
    cloud: Cloud,
    sandbox: Sandbox,
    path: String,
}

impl Tofu {
    fn otto(&self, args: &[&str]) -> Output {
        self.cloud.otto_with(&self.sandbox, args, &[("PATH", &self.path)])
    }

    fn edit(&self, host: &str, action: &str) {
        let id = self.cloud.droplet(host)["id"].clone();
        self.cloud.edit(&json!({"kind": "droplets", "id": id, "act": action}));
    }
}

#[test]
fn the_root_runs_under_opentofu() {
    let Some(path) = path() else { return };
    let Some((cloud, sandbox)) = things() else { return };
    sandbox.edit("otto.yaml", "environment: dev ", "tools: {opentofu: \">=1.6\"}\nenvironment: dev ");
    let tofu = Tofu { cloud, sandbox, path };
    tofu.otto(&PROVISION).ends(0).says("tofu 4");
    assert_eq!(tofu.cloud.names("droplets"), NAMES);
    tofu.otto(&PROVISION).ends(0).says("no changes");
    tofu.otto(&["drift"]).ends(0);
    tofu.edit(NAMES[1], "power_off");
    let drift = tofu.otto(&["drift", "--json"]).ends(10).json()["deployments"][0]["changes"].to_string();
    assert!(drift.contains("www-2") && drift.contains("status"), "{drift}");
    tofu.edit(NAMES[1], "power_on");
    tofu.otto(&["extend", THINGS, "--for", "2h"]).ends(0);
    tofu.otto(&["drift"]).ends(0);
    let spend = tofu.otto(&["spend", "--json"]).ends(0).json();
    assert_eq!((&spend["per_hour"], &spend["unpriced"]), (&"0.02679".into(), &json!([])), "{spend}");
    tofu.otto(&["destroy", "--yes"]).ends(0);
    tofu.cloud.is_empty();
    killed(&tofu);
}

/// Droplets that were made and never written down are no obstacle, and none is made twice.
fn killed(tofu: &Tofu) {
    tofu.cloud.set(&json!({"boot": 60}));
    let mut command = tofu.cloud.command(&tofu.sandbox, &PROVISION);
    command.env("PATH", &tofu.path);
    let running = super::support::Running::spawn(command, &tofu.sandbox.base());
    wait_for("three droplets", || tofu.cloud.names("droplets").len() == 3);
    processes::end_all_in(&tofu.sandbox.folder);
    assert_ne!(running.wait().code, 0);
    tofu.cloud.set(&json!({"boot": 0}));
    let found = tofu.otto(&["status", "--json"]).json()["orphans"].clone();
    let hosts = found.as_array().expect("a list").iter().filter(|one| one["kind"] == "host").count();
    assert_eq!(hosts, 3, "{found}");
    tofu.otto(&PROVISION).ends(0);
    assert_eq!(tofu.cloud.names("droplets"), NAMES);
    tofu.otto(&["destroy", "--yes"]).ends(0);
    tofu.cloud.is_empty();
}
