//! What a provider's Terraform root can be told: the names of its variables, read from the text alone.
//!
//! It is asked for every provider whenever a project is read, so it reads no more than the files of one folder. Who passes
//! variables scans them properly; here it is only said early, with a line of the project's files, what cannot work.

use std::collections::BTreeSet;
use std::fs;

use camino::Utf8Path;

use crate::model::ProviderKind;

/// What a provider of a kind lacks beside its `provider.yaml`, and what to do.
pub(super) fn lacking(
    kind: ProviderKind,
    folder: &Utf8Path,
    project: &Utf8Path,
) -> Option<(&'static str, &'static str)> {
    let by_vagrant = || [folder, project].iter().any(|place| place.join("Vagrantfile").is_file());
    match kind {
        ProviderKind::Terraform if !is_there(folder) => {
            Some(("no `*.tf` beside it", "kind `terraform` needs a Terraform root"))
        }
        ProviderKind::Vagrant if !by_vagrant() => {
            Some(("no `Vagrantfile` beside it or in the project", "`otto init --update` writes it again"))
        }
        _ => None,
    }
}

/// Whether there are files of Terraform.
pub(super) fn is_there(folder: &Utf8Path) -> bool {
    files(folder).iter().any(|name| name.ends_with(".tf") || name.ends_with(".tf.json"))
}

/// Names of the variables that the root declares.
pub(super) fn variables(folder: &Utf8Path) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for name in files(folder) {
        let text = || fs::read_to_string(folder.join(&name)).unwrap_or_default();
        if name.ends_with(".tf") || name.ends_with(".tofu") {
            all.extend(text().lines().filter_map(declared));
        } else if name.ends_with(".tf.json") || name.ends_with(".tofu.json") {
            let document: serde_json::Value = serde_json::from_str(&text()).unwrap_or_default();
            let named = document.get("variable").and_then(|variables| variables.as_object());
            all.extend(named.into_iter().flat_map(|map| map.keys().cloned()));
        }
    }
    all
}

fn files(folder: &Utf8Path) -> Vec<String> {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_owned()).collect()
}

/// `variable "region" {`
fn declared(line: &str) -> Option<String> {
    let rest = line.strip_prefix("variable")?;
    let name = rest.trim_start().split('{').next()?.trim().trim_matches('"');
    let fits = rest.starts_with([' ', '\t', '"']) && !name.is_empty();
    (fits && name.chars().all(|c| c.is_alphanumeric() || "_-".contains(c))).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_both_forms() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let text = "variable \"a\" {}\nvariable b {\n}\n# variable \"c\" {}\nvariables = 1\nvariable\"d\"{}\n";
        fs::write(path.join("main.tf"), text).expect("written");
        fs::write(path.join("more.tf.json"), r#"{"variable": {"e": {}}}"#).expect("written");
        assert!(is_there(path));
        assert_eq!(variables(path).into_iter().collect::<Vec<_>>(), ["a", "b", "d", "e"]);
    }
}
