//! A playbook of the team's own: requirements.yml, ansible.cfg, a vault; and no question asked, ever.

use std::fs;

use super::servers::Postgres;
use super::shop::{by_hand, playbook, project, site};
use super::support::{Sandbox, outcomes, units};

const WEB: &str = "dev/shop/web";

/// The root's host serves, and the playbook tells this folder what it knows.
fn serving(sandbox: &Sandbox) {
    site(sandbox, "web");
    let told = sandbox.folder.parent().expect("a parent").join("told");
    fs::create_dir_all(&told).expect("a folder");
    let vars = format!("told = \"{}\", machine = machine.name", told.display());
    sandbox.edit("clowd/provision/shop/outputs.tf", "machine = machine.name", &vars);
}

fn told(sandbox: &Sandbox, name: &str) -> String {
    fs::read_to_string(sandbox.folder.parent().expect("a parent").join("told").join(name))
        .expect("what the playbook wrote")
}

#[test]
fn a_root_and_a_playbook_of_their_own_become_a_deployment() {
    let server = Postgres::start();
    let block = server.as_ref().map_or(String::new(), |server| {
        format!("backend \"pg\" {{\n conn_str = \"{}\"\n schema_name = \"shop\"\n }}", server.address())
    });
    let sandbox = project("shop", &block);
    playbook(&sandbox);
    serving(&sandbox);
    // An encrypted file, and the password's file is not there: nothing has begun.
    let refused = sandbox.otto(&["up", "--provider", "shop", "--yes"]).ends(23).says("vault.pass");
    assert!(refused.stderr.contains("vault_password_file in ansible.cfg"), "{}", refused.stderr);
    assert!(!sandbox.path(".otto/terraform/dev_shop_web").exists(), "nothing was made");
    sandbox.edit("clowd/config/ansible.cfg", "vault_password_file = ../../vault.pass\n", "");
    let refused =
        sandbox.otto(&["up", "--provider", "shop", "--yes"]).ends(23).says("group_vars/all/vault.yml` is encrypted");
    assert!(refused.stderr.contains("ANSIBLE_VAULT_PASSWORD_FILE"), "{}", refused.stderr);
    // By the variable, relative to where the person is.
    sandbox.write("vault.pass", "open sesame");
    let up = |words: &str| sandbox.line(&format!("ANSIBLE_VAULT_PASSWORD_FILE=vault.pass otto {words}"));
    let events = up("up --provider shop --yes --json").ends(0).events();
    assert_eq!(units(&events, "ok").len(), 3, "{:?}", outcomes(&events));
    assert_eq!(told(&sandbox, "hello"), "hello from web-a of web\n");
    assert_eq!(told(&sandbox, "used").trim(), "61e53b5fd0263561ce542fec428adf9da3484bf8734e5aa31afdf3c2c0c8d21b");
    let steps = |events: &[serde_json::Value]| {
        events
            .iter()
            .filter(|e| e["type"] == "intended")
            .filter_map(|e| e["step"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(steps(&events).iter().filter(|s| s.starts_with("galaxy")).count(), 1, "{:?}", steps(&events));
    // Again: nothing changes, nothing is installed again.
    let events = up("up --provider shop --yes --json").ends(0).events();
    assert!(steps(&events).iter().all(|s| !s.starts_with("galaxy")), "{:?}", steps(&events));
    assert_eq!(super::support::summary(&events, "dev/shop/web:provision"), "no changes");
    assert_eq!(super::support::summary(&events, "dev/shop/web:config"), "nothing to change");
    // What the collection is made of has changed: it is installed again.
    sandbox.edit(
        "clowd/config/collections_of_ours/team/greet/roles/hello/tasks/main.yml",
        "hello from",
        "greetings from",
    );
    up("config web --provider shop").ends(0);
    assert_eq!(told(&sandbox, "hello"), "greetings from web-a of web\n");
    // Arguments behind `--` reach the tool.
    up("config web --provider shop -- --tags nothing-has-this-tag").ends(30);
    sandbox.otto(&["destroy", "--provider", "shop", "--yes"]).ends(0);
    sandbox.is_clean(&[]);
    secrets_stay(&sandbox);
}

/// The vault's content and its password are nowhere in what otto wrote.
fn secrets_stay(sandbox: &Sandbox) {
    // Links lead to the project's own modules.
    for file in super::support::files(&sandbox.path(".otto")).into_iter().filter(|path| path.is_file()) {
        let bytes = fs::read(&file).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        for secret in ["the-team-knows-it", "open sesame"] {
            assert!(!text.contains(secret), "{secret} is in {}", file.display());
        }
    }
}

#[test]
fn what_cannot_be_installed_says_so() {
    let sandbox = project("shop", "");
    playbook(&sandbox);
    serving(&sandbox);
    sandbox.write("vault.pass", "open sesame");
    sandbox.write("clowd/config/requirements.yml", "collections:\n  - {name: ./nowhere/to/be/found, type: dir}\n");
    let failed =
        sandbox.otto(&["up", "--provider", "shop", "--yes"]).ends(32).says("requirements.yml cannot be installed");
    assert!(failed.stderr.contains("nowhere"), "{}", failed.stderr);
    sandbox.write("clowd/config/requirements.yml", "hello\n");
    sandbox.otto(&["config", WEB]).ends(30).says("neither a list of roles nor a map");
    sandbox.otto(&["destroy", WEB, "--yes"]).ends(0);
}

/// The user's own settings for Terraform reach it.
#[test]
fn variables_and_arguments_are_handed_on() {
    let sandbox = project("shop", "");
    serving(&sandbox);
    let line = "TF_VAR_extra=seen TF_CLI_CONFIG_FILE=/dev/null otto provision web --provider shop --yes";
    sandbox.line(line).ends(0);
    let state = || fs::read_to_string(sandbox.path(".otto/terraform/dev_shop_web/terraform.tfstate")).expect("a state");
    assert!(state().contains("\"extra\": \"seen\""));
    sandbox.otto(&["provision", WEB, "--yes", "--", "-var", "extra=behind"]).ends(0);
    assert!(state().contains("\"extra\": \"behind\""));
    let warned =
        sandbox.line("TF_WORKSPACE=x TF_CLI_ARGS_plan=-destroy otto provision web --provider shop --yes").ends(0);
    assert!(warned.stderr.contains("`TF_WORKSPACE` is not handed on"), "{}", warned.stderr);
    sandbox.otto(&["destroy", WEB, "--yes"]).ends(0);
    by_hand(&sandbox, &["version"]);
}
