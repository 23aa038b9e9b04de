//! Keeps an output file within its limit while the tool goes on writing to it.
//!
//! The middle is cut out with a hole: nothing is copied, no write of the tool is lost or moved, and offsets into the
//! file stay what they were. Where a file system has no holes, the newest part is copied behind the head instead.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use camino::{Utf8Path, Utf8PathBuf};

use super::command::Command;

/// How far a line's end is looked for.
const REACH: u64 = 64 << 10;

/// The bound of one file.
#[derive(Debug)]
pub(super) struct Bound {
    path: Utf8PathBuf,
    file: File,
    limit: u64,
    hole: Option<(u64, u64)>,
}

impl Bound {
    /// Watches over a file of a call.
    pub(super) fn open(path: &Utf8Path, limit: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Self { path: path.to_owned(), file, limit: limit.max(Command::LEAST_OUTPUT), hole: None })
    }

    /// Cuts if there is too much.
    pub(super) fn check(&mut self) -> io::Result<()> {
        let size = self.file.metadata()?.len();
        let (from, to) = self.hole.unwrap_or((0, 0));
        if size.saturating_sub(to - from) <= self.limit {
            return Ok(());
        }
        let from = if self.hole.is_some() { from } else { self.line_end(self.limit / 4)? };
        let to = self.line_start(size - self.limit / 4)?.max(to);
        match punch(&self.file, from, to - from) {
            Ok(()) => self.hole = Some((from, to)),
            Err(error) if unsupported(&error) => return self.copy(from, to),
            Err(error) => return Err(error),
        }
        self.file.write_all_at(marker(from, to).as_bytes(), from)?;
        // So that what follows begins a line of its own.
        self.file.write_all_at(b"\n", to - 1)
    }

    /// Without holes: head, marker, newest part. What the tool writes in these few moments may come in between.
    fn copy(&mut self, from: u64, to: u64) -> io::Result<()> {
        let size = self.file.metadata()?.len();
        let mut newest = vec![0; usize::try_from(size - to).unwrap_or(0)];
        self.file.read_exact_at(&mut newest, to)?;
        self.file.set_len(from)?;
        let mut end = OpenOptions::new().append(true).open(&self.path)?;
        end.write_all(marker(from, to).as_bytes())?;
        end.write_all(&newest)
    }

    /// The last line's end at or before an offset.
    fn line_end(&self, at: u64) -> io::Result<u64> {
        let from = at.saturating_sub(REACH);
        let text = self.read(from, at)?;
        Ok(text.iter().rposition(|b| *b == b'\n').map_or(at, |found| from + found as u64 + 1))
    }

    /// The first line's start at or after an offset.
    fn line_start(&self, at: u64) -> io::Result<u64> {
        let text = self.read(at, at + REACH)?;
        Ok(text.iter().position(|b| *b == b'\n').map_or(at, |found| at + found as u64 + 1))
    }

    fn read(&self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        let mut text = vec![0; usize::try_from(to - from).unwrap_or(0)];
        let mut got = 0;
        while got < text.len() {
            match self.file.read_at(&mut text[got..], from + got as u64)? {
                0 => break,
                more => got += more,
            }
        }
        text.truncate(got);
        Ok(text)
    }
}

fn marker(from: u64, to: u64) -> String {
    format!("[otto: {} bytes of output cut here]\n", to - from)
}

fn unsupported(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput)
}

#[cfg(target_os = "linux")]
fn punch(file: &File, from: u64, len: u64) -> io::Result<()> {
    use rustix::fs::FallocateFlags;
    Ok(rustix::fs::fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, from, len)?)
}

#[cfg(not(target_os = "linux"))]
fn punch(_: &File, _: u64, _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn filled() -> (tempfile::TempDir, Utf8PathBuf, Bound) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = Utf8PathBuf::try_from(dir.path().join("stdout")).expect("UTF-8");
        let text: String = (0..40_000).map(|n| format!("line {n}\n")).collect();
        fs::write(&path, text).expect("written");
        let bound = Bound::open(&path, 0).expect("opened");
        (dir, path, bound)
    }

    fn proven(path: &Utf8Path) {
        let text = fs::read(path).expect("read");
        let text: String = String::from_utf8(text).expect("text").replace('\0', "");
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        assert!((text.len() as u64) < Command::LEAST_OUTPUT);
        assert_eq!((lines[0], lines[lines.len() - 1]), ("line 0", "line 39999"));
        assert_eq!(lines.iter().filter(|line| line.starts_with("[otto: ")).count(), 1);
        let whole = |line: &&&str| line.strip_prefix("line ").is_some_and(|n| n.parse::<u32>().is_ok());
        assert_eq!(lines.iter().filter(whole).count(), lines.len() - 1);
    }

    #[test]
    fn the_middle_is_cut_at_line_ends() {
        let (_dir, path, mut bound) = filled();
        bound.check().expect("cut");
        bound.check().expect("nothing more to cut");
        proven(&path);
    }

    #[test]
    fn without_holes_the_newest_part_is_copied() {
        let (_dir, path, mut bound) = filled();
        let size = fs::metadata(&path).expect("there").len();
        let (from, to) = (bound.line_end(16_384).expect("read"), bound.line_start(size - 16_384).expect("read"));
        bound.copy(from, to).expect("cut");
        proven(&path);
    }
}
