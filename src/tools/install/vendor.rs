//! A vendor's release: fetched, verified, the one program taken out, renamed into place as a whole folder.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::net::{Client, Download};

use super::super::find::Search;
use super::lock::CacheLock;
use super::releases::Release;

/// For a whole archive, 30 to 60 MB.
const TIMEOUT: Duration = Duration::from_secs(600);
/// Bytes of an archive.
const MAX_ARCHIVE: u64 = 300 << 20;
/// Bytes of the program inside.
const MAX_PROGRAM: u64 = 1 << 30;

/// Fetches a release to `<cache>/tools/<program>-<version>/`; the program's path.
pub(super) async fn fetch(
    client: &Client,
    release: &Release,
    search: &Search,
    _lock: &CacheLock,
) -> Result<PathBuf, String> {
    let releases = search.releases();
    let name = format!("{}-{}", release.tool.program(), release.version);
    let (folder, part) = (releases.join(&name), releases.join(format!(".{name}.part")));
    let clear = |path: &Path| match fs::remove_dir_all(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(format!("{}: {e}", path.display())),
        _ => Ok(()),
    };
    clear(&part)?;
    fs::create_dir_all(&part).map_err(|e| format!("{}: {e}", part.display()))?;
    let archive = part.join("archive.zip");
    let wanted =
        Download { url: &release.url, to: &archive, sha256: &release.sha256, timeout: TIMEOUT, max_size: MAX_ARCHIVE };
    let unpacked = match client.download(&wanted).await {
        Ok(_) => take_out(&archive, release.tool.program(), &part),
        Err(error) => Err(error.to_string()),
    };
    if let Err(why) = unpacked {
        let _ = fs::remove_dir_all(&part);
        return Err(why);
    }
    clear(&folder)?;
    fs::rename(&part, &folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(folder.join(release.tool.program()))
}

/// Takes one program out of a zip archive; nothing else of it is written anywhere.
fn take_out(archive: &Path, program: &str, into: &Path) -> Result<(), String> {
    let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}", archive.display());
    let mut zip = zip::ZipArchive::new(File::open(archive).map_err(|e| wrong(&e))?).map_err(|e| wrong(&e))?;
    let entry = zip.by_name(program).map_err(|e| wrong(&format_args!("`{program}` is not in it ({e})")))?;
    let to = into.join(program);
    let mut file = File::create(&to).map_err(|e| format!("{}: {e}", to.display()))?;
    let copied = io::copy(&mut io::Read::take(entry, MAX_PROGRAM), &mut file).map_err(|e| wrong(&e))?;
    if copied == MAX_PROGRAM {
        return Err(wrong(&format_args!("`{program}` in it is larger than {MAX_PROGRAM} bytes")));
    }
    file.set_permissions(fs::Permissions::from_mode(0o755)).map_err(|e| format!("{}: {e}", to.display()))?;
    file.sync_all().map_err(|e| format!("{}: {e}", to.display()))?;
    fs::remove_file(archive).map_err(|e| wrong(&e))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn one_program_is_taken_out_executable() {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = folder.path().join("a.zip");
        let mut zip = zip::ZipWriter::new(File::create(&archive).expect("a file"));
        for (name, text) in [("LICENSE.txt", "words"), ("packer", "#!/bin/sh\necho hi\n")] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("an entry");
            zip.write_all(text.as_bytes()).expect("its text");
        }
        zip.finish().expect("an archive");
        assert!(take_out(&archive, "terraform", folder.path()).is_err());
        take_out(&archive, "packer", folder.path()).expect("the program");
        let mode = fs::metadata(folder.path().join("packer")).expect("the program").permissions().mode();
        assert_eq!((mode & 0o777, archive.exists()), (0o755, false));
        assert!(!folder.path().join("LICENSE.txt").exists());
    }
}
