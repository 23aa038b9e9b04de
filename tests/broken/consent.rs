//! What is asked before hosts are made or taken down, and the line that goes through without a question.

use std::process::Command;

use serde_json::Value;

use crate::sandbox::{Ran, Sandbox};

/// Runs a command at a terminal of its own and types an answer into it; what it shows is its `out`.
fn typed(sandbox: &Sandbox, args: &[&str], answer: &str) -> Ran {
    const AT_A_TERMINAL: &str = "\
import os, pty, select, sys, time
answer, argv = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
seen, typed, until = b'', False, time.time() + 120
while time.time() < until:
    if select.select([terminal], [], [], 0.2)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        seen += part
    if not typed and b'[y/N]' in seen:
        os.write(terminal, answer.encode() + b'\\n')
        typed = True
os.write(1, seen)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))
";
    let inner = sandbox.command(args);
    let mut command = Command::new("python3");
    command.args(["-c", AT_A_TERMINAL, answer]).arg(inner.get_program()).args(args).current_dir(sandbox.project());
    command.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm");
    Ran::of(command, &args.join(" "))
}

#[test]
fn nobody_to_ask_prints_the_line_that_goes_through() {
    let sandbox = Sandbox::new();
    let ran = sandbox.otto(&["up", "--site", "hello", "-j", "1"]).code(40).says(&["nobody can be asked"]);
    assert_eq!(sandbox.status(), Value::Null, "nothing was done");
    let line = ran.suggested().into_iter().next().expect("a line");
    assert_eq!(line, "otto up --site hello -j 1 --yes");
    sandbox.line(&line).code(0);
    // Fewer hosts: that destroys, and takes more than --yes.
    sandbox.write("sites/hello/site.yaml", "domains: [hello.localhost]\nroles:\n  box: {count: 2}\n");
    let ran = sandbox.otto(&["up", "--yes"]).code(40).says(&["box-3"]);
    assert_eq!(sandbox.hosts(), ["box-1", "box-2", "box-3"]);
    sandbox.line(&ran.suggested()[0]).code(0);
    assert_eq!(sandbox.hosts(), ["box-1", "box-2"]);
    let ran = sandbox.otto(&["destroy"]).code(40).says(&["dev/made/hello", "nobody can be asked"]);
    assert_eq!(sandbox.hosts(), ["box-1", "box-2"]);
    sandbox.line(&ran.suggested()[0]).code(0);
    assert!(sandbox.is_empty());
}

#[test]
fn a_protected_deployment_wants_its_name() {
    let sandbox = Sandbox::new();
    let yaml = format!("{}environments:\n  dev: {{protect: true}}\n", crate::sandbox::OTTO_YAML);
    sandbox.write("otto.yaml", &yaml);
    sandbox.otto(&["up", "--yes"]).code(0);
    let ran = sandbox.otto(&["destroy", "--yes"]).code(40).says(&["dev/made/hello is protected"]);
    sandbox.otto(&["destroy", "--yes", "--confirm", "dev/made/other"]).code(40);
    assert_eq!(sandbox.hosts().len(), 3);
    sandbox.line(&ran.suggested()[0]).code(0);
    assert!(sandbox.is_empty());
}

#[test]
fn an_answer_decides() {
    let sandbox = Sandbox::new();
    for no in ["", "n", "maybe"] {
        let ran = typed(&sandbox, &["up"], no).code(40);
        assert!(ran.out.contains("declined"), "{}", ran.out);
        assert_eq!(sandbox.status(), Value::Null, "nothing was done");
    }
    typed(&sandbox, &["up"], "y").code(0);
    typed(&sandbox, &["destroy"], "n").code(40);
    assert_eq!(sandbox.hosts().len(), 3);
    typed(&sandbox, &["destroy"], "yes").code(0);
    assert!(sandbox.is_empty());
}
