//! The first hour: a project begun, explained, grown and brought to a newer otto.

#![allow(clippy::print_stderr)]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::process::Command;

use support::Sandbox;

#[test]
fn a_project_is_begun_as_wished_and_asks_nothing_off_a_terminal() {
    let sandbox = Sandbox::bare("plain");
    let base = sandbox.path("..");
    let run = |args: &[&str]| sandbox.command(args.iter().copied(), &base).output().expect("otto");
    let made = run(&["init", "shop", "--yes", "--name", "corner-shop", "--domain", "shop.example.org"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text = |path: &str| fs::read_to_string(base.join("shop").join(path)).expect("a file");
    assert!(text("otto.yaml").contains("project: corner-shop"));
    assert!(text("otto.yaml").starts_with("# yaml-language-server: $schema=docs/schema/otto-yaml.json\n"));
    assert!(text("sites/hello/site.yaml").contains("domains: [shop.example.org, www.shop.example.org]"));
    assert!(text("docs/schema/site-yaml.json").contains("json-schema.org"));
    assert!(text(".gitignore").contains("/.env\n"));
    let wrong = run(&["init", "other", "--provider", "nowhere"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("no provider `nowhere` comes with otto"));
    assert!(!base.join("other").exists());
}

#[test]
fn a_newer_otto_is_merged_and_conflicts_are_marked() {
    let sandbox = Sandbox::bare("old");
    let site = "clowd/config/site.yml";
    let newest = fs::read_to_string(sandbox.path(site)).expect("the playbook");
    // As if an older otto had written it: a line of today's is missing, and one says something else.
    let older = newest.replace("  gather_facts: false\n", "").replace("- name: Configure\n", "- name: Configure all\n");
    let write = |text: &str, text_of_base: &str| {
        fs::write(sandbox.path(site), text).expect("written");
        fs::write(sandbox.path(&format!(".otto/base/{site}")), text_of_base).expect("written");
    };
    write(&older, &older);
    let done = sandbox.otto(&["init", "--update"]).ends(0);
    assert_eq!(done.stdout, format!("updated     {site}\n"));
    assert_eq!(fs::read_to_string(sandbox.path(site)).expect("read"), newest);
    sandbox.otto(&["init", "--update"]).ends(0).says("everything is this otto's already");
    // Changed by a person somewhere else: both changes stay.
    write(&format!("{older}# mine\n"), &older);
    let done = sandbox.otto(&["init", "--update"]).ends(0);
    assert_eq!(done.stdout, format!("merged      {site}\n"));
    assert_eq!(fs::read_to_string(sandbox.path(site)).expect("read"), format!("{newest}# mine\n"));
    // In the same place: marked, told, and not 0.
    write(&older.replace("- name: Configure all\n", "- name: Mine\n"), &older);
    let done = sandbox.otto(&["init", "--update"]).ends(20).says("<<<<<<<");
    assert_eq!(done.stdout, format!("conflict    {site}\n"));
    let text = fs::read_to_string(sandbox.path(site)).expect("read");
    assert!(text.contains("<<<<<<< yours\n- name: Mine\n") && text.contains(">>>>>>> otto "), "{text}");
    // The person's own files were never looked at, and without a base nothing is lost either.
    fs::remove_dir_all(sandbox.path(".otto/base")).expect("removed");
    sandbox.write(site, &format!("# mine above\n{newest}"));
    let done = sandbox.otto(&["init", "--update"]).ends(0);
    assert_eq!(done.stdout, format!("merged      {site}\n"));
    assert!(fs::read_to_string(sandbox.path(site)).expect("read").starts_with("# mine above\n"));
}

#[test]
fn parts_are_added_and_read_well() {
    let sandbox = Sandbox::bare("grow");
    sandbox.otto(&["add", "site", "shop"]).ends(0);
    sandbox.otto(&["add", "provider", "mycloud"]).ends(0);
    sandbox.otto(&["add", "appliance", "varnish"]).ends(0);
    sandbox.otto(&["add", "site", "shop"]).ends(20).says("is there already");
    sandbox.otto(&["add", "site", "Not A Name"]).ends(2);
    let shown = sandbox.otto(&["site", "show", "shop", "--resolved", "--json"]).ends(0).json();
    assert_eq!(shown["document"]["domains"][0], "shop.localhost");
    assert_eq!(shown["document"]["roles"]["www"]["size"], "small");
    let plan = sandbox.otto(&["plan", "--json"]).ends(0).json();
    let ids: Vec<&str> = plan["units"].as_array().expect("units").iter().filter_map(|u| u["id"].as_str()).collect();
    assert!(ids.contains(&"dev/local/shop:provision"), "{ids:?}");
    let mut command = Command::new("terraform");
    if let Ok(output) = command.arg("validate").current_dir(sandbox.path("clowd/provision/mycloud")).output() {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn every_value_is_explained() {
    let sandbox = Sandbox::bare("why");
    sandbox.write("sites/_defaults.yaml", "vars: {level: 2}\n");
    sandbox.write(".env", "APP_KEY=explain-s3cret\n");
    sandbox.edit("otto.yaml", "environment: dev", "env_files: [.env]\nenvironment: dev");
    let all = sandbox.otto(&["explain", "--json"]).ends(0).json();
    let from = |key: &str| {
        let found = all["values"].as_array().expect("values").iter().find(|v| v["key"] == key);
        let found = found.unwrap_or_else(|| panic!("{key}"));
        (found["value"].as_str().unwrap_or_default().to_owned(), found["from"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(from("sites.hello.vars.level"), ("2".to_owned(), "sites/_defaults.yaml:1".to_owned()));
    assert_eq!(from("sites.hello.checks").1, "sites/hello/site.yaml:11");
    assert_eq!(from("env.APP_KEY"), ("***".to_owned(), ".env:1".to_owned()));
    assert_eq!(from("environments.dev.ttl").0, "8h");
    assert!(from("environment").1.starts_with("otto.yaml:"));
    let text = sandbox.otto(&["explain", "roles.www.count"]).ends(0).stdout;
    assert!(text.contains("sites.hello.roles.www.count") && text.contains("sites/hello/site.yaml:6"), "{text}");
    assert!(text.contains("sites.hello.environments.prod.roles.www.count"), "{text}");
    let text = sandbox.otto(&["explain", "environment", "--env", "prod"]).ends(0).stdout;
    assert!(text.contains("prod") && text.contains("--env"), "{text}");
    let mut command = sandbox.command(["explain", "environment"], &sandbox.folder);
    let output = command.env("OTTO_ENV", "prod").output().expect("otto");
    assert!(String::from_utf8_lossy(&output.stdout).contains("environment variable OTTO_ENV"));
    sandbox.otto(&["explain", "rolse"]).ends(2).says("otto explain roles");
    assert!(!sandbox.otto(&["explain"]).stdout.contains("explain-s3cret"));
}

#[test]
fn shells_are_told_the_names() {
    let sandbox = Sandbox::bare("names");
    let ask = |words: &[&str]| {
        let mut command = sandbox.command([""; 0], &sandbox.folder);
        command.env("_OTTO_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
        command.env("_CLAP_IFS", "\n").env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "true");
        let output = command.arg("--").args(words).output().expect("otto");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let told = ask(&["otto", "up", "--site", "he"]);
    assert_eq!(told.trim(), "hello", "{told}");
    assert!(ask(&["otto", "up", "dev/"]).contains("dev/local/hello"));
    assert!(ask(&["otto", "st"]).contains("status"));
    for shell in ["bash", "zsh", "fish"] {
        let script = sandbox.otto(&["completions", shell]).ends(0).stdout;
        assert!(script.contains("_OTTO_COMPLETE"), "{shell}: {script}");
    }
}

#[test]
fn a_site_is_opened_tested_and_grouped() {
    let sandbox = Sandbox::new("visit");
    fs::remove_dir_all(sandbox.path("sites/hello")).expect("removed");
    sandbox.otto(&["open"]).ends(2).says("no site is up");
    let ran = sandbox.otto(&["up", "--yes", "--ci=github"]).ends(0);
    assert!(ran.stderr.contains("::group::dev/local/blog:provision  ok\n"), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("::group::").count(), ran.stderr.matches("::endgroup::").count());
    let url = sandbox.otto(&["open", "blog"]).ends(0).stdout;
    assert!(url.starts_with("http://blog.localhost:"), "{url}");
    sandbox.otto(&["test", "--junit", "report.xml"]).ends(0);
    let report = fs::read_to_string(sandbox.path("report.xml")).expect("the report");
    assert!(
        report.contains("<testsuite name=\"dev/local/blog:test\"") && report.contains("failures=\"0\""),
        "{report}"
    );
    assert!(report.contains("name=\"first post\""), "{report}");
    sandbox.edit("sites/blog/site.yaml", "Why golden images", "never & nowhere");
    sandbox.otto(&["test", "--junit", "report.xml"]).ends(2);
    let report = fs::read_to_string(sandbox.path("report.xml")).expect("the report");
    assert!(report.contains("failures=\"1\"") && report.contains("<failure message="), "{report}");
    let failed = sandbox.otto(&["test", "--ci=gitlab"]).ends(2);
    assert!(failed.stderr.contains("section_start:") && failed.stderr.contains("section_end:"), "{}", failed.stderr);
    for topic in ["exit-codes", "environment", "providers", "json"] {
        sandbox.otto(&["help", topic]).ends(0);
    }
}

#[test]
fn pinned_tools_are_checked_before_anything() {
    let sandbox = Sandbox::new("pinned");
    sandbox.edit("otto.yaml", "environment: dev", "environment: dev\ntools: {terraform: \">=99\"}");
    let refused = sandbox.otto(&["up", "--yes"]).ends(21);
    let refused = refused.says("is not what the project pins: `>=99`");
    assert!(
        refused.hint().contains("put Terraform >=99 first on PATH, or change `tools.terraform` (otto.yaml:"),
        "{}",
        refused.stderr
    );
    assert!(!sandbox.path(".otto/hosts/dev_local_hello").exists());
    sandbox.edit("otto.yaml", ">=99", ">=1.4, <99");
    sandbox.otto(&["tools"]).ends(0);
}

#[test]
fn a_plan_shows_resources_and_values_and_no_secret() {
    let sandbox = Sandbox::new("values");
    fs::remove_dir_all(sandbox.path("sites/hello")).expect("removed");
    let outputs = fs::read_to_string(sandbox.path("clowd/provision/local/outputs.tf")).expect("the root");
    let more = "\nvariable \"vars\" {\n  type    = any\n  default = {}\n}\nresource \"terraform_data\" \"said\" {\n  input = try(var.vars.word, \"none\")\n}\n\
                resource \"terraform_data\" \"hidden\" {\n  input = sensitive(\"plan-s3cret-4d4d\")\n}\n";
    sandbox.write("clowd/provision/local/outputs.tf", &format!("{outputs}{more}"));
    let shown = sandbox.otto(&["plan", "--diff"]).ends(0).stdout;
    assert!(shown.contains("+ terraform_data.boot[\"www-1\"]") && shown.contains("+ terraform_data.said"), "{shown}");
    assert!(shown.contains("input: ***") && !shown.contains("plan-s3cret-4d4d"), "{shown}");
    assert!(!sandbox.path(".otto/hosts/dev_local_blog").exists());
    assert_eq!(support::files(&sandbox.path(".otto/preview")), Vec::<std::path::PathBuf>::new());
    sandbox.otto(&["up", "--yes"]).ends(0);
    let site = fs::read_to_string(sandbox.path("sites/blog/site.yaml")).expect("the site");
    sandbox.write("sites/blog/site.yaml", &format!("{site}\nvars: {{word: new}}\n"));
    let shown = sandbox.otto(&["plan", "--diff", "--json"]).ends(0).json();
    support::schema::PLAN.holds(&shown);
    let changes = &shown["changes"][0];
    assert_eq!(changes["deployment"], "dev/local/blog");
    let said =
        changes["resources"].as_array().expect("resources").iter().find(|r| r["address"] == "terraform_data.said");
    let said = said.unwrap_or_else(|| panic!("{changes}"));
    assert_eq!(said["action"], "update");
    let input = said["fields"].as_array().expect("fields").iter().find(|f| f["path"] == "input").expect("the input");
    assert_eq!((input["before"].as_str(), input["after"].as_str()), (Some("\"none\""), Some("\"new\"")));
    assert!(!shown.to_string().contains("plan-s3cret-4d4d"));
}
