//! Before any host is touched: what the playbook needs a password for has one, because nothing can prompt.

use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::conduct::Request;
use super::failure::{Failure, Kind, Result};
use super::world::{Opened, World};
use crate::lifecycle::{Secrets, Verb};
use crate::model::Stage;
use crate::tools::ansible::config::default_of;

/// How an encrypted file begins.
const MARK: &[u8] = b"$ANSIBLE_VAULT;";
/// Larger files are no variables.
const MAX_FILE: u64 = 4 << 20;

/// Encrypted files have a password, and the file that ansible.cfg names for it is there.
///
/// # Errors
/// What is encrypted without a password, or a password file that cannot be read.
pub(super) fn ready(world: &World, opened: &Opened, secrets: &Secrets, request: &Request) -> Result<()> {
    if !matches!(request.verb, Verb::Up | Verb::Only(Stage::Config)) {
        return Ok(());
    }
    let folder = Utf8Path::new(&opened.project.config);
    let config = config_file(world, folder);
    let text = config.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let named = default_of(&text, "vault_password_file").filter(|path| !path.starts_with(['~', '$', '{']));
    if let (Some(path), Some(base)) = (&named, config.as_deref().and_then(Utf8Path::parent)) {
        readable(&base.join(path), "vault_password_file in ansible.cfg")?;
    }
    let by_flag = request.requests.passthrough.iter().any(|word| word.starts_with("--vault-"));
    let by_variable = ["ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_VAULT_IDENTITY_LIST"];
    let by_config = ["vault_password_file", "vault_identity_list"].iter().any(|key| default_of(&text, key).is_some());
    if by_flag
        || by_config
        || by_variable.iter().any(|name| world.vars.is_set(name) || secrets.env().contains_key(*name))
    {
        return Ok(());
    }
    let Some(path) = encrypted(folder) else { return Ok(()) };
    let shown = path.strip_prefix(&opened.project.folder).unwrap_or(&path);
    let failure =
        Failure::new(Kind::Credentials, format!("`{shown}` is encrypted, and nothing says with which password"));
    let failure = failure.because("nothing can prompt for it while otto works");
    Err(failure
        .hint("export ANSIBLE_VAULT_PASSWORD_FILE=... (a file with the password, or a program that prints it)")
        .hint("or `vault_password_file = ...` below `[defaults]` in clowd/config/ansible.cfg"))
}

/// The `ansible.cfg` that counts: the project's, else as Ansible itself looks.
fn config_file(world: &World, folder: &Utf8Path) -> Option<Utf8PathBuf> {
    let home = world.vars.get("HOME").map(|home| Utf8Path::new(home).join(".ansible.cfg"));
    let named = world.vars.get("ANSIBLE_CONFIG").map(|path| world.cwd.join(path));
    let all = [Some(folder.join("ansible.cfg")), named, home, Some("/etc/ansible/ansible.cfg".into())];
    all.into_iter().flatten().find(|path| path.is_file())
}

fn readable(path: &Utf8Path, named_by: &str) -> Result<()> {
    let Err(error) = std::fs::File::open(path) else { return Ok(()) };
    let what = format!("the password file `{path}` ({named_by}) cannot be read: {error}");
    Err(Failure::new(Kind::Credentials, what).hint("write the password into it, or name another file"))
}

/// The first file below the playbook's folder that is encrypted, in whole or in a value.
fn encrypted(folder: &Utf8Path) -> Option<Utf8PathBuf> {
    let mut all: Vec<Utf8PathBuf> = folder.read_dir_utf8().ok()?.flatten().map(|e| e.into_path()).collect();
    all.sort();
    all.into_iter().find_map(|path| {
        if path.is_dir() && !path.is_symlink() {
            let hidden = path.file_name().is_some_and(|name| name.starts_with('.'));
            return if hidden { None } else { encrypted(&path) };
        }
        holds_vault(&path).then_some(path)
    })
}

fn holds_vault(path: &Utf8Path) -> bool {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes));
    let yaml = matches!(path.extension(), Some("yml" | "yaml" | "json") | None);
    let inside = |bytes: &[u8]| bytes.windows(MARK.len()).any(|window| window == MARK);
    read.is_ok() && (bytes.starts_with(MARK) || yaml && inside(&bytes))
}
