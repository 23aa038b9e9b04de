//! `otto init`: writes a project into a folder. Nothing that is there is ever overwritten: one file in the way and
//! nothing is written at all.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::Name;

use super::embedded::{self, File};
use super::load::PROJECT_FILE;
use super::update;

const IGNORED: &[&str] = &[".otto/", ".vagrant/", ".env"];
/// The site whose domain can be chosen, and the domain that the reference gives it.
const FIRST_SITE: (&str, &str) = ("sites/hello/site.yaml", "hello.localhost");

/// What a person chose; the reference project's own where nothing was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// `project:`; the folder's name when absent.
    pub name: Option<Name>,
    /// The only one of `providers:`.
    pub provider: Option<String>,
    /// The first site's.
    pub domain: Option<String>,
}

/// Why no project was written.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Files of the project are there already.
    #[error("`{folder}` holds {} already: nothing was written; choose another folder, or move them away", some(files))]
    Exists {
        /// Where.
        folder: Utf8PathBuf,
        /// Relative to the folder.
        files: Vec<String>,
    },
    /// A file cannot be written; those before it were removed again.
    #[error("`{path}` cannot be written")]
    Unwritable {
        /// Which.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// This binary was built without a reference project.
    #[error("this otto holds no reference project: it was built outside of its repository")]
    Nothing,
}

/// Writes the reference project into `folder` (made when it is not there) under a fresh id.
/// Returns the written files, relative and sorted; `base` gets a copy of those that `otto init --update` merges.
///
/// # Errors
/// Files in the way, or a file that cannot be written.
pub fn create(folder: &Utf8Path, choices: &Choices, base: &Utf8Path) -> Result<Vec<Utf8PathBuf>, CreateError> {
    // Random keys of the standard library's hasher: 64 bits that differ for every call.
    let id = format!("{:016x}", RandomState::new().hash_one("otto project"));
    let files = embedded::files();
    let written = write(folder, &files, &id, choices)?;
    update::keep_base(base, files.iter().map(|file| (file.path, file.bytes)))?;
    Ok(written)
}

/// Writes these files; `id` and the folder's name replace those of their `otto.yaml`.
pub(super) fn write(
    folder: &Utf8Path,
    files: &[File],
    id: &str,
    choices: &Choices,
) -> Result<Vec<Utf8PathBuf>, CreateError> {
    if !files.iter().any(|file| file.path == PROJECT_FILE) {
        return Err(CreateError::Nothing);
    }
    let in_the_way: Vec<String> = files
        .iter()
        .filter(|file| file.path != ".gitignore")
        .filter_map(|file| obstacle(folder, Utf8Path::new(file.path)))
        .collect();
    if !in_the_way.is_empty() {
        let mut files = in_the_way;
        files.dedup();
        return Err(CreateError::Exists { folder: folder.to_owned(), files });
    }
    let failed = |path: &Utf8Path, source| CreateError::Unwritable { path: path.to_owned(), source };
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let name = choices.name.clone().unwrap_or_else(|| project_name(folder));
    let mut written: Vec<Utf8PathBuf> = Vec::new();
    for file in files.iter().filter(|file| file.path != ".gitignore") {
        let path = folder.join(file.path);
        let text = || String::from_utf8_lossy(file.bytes);
        let own = match (file.path, &choices.domain) {
            (PROJECT_FILE, _) => Some(personal(&text(), &name, id, choices.provider.as_deref())),
            (path, Some(domain)) if path == FIRST_SITE.0 => Some(text().replace(FIRST_SITE.1, domain)),
            _ => None,
        };
        if let Err(error) = new_file(&path, own.as_ref().map_or(file.bytes, String::as_bytes)) {
            for done in &written {
                // Best effort: the error that is reported is the first one.
                let _ = fs::remove_file(folder.join(done));
            }
            return Err(failed(&path, error));
        }
        written.push(Utf8PathBuf::from(file.path));
    }
    let ignore = folder.join(".gitignore");
    if ignored(&ignore).map_err(|error| failed(&ignore, error))? {
        written.push(Utf8PathBuf::from(".gitignore"));
    }
    written.sort();
    Ok(written)
}

/// The file itself, or something on the way to it that is no folder (a link would lead elsewhere).
fn obstacle(folder: &Utf8Path, file: &Utf8Path) -> Option<String> {
    let above: Vec<&Utf8Path> = file.ancestors().skip(1).filter(|path| !path.as_str().is_empty()).collect();
    let blocked =
        above.into_iter().rev().find(|path| folder.join(path).symlink_metadata().is_ok_and(|about| !about.is_dir()));
    let there = || folder.join(file).symlink_metadata().is_ok().then_some(file);
    blocked.or_else(there).map(Utf8Path::to_string)
}

fn new_file(path: &Utf8Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mode = if bytes.starts_with(b"#!") { 0o755 } else { 0o644 };
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)
}

/// Adds what git should not see; true when something was added.
fn ignored(path: &Utf8Path) -> std::io::Result<bool> {
    let present = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let plain = |line: &str| line.trim().trim_matches('/').to_owned();
    let missing: Vec<&&str> =
        IGNORED.iter().filter(|entry| !present.lines().any(|line| plain(line) == plain(entry))).collect();
    if missing.is_empty() {
        return Ok(false);
    }
    let mut file = fs::OpenOptions::new().append(true).create(true).open(path)?;
    let start = if present.is_empty() || present.ends_with('\n') { "" } else { "\n" };
    let lines: String = missing.iter().map(|entry| format!("/{entry}\n")).collect();
    file.write_all(format!("{start}{lines}").as_bytes())?;
    Ok(true)
}

/// `otto.yaml` with another name and id; comments behind the values stay.
fn personal(text: &str, name: &Name, id: &str, provider: Option<&str>) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let key = line.split_once(':').map(|(key, _)| key);
        let comment = line.find(" #").map(|at| format!(" {}", &line[at..])).unwrap_or_default();
        match key {
            Some("project") => lines.push(format!("project: {name}{comment}")),
            // Quoted: sixteen digits would be a number to other readers.
            Some("id") => lines.push(format!("id: \"{id}\"{comment}")),
            Some("providers") if provider.is_some() => {
                lines.push(format!("providers: [{}]{comment}", provider.unwrap_or_default()));
            }
            _ => lines.push(line.to_owned()),
        }
    }
    if !lines.iter().any(|line| line.starts_with("id:")) {
        lines.insert(0, format!("id: \"{id}\""));
    }
    lines.join("\n") + "\n"
}

/// The folder's own name, made to fit.
pub fn project_name(folder: &Utf8Path) -> Name {
    let real = folder.canonicalize_utf8().unwrap_or_else(|_| folder.to_owned());
    let mut fitting = String::new();
    for c in real.file_name().unwrap_or("").to_lowercase().chars() {
        if c.is_ascii_lowercase() || (c.is_ascii_digit() && !fitting.is_empty()) {
            fitting.push(c);
        } else if !fitting.is_empty() && !fitting.ends_with('-') {
            fitting.push('-');
        }
    }
    fitting.truncate(30);
    let fitting = fitting.trim_end_matches('-');
    Name::new(fitting).unwrap_or_else(|_| Name::new("project").expect("a fixed name follows the pattern"))
}

/// Some of a list, and how many more.
fn some(files: &[String]) -> String {
    const SHOWN: usize = 8;
    let names: Vec<String> = files.iter().take(SHOWN).map(|file| format!("`{file}`")).collect();
    let more = files.len().saturating_sub(SHOWN);
    if more == 0 { names.join(", ") } else { format!("{} and {more} more", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_name_and_id_replace_the_references() {
        let text = "# about\nproject: clowd\nid: \"74ed\"   # random\nproviders: [local]\n  id: nested\n";
        let name = Name::new("shop").expect("a name");
        assert_eq!(
            personal(text, &name, "0123", None),
            "# about\nproject: shop\nid: \"0123\"  # random\nproviders: [local]\n  id: nested\n"
        );
        assert_eq!(personal("project: a\n", &name, "0123", None), "id: \"0123\"\nproject: shop\n");
    }

    #[test]
    fn folders_give_names_that_fit() {
        for (folder, name) in [
            ("/x/My 1st Site!", "my-1st-site"),
            ("/x/2024-shop", "shop"),
            ("/x/Ünïcode", "n-code"),
            ("/x/___", "project"),
            ("/", "project"),
            ("/x/a-very-long-name-of-a-project-x", "a-very-long-name-of-a-project"),
        ] {
            assert_eq!(project_name(Utf8Path::new(folder)).as_str(), name, "{folder}");
        }
    }

    #[test]
    fn a_list_of_files_stays_short() {
        let files: Vec<String> = (0..10).map(|n| format!("f{n}")).collect();
        assert_eq!(some(&files[..2]), "`f0`, `f1`");
        assert!(some(&files).ends_with("`f7` and 2 more"));
    }
}
