//! Packer, current and old.

use std::collections::BTreeMap;
use std::fs;

use otto::tools::Said;
use otto::tools::packer::{Packer, Report, Stream, manifest};

use super::{feed, folder, recorded, run, tool};

fn report(name: &str) -> Report {
    let mut stream = Stream::new();
    feed(&mut stream, &recorded(name));
    stream.report()
}

#[test]
fn artifacts_are_listed_once() {
    let old = report("packer-build-machine-readable-hcl2.txt");
    assert!(old.succeeded());
    let shown: Vec<_> = old.artifacts.iter().map(|a| (a.build.as_str(), a.id.as_str(), a.files.len())).collect();
    assert_eq!(shown, [("file.meta", "File", 1), ("file.meta", "", 2), ("null.golden", "Null", 0)]);
    let new = report("packer-current-build-machine-readable.txt");
    assert!(new.succeeded() && new.artifacts.len() == 4, "{new:#?}");
    let cloud = report("packer-current-digitalocean-machine-readable.txt");
    assert_eq!(cloud.artifacts.iter().map(|a| a.id.as_str()).collect::<Vec<_>>(), ["nyc3:1031"]);
    assert!(cloud.steps > 10);
}

#[test]
fn a_failed_build_is_named_although_another_was_good() {
    for (name, build, artifacts) in [
        ("packer-build-machine-readable-failure.txt", "null.x", 1),
        ("packer-current-build-failure.txt", "null.two", 0),
    ] {
        let report = report(name);
        assert!(!report.succeeded(), "{name}");
        assert_eq!((report.error_count, report.artifacts.len()), (1, artifacts), "{name}");
        assert_eq!(report.errors[0].about.as_deref(), Some(build), "{name}");
    }
}

#[test]
fn a_cancelled_build_is_no_success() {
    let report = report("packer-current-cancelled.txt");
    assert!(report.cancelled && !report.succeeded() && report.artifacts.is_empty());
}

#[test]
fn commas_and_line_ends_are_put_back() {
    let mut stream = Stream::new();
    let said = feed(
        &mut stream,
        "1,,ui,say,==> a: one%!(PACKER_COMMA) two\njunk\n,,\n1,b,error,first\\nsecond%!(PACKER_COMMA) third",
    );
    let Said::Progress { what, .. } = &said[0] else { panic!("{said:?}") };
    assert_eq!(what, "a: one, two");
    let Said::Diagnostic(error) = &said[1] else { panic!("{said:?}") };
    assert_eq!((error.summary.as_str(), error.detail.as_str()), ("first", "second, third"));
}

#[test]
fn a_real_build_leaves_its_artifact_in_the_manifest() {
    let Some(program) = tool("packer", "OTTO_TEST_PACKER") else { return };
    let (_guard, dir) = folder();
    let template = dir.join("template");
    fs::create_dir(&template).expect("a folder");
    let text = r#"
variable "output_dir" { type = string }
variable "fail" {
  type    = string
  default = "0"
}
source "null" "n" { communicator = "none" }
build {
  sources = ["source.null.n"]
  provisioner "shell-local" { inline = ["echo one, two; echo err >&2; echo x > '${var.output_dir}/image'; exit ${var.fail}"] }
  post-processor "artifice" { files = ["${var.output_dir}/image"] }
  post-processor "manifest" { output = "${var.output_dir}/manifest.json" }
}
"#;
    // One chain, so that the manifest names the artifice's files.
    let text = text.replace("  post-processor \"artifice\"", "  post-processors {\n  post-processor \"artifice\"");
    let text = text.replace("manifest.json\" }\n}", "manifest.json\" }\n  }\n}");
    fs::write(template.join("image.pkr.hcl"), &text).expect("a template");
    let vars = |fail: &str| {
        let vars = serde_json::json!({"output_dir": dir, "fail": fail, "undeclared": 1});
        fs::write(dir.join("vars.json"), vars.to_string()).expect("variables");
    };
    vars("0");
    let packer = Packer {
        program,
        version: (1, 6, 6),
        template: template.clone(),
        var_file: dir.join("vars.json"),
        cwd: dir.clone(),
        env: BTreeMap::new(),
    };
    let read = |output: &std::process::Output| {
        let mut stream = Stream::new();
        feed(&mut stream, &String::from_utf8_lossy(&output.stdout));
        stream.report()
    };
    assert!(run(&packer.validate()).status.success());
    let good = run(&packer.build(&[]));
    assert!(good.status.success() && read(&good).succeeded(), "{}", String::from_utf8_lossy(&good.stdout));
    let manifest_text = fs::read_to_string(dir.join("manifest.json")).expect("a manifest");
    let built = manifest::read(&manifest_text, &dir).expect("a manifest");
    assert_eq!((built.len(), built[0].files[0].0.clone()), (1, dir.join("image")));

    vars("7");
    let bad = run(&packer.build(&[]));
    assert!(!bad.status.success() && !read(&bad).succeeded() && read(&bad).error_count == 1);

    fs::write(
        template.join("image.pkr.hcl"),
        "source \"nothing\" \"n\" {}\nbuild {\n  sources = [\"source.nothing.n\"]\n}\n",
    )
    .expect("a template");
    let wrong = read(&run(&packer.build(&[])));
    assert!(!wrong.succeeded() && !wrong.errors.is_empty(), "{wrong:?}");
}
