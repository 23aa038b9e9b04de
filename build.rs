//! Puts the repository's own project files where `src/project/embedded.rs` embeds them, without what tools and editors
//! leave behind. Folders that are not there yet are left out.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const PARTS: &[&str] = &[
    "clowd",
    "images",
    "sites",
    "otto.yaml",
    "Vagrantfile",
    "Makefile",
    "docs/schema/otto-yaml.json",
    "docs/schema/site-yaml.json",
];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let target = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("reference");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    fs::create_dir_all(&target)?;
    println!("cargo::rerun-if-changed=build.rs");
    for part in PARTS {
        // Not for a page: whoever tries otto in a clone edits those, and would wait minutes for a build that brings nothing.
        // (tests/project says so where what is embedded has become another.)
        if part != &"sites" {
            println!("cargo::rerun-if-changed={part}");
        }
        if root.join(part).exists() {
            copy(&root.join(part), &target.join(part))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        let text = name.to_string_lossy();
        let left_over = [".terraform", ".git", ".otto", ".vagrant", "__pycache__", ".DS_Store"].contains(&&*text)
            || text.contains(".tfstate")
            || text.ends_with('~')
            || text.ends_with(".retry")
            || (text.starts_with('.') && text.ends_with(".swp"));
        if !left_over {
            copy(&from.join(&name), &to.join(&name))?;
        }
    }
    Ok(())
}
