//! `<cache>/versions.json`: what programs said about themselves, valid while their files stay the same.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::{Tool, Version};

const SCHEMA: &str = "otto.versions/1";
const FILE: &str = "versions.json";

/// The answers known at the start, and those that came in since.
#[derive(Debug)]
pub(super) struct Remembered {
    file: PathBuf,
    known: Mutex<(BTreeMap<String, Entry>, bool)>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Stored {
    schema: String,
    programs: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    stamp: String,
    tofu: bool,
    version: (u32, u32, u32),
}

impl Remembered {
    /// What is on disk; a missing, unreadable or foreign file means that nothing is known.
    pub(super) fn load(cache: &Path) -> Self {
        let file = cache.join(FILE);
        let stored: Stored =
            fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let programs = if stored.schema == SCHEMA { stored.programs } else { BTreeMap::new() };
        Self { file, known: Mutex::new((programs, false)) }
    }

    /// A remembered answer, if the file is still the one that gave it.
    pub(super) fn get(&self, tool: Tool, program: &Path) -> Option<(Tool, Version)> {
        let stamp = stamp(tool, program)?;
        let known = self.known.lock().ok()?;
        let entry = known.0.get(program.to_str()?).filter(|entry| entry.stamp == stamp)?;
        let kind = match tool {
            Tool::Terraform | Tool::Tofu if entry.tofu => Tool::Tofu,
            Tool::Terraform | Tool::Tofu => Tool::Terraform,
            other => other,
        };
        Some((kind, Version(entry.version.0, entry.version.1, entry.version.2)))
    }

    /// Keeps an answer, if the program is of a kind whose answer depends on its own file only.
    pub(super) fn put(&self, tool: Tool, program: &Path, kind: Tool, version: Version) {
        let (Some(stamp), Some(name), Ok(mut known)) = (stamp(tool, program), program.to_str(), self.known.lock())
        else {
            return;
        };
        let entry = Entry { stamp, tofu: kind == Tool::Tofu, version: (version.0, version.1, version.2) };
        known.1 |= known.0.insert(name.to_owned(), entry.clone()) != Some(entry);
    }

    /// Writes what is new, whole or not at all. Not being able to only costs time at the next search.
    pub(super) fn save(&self) {
        let Ok(known) = self.known.lock() else { return };
        if !known.1 {
            return;
        }
        let programs = known.0.iter().filter(|(name, _)| Path::new(name).exists());
        let stored = Stored {
            schema: SCHEMA.to_owned(),
            programs: programs.map(|(name, entry)| (name.clone(), entry.clone())).collect(),
        };
        let part = self.file.with_extension(format!("json.{}", std::process::id()));
        let Ok(text) = serde_json::to_string_pretty(&stored) else { return };
        let _ = self.file.parent().map(fs::create_dir_all);
        if fs::write(&part, text).and_then(|()| fs::rename(&part, &self.file)).is_err() {
            let _ = fs::remove_file(&part);
        }
    }
}

/// What identifies a program's file; none for the front of a version manager, whose answer depends on other files.
fn stamp(tool: Tool, program: &Path) -> Option<String> {
    let real = program.canonicalize().ok()?;
    let stem = tool.program().split('-').next().unwrap_or_default();
    let name = real.file_name()?.to_str()?;
    if !name.starts_with(stem) && !name.starts_with("tofu") {
        return None;
    }
    let mut head = [0_u8; 256];
    let read = fs::File::open(&real).ok()?.read(&mut head).ok()?;
    if let Some(line) = head[..read].strip_prefix(b"#!") {
        let line = String::from_utf8_lossy(line);
        let interpreter = line.lines().next()?.split_whitespace().next()?.to_owned();
        // A shell script is a version manager's; a Python script is Ansible's own, as long as its Python is there.
        if !interpreter.contains("python") || !Path::new(&interpreter).exists() {
            return None;
        }
    }
    let meta = fs::metadata(&real).ok()?;
    let (size, inode) = (meta.size(), meta.ino());
    Some(format!("{size}:{inode}:{}.{:09}:{}.{:09}", meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, text).expect("a program");
        path
    }

    #[test]
    fn answers_live_as_long_as_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = program(folder.path(), "terraform", "\u{7f}ELF one");
        let first = Remembered::load(folder.path());
        assert_eq!(first.get(Tool::Terraform, &path), None);
        first.put(Tool::Terraform, &path, Tool::Tofu, Version(1, 12, 6));
        first.save();
        let second = Remembered::load(folder.path());
        assert_eq!(second.get(Tool::Terraform, &path), Some((Tool::Tofu, Version(1, 12, 6))));
        fs::write(&path, "\u{7f}ELF two!").expect("another program");
        assert_eq!(second.get(Tool::Terraform, &path), None);
    }

    #[test]
    fn version_managers_are_asked_each_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = program(folder.path(), "terraform", "#!/bin/sh\nexec something\n");
        assert_eq!(stamp(Tool::Terraform, &path), None);
        let other = program(folder.path(), "mise", "\u{7f}ELF");
        let link = folder.path().join("packer");
        std::os::unix::fs::symlink(&other, &link).expect("a link");
        assert_eq!(stamp(Tool::Packer, &link), None);
    }

    #[test]
    fn a_foreign_file_is_nothing_known() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE), "{\"schema\":\"otto.versions/9\",\"programs\":{}").expect("a file");
        let path = program(folder.path(), "packer", "\u{7f}ELF");
        assert_eq!(Remembered::load(folder.path()).get(Tool::Packer, &path), None);
    }
}
