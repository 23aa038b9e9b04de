//! Terraform and OpenTofu.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use otto::tools::Said;
use otto::tools::terraform::args::Goal;
use otto::tools::terraform::{
    Extra, Operation, PlannedAction, Report, StateFile, Stream, Terraform, outputs, root, show,
};

use super::{feed, folder, recorded, run, tool};

fn report(name: &str) -> Report {
    let mut stream = Stream::new();
    feed(&mut stream, &recorded(name));
    stream.report()
}

#[test]
fn good_streams_are_successes() {
    for (name, version, operation, done) in [
        ("terraform-apply.jsonl", "1.11.4", Operation::Apply, 3),
        ("terraform-destroy.jsonl", "1.11.4", Operation::Destroy, 2),
        ("tofu-apply.jsonl", "1.12.6", Operation::Apply, 2),
        ("tofu-destroy.jsonl", "1.12.6", Operation::Destroy, 2),
        ("terraform-plan.jsonl", "1.11.4", Operation::Plan, 0),
        // DigitalOcean's own provider, against a stand-in of its API.
        ("digitalocean-terraform-apply.jsonl", "1.11.4", Operation::Apply, 14),
        ("digitalocean-terraform-destroy.jsonl", "1.11.4", Operation::Destroy, 16),
    ] {
        let report = report(name);
        assert!(report.succeeded(operation), "{name}: {report:#?}");
        assert_eq!(report.version.as_deref(), Some(version), "{name}");
        assert_eq!(report.completed.len(), done, "{name}");
        assert!(report.in_flight.is_empty() && report.errors.is_empty(), "{name}");
        let others = [Operation::Plan, Operation::Apply, Operation::Destroy].into_iter().filter(|o| *o != operation);
        assert!(others.filter(|o| *o != Operation::Plan).all(|other| !report.succeeded(other)), "{name}");
    }
    assert!(report("terraform-plan.jsonl").outputs.is_empty(), "a plan has no values");
    let tofu = report("tofu-apply.jsonl");
    assert_eq!(
        (tofu.outputs["o"].as_str(), tofu.sensitive_outputs.as_slice()),
        (Some("one"), &["secret".to_owned()][..])
    );
}

#[test]
fn failures_name_their_place() {
    let report = report("terraform-apply-error.jsonl");
    assert!(!report.succeeded(Operation::Apply));
    assert_eq!(report.final_summary, None);
    let error = report.errors.first().expect("an error");
    assert_eq!(error.place().as_deref(), Some("main.tf:5"));
    assert_eq!(error.about.as_deref(), Some("terraform_data.bad"));
    assert_eq!(report.errored, ["terraform_data.bad"]);
    assert!(report.in_flight.is_empty());
}

#[test]
fn replacements_are_destructions() {
    let report = report("terraform-apply-replace.jsonl");
    assert!(report.planned.iter().any(|p| p.action == PlannedAction::Replace && p.reason.is_some()));
    assert!(!report.destroys().is_empty());
}

/// What a kill leaves: at every cut, nothing is a success, and exactly the open starts are in flight.
#[test]
fn every_cut_of_a_stream_is_told() {
    let text = recorded("terraform-apply.jsonl");
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().position(|line| line.contains("\"change_summary\"")).expect("a summary");
    for cut in 0..=lines.len() {
        let mut stream = Stream::new();
        lines[..cut].iter().for_each(|line| drop(feed(&mut stream, line)));
        // Half a line is what a full disk or a kill leaves.
        if let Some(next) = lines.get(cut) {
            feed(&mut stream, &next[..next.len() / 2]);
        }
        let report = stream.report();
        let count = |word: &str| lines[..cut].iter().filter(|line| line.contains(word)).count();
        assert_eq!(report.in_flight.len(), count("\"apply_start\"") - count("\"apply_complete\""), "cut at {cut}");
        assert_eq!(report.succeeded(Operation::Apply), cut > last, "cut at {cut}");
    }
}

#[test]
fn junk_is_passed_over_and_strange_versions_are_refused() {
    let mut stream = Stream::new();
    let apply = recorded("terraform-apply.jsonl");
    let junk = [
        "",
        "Acquiring state lock.",
        "{\"half\":",
        "[1]",
        "null",
        "{\"@level\":\"info\",\"type\":\"novelty\",\"x\":{}}",
    ];
    for line in apply.lines() {
        junk.iter().for_each(|junk| drop(feed(&mut stream, junk)));
        feed(&mut stream, line);
    }
    assert!(stream.report().succeeded(Operation::Apply));
    let mut later = Stream::new();
    let said = feed(&mut later, &apply.replace("\"ui\":\"1.2\"", "\"ui\":\"2.0\""));
    assert!(!later.report().ui_major_ok && !later.report().succeeded(Operation::Apply));
    assert!(matches!(said.as_slice(), [Said::Diagnostic(_)]));
    let mut init = Stream::new();
    let said = feed(&mut init, &recorded("tofu-init.jsonl"));
    assert!(init.report().errors.is_empty() && said.iter().any(|s| matches!(s, Said::Note(_))));
}

#[test]
fn progress_counts_to_its_total() {
    let mut stream = Stream::new();
    let said = feed(&mut stream, &recorded("terraform-apply.jsonl"));
    let last = said.iter().rev().find_map(|said| match said {
        Said::Progress { done, total, .. } => Some((*done, *total)),
        _ => None,
    });
    assert_eq!(last, Some((3, 3)));
}

fn real(dir: &Utf8Path, program: &str, variable: &str) -> Option<Terraform> {
    Some(Terraform {
        program: tool(program, variable)?,
        tofu: program == "tofu",
        version: (1, 9, 0),
        dir: dir.to_owned(),
        data_dir: Some(dir.join("data dir")),
        workspace: None,
        init_args: Vec::new(),
        var_file: Some(dir.join("vars.json")),
        env: BTreeMap::new(),
    })
}

const ROOT: &str = r#"
variable "hosts" { type = list(object({ name = string, role = string, image = string, size = string })) }
variable "slow" { default = "0" }
resource "terraform_data" "folder" {
  for_each = { for host in var.hosts : host.name => host }
  input    = { path = "/x/${each.key}" }
}
resource "terraform_data" "boot" {
  for_each         = { for host in var.hosts : host.name => host }
  triggers_replace = [each.value.image]
  provisioner "local-exec" { command = "sleep ${var.slow}" }
}
output "hosts" {
  value = [for host in var.hosts : { name = host.name, role = host.role, address = "127.0.0.1", connection = "local", id = terraform_data.boot[host.name].id }]
}
output "endpoint" { value = "http://127.0.0.1:20000/" }
"#;

fn vars(dir: &Utf8Path, hosts: &[(&str, &str)], slow: &str) {
    let hosts: Vec<_> = hosts
        .iter()
        .map(|(name, image)| serde_json::json!({"name": name, "role": "www", "image": image, "size": "s"}))
        .collect();
    let text = serde_json::json!({ "hosts": hosts, "slow": slow }).to_string();
    fs::write(dir.join("vars.json"), text).expect("variables");
}

fn read(output: &std::process::Output) -> Report {
    let mut stream = Stream::new();
    feed(&mut stream, &String::from_utf8_lossy(&output.stdout));
    stream.report()
}

fn whole_life(tf: &Terraform) {
    let dir = &tf.dir;
    fs::write(dir.join("main.tf"), ROOT).expect("a root");
    assert!(!root::needs_init(dir).expect("read"));
    assert_eq!(root::declared_variables(dir).expect("read").len(), 2);
    vars(dir, &[("www-1", "a"), ("www-2", "a")], "0");
    let state = || StateFile::read(&dir.join("terraform.tfstate"));
    assert_eq!(state(), StateFile::Missing);

    // No init at all: needs_init has said so.
    let applied = read(&run(&tf.apply_new(&Extra::default())));
    assert!(applied.succeeded(Operation::Apply), "{applied:#?}");
    let declared = outputs::declared(&applied.outputs, &applied.sensitive_outputs).expect("the contract");
    assert_eq!(declared.hosts.len(), 2);
    assert_eq!(declared.endpoint.as_deref(), Some("http://127.0.0.1:20000/"));
    let known = state();
    let known = known.state().expect("a state");
    assert_eq!(known.addresses.len(), 4);
    // What the stream calls an address is what the state calls it, and its ids are in it.
    for address in &applied.completed {
        assert!(known.addresses.contains(address), "{address}");
        assert!(known.knows(&applied.ids[address]), "{address}");
    }

    let plan = dir.join("the plan");
    let noop = run(&tf.plan(Goal::Create, Some(&plan), &Extra::default()));
    assert_eq!(noop.status.code(), Some(0));
    assert!(read(&noop).succeeded(Operation::Plan) && read(&noop).planned.is_empty());

    vars(dir, &[("www-1", "b"), ("www-2", "a")], "0");
    let changed = run(&tf.plan(Goal::Create, Some(&plan), &Extra::default()));
    assert_eq!(changed.status.code(), Some(2));
    assert_eq!(read(&changed).destroys(), ["terraform_data.boot[\"www-1\"]"]);
    let shown = run(&tf.show_json(Some(&plan)));
    let changes = show::changes(&String::from_utf8_lossy(&shown.stdout)).expect("a plan");
    assert!(
        changes.iter().any(|c| c.action == "replace" && c.fields.contains(&"triggers_replace".to_owned())),
        "{changes:?}"
    );
    assert!(read(&run(&tf.apply_saved(&plan))).succeeded(Operation::Apply));

    let again = read(&run(&tf.apply_new(&Extra::replace(&["terraform_data.boot[\"www-2\"]".to_owned()]))));
    assert!(again.succeeded(Operation::Apply), "{again:#?}");
    assert_eq!(again.final_summary.map(|s| (s.add, s.remove)), Some((1, 1)));

    let pulled = run(&tf.state_pull());
    assert_eq!(StateFile::parse(&String::from_utf8_lossy(&pulled.stdout)), state());
    let drift = run(&tf.plan(Goal::RefreshOnly, None, &Extra::default()));
    assert_eq!(drift.status.code(), Some(0), "{}", String::from_utf8_lossy(&drift.stdout));

    let gone = read(&run(&tf.destroy(&Extra::default())));
    assert!(gone.succeeded(Operation::Destroy), "{gone:#?}");
    assert!(state().state().expect("a state").is_empty());
}

#[test]
fn a_deployment_lives_and_dies_under_real_terraform() {
    let (_guard, dir) = folder();
    if let Some(tf) = real(&dir, "terraform", "OTTO_TEST_TERRAFORM") {
        whole_life(&tf);
    }
}

#[test]
fn a_deployment_lives_and_dies_under_real_tofu() {
    let (_guard, dir) = folder();
    if let Some(tf) = real(&dir, "tofu", "OTTO_TEST_TOFU") {
        whole_life(&tf);
    }
}

#[test]
fn real_errors_become_diagnostics() {
    let (_guard, dir) = folder();
    let Some(tf) = real(&dir, "terraform", "OTTO_TEST_TERRAFORM") else { return };
    fs::write(
        dir.join("main.tf"),
        "variable \"x\" { default = 1 }\nresource \"terraform_data\" \"a\" {\n  inptu = 1\n}\n",
    )
    .expect("a root");
    fs::write(dir.join("vars.json"), "{}").expect("variables");
    let plan = run(&tf.plan(Goal::Create, None, &Extra::default()));
    let report = read(&plan);
    assert!(!report.succeeded(Operation::Plan));
    assert_eq!(report.errors[0].place().as_deref(), Some("main.tf:3"));
    // A root that needs a provider, without network or mirror: init says what is missing.
    fs::write(dir.join("main.tf"), "terraform {\n  backend \"nonsense\" {}\n}\n").expect("a root");
    assert!(root::needs_init(&dir).expect("read"));
    let init = run(&tf.init());
    assert!(!init.status.success() && !read(&init).errors.is_empty(), "{}", String::from_utf8_lossy(&init.stdout));
}

/// A kill in mid-creation: the stream knows what the state does not.
#[test]
fn what_a_kill_leaves_in_flight_is_found() {
    let (_guard, dir) = folder();
    let Some(tf) = real(&dir, "terraform", "OTTO_TEST_TERRAFORM") else { return };
    fs::write(dir.join("main.tf"), ROOT).expect("a root");
    vars(&dir, &[("www-1", "a")], "2");
    let call = tf.apply_new(&Extra::default());
    let out = dir.join("stdout");
    let mut child = Command::new(&call.program)
        .args(&call.args)
        .current_dir(&call.cwd)
        .envs(&call.env)
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .stdout(fs::File::create(&out).expect("a file"))
        .spawn()
        .expect("terraform starts");
    let until = Instant::now() + Duration::from_secs(20);
    let text = || fs::read_to_string(&out).expect("the stream");
    while !text().contains("provision_start") && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    let mut stream = Stream::new();
    feed(&mut stream, &text());
    let report = stream.report();
    assert_eq!(report.in_flight, ["terraform_data.boot[\"www-1\"]"]);
    assert!(!report.succeeded(Operation::Apply) && report.touched());
    let state = StateFile::read(&dir.join("terraform.tfstate"));
    // Absent, or there as if it were whole: both happen, and neither is the truth.
    let unsure = state.unsure(&report);
    assert_eq!(unsure.absent.len() + unsure.unfinished.len(), 1, "{state:?}");
}
