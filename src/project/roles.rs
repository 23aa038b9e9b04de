//! Which Ansible roles a project has: folders in `clowd/config/roles`, in the `roles_path` of its `ansible.cfg`, and what
//! its `requirements.yml` brings.

use camino::{Utf8Path, Utf8PathBuf};

/// Names of the roles that a playbook in this folder finds.
pub(super) fn there(config: &Utf8Path) -> Vec<String> {
    let mut folders: Vec<Utf8PathBuf> = vec![config.join("roles")];
    let settings = std::fs::read_to_string(config.join("ansible.cfg")).unwrap_or_default();
    let path = settings.lines().filter_map(|line| line.split_once('=')).find(|(key, _)| key.trim() == "roles_path");
    if let Some((_, value)) = path {
        // Relative ones are below the folder of `ansible.cfg`.
        folders.extend(value.split(':').map(|part| config.join(part.trim())));
    }
    let mut all: Vec<String> = Vec::new();
    for folder in folders {
        let Ok(entries) = folder.read_dir_utf8() else { continue };
        let named = entries.flatten().filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().to_owned());
        all.extend(named.filter(|name| !name.starts_with('.')));
    }
    for file in ["requirements.yml", "roles/requirements.yml"] {
        all.extend(required(&std::fs::read_to_string(config.join(file)).unwrap_or_default()));
    }
    all.sort();
    all.dedup();
    all
}

/// Roles that a file of Ansible Galaxy asks for: by `name`, else by `src`.
fn required(text: &str) -> Vec<String> {
    let Ok(document) = serde_yaml::from_str::<serde_json::Value>(text) else { return Vec::new() };
    let list = document.get("roles").unwrap_or(&document);
    let word = |entry: &serde_json::Value| {
        let named = entry.get("name").or_else(|| entry.get("src")).or(Some(entry))?;
        named.as_str().map(str::to_owned)
    };
    list.as_array().into_iter().flatten().filter_map(word).collect()
}
