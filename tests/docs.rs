//! The documents, checked: every command in them parses, every file they name is there, and what can be generated is (rewritten by
//! `OTTO_BLESS=1 cargo test --test docs`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Command;
use clap::error::ErrorKind;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documents, relative to the repository.
fn documents() -> Vec<String> {
    let mut all: Vec<String> = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"].map(str::to_owned).into();
    for entry in fs::read_dir(root().join("docs")).expect("docs is readable") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "md") {
            all.push(format!("docs/{}", path.file_name().expect("a name").to_string_lossy()));
        }
    }
    all.sort();
    all
}

/// Code blocks with their language.
fn blocks(text: &str) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    let mut open: Option<(String, Vec<String>)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some((language.to_owned(), Vec::new())),
            (Some(_), Some(_)) => all.extend(open.take()),
            (None, Some((_, lines))) => lines.push(line.to_owned()),
            (None, None) => {}
        }
    }
    all
}

/// The words of one command, quotes taken off; what stands behind ` #` is a comment.
fn words(line: &str) -> Vec<String> {
    let line = line.split(" #").next().unwrap_or("");
    let (mut all, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            Some(_) => word.push(c),
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => all.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            None => word.push(c),
        }
    }
    all.extend((!word.is_empty()).then_some(word));
    all
}

/// What a line of shell starts otto with, if it does.
fn of_otto(line: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for part in line.replace("&&", "\n").replace([';', '|', '>'], "\n").lines() {
        let words = words(part);
        let rest = match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["otto" | "target/release/otto", rest @ ..] | ["cargo", "run", "--release", "--", rest @ ..] => {
                rest.iter().map(|word| (*word).to_owned()).collect()
            }
            _ => continue,
        };
        all.push(rest);
    }
    all
}

fn parses(arguments: &[String]) -> Result<(), String> {
    let line = std::iter::once("otto".to_owned()).chain(arguments.iter().cloned());
    match otto::cli::command().try_get_matches_from(line) {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn every_command_in_the_documents_parses() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for document in documents() {
        for (language, lines) in blocks(&read(&document)) {
            for line in lines.iter().filter(|_| language == "sh") {
                for arguments in of_otto(line) {
                    tried += 1;
                    if let Err(error) = parses(&arguments) {
                        wrong.push(format!("{document}: {line}\n{error}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 20, "{tried} commands found");
}

#[test]
fn the_first_blocks_of_quick_start_and_tests_hold_one_line() {
    let text = read("README.md");
    for (heading, start) in [("## Quick start", "cargo run --release -- up --yes"), ("## Tests", "cargo test")] {
        let below = text.split_once(heading).expect("the heading is there").1;
        let (_, lines) = blocks(below).into_iter().next().expect("a block");
        assert_eq!(lines.len(), 1, "{heading}: {lines:?}");
        assert!(lines[0].starts_with(start), "{heading}: {lines:?}");
    }
}

#[test]
fn every_file_that_a_document_links_is_there() {
    let mut wrong = Vec::new();
    for document in documents() {
        let text = read(&document);
        let folder = root().join(&document).parent().expect("a folder").to_owned();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or("");
            if !path.is_empty() && !target.contains("://") && !target.contains('[') && !folder.join(path).exists() {
                wrong.push(format!("{document}: {target}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Files whose texts people read while they work: sources without their tests, and the reference project.
fn told_from() -> Vec<PathBuf> {
    fn walk(path: &Path, into: &mut Vec<PathBuf>) {
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "tests" {
            fs::read_dir(path).expect("readable").for_each(|entry| walk(&entry.expect("an entry").path(), into));
        } else if path.is_file() {
            into.push(path.to_owned());
        }
    }
    let mut all = Vec::new();
    for part in ["src", "clowd", "images", "sites", "otto.yaml", "Makefile", "Vagrantfile", "README.md", "docs"] {
        walk(&root().join(part), &mut all);
    }
    all
}

#[test]
fn messages_name_only_verbs_that_exist() {
    let command = otto::cli::command();
    let verbs: BTreeSet<&str> = command.get_subcommands().map(Command::get_name).collect();
    let mut wrong = Vec::new();
    for path in told_from() {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let text = text.split("#[cfg(test)]").next().unwrap_or("");
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let named = line.split("`otto ").skip(1).chain(line.split("hint(\"otto ").skip(1));
            for rest in named.chain(line.split("hint(format!(\"otto ").skip(1)) {
                let verb: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
                if !verb.is_empty() && !verbs.contains(verb.as_str()) {
                    wrong.push(format!("{}:{}: otto {verb}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Compares a generated document with what is there, or writes it.
fn generated(path: &str, text: &str) {
    if std::env::var_os("OTTO_BLESS").is_some() {
        fs::write(root().join(path), text).expect("written");
    } else {
        let present = fs::read_to_string(root().join(path)).unwrap_or_default();
        assert!(present == text, "{path} is not up to date: OTTO_BLESS=1 cargo test --test docs");
    }
}

#[test]
fn the_command_reference_is_up_to_date() {
    fn page(command: &mut Command, name: &str, depth: usize, text: &mut String) {
        let help = command.clone().term_width(100).render_long_help().to_string();
        let help: Vec<&str> = help.lines().map(str::trim_end).collect();
        text.push_str(&format!("{} {name}\n\n```text\n{}\n```\n\n", "#".repeat(depth), help.join("\n").trim_end()));
        for below in command.get_subcommands_mut().filter(|below| below.get_name() != "help") {
            let name = format!("{name} {}", below.get_name());
            page(below, &name, depth + 1, text);
        }
    }
    let mut text = "# Commands\n\nWhat `--help` says, for every command.\n\n".to_owned();
    let mut command = otto::cli::command().term_width(100);
    command.build();
    page(&mut command, "otto", 2, &mut text);
    generated("docs/cli.md", &format!("{}\n", text.trim_end()));
}

#[test]
fn the_exit_codes_are_up_to_date() {
    let mut text = "# Exit codes\n\n`status` and `test` answer as Nagios plugins: 0 ok (also when all is destroyed), 1 warning, \
                    2 critical, 3 unknown, a wrong\ncommand line and wrong project files included. Everywhere else:\n\n| code | means |\n|---|---|\n"
        .to_owned();
    for (code, meaning) in otto::ops::exit::ALL {
        text.push_str(&format!("| {code} | {meaning} |\n"));
    }
    generated("docs/exit-codes.md", &text);
}

#[test]
fn the_environment_is_up_to_date() {
    let mut text =
        "# Environment variables\n\nThose that otto itself reads; the tools keep theirs, but for `TF_CLI_ARGS*` and `TF_WORKSPACE`.\n\n\
         | name | is | without it |\n|---|---|---|\n"
            .to_owned();
    for var in otto::project::vars::DECLARED {
        text.push_str(&format!("| `{}` | {} | {} |\n", var.name, var.doc, var.default));
    }
    generated("docs/environment.md", &text);
}

/// The words of `const NAME: &[&str] = &[...]` in a source.
fn keys(path: &str, name: &str) -> Vec<String> {
    let text = read(path);
    let rest = text.split_once(&format!("const {name}: &[&str] =")).unwrap_or_else(|| panic!("{path}: no {name}")).1;
    let list = rest.split(';').next().expect("an end");
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_key_of_the_project_files_is_documented_and_no_other() {
    let text = read("docs/project-files.md");
    let section = |heading: &str| -> BTreeSet<String> {
        let below = text.split_once(heading).unwrap_or_else(|| panic!("no {heading}")).1;
        let below = below.split("\n## ").next().unwrap_or("");
        below.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned())).collect()
    };
    let below =
        |prefix: &str, keys: Vec<String>| keys.into_iter().map(|key| format!("{prefix}{key}")).collect::<Vec<_>>();
    let otto: BTreeSet<String> = [
        keys("src/project/otto_file.rs", "KEYS"),
        below("environments.*.", keys("src/project/otto_file.rs", "ENVIRONMENT_KEYS")),
        below("ssh.", keys("src/project/ssh_settings.rs", "KEYS")),
    ]
    .concat()
    .into_iter()
    .collect();
    assert_eq!(section("\n## otto.yaml"), otto);
    let site: BTreeSet<String> = [
        keys("src/project/shape.rs", "KEYS"),
        below("roles.*.", keys("src/project/shape.rs", "ROLE_KEYS")),
        below("checks.*.", keys("src/project/shape.rs", "CHECK_KEYS")),
        below("static.hosts.*.", keys("src/project/machines.rs", "KEYS")),
        below("content.", keys("src/project/content.rs", "KEYS")),
        vec!["environments".to_owned()],
    ]
    .concat()
    .into_iter()
    .collect();
    assert_eq!(section("\n## sites/"), site);
    let provider: BTreeSet<String> =
        [keys("src/project/provider_file.rs", "KEYS"), vec!["image.from".to_owned(), "image.match".to_owned()]]
            .concat()
            .into_iter()
            .collect();
    assert_eq!(section("\n## clowd/provision/"), provider);
}

#[test]
fn the_examples_of_project_files_load() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = camino::Utf8Path::from_path(folder.path()).expect("UTF-8");
    otto::project::create(folder, &otto::project::Choices::default(), &folder.join(".otto/base")).expect("a project");
    let mut loaded = 0;
    for (language, lines) in blocks(&read("docs/project-files.md")) {
        let name = lines.first().and_then(|line| line.strip_prefix("# "));
        let Some(name) = name.filter(|_| language == "yaml") else { continue };
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, lines.join("\n")).expect("written");
        fs::write(path.with_file_name("main.tf"), "").expect("written");
        loaded += 1;
    }
    assert_eq!(loaded, 3);
    let problems = match otto::project::load(folder) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    };
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// A file of the project as JSON.
fn yaml(text: &str) -> serde_json::Value {
    serde_yaml::from_str(text).expect("YAML")
}

#[test]
fn the_schemas_of_project_files_know_what_the_readers_know() {
    let of = |name: &str| -> serde_json::Value {
        serde_json::from_str(&read(&format!("docs/schema/{name}-yaml.json"))).expect("JSON")
    };
    let (otto, site) = (of("otto"), of("site"));
    let properties = |value: &serde_json::Value| -> BTreeSet<String> {
        value["properties"].as_object().expect("properties").keys().cloned().collect()
    };
    let set = |keys: Vec<String>| keys.into_iter().collect::<BTreeSet<String>>();
    assert_eq!(properties(&otto), set(keys("src/project/otto_file.rs", "KEYS")));
    let environment = &otto["properties"]["environments"]["additionalProperties"];
    assert_eq!(properties(environment), set(keys("src/project/otto_file.rs", "ENVIRONMENT_KEYS")));
    assert_eq!(properties(&otto["properties"]["tools"]), set(keys("src/project/otto_file.rs", "TOOL_KEYS")));
    let shape = set(keys("src/project/shape.rs", "KEYS"));
    assert_eq!(properties(&site["$defs"]["shape"]), shape);
    let more = ["environments", "name", "site"].map(str::to_owned);
    assert_eq!(properties(&site), shape.into_iter().chain(more).collect());
    let role = &site["properties"]["roles"]["additionalProperties"];
    assert_eq!(properties(role), set(keys("src/project/shape.rs", "ROLE_KEYS")));
    assert_eq!(properties(&site["properties"]["checks"]["items"]), set(keys("src/project/shape.rs", "CHECK_KEYS")));
    assert_eq!(properties(&site["properties"]["content"]["anyOf"][2]), set(keys("src/project/content.rs", "KEYS")));
    assert_eq!(properties(&otto["properties"]["ssh"]), set(keys("src/project/ssh_settings.rs", "KEYS")));
    assert_eq!(properties(&site["properties"]["tls"]["anyOf"][2]), set(keys("src/project/tls.rs", "KEYS")));
    let machine = &site["properties"]["static"]["properties"]["hosts"]["items"];
    assert_eq!(properties(machine), set(keys("src/project/machines.rs", "KEYS")));
    // What otto reads without a word, the editor takes as well, and what otto refuses it marks.
    let [otto, site] = [&otto, &site].map(|schema| jsonschema::validator_for(schema).expect("a schema"));
    for (schema, file) in [(&otto, "otto.yaml"), (&site, "sites/hello/site.yaml"), (&site, "sites/blog/site.yaml")] {
        let problems: Vec<String> = schema.iter_errors(&yaml(&read(file))).map(|e| e.to_string()).collect();
        assert!(problems.is_empty(), "{file}: {}", problems.join("\n"));
        assert!(read(file).starts_with("# yaml-language-server: $schema="), "{file}");
    }
    for (language, lines) in blocks(&read("docs/project-files.md")) {
        let text = lines.join("\n");
        let schema = match lines.first().map(String::as_str) {
            Some("# otto.yaml") => &otto,
            Some(line) if line.starts_with("# sites/") => &site,
            _ => continue,
        };
        assert!(language == "yaml" && schema.is_valid(&yaml(&text)), "{text}");
    }
    for wrong in ["project: a\nid: abcd\nprovidres: [local]", "project: a\nid: abcd\ntools: {pakcer: 1}", "id: abcd"] {
        assert!(!otto.is_valid(&yaml(wrong)), "{wrong}");
    }
    for wrong in ["domains: []", "roles: {www: {count: 201}}", "checks: [{http: index}]", "content: {build: x}"] {
        assert!(!site.is_valid(&yaml(wrong)), "{wrong}");
    }
}
