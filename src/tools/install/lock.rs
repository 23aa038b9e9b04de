//! One otto at a time: a lock file in the cache, held by otto and by the programs it runs meanwhile.

use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::event::{State, Steps};

/// Between two looks at a lock that someone else holds.
const PAUSE: Duration = Duration::from_millis(100);
/// How long another otto may take; a slow line downloads for minutes.
const PATIENCE: Duration = Duration::from_secs(1800);

/// Held until dropped, and by every program that got it as its input until that ends.
#[derive(Debug)]
pub(super) struct CacheLock(File);

impl CacheLock {
    /// Takes `<cache>/<name>.lock`, waiting for another otto if need be.
    pub(super) async fn take(cache: &Path, name: &str, steps: &Steps<'_>) -> Result<Self, String> {
        let file = open(cache, name)?;
        let mut waited = Duration::ZERO;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self(file)),
                Err(rustix::io::Errno::WOULDBLOCK) if waited < PATIENCE => {}
                Err(error) => return Err(format!("{}: {error}", cache.join(format!("{name}.lock")).display())),
            }
            if waited.is_zero() {
                steps.tell("waiting for another installation", State::Waiting);
            }
            tokio::time::sleep(PAUSE).await;
            waited += PAUSE;
        }
    }

    /// The locked file, for programs to hold on to.
    pub(super) fn file(&self) -> &File {
        &self.0
    }
}

fn open(cache: &Path, name: &str) -> Result<File, String> {
    let path = cache.join(format!("{name}.lock"));
    fs::create_dir_all(cache).map_err(|e| format!("{}: {e}", cache.display()))?;
    // Never removed: a removed lock file would let two hold "the" lock.
    OpenOptions::new().create(true).read(true).append(true).open(&path).map_err(|e| format!("{}: {e}", path.display()))
}
