//! A root's own backend is kept: `pg` by a workspace for each deployment, `http` by an address for each.

use super::servers::{HttpBackend, Postgres};
use super::shop::{project, site};
use super::support::{Sandbox, outcomes, summary, units};

const SITES: usize = 20;

fn pg(server: &Postgres, schema: &str) -> String {
    format!("backend \"pg\" {{\n    conn_str    = \"{}\"\n    schema_name = \"{schema}\"\n  }}", server.address())
}

fn http(server: &HttpBackend) -> String {
    let at = format!("http://127.0.0.1:{}/state/shop", server.port);
    format!(
        "backend \"http\" {{\n    address = \"{at}\"\n    lock_address = \"{at}/lock\"\n    unlock_address = \"{at}/lock\"\n    retry_max = 0\n  }}"
    )
}

/// All of them first applied at once, then nothing to do, then gone.
fn comes_up_stays_and_goes(sandbox: &Sandbox, between: impl Fn()) {
    for number in 1..=SITES {
        site(sandbox, &format!("s{number}"));
    }
    let jobs = SITES.to_string();
    let first = sandbox.otto(&["provision", "--provider", "shop", "--yes", "--json", "--jobs", &jobs]).ends(0).events();
    assert_eq!(units(&first, "ok").len(), SITES, "{:?}", outcomes(&first));
    let inits = first.iter().filter(|e| e["type"] == "intended" && e["step"] == "init").count();
    assert_eq!(inits, 1, "one initialised folder for all");
    let again = sandbox.otto(&["provision", "--provider", "shop", "--yes", "--json", "--jobs", &jobs]).ends(0).events();
    for (unit, _) in outcomes(&again) {
        assert_eq!(summary(&again, &unit), "no changes", "{unit}");
    }
    between();
    let last = sandbox.otto(&["destroy", "--provider", "shop", "--yes", "--json", "--jobs", &jobs]).ends(0).events();
    assert_eq!(units(&last, "ok").len(), SITES, "{:?}", outcomes(&last));
    sandbox.is_clean(&[]);
}

#[test]
fn twenty_deployments_share_a_database() {
    let Some(server) = Postgres::start() else { return };
    let sandbox = project("shop", &pg(&server, "shop"));
    comes_up_stays_and_goes(&sandbox, || {
        assert_eq!(server.workspaces("shop").iter().filter(|name| name.starts_with("dev_shop_s")).count(), SITES);
    });
    assert_eq!(server.workspaces("shop"), Vec::<String>::new(), "the workspaces that otto made went as well");
}

#[test]
fn twenty_deployments_share_an_http_backend() {
    let server = HttpBackend::start();
    let sandbox = project("shop", &http(&server));
    comes_up_stays_and_goes(&sandbox, || {});
    let log = server.log();
    assert!(log.iter().all(|(_, status)| *status < 400 || *status == 404), "{log:?}");
    assert!(log.iter().any(|(what, _)| what.starts_with("POST /state/shop-dev_shop_s20?ID=")), "{log:?}");
    assert!(
        log.iter().all(|(what, _)| !what.contains("/state/shop/lock") && !what.ends_with("/state/shop")),
        "{log:?}"
    );
}

/// The backend does not take the new state: Terraform keeps it beside the root, and the next `up` puts it there first.
#[test]
fn a_state_that_could_not_be_written_is_written_later() {
    let server = HttpBackend::start();
    let sandbox = project("shop", &http(&server));
    site(&sandbox, "web");
    server.writes(500);
    let failed = sandbox.otto(&["provision", "--provider", "shop", "--yes"]).ends(32).says("errored.tfstate");
    assert!(failed.stderr.contains("puts it where it belongs first"), "{}", failed.stderr);
    let copies = super::support::files(&sandbox.folder.parent().expect("a parent").join("state"));
    assert!(copies.iter().any(|path| path.to_string_lossy().contains("dev_shop_web.errored/")), "{copies:?}");
    server.writes(200);
    let events = sandbox.otto(&["provision", "--provider", "shop", "--yes", "--json"]).ends(0).events();
    assert_eq!(summary(&events, "dev/shop/web:provision"), "no changes", "nothing is made a second time");
    assert!(!sandbox.path(".otto/terraform/dev_shop_web/errored.tfstate").exists());
    sandbox.otto(&["destroy", "--provider", "shop", "--yes"]).ends(0);
}

/// A backend that is exchanged would show an empty state: everything would be made a second time.
#[test]
fn another_backend_under_a_living_deployment_is_refused() {
    let server = HttpBackend::start();
    let sandbox = project("shop", &http(&server));
    site(&sandbox, "web");
    sandbox.otto(&["provision", "--provider", "shop", "--yes"]).ends(0);
    sandbox.edit("clowd/provision/shop/main.tf", &http(&server), "");
    sandbox.otto(&["provision", "--provider", "shop", "--yes"]).ends(30).says("its state is on `http`");
    sandbox.otto(&["destroy", "--provider", "shop", "--yes"]).ends(0);
}

/// Settings by file and by word, with the deployment's name in one: no workspace, no address in the root at all.
#[test]
fn a_backend_without_settings_gets_them_from_provider_yaml() {
    let server = HttpBackend::start();
    let sandbox = project("shop", "backend \"http\" {}");
    site(&sandbox, "web");
    let refused = sandbox.otto(&["provision", "--provider", "shop", "--yes"]).ends(30);
    assert!(
        refused.stderr.contains("has no address") && refused.stderr.contains("backend_config"),
        "{}",
        refused.stderr
    );
    let at = format!("http://127.0.0.1:{}/of/{{deployment}}/state", server.port);
    let wanted = format!("[\"address={at}\", \"lock_address={at}/lock\", \"unlock_address={at}/lock\", more.hcl]");
    sandbox.write("clowd/provision/shop/provider.yaml", &format!("kind: terraform\nbackend_config: {wanted}\n"));
    sandbox.write("clowd/provision/shop/more.hcl", "retry_max = 0\n");
    sandbox.otto(&["provision", "--provider", "shop", "--yes"]).ends(0);
    assert!(
        server.log().iter().any(|(what, _)| what.starts_with("POST /of/dev_shop_web/state?ID=")),
        "{:?}",
        server.log()
    );
    sandbox.otto(&["destroy", "--provider", "shop", "--yes"]).ends(0);
}
