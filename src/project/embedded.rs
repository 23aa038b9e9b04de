//! The reference project: this repository's own files, as they were when otto was built (see `build.rs`).

use include_dir::{Dir, DirEntry, include_dir};

static REFERENCE: Dir<'static> = include_dir!("$OUT_DIR/reference");

/// One file of the reference project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Relative to the project, with `/`.
    pub path: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

/// All files, sorted by path.
pub fn files() -> Vec<File> {
    fn walk(dir: &'static Dir<'static>, into: &mut Vec<File>) {
        for entry in dir.entries() {
            match entry {
                DirEntry::Dir(inner) => walk(inner, into),
                DirEntry::File(file) => {
                    if let Some(path) = file.path().to_str() {
                        into.push(File { path, bytes: file.contents() });
                    }
                }
            }
        }
    }
    let mut all = Vec::new();
    walk(&REFERENCE, &mut all);
    all.sort_by_key(|file| file.path);
    all
}
