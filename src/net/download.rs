//! A file from the network, complete and verified or not there at all.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::error::NetError;
use super::http::{Client, place};

/// How long an answer may be silent before it counts as lost.
const SILENCE: Duration = Duration::from_secs(20);

/// One file to fetch.
#[derive(Debug, Clone)]
pub struct Download<'a> {
    /// Where from.
    pub url: &'a str,
    /// Where to; `<to>.part` beside it until it is complete.
    pub to: &'a Path,
    /// The expected sha256, 64 hexadecimal digits.
    pub sha256: &'a str,
    /// For the whole transfer.
    pub timeout: Duration,
    /// Bytes.
    pub max_size: u64,
}

impl Client {
    /// Fetches a file, verifies it and only then gives it its name; its size in bytes.
    ///
    /// # Errors
    /// Unreachable, another status than 200, too large, too slow, not the expected bytes, or not writable.
    /// Nothing is left behind then.
    pub async fn download(&self, wanted: &Download<'_>) -> Result<u64, NetError> {
        let part = part_of(wanted.to);
        let _cleanup = RemoveOnDrop(&part);
        let place = wanted.url.split(['?', '#']).next().unwrap_or(wanted.url);
        let fetching = self.fetch(wanted, &part, place);
        let (size, found) = tokio::time::timeout(wanted.timeout, fetching)
            .await
            .map_err(|_| NetError::TimedOut { place: place.to_owned(), after: wanted.timeout })??;
        if !found.eq_ignore_ascii_case(wanted.sha256) {
            return Err(NetError::Checksum { place: place.to_owned(), expected: wanted.sha256.to_owned(), found });
        }
        fs::rename(&part, wanted.to).map_err(|e| unwritable(wanted.to, &e))?;
        Ok(size)
    }

    async fn fetch(&self, wanted: &Download<'_>, part: &Path, shown: &str) -> Result<(u64, String), NetError> {
        let at = place(wanted.url);
        let silent = |_| NetError::TimedOut { place: shown.to_owned(), after: SILENCE };
        let wrong = |e: &reqwest::Error| NetError::from_reqwest(&at, e, SILENCE);
        let asking = self.following(wanted.url).get(wanted.url).send();
        let mut answer = tokio::time::timeout(SILENCE, asking).await.map_err(silent)?.map_err(|e| wrong(&e))?;
        if answer.status() != 200 {
            return Err(NetError::Status { place: shown.to_owned(), status: answer.status().as_u16() });
        }
        let too_large = || NetError::TooLarge { place: shown.to_owned(), limit: wanted.max_size };
        let announced = answer.content_length();
        if announced.is_some_and(|size| size > wanted.max_size) {
            return Err(too_large());
        }
        let mut file = File::create(part).map_err(|e| unwritable(part, &e))?;
        let mut digest = Sha256::new();
        let mut size = 0_u64;
        while let Some(bytes) =
            tokio::time::timeout(SILENCE, answer.chunk()).await.map_err(silent)?.map_err(|e| wrong(&e))?
        {
            size += bytes.len() as u64;
            if size > wanted.max_size {
                return Err(too_large());
            }
            digest.update(&bytes);
            file.write_all(&bytes).map_err(|e| unwritable(part, &e))?;
        }
        file.sync_all().map_err(|e| unwritable(part, &e))?;
        Ok((size, hex(&digest.finalize())))
    }
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn unwritable(path: &Path, error: &std::io::Error) -> NetError {
    NetError::Write { path: path.display().to_string(), why: error.to_string() }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Takes an unfinished file away, also when the download is dropped half way; after the rename there is none.
struct RemoveOnDrop<'a>(&'a Path);

impl Drop for RemoveOnDrop<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.0);
    }
}
