//! What Ansible's vaults hold, so that none of it is ever written: asked once a run, and only where there is a vault.
//!
//! `ansible-vault` says it, with the password that the playbook itself will use; its answer stays in memory. Where it
//! cannot, the playbook cannot either, and says why.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::context::Context;
use super::super::secrets::leaves;
use crate::process::capture;

const MARK: &str = "$ANSIBLE_VAULT;";
/// Decrypting takes Python's own start and some hundred milliseconds a value.
const LIMIT: Duration = Duration::from_secs(60);
/// Files above are no vaults of variables.
const MAX_FILE: u64 = 1 << 20;
const MAX_DEPTH: u32 = 8;
/// Shorter lines of a vault that is no YAML are not told apart from ordinary words.
const LINE: usize = 12;

/// Learns what the vaults below `clowd/config` hold. `ansible` is the program that plays.
pub(super) async fn learn(context: &Context, ansible: &Utf8Path, beside: &Utf8Path) {
    context.secrets.vaults().get_or_init(|| read(context, ansible, beside)).await;
}

async fn read(context: &Context, ansible: &Utf8Path, beside: &Utf8Path) {
    let mut found = Vec::new();
    collect(&context.config, 0, &mut found);
    if found.is_empty() {
        return;
    }
    // What is written here is encrypted as it was.
    let folder = beside.join("vaults");
    if std::fs::create_dir_all(&folder).is_err() {
        return;
    }
    let mut files: Vec<String> = Vec::new();
    for (n, text) in found.iter().enumerate() {
        let path = folder.join(n.to_string());
        if std::fs::write(&path, text).is_ok() {
            files.push(path.into_string());
        }
    }
    let program = ansible.with_file_name("ansible-vault");
    let mut env: BTreeMap<String, String> =
        context.secrets.env().iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect();
    let config = context.config.join("ansible.cfg");
    if config.is_file() {
        env.insert("ANSIBLE_CONFIG".to_owned(), config.into_string());
    }
    let args: Vec<&str> = std::iter::once("view").chain(files.iter().map(String::as_str)).collect();
    let answer = capture(&program, &args, &env, LIMIT).await;
    let _ = std::fs::remove_dir_all(&folder);
    let Ok(answer) = answer else { return };
    if answer.code == 0 {
        context.secrets.learn(values(&answer.stdout).iter().map(String::as_str));
    }
}

/// Encrypted files, and encrypted values within files.
fn collect(folder: &Utf8Path, depth: u32, found: &mut Vec<String>) {
    let mut entries: Vec<Utf8PathBuf> =
        folder.read_dir_utf8().into_iter().flatten().flatten().map(|entry| entry.path().to_owned()).collect();
    entries.sort();
    for path in entries {
        let Ok(about) = path.symlink_metadata() else { continue };
        if about.is_dir() && depth < MAX_DEPTH {
            collect(&path, depth + 1, found);
        } else if about.is_file() && about.len() <= MAX_FILE {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            if text.starts_with(MARK) {
                found.push(text);
            } else if text.contains(MARK) {
                found.extend(within(&text));
            }
        }
    }
}

/// The blocks behind `!vault |`, their indentation taken off.
fn within(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(head) = line.trim().strip_prefix(MARK) else { continue };
        let mut block = format!("{MARK}{head}\n");
        while let Some(digits) = lines.next_if(|next| is_hex(next.trim())) {
            block.push_str(digits.trim());
            block.push('\n');
        }
        all.push(block);
    }
    all
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The values in what several vaults hold, one after another: of variables their texts, else every long line.
fn values(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    if let Ok(document) = serde_yaml::from_str::<serde_json::Value>(text) {
        leaves(&document, &mut all);
    }
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let value = line.split_once(": ").map_or_else(|| line.trim_start_matches("- "), |(_, value)| value);
        let value = value.trim().trim_matches(['"', '\'']);
        let is_key = line.ends_with(':') || matches!(value, "|" | ">" | "|-" | ">-" | "---" | "...");
        if !is_key {
            all.push(value.to_owned());
        }
        if line.len() >= LINE && !line.contains(": ") && !is_key {
            all.push(line.to_owned());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_values_are_found() {
        let text = "a: 1\nb: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n  63\nc: 2\n";
        assert_eq!(within(text), ["$ANSIBLE_VAULT;1.1;AES256\n6162\n63\n"]);
        let found =
            values("---\ndb: {password: deep-secret}\nother: 'quoted-secret'\nkey: |\n  BEGIN-OF-A-KEY\nlone-secret\n");
        for secret in ["quoted-secret", "BEGIN-OF-A-KEY", "lone-secret"] {
            assert!(found.iter().any(|value| value == secret), "{secret}: {found:?}");
        }
        assert!(values("db: {password: deep-secret}\n").contains(&"deep-secret".to_owned()));
    }
}
