//! One tree of files moved into another, by renames only.

use std::fs;
use std::io;
use std::path::Path;

/// Moves everything below `from` into `into` (same file system), replacing files of the same name. What runs from a
/// replaced file keeps its old one.
pub(super) fn merge(from: &Path, into: &Path) -> io::Result<()> {
    if !into.exists() {
        if let Some(parent) = into.parent() {
            fs::create_dir_all(parent)?;
        }
        return fs::rename(from, into);
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), into.join(entry.file_name()));
        let both_folders = entry.file_type()?.is_dir() && fs::metadata(&target).is_ok_and(|meta| meta.is_dir());
        if both_folders {
            merge(&source, &target)?;
        } else {
            fs::rename(&source, &target)?;
        }
    }
    fs::remove_dir(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_merged_and_the_source_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, two, root) = (folder.path().join("one"), folder.path().join("two"), folder.path().join("x/root"));
        let write = |path: &Path, text: &str| {
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, text).expect("a file");
        };
        write(&one.join("usr/bin/a"), "a1");
        write(&one.join("usr/lib/l"), "l");
        write(&two.join("usr/bin/a"), "a2");
        write(&two.join("etc/b"), "b");
        std::os::unix::fs::symlink("nowhere", two.join("usr/bin/link")).expect("a link");
        merge(&one, &root).expect("the first");
        merge(&two, &root).expect("the second");
        assert_eq!(fs::read_to_string(root.join("usr/bin/a")).expect("a"), "a2");
        assert!(root.join("usr/lib/l").exists() && root.join("etc/b").exists());
        assert!(root.join("usr/bin/link").is_symlink() && !one.exists() && !two.exists());
    }
}
