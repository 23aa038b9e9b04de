//! What surrounds a command: variables, streams, folders that cannot be written, words that it does not know.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use crate::sandbox::{ROOT, Ran, Sandbox};

#[test]
fn words_that_otto_does_not_know() {
    let sandbox = Sandbox::bare();
    sandbox.otto(&["upp"]).code(2).says(&["upp", "up"]);
    sandbox.otto(&["up", "--yess"]).code(2).says(&["--yess", "--yes"]);
    sandbox.otto(&["up", "--jobs", "many"]).code(2).says(&["many"]);
    sandbox.otto(&["status", "--nonsense"]).code(3);
    sandbox.otto(&["--no-input", "test", "--nonsense"]).code(3);
    sandbox.otto(&["--color", "never", "status", "--nonsense"]).code(3);
    sandbox.otto(&["help", "nonsense"]).code(2).says(&["nonsense", "hint: otto help exit-codes"]);
    let codes = sandbox.otto(&["help", "exit-codes"]).code(0);
    for code in ["0", "1", "2", "10", "20", "21", "22", "23", "24", "30", "31", "32", "40", "70", "129", "130", "143"] {
        assert!(codes.out.lines().any(|l| l.split_whitespace().next() == Some(code)), "{code}: {}", codes.out);
    }
    let strange = std::ffi::OsStr::from_bytes(b"h\xff");
    let mut command = sandbox.command(&["up"]);
    command.arg(strange);
    let ran = Ran::of(command, "up h\\xff");
    assert!(ran.code == 2, "{ran:?}");
}

#[test]
fn terraforms_own_variables() {
    let mut sandbox = Sandbox::new();
    let root = format!(
        "{ROOT}variable \"word\" {{ default = \"none\" }}\nresource \"terraform_data\" \"word\" {{ input = var.word }}\n"
    );
    sandbox.write("clowd/provision/made/main.tf", &root);
    sandbox.env("TF_CLI_ARGS_apply", "-nonsense").env("TF_CLI_ARGS", "-nonsense").env("TF_WORKSPACE", "elsewhere");
    sandbox.env("TF_VAR_word", "swordfish").env("TF_DATA_DIR", "/nowhere");
    let ran = sandbox.otto(&["up", "--yes"]).code(0);
    ran.says(&["warning: `TF_CLI_ARGS_apply`", "warning: `TF_CLI_ARGS`", "warning: `TF_WORKSPACE`"])
        .never_says(&["`TF_VAR_word`"]);
    let state = fs::read_to_string(sandbox.project().join(".otto/terraform/dev_made_hello/terraform.tfstate"));
    assert!(state.expect("a state").contains("swordfish"));
    sandbox.heals();
}

#[test]
fn folders_that_cannot_be_written() {
    if rustix::process::geteuid().is_root() {
        // Root may write anywhere; a file in the place of a folder stops it as well.
        let mut sandbox = Sandbox::new();
        fs::write(sandbox.path("blocked"), "").expect("a file");
        let blocked = sandbox.path("blocked").join("below").display().to_string();
        sandbox.env("OTTO_DIR", &blocked);
        sandbox.otto(&["up", "--yes"]).code(24).says(&["blocked", "hint:"]);
        sandbox.env("OTTO_DIR", ".otto").env("XDG_STATE_HOME", &blocked);
        sandbox.otto(&["up", "--yes"]).code(0).says(&["warning: no copy of the state was made"]);
        sandbox.env("XDG_STATE_HOME", &sandbox.path("state").display().to_string());
        sandbox.heals();
        return;
    }
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.project().join(".otto")).expect("a folder");
    fs::set_permissions(sandbox.project().join(".otto"), fs::Permissions::from_mode(0o500)).expect("its mode");
    sandbox.otto(&["up", "--yes"]).code(24).says(&[".otto", "hint:"]);
    sandbox.otto(&["status"]).code(0);
    fs::set_permissions(sandbox.project().join(".otto"), fs::Permissions::from_mode(0o700)).expect("its mode");
    sandbox.heals();
}

#[test]
fn a_cache_that_cannot_be_written_is_done_without() {
    let mut sandbox = Sandbox::new();
    let (terraform, ansible) = (sandbox.tool("Terraform"), sandbox.tool("ansible-core"));
    sandbox.program("terraform", &format!("exec {terraform} \"$@\""));
    sandbox.program("ansible-playbook", &format!("exec {ansible} \"$@\""));
    fs::write(sandbox.path("blocked"), "").expect("a file");
    let blocked = sandbox.path("blocked").join("below").display().to_string();
    sandbox.env("XDG_CACHE_HOME", &blocked);
    sandbox.heals();
}

#[test]
fn no_home() {
    let mut sandbox = Sandbox::new();
    sandbox.env("HOME", "").env("XDG_STATE_HOME", "");
    sandbox.heals();
}

#[test]
fn streams_that_are_closed() {
    let sandbox = Sandbox::new();
    sandbox.otto(&["up", "--yes"]).code(0);
    let shell = |line: &str| {
        let mut command = sandbox.command(&[]);
        let mut shell = std::process::Command::new("sh");
        shell.arg("-c").arg(line).current_dir(sandbox.project()).env_clear();
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::null());
        Ran::of(shell, line)
    };
    for line in
        ["otto status | head -n 1", "otto runs | true", "otto help exit-codes | true", "otto status --json | head -c 5"]
    {
        let ran = shell(line).code(0);
        assert!(!ran.err.contains("panic") && !ran.err.contains("Broken pipe"), "{line}: {}", ran.err);
    }
    shell("otto status >&-; [ $? -ne 70 ] && [ $? -lt 128 ]").code(0).never_says(&["panic"]);
    shell("otto config <&- && otto provision --yes >&- 2>&- </dev/null").code(0).never_says(&["panic"]);
    shell("otto up --yes 2>&1 >/dev/full | cat; otto destroy --yes 2>/dev/full").code(0).never_says(&["panic"]);
    assert!(sandbox.is_empty());
}

#[test]
fn terminals_that_can_nothing() {
    let mut sandbox = Sandbox::new();
    sandbox.env("TERM", "dumb").env("CI", "1");
    let ran = sandbox.otto(&["up", "--yes"]).code(0);
    assert!(!ran.err.contains('\u{1b}'), "{}", ran.err);
    sandbox.heals();
}
