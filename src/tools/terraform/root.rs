//! The files of a root: what they declare, whether they need an `init`, what belongs to a deployment's copy.

use std::collections::{BTreeMap, BTreeSet};
use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::backend::Backend;
use super::hcl::{Block, Body, scan};

/// The lock file of providers.
pub const LOCK_FILE: &str = ".terraform.lock.hcl";

/// All `*.tf`, `*.tf.json` (and OpenTofu's `*.tofu`) files of one folder, as one body.
///
/// # Errors
/// The folder or a file cannot be read.
fn read(dir: &Utf8Path) -> io::Result<Body> {
    let mut names: Vec<Utf8PathBuf> = Vec::new();
    for entry in dir.read_dir_utf8()? {
        let entry = entry?;
        let name = entry.file_name();
        let code = [".tf", ".tf.json", ".tofu", ".tofu.json"].iter().any(|end| name.ends_with(end));
        // The tools themselves pass over hidden files and editors' copies.
        let ignored = name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'));
        if code && !ignored {
            names.push(entry.path().to_owned());
        }
    }
    names.sort();
    let mut all = Body { whole: true, ..Body::default() };
    for path in names {
        let text = fs::read_to_string(&path)?;
        let one = if path.as_str().ends_with(".json") { from_json(&text) } else { scan(&text) };
        all.whole &= one.whole;
        all.attributes.extend(one.attributes);
        all.blocks.extend(one.blocks);
    }
    Ok(all)
}

/// The JSON form: block kinds with labels as nested keys, a list where a block may be repeated.
fn from_json(text: &str) -> Body {
    let Ok(Value::Object(top)) = serde_json::from_str::<Value>(text) else { return Body::default() };
    let mut body = Body { whole: true, ..Body::default() };
    for (kind, value) in &top {
        let labels = match kind.as_str() {
            "resource" | "data" | "ephemeral" | "action" | "list" => 2,
            "variable" | "output" | "module" | "provider" | "check" => 1,
            "//" => continue,
            _ => 0,
        };
        json_blocks(kind, value, labels, &mut Vec::new(), &mut body.blocks);
    }
    body
}

fn json_blocks(kind: &str, value: &Value, labels: usize, path: &mut Vec<String>, into: &mut Vec<Block>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| json_blocks(kind, item, labels, path, into)),
        Value::Object(map) if path.len() < labels => {
            for (label, inner) in map.iter().filter(|(label, _)| *label != "//") {
                path.push(label.clone());
                json_blocks(kind, inner, labels, path, into);
                path.pop();
            }
        }
        Value::Object(map) => {
            let mut body = Body { whole: true, ..Body::default() };
            for (name, inner) in map {
                match (kind, name.as_str()) {
                    ("terraform", "backend") => json_blocks("backend", inner, 1, &mut Vec::new(), &mut body.blocks),
                    ("terraform", "cloud" | "required_providers") | ("check", "data") => {
                        json_blocks(name, inner, 0, &mut Vec::new(), &mut body.blocks);
                    }
                    _ => body.attributes.push((name.clone(), inner.to_string())),
                }
            }
            into.push(Block { kind: kind.to_owned(), labels: path.clone(), body });
        }
        _ => {}
    }
}

fn labelled(dir: &Utf8Path, kind: &str) -> io::Result<BTreeSet<String>> {
    Ok(read(dir)?.of_kind(kind).filter_map(|block| block.labels.first().cloned()).collect())
}

/// Names of the variables that a root declares: only these may be in a var file without a warning on every call.
///
/// # Errors
/// The folder or a file cannot be read.
pub fn declared_variables(dir: &Utf8Path) -> io::Result<BTreeSet<String>> {
    labelled(dir, "variable")
}

/// Names of the variables that have a value without anybody giving one: a default, or a line in `terraform.tfvars` or an
/// `*.auto.tfvars` (JSON ones as well).
///
/// # Errors
/// The folder or a file cannot be read.
pub fn valued_variables(dir: &Utf8Path) -> io::Result<BTreeSet<String>> {
    let body = read(dir)?;
    let with_default = body.of_kind("variable").filter(|block| block.body.attribute("default").is_some());
    let mut found: BTreeSet<String> = with_default.filter_map(|block| block.labels.first().cloned()).collect();
    for entry in dir.read_dir_utf8()? {
        let entry = entry?;
        let name = entry.file_name();
        let plain = name == "terraform.tfvars" || name.ends_with(".auto.tfvars");
        if plain {
            found.extend(scan(&fs::read_to_string(entry.path())?).attributes.into_iter().map(|(name, _)| name));
        } else if name == "terraform.tfvars.json" || name.ends_with(".auto.tfvars.json") {
            let text = fs::read_to_string(entry.path())?;
            let map: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
            found.extend(map.into_iter().map(|(name, _)| name));
        }
    }
    Ok(found)
}

/// Names of the outputs that a root declares.
///
/// # Errors
/// The folder or a file cannot be read.
pub fn declared_outputs(dir: &Utf8Path) -> io::Result<BTreeSet<String>> {
    labelled(dir, "output")
}

/// Whether a root certainly does not declare an output: false too when something in it is not understood.
///
/// # Errors
/// The folder or a file cannot be read.
pub fn lacks_output(dir: &Utf8Path, name: &str) -> io::Result<bool> {
    let body = read(dir)?;
    let declared = body.of_kind("output").any(|block| block.labels.first().is_some_and(|label| label == name));
    Ok(body.whole && !declared)
}

/// The kind of a block that makes something or may: `resource` or `module`; nothing in a folder that only looks.
///
/// # Errors
/// The folder or a file cannot be read.
pub fn makes_something(dir: &Utf8Path) -> io::Result<Option<String>> {
    let body = read(dir)?;
    let makes = body.blocks.iter().find(|block| matches!(block.kind.as_str(), "resource" | "module"));
    Ok(makes.map(|block| block.kind.clone()))
}

/// The root's own backend: `pg`, `http`, `local`, ..., `cloud`; nothing when the state is a file beside it.
///
/// # Errors
/// The folder or a file cannot be read.
pub fn backend(dir: &Utf8Path) -> io::Result<Option<String>> {
    Ok(backend_block(dir)?.map(|block| block.kind))
}

/// The same with its settings.
pub(super) fn backend_block(dir: &Utf8Path) -> io::Result<Option<Backend>> {
    let body = read(dir)?;
    let kind = |block: &Block| match block.kind.as_str() {
        "backend" => block.labels.first().cloned(),
        "cloud" => Some("cloud".to_owned()),
        _ => None,
    };
    // The root's own block comes before otto's override by the order of the files.
    Ok(settings(&body).find_map(|block| Some(Backend { kind: kind(block)?, settings: block.body.attributes.clone() })))
}

/// Blocks inside `terraform` blocks.
fn settings(body: &Body) -> impl Iterator<Item = &Block> {
    body.of_kind("terraform").flat_map(|block| block.body.blocks.iter())
}

/// Whether `init` has to be run. False only when it is proven that there is nothing to install or to connect:
/// no provider but the built-in one, no module, no backend, nothing that is not understood.
///
/// # Errors
/// The folder or a file cannot be read.
pub fn needs_init(dir: &Utf8Path) -> io::Result<bool> {
    let body = read(dir)?;
    let built_in = |block: &Block| {
        let kind = block.labels.first().map(String::as_str);
        kind == Some(if block.kind == "data" { "terraform_remote_state" } else { "terraform_data" })
            && block.body.attribute("provider").is_none()
    };
    let harmless = |block: &Block| match block.kind.as_str() {
        "variable" | "output" | "locals" | "moved" => true,
        "resource" | "data" => built_in(block),
        "check" => block.body.of_kind("data").all(built_in),
        "terraform" => block.body.blocks.is_empty(),
        _ => false,
    };
    Ok(!(body.whole && body.blocks.iter().all(harmless)))
}

/// What belongs to a root and is copied into a deployment's folder, relative and sorted: its files, sub-folders with
/// all they hold, the lock file. Left out: `.terraform`, states, saved plans, version control.
///
/// # Errors
/// A folder cannot be read.
pub fn own_files(dir: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let mut found = Vec::new();
    walk(dir, Utf8Path::new(""), &mut Vec::new(), &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(dir: &Utf8Path, below: &Utf8Path, above: &mut Vec<Utf8PathBuf>, into: &mut Vec<Utf8PathBuf>) -> io::Result<()> {
    let here = dir.canonicalize_utf8()?;
    if above.contains(&here) {
        return Ok(());
    }
    above.push(here);
    for entry in dir.read_dir_utf8()? {
        let entry = entry?;
        let name = entry.file_name();
        let state = name.ends_with(".tfstate")
            || name.contains(".tfstate.")
            || name.ends_with(".tfplan")
            || matches!(name, ".terraform" | "terraform.tfstate.d" | ".git" | "crash.log");
        if state {
            continue;
        }
        // A link is followed: in a copy it would dangle.
        match fs::metadata(entry.path()) {
            Ok(meta) if meta.is_dir() => walk(entry.path(), &below.join(name), above, into)?,
            Ok(meta) if meta.is_file() => into.push(below.join(name)),
            _ => {}
        }
    }
    above.pop();
    Ok(())
}

/// A hash of all that decides what an initialised `TF_DATA_DIR` holds: tool and version, providers, the lock file,
/// modules (local ones with what they need in turn), the backend. Roots with the same key can share the folder.
///
/// # Errors
/// The folder or a file cannot be read.
pub fn data_key(dir: &Utf8Path, tofu: bool, version: &str) -> io::Result<String> {
    let mut hash = Sha256::new();
    let tool = if tofu { "tofu" } else { "terraform" };
    part(&mut hash, &format!("{tool} {version}"));
    part(&mut hash, &fs::read_to_string(dir.join(LOCK_FILE)).unwrap_or_default());
    requirements(dir, &mut hash, &mut BTreeSet::new())?;
    Ok(hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

fn part(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text.as_bytes());
}

fn requirements(dir: &Utf8Path, hash: &mut Sha256, seen: &mut BTreeSet<Utf8PathBuf>) -> io::Result<()> {
    if !seen.insert(dir.canonicalize_utf8()?) {
        return Ok(());
    }
    let body = read(dir)?;
    // A resource's type names a provider even where nothing else does.
    let mut implied = BTreeSet::new();
    let mut modules = BTreeMap::new();
    for block in &body.blocks {
        let label = block.labels.first().map_or("", String::as_str);
        match block.kind.as_str() {
            "terraform" => part(hash, &block.body.normal()),
            "provider" => drop(implied.insert(label.to_owned())),
            "resource" | "data" | "ephemeral" => {
                implied.insert(label.split('_').next().unwrap_or(label).to_owned());
                implied.extend(block.body.attribute("provider").map(str::to_owned));
            }
            "module" => {
                let of = |name: &str| block.body.attribute(name).unwrap_or("").trim_matches('"').to_owned();
                modules.insert(label.to_owned(), (of("source"), of("version")));
            }
            _ => {}
        }
    }
    for provider in implied {
        part(hash, &provider);
    }
    for (name, (source, version)) in modules {
        part(hash, &format!("module {name} {source} {version}"));
        if source.starts_with("./") || source.starts_with("../") {
            let folder = dir.join(&source);
            if folder.is_dir() {
                requirements(&folder, hash, seen)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(files: &[(&str, &str)]) -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = Utf8PathBuf::from_path_buf(folder.path().to_path_buf()).expect("UTF-8");
        for (name, text) in files {
            let path = dir.join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, text).expect("a file");
        }
        (folder, dir)
    }

    const PLAIN: &str = "variable \"hosts\" { type = list(any) }\nresource \"terraform_data\" \"x\" { input = 1 }\noutput \"hosts\" { value = [] }\n";

    #[test]
    fn declarations_come_from_both_forms() {
        let (_keep, dir) = root(&[
            ("main.tf", PLAIN),
            (
                "more.tf.json",
                r#"{"variable":{"region":{"default":"x"},"//":"no"},"output":[{"endpoint":{"value":1}}]}"#,
            ),
            (".hidden.tf", "variable \"no\" {}"),
            ("old.tf~", "variable \"no\" {}"),
        ]);
        assert_eq!(declared_variables(&dir).expect("read").into_iter().collect::<Vec<_>>(), ["hosts", "region"]);
        assert_eq!(declared_outputs(&dir).expect("read").into_iter().collect::<Vec<_>>(), ["endpoint", "hosts"]);
    }

    #[test]
    fn init_is_left_out_only_when_proven() {
        let needs = |text: &str| {
            let (_keep, dir) = root(&[("main.tf", text)]);
            needs_init(&dir).expect("read")
        };
        assert!(!needs(PLAIN));
        assert!(!needs("terraform {\n required_version = \">= 1.4\"\n}\n# module \"x\" {}\n"));
        for more in [
            "module \"x\" { source = \"./x\" }",
            "terraform {\n backend \"pg\" {}\n}",
            "terraform {\n cloud {}\n}",
            "terraform {\n required_providers {}\n}",
            "resource \"local_file\" \"x\" {}",
            "resource \"terraform_data\" \"x\" { provider = other.x }",
            "data \"http\" \"x\" {}",
            "provider \"aws\" {}",
            "check \"c\" {\n data \"http\" \"x\" {}\n}",
            "import {}",
            "something new",
        ] {
            assert!(needs(more), "{more}");
        }
        let (_keep, dir) = root(&[("x.tf.json", r#"{"terraform":{"backend":{"http":{}}}}"#)]);
        assert!(needs_init(&dir).expect("read"));
        assert_eq!(backend(&dir).expect("read").as_deref(), Some("http"));
    }

    #[test]
    fn own_files_are_the_roots_and_not_its_state() {
        let (_keep, dir) = root(&[
            ("main.tf", PLAIN),
            (LOCK_FILE, "x"),
            ("scripts/boot", "x"),
            (".terraform/providers/p", "x"),
            ("terraform.tfstate", "x"),
            ("terraform.tfstate.backup", "x"),
            ("errored.tfstate", "x"),
            (".terraform.tfstate.lock.info", "x"),
        ]);
        assert_eq!(own_files(&dir).expect("read"), [LOCK_FILE, "main.tf", "scripts/boot"]);
    }

    #[test]
    fn the_data_key_moves_with_what_init_installs() {
        let base = root(&[("main.tf", PLAIN), ("m/main.tf", "resource \"a_b\" \"c\" {}")]);
        let key = |dir: &Utf8Path| data_key(dir, false, "1.11.4").expect("a key");
        let first = key(&base.1);
        assert_eq!(first, key(&root(&[("main.tf", &format!("# more\n{PLAIN}"))]).1));
        assert_ne!(first, data_key(&base.1, true, "1.11.4").expect("a key"));
        let with = |file: &str, text: &str| {
            fs::write(base.1.join(file), text).expect("a file");
            key(&base.1)
        };
        let locked = with(LOCK_FILE, "provider \"x\" {}");
        let module = with("mod.tf", "module \"m\" { source = \"./m\" }");
        let nested = with("m/main.tf", "resource \"z_b\" \"c\" {}");
        let backend = with("b.tf", "terraform {\n backend \"pg\" { schema_name = \"a\" }\n}");
        let all: BTreeSet<_> = [first, locked, module, nested, backend].into();
        assert_eq!(all.len(), 5);
    }
}
