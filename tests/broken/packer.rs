//! Templates that fail, that make nothing, that cannot be read.

use crate::sandbox::Sandbox;

const MANIFEST: &str = r#"
  post-processors {
    post-processor "artifice" {
      files = ["${var.output_dir}/disk.tar"]
    }
    post-processor "manifest" {
      output = "${var.output_dir}/manifest.json"
    }
  }
"#;

fn template(script: &str, rest: &str) -> String {
    format!(
        r#"variable "output_dir" {{
  type = string
}}
source "null" "image" {{
  communicator = "none"
}}
build {{
  sources = ["source.null.image"]
  provisioner "shell-local" {{
    inline = ["{script}"]
    environment_vars = ["OUT=${{var.output_dir}}"]
  }}
{rest}
}}
"#
    )
}

/// Two sites, each with an image of its own, each declared to otto's variables by the root.
fn two() -> Sandbox {
    let sandbox = Sandbox::new();
    let good = template("echo disk > $OUT/disk.tar", MANIFEST).replace("variable \"output_dir\"", OTHERS);
    for name in ["bad", "good"] {
        sandbox.write(&format!("images/{name}/made/image.pkr.hcl"), &good);
    }
    sandbox.write("clowd/provision/made/provider.yaml", "kind: terraform\nprices: free\nimage: {from: file}\n");
    sandbox.write("sites/hello/site.yaml", "domains: [hello.localhost]\nroles: {box: {image: bad, count: 1}}\n");
    sandbox.write("sites/other/site.yaml", "domains: [other.localhost]\nroles: {box: {image: good, count: 1}}\n");
    sandbox
}

const OTHERS: &str = "variable \"run\" {\n  type = string\n}\nvariable \"name\" {\n  type = string\n}\nvariable \"base\" {\n  type    = string\n  default = \"\"\n}\nvariable \"output_dir\"";

fn fails(script: &str, rest: &str, says: &[&str]) {
    let sandbox = two();
    let good = std::fs::read_to_string(sandbox.project().join("images/bad/made/image.pkr.hcl")).expect("a template");
    let bad = template(script, rest).replace("variable \"output_dir\"", OTHERS);
    sandbox.write("images/bad/made/image.pkr.hcl", &bad);
    sandbox.otto(&["images"]).code(30).says(says).says(&["failed  made/bad", "ok       made/good", "log:"]);
    // The other deployment is not kept from coming up, and this one has not begun.
    sandbox.otto(&["up", "--yes"]).code(32).says(says).says(&["ok       dev/made/other"]);
    assert!(sandbox.status().is_object() && sandbox.hosts().is_empty());
    sandbox.write("images/bad/made/image.pkr.hcl", &good);
    sandbox.heals();
}

#[test]
fn a_build_that_fails() {
    fails("echo the oven is cold >&2; exit 1", MANIFEST, &["the oven is cold", "exit status"]);
}

#[test]
fn a_build_without_a_manifest() {
    fails("true", "", &["manifest.json", "hint:", "post-processor `manifest`"]);
}

#[test]
fn a_template_that_cannot_be_read() {
    fails("true", "provisioner {", &["images/bad/made/image.pkr.hcl:", "block definition", "hint:"]);
}
