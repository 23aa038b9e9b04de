//! Programs that a project brings along (`orphans`, `shared`): how they are started.

use std::os::unix::fs::PermissionsExt;
use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};

/// An executable as it is; one that lost its executable bit (a download, an embedding) through its `#!` line.
///
/// # Errors
/// It cannot be read.
pub fn interpreted(program: &Utf8Path) -> io::Result<(Utf8PathBuf, Vec<String>)> {
    if fs::metadata(program)?.permissions().mode() & 0o111 != 0 {
        return Ok((program.to_owned(), Vec::new()));
    }
    let text = fs::read(program)?;
    let first = String::from_utf8_lossy(&text);
    let line = first.lines().next().and_then(|l| l.strip_prefix("#!")).unwrap_or("/bin/sh");
    let mut words = line.split_whitespace().map(str::to_owned);
    let interpreter = words.next().unwrap_or_else(|| "/bin/sh".to_owned());
    Ok((interpreter.into(), words.chain([program.to_string()]).collect()))
}
