//! Roots whose outputs are not what the contract says: told before Ansible runs.

use crate::sandbox::{OUTPUTS, Sandbox};

#[test]
fn a_root_without_the_output_is_refused_before_anything_is_made() {
    let sandbox = Sandbox::new();
    sandbox.outputs("");
    let ran = sandbox.otto(&["up", "--yes"]).code(30);
    ran.says(&["clowd/provision/made", "no output `hosts`"]).never_says(&["ansible-playbook"]);
    assert!(sandbox.is_empty());
    sandbox.outputs(OUTPUTS);
    sandbox.heals();
}

/// (the `hosts` output, what is said of it)
const WRONG: &[(&str, &str)] = &[
    (
        "[for name, host in terraform_data.host : { name = name, role = \"box\", address = \"127.0.0.1\" } if name != \"box-3\"]",
        "lacks box-3",
    ),
    (
        "[for name, host in terraform_data.host : { name = name, role = \"box\", address = 7 }]",
        "`address` is `7`, wanted is a text",
    ),
    ("[for name, host in terraform_data.host : { name = name, address = \"127.0.0.1\" }]", "role"),
    ("\"nothing\"", "is the text `nothing`, wanted is a list of objects"),
    ("[]", "lacks"),
];

#[test]
fn hosts_that_are_not_what_was_asked_for_stop_before_ansible() {
    let sandbox = Sandbox::new();
    for (value, what) in WRONG {
        sandbox.outputs(&format!("output \"hosts\" {{\n  value = {value}\n}}\n"));
        let ran = sandbox.otto(&["up", "--yes"]).code(32);
        ran.says(&["output `hosts`", what, "clowd/provision/made"]).never_says(&["ansible-playbook"]);
        let status = sandbox.status();
        assert_eq!(status["phase"], "partial", "{status}");
        assert!(status["dirty"]["reason"].as_str().unwrap_or_default().contains("hosts"), "{status}");
        sandbox.outputs(OUTPUTS);
        let repair = status["dirty"]["repair"].as_str().expect("a repair").to_owned();
        sandbox.line(&repair).code(0);
        sandbox.otto(&["destroy", "--yes"]).code(0);
    }
    sandbox.heals();
}
