//! `requirements.yml`: roles and collections that a playbook needs, installed by ansible-galaxy into a folder of otto's.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::tools::invocation::{Invocation, Stop};

/// An installation that takes longer is ended, in milliseconds.
const LIMIT_MS: u64 = 15 * 60 * 1000;

/// What a `requirements.yml` asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// It names roles.
    pub roles: bool,
    /// It names collections.
    pub collections: bool,
    /// Words in it that may be paths on this machine: what lies there is part of what is installed.
    pub places: Vec<String>,
}

/// Reads the file's text: a list (of roles), or a map with `roles` and `collections`.
///
/// # Errors
/// It is no YAML, or neither of these.
pub fn requirements(text: &str) -> Result<Requirements, String> {
    let value: Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    let mut found = Requirements::default();
    let mut entries: Vec<&Value> = Vec::new();
    match &value {
        Value::Null => {}
        Value::Array(all) => {
            found.roles = !all.is_empty();
            entries.extend(all);
        }
        Value::Object(map) => {
            for (key, flag) in [("roles", &mut found.roles), ("collections", &mut found.collections)] {
                let all = map.get(key).and_then(Value::as_array);
                *flag = all.is_some_and(|all| !all.is_empty());
                entries.extend(all.into_iter().flatten());
            }
        }
        _ => return Err("it is neither a list of roles nor a map with `roles` and `collections`".to_owned()),
    }
    for entry in entries {
        let words = ["name", "source", "src"].iter().filter_map(|key| entry.get(key)?.as_str());
        let words = words.chain(entry.as_str());
        found.places.extend(words.map(|word| word.trim_start_matches("file://").to_owned()));
    }
    Ok(found)
}

/// Where an installation goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Galaxy {
    /// `ansible-galaxy`.
    pub program: Utf8PathBuf,
    /// The `requirements.yml`, absolute.
    pub file: Utf8PathBuf,
    /// Its folder: relative paths in it start there.
    pub cwd: Utf8PathBuf,
    /// Below it `roles/` and `collections/` are made.
    pub folder: Utf8PathBuf,
    /// The project's `ansible.cfg`: servers, signatures.
    pub config: Option<Utf8PathBuf>,
}

impl Galaxy {
    /// Installs what of one kind (`role`, `collection`) the file names.
    pub fn install(&self, kind: &str) -> Invocation {
        let into = self.folder.join(format!("{kind}s"));
        let mut call = Invocation::new(&self.program, &self.cwd, Stop::Ansible)
            .args([kind, "install", "-r", self.file.as_str(), "-p", into.as_str()])
            .env("LC_ALL", "C.UTF-8")
            .env("ANSIBLE_NOCOLOR", "1")
            .limit_ms(LIMIT_MS);
        if let Some(config) = &self.config {
            call = call.env("ANSIBLE_CONFIG", config.as_str());
        }
        call
    }

    /// The program that belongs to an ansible-playbook.
    pub fn beside(playbook: &Utf8Path) -> Option<Utf8PathBuf> {
        let real = playbook.canonicalize_utf8().ok();
        let folders = [playbook.parent(), real.as_deref().and_then(Utf8Path::parent)];
        folders.into_iter().flatten().map(|folder| folder.join("ansible-galaxy")).find(|path| path.is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let list = requirements("- src: file:///r/x.tar.gz\n  name: x\n- geerlingguy.nginx\n").expect("read");
        assert!(list.roles && !list.collections);
        assert_eq!(list.places, ["x", "/r/x.tar.gz", "geerlingguy.nginx"]);
        let map = requirements("collections:\n  - {name: ./team/greet, type: dir}\nroles: []\n").expect("read");
        assert!(!map.roles && map.collections);
        assert_eq!(requirements("").expect("read"), Requirements::default());
        assert!(requirements("hello").is_err() && requirements("a: [").is_err());
    }
}
