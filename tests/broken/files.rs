//! The project's own files.

use crate::sandbox::{OTTO_YAML, SITE_YAML, Sandbox, exists};

#[test]
fn all_mistakes_of_all_files_are_told_at_once() {
    let sandbox = Sandbox::new();
    sandbox.write("otto.yaml", &format!("{OTTO_YAML}enviroments: {{}}\n"));
    sandbox.write("sites/hello/site.yaml", "domains: [hello.localhost]\nroles:\n  box: {count: three}\n");
    sandbox.write("sites/other/site.yaml", "domains: [hello.localhost]\nroles: {box: {count: 1}}\nrolls: {}\n");
    sandbox.write("clowd/provision/made/provider.yaml", "kind: terraform\nsizes: small\n");
    for verb in ["up", "plan", "destroy", "images"] {
        sandbox.otto(&[verb]).code(20).says(&[
            "5 problems",
            "otto.yaml:5: unknown key `enviroments`: did you mean `environments`?",
            "sites/hello/site.yaml:3: `roles.box.count` is the text \"three\": expected a whole number from 0 to 200",
            "sites/other/site.yaml:1: duplicate site: the domain `hello.localhost`",
            "sites/hello/site.yaml:1",
            "sites/other/site.yaml:3: unknown key `rolls`: did you mean `roles`?",
            "clowd/provision/made/provider.yaml:2",
        ]);
    }
    for verb in ["status", "test"] {
        sandbox.otto(&[verb]).code(3).says(&["otto.yaml:5"]);
    }
    assert!(!exists(&sandbox.project().join(".otto")), "a wrong project leaves no trace");
}

#[test]
fn a_file_that_is_no_yaml_is_named_with_its_line() {
    let sandbox = Sandbox::new();
    sandbox.write("sites/hello/site.yaml", "domains: [hello.localhost\nroles:\n  box: {count: 1}\n");
    sandbox.otto(&["up", "--yes"]).code(20).says(&["sites/hello/site.yaml:"]);
    sandbox.write("sites/hello/site.yaml", SITE_YAML).write("otto.yaml", "just words\n");
    sandbox.otto(&["up", "--yes"]).code(20).says(&["otto.yaml:1", "expected keys with values"]);
}

#[test]
fn no_project_says_how_to_get_one() {
    let sandbox = Sandbox::bare();
    for verb in ["up", "plan", "runs", "destroy"] {
        sandbox.otto(&[verb]).code(20).says(&["no `otto.yaml` in", "hint: otto init"]);
    }
    sandbox.otto(&["status"]).code(3).says(&["no `otto.yaml` in"]);
    sandbox.otto(&["--project", "nowhere", "up"]).code(20).says(&["nowhere"]);
}

#[test]
fn several_web_servers_on_one_url_need_a_balancer() {
    let sandbox = Sandbox::new();
    sandbox.otto(&["init", "demo"]).code(0);
    sandbox
        .write("demo/sites/hello/site.yaml", "domains: [hello.localhost]\nroles:\n  www: {image: nginx, count: 2}\n");
    let ran = sandbox.otto(&["--project", "demo", "up", "--yes"]).code(20);
    ran.says(&["sites/hello/site.yaml:3", "lb"]);
    assert!(!exists(&sandbox.project().join("demo/.otto/runs")));
}

#[test]
fn a_selection_of_nothing_names_what_there_is() {
    let sandbox = Sandbox::new();
    sandbox.otto(&["up", "--site", "helo", "--yes"]).code(2).says(&["helo", "hello"]);
    sandbox.otto(&["up", "dev/made/nothing", "--yes"]).code(2).says(&["nothing"]);
    sandbox.otto(&["up", "--provider", "mad", "--yes"]).code(2).says(&["mad", "made"]);
}
