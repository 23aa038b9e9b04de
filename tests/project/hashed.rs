//! Fingerprints: what changes them and what does not.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use otto::model::{DeploymentSpec, Name};
use otto::project::fingerprint::{Fingerprints, appliance, config, content, root, tree};

use super::folder::Folder;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn spec(folder: &Folder, id: &str) -> DeploymentSpec {
    folder.good().project.wanted(&id.parse().unwrap()).unwrap()
}

/// Image, root, config, content.
fn all(folder: &Folder) -> [String; 4] {
    let project = folder.good().project;
    [
        appliance(&project, &name("local"), &name("nginx")).unwrap(),
        root(&project, &name("local")).unwrap(),
        config(&project).unwrap(),
        content(&spec(folder, "dev/local/hello")).unwrap(),
    ]
}

#[test]
fn each_file_moves_only_its_own_fingerprint() {
    let folder = Folder::new();
    let mut before = all(&folder);
    assert_eq!(before, all(&folder));
    assert!(before.iter().all(|hash| hash.len() == 64));
    for (file, moved) in [
        ("images/nginx/local/image.pkr.hcl", &[0][..]),
        ("images/nginx/files/nginx.conf", &[0]),
        ("images/base/setup", &[0]),
        ("images/build", &[0]),
        ("images/nginx/do/image.pkr.hcl", &[]),
        ("images/haproxy/local/image.pkr.hcl", &[]),
        ("clowd/provision/local/main.tf", &[1]),
        ("clowd/provision/local/.terraform.lock.hcl", &[1]),
        ("clowd/provision/modules/x/main.tf", &[1]),
        ("clowd/modules/x/main.tf", &[1]),
        ("clowd/provision/do/main.tf", &[]),
        ("clowd/provision/local/.terraform/x", &[]),
        ("clowd/provision/local/terraform.tfstate.backup", &[]),
        ("clowd/prices/do.yaml", &[]),
        ("clowd/config/roles/www/tasks/main.yml", &[2]),
        ("clowd/config/library/__pycache__/x.pyc", &[]),
        ("sites/hello/html/index.html", &[3]),
        ("sites/hello/html/index.html~", &[]),
        ("sites/hello/html/.index.html.swp", &[]),
        ("sites/hello/html/a/b", &[3]),
        ("README", &[]),
    ] {
        // A price table is read with the project: it has to stay one.
        let table = include_str!("../../clowd/prices/do.yaml");
        let before_it = if file == "clowd/prices/do.yaml" { table } else { "" };
        folder.write(file, format!("{before_it}# changed {file}"));
        let after = all(&folder);
        let found: Vec<usize> = (0..4).filter(|n| before[*n] != after[*n]).collect();
        // A left-over in a new folder: the folder itself counts, so the second writing is the one that must not.
        if moved.is_empty() && !found.is_empty() {
            folder.write(file, "changed again");
            assert_eq!(all(&folder), after, "{file}");
        } else {
            assert_eq!(found, moved, "{file}");
        }
        before = after;
    }
}

#[test]
fn mode_links_and_names_count() {
    let folder = Folder::new();
    let path = folder.path().join("t");
    folder.write("t/a", "1").write("t/b", "2");
    let mut seen = vec![tree(&path).unwrap()];
    let mut now = || {
        let hash = tree(&path).unwrap();
        assert!(!seen.contains(&hash));
        seen.push(hash);
    };
    fs::set_permissions(path.join("a"), fs::Permissions::from_mode(0o755)).unwrap();
    now();
    symlink("a", path.join("c")).unwrap();
    now();
    fs::remove_file(path.join("c")).unwrap();
    symlink("b", path.join("c")).unwrap();
    now();
    fs::rename(path.join("b"), path.join("d")).unwrap();
    now();
    symlink("/nowhere/at/all", path.join("e")).unwrap();
    now();
    fs::create_dir(path.join("f")).unwrap();
    now();
    fs::set_permissions(path.join("d"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(tree(&path).unwrap(), *seen.last().unwrap());
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let folder = Folder::new();
    let missing = folder.path().join("nothing");
    assert_eq!(tree(&missing).unwrap_err().to_string(), format!("`{missing}` cannot be read"));
    folder.write("t/a", "1");
    let socket = folder.path().join("t/socket");
    let _kept = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let error = tree(&folder.path().join("t")).unwrap_err().to_string();
    assert_eq!(error, format!("`{socket}` is neither file, folder nor link: remove it from the project"));
    let project = folder.good().project;
    let error = appliance(&project, &name("local"), &name("apache")).unwrap_err().to_string();
    assert_eq!(error, "the project has no image `apache`");
}

#[test]
fn a_plan_gets_all_that_its_deployments_need() {
    let folder = Folder::new();
    let specs = [spec(&folder, "dev/local/hello")];
    let found = Fingerprints::of(&folder.good().project, &specs).unwrap();
    let keys: Vec<String> = found.appliance.keys().map(|(provider, name)| format!("{provider} {name}")).collect();
    assert_eq!(keys, ["local haproxy", "local nginx"]);
    assert_eq!((found.root.len(), found.content.len(), found.config.len()), (1, 1, 64));
}
