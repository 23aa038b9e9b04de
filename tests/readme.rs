//! The README as a newcomer follows it: every command of the tour and of "For scripts", in their order, in a folder of
//! their own; what the text says to edit is edited before the command that it stands in front of.

#![allow(clippy::print_stderr)]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;

use support::{Output, Sandbox, processes, wait_for};

fn document(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("the document")
}

/// A section of a document, its title left out.
fn section<'a>(document: &'a str, title: &str) -> &'a str {
    let from = document.split_once(&format!("\n## {title}\n")).expect("the section").1;
    from.split_once("\n## ").map_or(from, |(part, _)| part)
}

/// The lines of the `sh` blocks of a text, comments left out.
fn commands(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for (n, block) in text.split("```").enumerate() {
        if let Some(block) = block.strip_prefix("sh\n").filter(|_| n % 2 == 1) {
            let bare = |line: &str| line.split(" # ").next().unwrap_or(line).trim().to_owned();
            lines.extend(block.lines().map(bare).filter(|line| !line.is_empty()));
        }
    }
    lines
}

/// A newcomer with a shell.
struct Newcomer {
    sandbox: Sandbox,
    /// The port of `hello` over HTTPS, once it has one.
    port: String,
}

impl Newcomer {
    /// Runs a line as it is printed, in the project that the first one made.
    fn types(&self, line: &str) -> Output {
        let there = if line.starts_with("otto init demo") { "." } else { "demo" };
        self.sandbox.line(&format!("cd {there} && {}", line.replace("PORT", &self.port)))
    }

    fn edits(&self, path: &str, from: &str, to: &str) {
        self.sandbox.edit(&format!("demo/{path}"), from, to);
    }

    /// Does what the text says before a command, and knows how the command ends.
    fn prepares(&mut self, line: &str, before: &str) -> i32 {
        let site = "sites/hello/site.yaml";
        match line {
            "otto config hello" => {
                self.edits("sites/hello/html/index.html", "Hello from otto", "Hello from otto, edited")
            }
            "otto up hello --yes" => self.edits(site, "count: 2", "count: 3"),
            "otto up hello --yes --allow-destroy" => {
                self.edits(site, "count: 3", "count: 2");
                self.types("otto up hello --yes").ends(40);
            }
            "otto status" if before.starts_with("for cwd in") => return 2,
            "otto status" if before == "otto up --yes" && self.port.is_empty() => self.interrupts(),
            "otto up --yes" if before == "otto tools install --yes" => {
                self.edits(site, "\nroles:", "\ntls: self-signed\nroles:");
            }
            _ if line.starts_with("curl") => {
                let status = self.types("otto status --json").ends(0).json();
                let all = status["deployments"].as_array().expect("deployments").iter();
                let endpoint = all.filter_map(|d| d["endpoint"].as_str()).find(|url| url.starts_with("https"));
                let port = endpoint.and_then(|url| url.rsplit(':').next()).expect("a port");
                self.port = port.trim_end_matches('/').to_owned();
            }
            // It asks, and nobody is there to answer.
            "otto destroy hello" => return 40,
            "otto plan --json --exit-code" => return 10,
            _ => {}
        }
        0
    }

    /// `kill -9` while it works.
    fn interrupts(&self) {
        let run = self.sandbox.start(["--project", "demo", "up", "--yes", "--force"]);
        wait_for("it to work", || run.said().contains("started"));
        run.kill();
    }
}

#[test]
fn the_readme_can_be_followed_line_by_line() {
    let mut newcomer = Newcomer { sandbox: Sandbox::new("somewhere"), port: String::new() };
    fs::remove_file(newcomer.sandbox.path("otto.yaml")).expect("no project around the new one");
    let readme = document("README.md");
    let lines: Vec<String> = ["A tour", "For scripts"].map(|title| commands(section(&readme, title))).concat();
    assert!(lines.len() > 30, "{lines:#?}");
    let mut before = String::new();
    let mut interrupted = false;
    for line in &lines {
        let wanted = newcomer.prepares(line, &before);
        let output = newcomer.types(line);
        let after_kill = line == "otto status" && before == "otto up --yes" && !interrupted && newcomer.port.is_empty();
        if after_kill {
            interrupted = true; // the truth, whatever it is at that instant
        } else {
            assert_eq!(output.code, wanted, "`{line}`\n{}\n{}", output.stdout, output.stderr);
        }
        before.clone_from(line);
    }
    newcomer.types("otto destroy --yes").ends(0);
    assert_eq!(processes::living_in(&newcomer.sandbox.folder), Vec::new());
}

/// Those of docs/ that need no machine, account or root of one's own (docs/static.md and the rest of docs/own-roots.md are
/// followed by tests/static and tests/own_roots, with other names).
#[test]
fn the_documents_about_this_machine_can_be_followed() {
    let sandbox = Sandbox::new("reader");
    fs::remove_dir_all(sandbox.path("sites/blog")).expect("removed");
    let all_end_well = |lines: Vec<String>, least: usize| {
        assert!(lines.len() >= least, "{lines:#?}");
        for line in lines {
            sandbox.line(&line).ends(0);
        }
    };
    sandbox.otto(&["up", "--yes"]).ends(0);
    all_end_well(commands(&document("docs/doctor.md")), 2);
    sandbox.write("images/base/local/nginx/etc/nginx/boot.conf.in", &{
        let path = sandbox.path("images/base/local/nginx/etc/nginx/boot.conf.in");
        format!("{}# newer\n", fs::read_to_string(path).expect("the file"))
    });
    all_end_well(commands(section(&document("docs/own-roots.md"), "Images that grow old")), 3);
    let run = sandbox.start(["up", "--yes", "--force"]);
    wait_for("it to work", || run.said().contains("started"));
    run.kill();
    let recovery = commands(&document("docs/recovery.md"));
    assert_eq!(recovery[0], "otto status");
    sandbox.line(&recovery[0]); // whatever is true at that instant
    all_end_well(recovery[1..].to_vec(), 3);
    assert_eq!(processes::living_in(&sandbox.folder), Vec::new());
}
