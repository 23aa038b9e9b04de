//! Programs that a project brings along (`orphans`, `shared`): how they are started.

use std::os::unix::fs::PermissionsExt;
use std::{fs, io};

use camino::Utf8Path;

/// The words of its call: an executable as it is; one that lost its executable bit (a download, an embedding) through
/// its `#!` line. There is at least one.
///
/// # Errors
/// It cannot be read.
pub fn interpreted(program: &Utf8Path) -> io::Result<Vec<String>> {
    if fs::metadata(program)?.permissions().mode() & 0o111 != 0 {
        return Ok(vec![program.to_string()]);
    }
    let text = fs::read(program)?;
    let first = String::from_utf8_lossy(&text);
    let line = first.lines().next().and_then(|l| l.strip_prefix("#!")).unwrap_or("/bin/sh");
    let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    if words.is_empty() {
        words.push("/bin/sh".to_owned());
    }
    words.push(program.to_string());
    Ok(words)
}
