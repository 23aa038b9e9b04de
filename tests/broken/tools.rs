//! Tools that are missing, too old, broken, or other programs of the same name; and states that belong to the other tool.

use crate::sandbox::{Sandbox, exists};

/// What would be found is hidden; Ansible is the real one.
fn without_terraform() -> Sandbox {
    let mut sandbox = Sandbox::new();
    let ansible = sandbox.tool("ansible-core");
    sandbox.program("ansible-playbook", &format!("exec {ansible} \"$@\""));
    sandbox.alone();
    sandbox
}

#[test]
fn terraform_is_missing() {
    let sandbox = without_terraform();
    let ran = sandbox.otto(&["up"]).code(21);
    ran.says(&["Terraform is not installed", "neither on PATH nor in otto's cache", "hint: otto tools install --yes"]);
    let ran = sandbox.otto(&["up", "--yes"]).code(21);
    ran.says(&["passed over", "hint: put `terraform` 1.4.0 or newer on PATH"]);
    assert!(!exists(&sandbox.project().join(".otto/runs")), "no run has begun");
    let table = sandbox.otto(&["tools"]).code(21);
    assert!(table.out.contains("missing"), "{}", table.out);
}

#[test]
fn terraform_is_too_old_or_broken() {
    let sandbox = without_terraform();
    sandbox.program(
        "terraform",
        "case \"$*\" in *-json*) echo '{\"terraform_version\":\"1.3.0\"}';; *) echo Terraform v1.3.0;; esac",
    );
    for args in [&["up"][..], &["up", "--yes"], &["provision", "--yes"]] {
        sandbox.otto(args).code(21).says(&["Terraform 1.3.0 is too old, 1.4.0 or newer is needed", "bin/terraform"]);
    }
    sandbox.program("terraform", "echo boom >&2; exit 1");
    sandbox.otto(&["up", "--yes"]).code(21).says(&["bin/terraform", "boom", "hint:"]);
    sandbox.program("terraform", "sleep 0.1; echo something else");
    sandbox.otto(&["up", "--yes"]).code(21).says(&["is not Terraform", "something else"]);
    assert!(!exists(&sandbox.project().join(".otto/runs")), "no run has begun");
}

#[test]
fn another_program_called_packer_is_passed_over() {
    let sandbox = Sandbox::new();
    sandbox.program("packer", "echo 0 0");
    assert!(
        !sandbox.tool("Packer").contains("/bin/packer")
            || !sandbox.tool("Packer").starts_with(&sandbox.path("bin").display().to_string())
    );
}

#[test]
fn ansible_is_missing_where_it_is_needed() {
    let mut sandbox = Sandbox::new();
    let terraform = sandbox.tool("Terraform");
    sandbox.program("terraform", &format!("exec {terraform} \"$@\"")).program("ansible-playbook", "exit 1");
    sandbox.alone();
    sandbox.otto(&["up"]).code(21).says(&["ansible-playbook", "hint: otto tools install --yes"]);
    assert!(sandbox.is_empty());
}

#[test]
fn a_state_stays_with_the_tool_that_wrote_it() {
    let mut sandbox = Sandbox::new();
    let terraform = sandbox.tool("Terraform");
    sandbox.otto(&["up", "--yes"]).code(0);
    let (state, before) =
        (sandbox.project().join(".otto/terraform/dev_made_hello/terraform.tfstate"), sandbox.status());
    let bytes = std::fs::read(&state).expect("a state");
    let ansible = sandbox.tool("ansible-core");
    let calls = sandbox.path("calls");
    let tofu =
        format!("[ \"$1\" = version ] && echo OpenTofu v1.8.0 && exit; echo \"$@\" >>{}; exit 1", calls.display());
    sandbox.program("tofu", &tofu).program("ansible-playbook", &format!("exec {ansible} \"$@\""));
    sandbox.alone();
    for args in [["up", "--yes"], ["provision", "--yes"], ["destroy", "--yes"]] {
        let ran = sandbox.otto(&args).code(21);
        ran.says(&[
            "the state of dev/made/hello was written by `terraform`",
            "bin/tofu",
            "do not mix",
            "hint: put `terraform` on PATH",
        ]);
    }
    let after = sandbox.status();
    assert_eq!((&after["phase"], &after["dirty"]), (&before["phase"], &before["dirty"]));
    assert_eq!(std::fs::read(&state).expect("a state"), bytes);
    assert!(!calls.exists(), "OpenTofu was called");
    sandbox.program("terraform", &format!("exec {terraform} \"$@\""));
    sandbox.heals();
}
