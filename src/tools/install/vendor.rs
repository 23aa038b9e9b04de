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

    use sha2::{Digest as _, Sha256};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::super::super::find::{Tool, Version, find};
    use super::super::event::Reporter;
    use super::*;

    fn archive_of(program: &str, text: &str) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        zip.start_file(program, zip::write::SimpleFileOptions::default()).expect("an entry");
        zip.write_all(text.as_bytes()).expect("its text");
        zip.finish().expect("an archive").into_inner()
    }

    async fn serve(body: Vec<u8>) -> u16 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
            }
        });
        port
    }

    #[tokio::test]
    async fn a_release_is_fetched_verified_and_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let search = Search::new(std::ffi::OsStr::new(""), folder.path());
        let archive = archive_of("terraform", "#!/bin/sh\necho Terraform v1.11.4\n");
        let sha256 = Sha256::digest(&archive).iter().map(|byte| format!("{byte:02x}")).collect();
        let url = format!("http://127.0.0.1:{}/terraform.zip", serve(archive).await);
        let release = Release { tool: Tool::Terraform, version: Version(1, 11, 4), url, sha256 };
        let mut ignore = |_| {};
        let reporter = Reporter::new(&mut ignore);
        let lock = CacheLock::take(folder.path(), "terraform", &reporter.on("Terraform")).await.expect("the lock");
        let changed = Release { sha256: "0".repeat(64), ..release.clone() };
        let why = fetch(&Client::new(), &changed, &search, &lock).await.expect_err("another sum");
        assert!(why.contains("expected 0000"), "{why}");
        assert_eq!(fs::read_dir(search.releases()).expect("the folder").count(), 0);
        fetch(&Client::new(), &release, &search, &lock).await.expect("the release");
        let found = find(Tool::Terraform, &search).await.expect("Terraform");
        assert_eq!(
            (found.version, found.program),
            (release.version, search.releases().join("terraform-1.11.4/terraform"))
        );
    }

    #[test]
    fn one_program_is_taken_out_executable() {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = folder.path().join("a.zip");
        fs::write(&archive, archive_of("packer", "#!/bin/sh\necho hi\n")).expect("a file");
        assert!(take_out(&archive, "terraform", folder.path()).is_err());
        take_out(&archive, "packer", folder.path()).expect("the program");
        let mode = fs::metadata(folder.path().join("packer")).expect("the program").permissions().mode();
        assert_eq!((mode & 0o777, archive.exists()), (0o755, false));
    }
}
