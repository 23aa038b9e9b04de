//! The adapters of Terraform, Packer and Ansible against recorded streams and against the real tools, where they are:
//! on PATH, or named by `OTTO_TEST_TERRAFORM`, `OTTO_TEST_TOFU`, `OTTO_TEST_PACKER`, `OTTO_TEST_ANSIBLE_PLAYBOOK`.

#[path = "tools/ansible.rs"]
mod ansible;
#[path = "tools/packer.rs"]
mod packer;
#[path = "tools/terraform.rs"]
mod terraform;

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::{env, fs};

use camino::{Utf8Path, Utf8PathBuf};
use otto::model::End;
use otto::tools::{Invocation, Reader, Said};

/// A recorded stream.
fn recorded(name: &str) -> String {
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/streams").join(name);
    fs::read_to_string(&path).expect("a recorded stream")
}

/// Feeds a whole text.
fn feed(reader: &mut dyn Reader, text: &str) -> Vec<Said> {
    text.lines().flat_map(|line| reader.line(line)).collect()
}

/// The real tool; a test without it says so and ends.
fn tool(name: &str, variable: &str) -> Option<Utf8PathBuf> {
    let named = env::var(variable).ok().map(Utf8PathBuf::from);
    let path = env::var("PATH").unwrap_or_default();
    let found = named.or_else(|| path.split(':').map(|dir| Utf8Path::new(dir).join(name)).find(|file| file.is_file()));
    if found.is_none() {
        let line = format!("not tested: there is no {name} here (see {variable})\n");
        std::io::stderr().write_all(line.as_bytes()).expect("stderr");
    }
    found
}

/// Runs a call as its runner would, with output to the end.
fn run(call: &Invocation) -> Output {
    let mut command = Command::new(&call.program);
    let inherited: Vec<String> = env::vars().map(|(name, _)| name).collect();
    for name in call.removals(inherited.iter().map(String::as_str)) {
        command.env_remove(name);
    }
    command
        .args(&call.args)
        .current_dir(&call.cwd)
        .envs(&call.env)
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .expect("the tool starts")
}

fn end(output: &Output) -> End {
    use std::os::unix::process::ExitStatusExt;
    match (output.status.code(), output.status.signal()) {
        (Some(code), _) => End::Exited { code },
        (None, Some(signal)) => End::Signalled { signal },
        (None, None) => End::Unknown,
    }
}

/// A folder with a blank in its name that lives as long as the guard.
fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let guard = tempfile::Builder::new().prefix("otto tools ").tempdir().expect("a folder");
    let path = Utf8PathBuf::from_path_buf(guard.path().canonicalize().expect("a path")).expect("UTF-8");
    (guard, path)
}

/// Damaged lines of every recorded stream, fed to every reader: none panics, none turns damage into success.
#[test]
fn no_reader_falls_over_damage() {
    use otto::tools::{ansible, packer, terraform};
    use proptest::prelude::*;
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/streams");
    let texts: Vec<String> = folder
        .read_dir_utf8()
        .expect("streams")
        .map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("a stream"))
        .collect();
    let lines: Vec<String> = texts.iter().flat_map(|text| text.lines()).map(str::to_owned).collect();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(300));
    let strategy = (0..lines.len(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), ".{0,8}");
    runner
        .run(&strategy, |(line, from, to, put)| {
            let chars: Vec<char> = lines[line].chars().collect();
            let (a, b) = (from.index(chars.len() + 1), to.index(chars.len() + 1));
            let (a, b) = (a.min(b), a.max(b));
            let damaged: String =
                chars[..a].iter().copied().chain(put.chars()).chain(chars[b..].iter().copied()).collect();
            let mut readers: [Box<dyn Reader>; 3] =
                [Box::new(terraform::Stream::new()), Box::new(packer::Stream::new()), Box::new(ansible::Events::new())];
            for reader in &mut readers {
                reader.line(&damaged);
                reader.line(&put);
            }
            terraform::hcl::scan(&damaged);
            terraform::StateFile::parse(&damaged);
            Ok(())
        })
        .expect("no panic");
}
