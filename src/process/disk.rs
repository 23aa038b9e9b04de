//! Free space, the reserve that is given up when it runs out, and files that are replaced at once or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use camino::{Utf8Path, Utf8PathBuf};

/// Bytes that this user can still write on a folder's file system.
pub fn free(folder: &Utf8Path) -> io::Result<u64> {
    let system = rustix::fs::statvfs(folder.as_std_path())?;
    Ok(system.f_bavail.saturating_mul(system.f_frsize))
}

/// A file that only takes up room, so that there is some when it is needed most.
#[derive(Clone, Debug)]
pub struct Reserve {
    path: Utf8PathBuf,
}

impl Reserve {
    /// Names it; nothing is made.
    pub fn at(path: impl Into<Utf8PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Makes it that many MiB large, if it is not; fails where there is no room for it, leaving nothing.
    pub fn make(&self, mib: u64) -> io::Result<()> {
        let size = mib << 20;
        if fs::metadata(&self.path).is_ok_and(|is| is.len() == size) {
            return Ok(());
        }
        parent(&self.path)?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&self.path)?;
        let made = allocate(&mut file, size).and_then(|()| file.sync_all());
        if made.is_err() {
            self.free()?;
        }
        made
    }

    /// Gives its room up; `false` when there was none.
    pub fn free(&self) -> io::Result<bool> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn allocate(file: &mut File, size: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    match rustix::fs::fallocate(&*file, rustix::fs::FallocateFlags::empty(), 0, size) {
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
        other => return Ok(other?),
    }
    let zeros = vec![0; 1 << 20];
    (0..size >> 20).try_for_each(|_| file.write_all(&zeros))
}

/// Writes a file so that a reader, or a machine that comes up again, finds the old content or the new, whole, with
/// these permissions. Makes the folder (0700).
pub fn write_atomic(path: &Utf8Path, content: &[u8], mode: u32) -> io::Result<()> {
    parent(path)?;
    // The process id keeps two writers apart.
    let new = path.with_file_name(format!(".{}.{}", path.file_name().unwrap_or("new"), std::process::id()));
    let written = (|| {
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
        file.write_all(content)?;
        file.sync_all()?;
        replace(&new, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

/// Renames, durably.
pub(super) fn replace(new: &Utf8Path, old: &Utf8Path) -> io::Result<()> {
    fs::rename(new, old)?;
    match old.parent() {
        Some(folder) if !folder.as_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn parent(path: &Utf8Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_str().is_empty() => DirBuilder::new().recursive(true).mode(0o700).create(folder),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_reserve_takes_room_and_gives_it_back() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = Utf8PathBuf::try_from(dir.path().to_owned()).expect("UTF-8");
        assert!(free(&folder).expect("asked") > 0 && free(&folder.join("nowhere")).is_err());
        let reserve = Reserve::at(folder.join(".otto/reserve"));
        reserve.make(2).expect("made");
        reserve.make(2).expect("already");
        let size = |path: &Utf8Path| std::os::unix::fs::MetadataExt::blocks(&fs::metadata(path).expect("there")) * 512;
        assert!(size(&folder.join(".otto/reserve")) >= 2 << 20);
        assert!(reserve.free().expect("freed") && !reserve.free().expect("gone"));
        assert!(reserve.make(1 << 40).is_err() && !folder.join(".otto/reserve").exists());
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = Utf8PathBuf::try_from(dir.path().join("sub/state")).expect("UTF-8");
        write_atomic(&path, b"one", 0o600).expect("written");
        write_atomic(&path, b"two", 0o640).expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"two");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(dir.path().join("sub")).expect("read").count(), 1);
        assert!(write_atomic(&path.join("below"), b"x", 0o600).is_err());
    }
}
