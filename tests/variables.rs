//! Variables and secrets through the program: where values come from, who gets them, and that a secret is nowhere.

#![allow(clippy::print_stderr)]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::Sandbox;

const ENV_SECRET: &str = "env-s3cret-9f2a";
const VAULT_SECRET: &str = "vault-s3cret-77b1";
const INLINE_SECRET: &str = "inline-s3cret-5e5e";
const OUTPUT_SECRET: &str = "output-s3cret-c0de";
const FILE_SECRET: &str = "become-s3cret-1d1d";

/// A site with one host, so that a test is short.
fn small(name: &str) -> Sandbox {
    let sandbox = Sandbox::new(name);
    fs::remove_dir_all(sandbox.path("sites/hello")).expect("removed");
    sandbox
}

/// The playbook's directory gets a role that says things.
fn role(sandbox: &Sandbox, name: &str, tasks: &str) {
    sandbox.write(&format!("clowd/config/roles/{name}/tasks/main.yml"), tasks);
}

/// `ansible-vault encrypt_string`-like, by the Ansible that otto uses.
fn encrypted(sandbox: &Sandbox, text: &str) -> String {
    let vault = support::cache().join("otto/ansible/bin/ansible-vault");
    let plain = sandbox.path("plain");
    fs::write(&plain, text).expect("written");
    let mut command = if vault.is_file() { Command::new(vault) } else { Command::new("ansible-vault") };
    command.args(["encrypt", "--vault-password-file", "vault-password", "plain"]);
    let done = command.current_dir(&sandbox.folder).stdin(Stdio::null()).output().expect("ansible-vault");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = fs::read_to_string(&plain).expect("the vault");
    fs::remove_file(plain).expect("removed");
    text
}

/// Files below that hold a text, those of the tools' own state left out.
fn holding(folder: &Path, words: &str) -> Vec<PathBuf> {
    let own = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().contains("tfstate"));
    let has = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap_or_default();
        bytes.windows(words.len()).any(|window| window == words.as_bytes())
    };
    support::files(folder).into_iter().filter(|path| !own(path) && has(path)).collect()
}

#[test]
fn variables_of_site_and_environment_reach_both_tools() {
    let sandbox = small("vars");
    sandbox.edit("otto.yaml", "dev: {ttl: 8h}", "dev: {ttl: 8h, vars: {greeting: from-env, level: 1}}");
    sandbox.write("sites/_defaults.yaml", "vars: {shared: for-all, level: 2}\n");
    sandbox.edit("sites/blog/site.yaml", "size: small}", "size: small, ansible: [teller]}");
    let site = fs::read_to_string(sandbox.path("sites/blog/site.yaml")).expect("the site");
    sandbox.write(
        "sites/blog/site.yaml",
        &format!("{site}\nvars: {{level: 3}}\nenvironments:\n  dev: {{vars: {{near: yes-it-is}}}}\n"),
    );
    let told = "- ansible.builtin.copy:\n    dest: \"{{ root }}/told\"\n    content: \"{{ [greeting, shared, level, near, otto_said] | join(' ') }}\\n\"\n";
    role(&sandbox, "teller", &told.replace(", otto_said", ""));
    let main = fs::read_to_string(sandbox.path("clowd/provision/local/outputs.tf")).expect("the root");
    sandbox.write(
        "clowd/provision/local/outputs.tf",
        &format!("{main}\nvariable \"vars\" {{\n  type = any\n}}\noutput \"heard\" {{\n  value = \"${{var.vars.greeting}} ${{var.vars.level}}\"\n}}\n"),
    );
    let variables = fs::read_to_string(sandbox.path("clowd/provision/local/variables.tf")).expect("the variables");
    assert!(!variables.contains("variable \"vars\""), "the test's own declaration is not needed any more");
    sandbox.otto(&["up", "--yes"]).ends(0);
    let host = sandbox.host("dev_local_blog", "www-1");
    assert_eq!(fs::read_to_string(host.join("told")).expect("told"), "from-env for-all 3 yes-it-is\n");
    let state = fs::read_to_string(sandbox.path(".otto/terraform/dev_local_blog/terraform.tfstate")).expect("a state");
    assert!(state.contains("\"from-env 3\""), "{state}");
    sandbox.otto(&["up", "--yes"]).ends(0).says("skip");
    sandbox.edit("sites/blog/site.yaml", "ansible: [teller]", "ansible: [tellr]");
    sandbox
        .otto(&["up", "--yes"])
        .ends(20)
        .says("sites/blog/site.yaml:6: unknown role `tellr`: did you mean `teller`?");
}

#[test]
fn a_secret_is_nowhere() {
    let sandbox = small("secrets");
    sandbox.write("vault-password", "the-vault-passw0rd\n");
    let vars = encrypted(&sandbox, &format!("vaulted: {VAULT_SECRET}\n"));
    let inline = encrypted(&sandbox, INLINE_SECRET);
    let inline: String = inline.lines().map(|line| format!("    {line}\n")).collect();
    sandbox.write("clowd/config/group_vars/all/vault.yml", &vars);
    sandbox.write("clowd/config/group_vars/all/plain.yml", &format!("inlined: !vault |\n{inline}"));
    sandbox.write(
        ".env",
        &format!("export APP_KEY='{ENV_SECRET}'\nFLAG=true\nSHORT=abc\nPORT=8080\nANSIBLE_VAULT_PASSWORD_FILE=vault-password\nNAME=blog\n"),
    );
    sandbox.edit("otto.yaml", "environment: dev", "env_files: [.env]\nenvironment: dev");
    sandbox.edit("sites/blog/site.yaml", "size: small}", "size: small, ansible: [leaky]}");
    // Says them all: in a result that is shown, in a warning, and as the reason of a failure.
    role(
        &sandbox,
        "leaky",
        "- ansible.builtin.debug: {msg: \"{{ lookup('env', 'APP_KEY') }} {{ vaulted }} {{ inlined }}\"}\n\
         - ansible.builtin.command: {argv: [sh, -c, \"echo {{ lookup('env', 'APP_KEY') }} {{ vaulted }} {{ inlined }}; echo $0 >&2\", \"{{ vaulted }}\"]}\n\
         - ansible.builtin.fail: {msg: \"key {{ lookup('env', 'APP_KEY') }}, vault {{ vaulted }}, {{ inlined }}, output {{ heard }}, flag true on 8080, blog\"}\n",
    );
    let outputs = fs::read_to_string(sandbox.path("clowd/provision/local/outputs.tf")).expect("the root");
    sandbox.write(
        "clowd/provision/local/outputs.tf",
        &format!("{outputs}\noutput \"password\" {{\n  value     = \"{OUTPUT_SECRET}\"\n  sensitive = true\n}}\n"),
    );
    sandbox.write("clowd/config/group_vars/all/heard.yml", "heard: \"{{ (lookup('file', playbook_dir ~ '/../../.otto/terraform/dev_local_blog/terraform.tfstate') | from_json).outputs.password.value }}\"\n");
    sandbox.write("sudo-password", FILE_SECRET);
    let mut command = sandbox.command(["up", "--yes", "-v"], &sandbox.folder);
    command.env("SOME_PASSWORD_FILE", "sudo-password").env("OTHER_TOKEN", "exported-t0ken-123");
    let done = command.output().expect("otto");
    let screen = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(32), "{screen}");
    assert!(screen.contains("key ***, vault ***, ***, output ***, flag true on 8080, blog"), "{screen}");
    assert!(
        screen.contains(".env: others may read the secrets in it") && screen.contains("chmod 600 .env"),
        "{screen}"
    );
    let json = sandbox.otto(&["config", "--json"]).ends(32).stdout;
    let again = [sandbox.otto(&["status"]), sandbox.otto(&["logs"]), sandbox.otto(&["runs"]), sandbox.otto(&["plan"])];
    let again: String = again.iter().map(|out| format!("{}{}", out.stdout, out.stderr)).collect();
    for secret in [ENV_SECRET, VAULT_SECRET, INLINE_SECRET, OUTPUT_SECRET, FILE_SECRET, "the-vault-passw0rd"] {
        assert!(
            !screen.contains(secret) && !json.contains(secret) && !again.contains(secret),
            "{secret} on the screen"
        );
        // The root's own copy says it in clear because this test's root does.
        let found: Vec<PathBuf> = holding(&sandbox.path(".otto"), secret)
            .into_iter()
            .filter(|path| !(secret == OUTPUT_SECRET && path.ends_with("outputs.tf")))
            .collect();
        assert_eq!(found, Vec::<PathBuf>::new(), "{secret}");
    }
    // What every file and event is full of stays readable.
    assert!(!holding(&sandbox.path(".otto/runs"), "blog").is_empty());
}

#[test]
fn a_password_file_that_is_not_there_is_told_before_anything_runs() {
    let sandbox = Sandbox::bare("absent");
    let mut command = sandbox.command(["up", "--yes"], &sandbox.folder);
    let done = command.env("ANSIBLE_VAULT_PASSWORD_FILE", "nowhere").output().expect("otto");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(23), "{said}");
    assert!(
        said.contains("ANSIBLE_VAULT_PASSWORD_FILE names `") && said.contains("unset ANSIBLE_VAULT_PASSWORD_FILE"),
        "{said}"
    );
}

#[test]
fn pages_are_built_once_and_a_failing_build_changes_nothing() {
    let sandbox = small("built");
    sandbox.edit("sites/blog/site.yaml", "content: html", "content: {build: \"sh build.sh 'two words'\", from: dist}");
    let script = "set -e\necho building >&2\necho no good; exit 3\n";
    sandbox.write("sites/blog/build.sh", script);
    let failed = sandbox.otto(&["up", "--yes"]).ends(30);
    let failed = failed.says("`sh build.sh two words`").says("exit code 3").says("no good");
    assert!(failed.stderr.contains("nothing changed") || failed.code == 30);
    assert!(!sandbox.path(".otto/hosts/dev_local_blog/www-1").exists());
    let script =
        "set -e\nmkdir -p dist\ncp -r html/. dist/\necho built >> ../../count\nprintf '%s' \"$1\" > dist/words.txt\n";
    sandbox.write("sites/blog/build.sh", script);
    sandbox.otto(&["up", "--yes"]).ends(0);
    let port = sandbox.port("dev/local/blog", 0);
    let answer = support::http::get(port, "blog.localhost", "/words.txt");
    assert!(answer.body.ends_with("two words"), "{answer:?}");
    // Unchanged: neither built nor configured again.
    sandbox.otto(&["up", "--yes"]).ends(0);
    sandbox.otto(&["config", "--yes"]).ends(0);
    assert_eq!(fs::read_to_string(sandbox.path("count")).expect("the count"), "built\n");
    sandbox.edit("sites/blog/html/index.html", "Notes", "Notes anew");
    sandbox.otto(&["up", "--yes"]).ends(0);
    assert_eq!(fs::read_to_string(sandbox.path("count")).expect("the count"), "built\nbuilt\n");
    assert!(support::http::get(port, "blog.localhost", "/").body.contains("Notes anew"));
}
