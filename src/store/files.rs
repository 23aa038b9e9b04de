//! Files as the store needs them: private, durable, locked.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use camino::Utf8Path;
use rustix::fs::{FlockOperation, flock};

use super::error::StoreError;
use crate::model::Timestamp;

/// How long to wait for another process that creates, migrates or copies.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);

/// Now, by the system's clock.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// `20261121-062531`: sorts by time, fits into file names.
pub(super) fn stamp(at: Timestamp) -> String {
    let (year, month, day, hour, minute, second, _) = at.civil();
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

/// Makes a folder (and those above it) that only its owner may enter.
pub(super) fn private_folder(path: &Utf8Path) -> Result<(), StoreError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(StoreError::io("create", path))?;
    keep_private(path, 0o700);
    Ok(())
}

/// Takes away what group and others may do. Someone else's file stays as it is: opening it will tell.
pub(super) fn keep_private(path: &Utf8Path, mode: u32) {
    if let Ok(found) = fs::metadata(path)
        && found.permissions().mode() & 0o077 != 0
    {
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(mode));
    }
}

/// Writes a new private file and brings it to the disk.
pub(super) fn write_new(path: &Utf8Path, bytes: &[u8]) -> Result<(), StoreError> {
    write(path, bytes)?;
    sync(path)
}

/// Writes a new private file; bringing it to the disk is the caller's.
pub(super) fn write(path: &Utf8Path, bytes: &[u8]) -> Result<(), StoreError> {
    let write = || OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes);
    write().map_err(StoreError::io("write", path))
}

/// Brings a file's content, or a folder's names, to the disk.
pub(super) fn sync(path: &Utf8Path) -> Result<(), StoreError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(StoreError::io("sync", path))
}

/// Renames within one folder, durably.
pub(super) fn rename(from: &Utf8Path, to: &Utf8Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(StoreError::io("rename", from))?;
    to.parent().map_or(Ok(()), sync)
}

/// Bytes of a file; nothing when it is not there.
pub(super) fn length(path: &Utf8Path) -> Result<Option<u64>, StoreError> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("read", path)(error)),
    }
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Utf8Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// 16 hexadecimal digits from the system's generator.
pub(super) fn random_id() -> Result<String, StoreError> {
    let path = Utf8Path::new("/dev/urandom");
    let mut bytes = [0_u8; 8];
    File::open(path)
        .and_then(|mut file| io::Read::read_exact(&mut file, &mut bytes))
        .map_err(StoreError::io("read", path))?;
    Ok(format!("{:016x}", u64::from_ne_bytes(bytes)))
}

/// A lock between processes; released when dropped, or when its process ends.
pub(super) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Waits for the lock; its folder is made when it is missing.
    pub(super) fn take(path: &Utf8Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            private_folder(folder)?;
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(StoreError::io("open", path))?;
        let until = Instant::now() + LOCK_PATIENCE;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => {
                    return Err(StoreError::Busy { path: path.to_owned() });
                }
                Err(error) => return Err(StoreError::io("lock", path)(error.into())),
            }
        }
    }
}
