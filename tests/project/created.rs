//! `otto init` on disk, with the reference project of this very build.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use camino::Utf8Path;
use otto::project::{Choices, CreateError, create, embedded, load};
use tempfile::TempDir;

/// The embedded files, when this build has them.
fn embedded_project() -> bool {
    embedded::files().iter().any(|file| file.path == "otto.yaml")
}

#[test]
fn a_new_project_is_complete_and_valid() {
    if !embedded_project() {
        return;
    }
    let outer = TempDir::new().unwrap();
    let folder = Utf8Path::from_path(outer.path()).unwrap().join("My 1st Site!");
    let written = create(&folder, &Choices::default(), &folder.join(".otto/base")).unwrap();
    assert!(written.iter().any(|path| path == "otto.yaml") && written.iter().any(|path| path == ".gitignore"));
    for path in written.iter().filter(|path| *path != ".gitignore") {
        let bytes = fs::read(folder.join(path)).unwrap();
        let mode = fs::metadata(folder.join(path)).unwrap().permissions().mode();
        assert_eq!(bytes.starts_with(b"#!"), mode & 0o100 != 0, "{path}");
    }
    let loaded = load(&folder).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(loaded.project.name.as_str(), "my-1st-site");
    assert_eq!(loaded.project.id.len(), 16);
    let again = create(&folder, &Choices::default(), &folder.join(".otto/base")).unwrap_err();
    assert!(matches!(again, CreateError::Exists { .. }), "{again}");
    let other = Utf8Path::from_path(outer.path()).unwrap().join("other");
    create(&other, &Choices::default(), &other.join(".otto/base")).unwrap();
    assert_ne!(load(&other).map(|l| l.project.id).ok(), Some(loaded.project.id));
}

#[test]
fn nothing_is_overwritten_and_links_are_not_followed() {
    if !embedded_project() {
        return;
    }
    let outer = TempDir::new().unwrap();
    let outer = Utf8Path::from_path(outer.path()).unwrap();
    let folder = outer.join("p");
    fs::create_dir_all(folder.join("notes")).unwrap();
    fs::write(folder.join("notes/a"), "mine").unwrap();
    fs::write(folder.join(".gitignore"), "target").unwrap();
    fs::create_dir(outer.join("elsewhere")).unwrap();
    symlink(outer.join("elsewhere"), folder.join("clowd")).unwrap();
    fs::write(folder.join("otto.yaml"), "mine").unwrap();
    let error = create(&folder, &Choices::default(), &folder.join(".otto/base")).unwrap_err().to_string();
    assert!(error.starts_with(&format!("`{folder}` holds `clowd`, ")), "{error}");
    assert!(error.contains("`otto.yaml` already: nothing was written"), "{error}");
    assert_eq!(fs::read_dir(outer.join("elsewhere")).unwrap().count(), 0);
    assert_eq!(fs::read_to_string(folder.join("otto.yaml")).unwrap(), "mine");
    fs::remove_file(folder.join("otto.yaml")).unwrap();
    fs::remove_file(folder.join("clowd")).unwrap();
    create(&folder, &Choices::default(), &folder.join(".otto/base")).unwrap();
    assert_eq!(fs::read_to_string(folder.join(".gitignore")).unwrap(), "target\n/.otto/\n/.vagrant/\n/.env\n");
    assert_eq!(fs::read_to_string(folder.join("notes/a")).unwrap(), "mine");
}

#[test]
fn only_the_projects_own_files_are_embedded() {
    let tops: BTreeSet<&str> = embedded::files().iter().map(|file| file.path.split('/').next().unwrap_or("")).collect();
    for top in tops {
        assert!(["clowd", "docs", "images", "sites", "otto.yaml", "Vagrantfile", "Makefile"].contains(&top), "{top}");
    }
    assert!(
        embedded::files().iter().all(|file| !file.path.contains(".tfstate") && !file.path.contains("/.terraform/"))
    );
}

#[test]
fn what_is_embedded_is_what_the_repository_holds() {
    for file in embedded::files() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file.path);
        let now = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(now == file.bytes, "{} has changed since otto was built: touch build.rs", file.path);
    }
}
