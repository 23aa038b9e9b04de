//! Reads the lines of an output file while its tool still writes to it.

use std::fs::File;
use std::future::Future;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::pin;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

/// How often a file is looked at.
const POLL: Duration = Duration::from_millis(75);
/// Read at once; also the most that one batch holds.
const CHUNK: usize = 256 << 10;
/// A longer line is given out in pieces.
const LONGEST_LINE: usize = 16 << 20;
/// So many NUL bytes in a row are a hole and not output.
const HOLE: usize = 256;

/// New lines of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Whole lines, without their ends; bytes that are not UTF-8 are shown as U+FFFD.
    pub lines: Vec<String>,
    /// The offset after the last of them: from there a later reader goes on.
    pub offset: u64,
    /// Output was cut out here (see `Command::output_limit`), or the file was made shorter: what the lines tell is not
    /// the whole story.
    pub gap: bool,
}

/// Follows one file by its path, which need not exist yet.
#[derive(Debug)]
pub struct Tail {
    path: Utf8PathBuf,
    file: Option<File>,
    /// Next byte to read.
    at: u64,
    /// What was read of a line that has no end yet.
    partial: Vec<u8>,
}

impl Tail {
    /// From an offset, usually 0 or a batch's.
    pub fn open(path: impl Into<Utf8PathBuf>, offset: u64) -> Self {
        Self { path: path.into(), file: None, at: offset, partial: Vec::new() }
    }

    /// The file.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// What is new; an empty batch when nothing is. `last`: the writer is over, so a last line without an end counts.
    pub fn read(&mut self, last: bool) -> io::Result<Batch> {
        let mut batch = Batch::default();
        let more = self.fill(&mut batch)?;
        if last && !more && !self.partial.is_empty() {
            self.give(&mut batch);
        }
        batch.offset = self.at - self.partial.len() as u64;
        Ok(batch)
    }

    /// Gives every batch of new lines to `each` until `over` (the writer's end) is there, then the rest, and returns
    /// what `over` brought. An error of `each` ends it.
    pub async fn follow<T, E: From<io::Error>>(
        &mut self,
        over: impl Future<Output = T>,
        mut each: impl FnMut(Batch) -> Result<(), E>,
    ) -> Result<T, E> {
        let mut over = pin!(over);
        let brought = loop {
            let batch = self.read(false)?;
            let busy = !batch.lines.is_empty();
            if busy || batch.gap {
                each(batch)?;
            }
            let pause = if busy { Duration::from_millis(5) } else { POLL };
            tokio::select! {
                brought = &mut over => break brought,
                () = tokio::time::sleep(pause) => {}
            }
        };
        loop {
            let before = self.at;
            let batch = self.read(true)?;
            if batch.lines.is_empty() && !batch.gap && self.at == before {
                return Ok(brought);
            }
            each(batch)?;
        }
    }

    /// One chunk into the batch; whether there was any.
    fn fill(&mut self, batch: &mut Batch) -> io::Result<bool> {
        if self.file.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        let Some(file) = &self.file else { return Ok(false) };
        let size = file.metadata()?.len();
        if size < self.at {
            // Made shorter: what is there now is read from its beginning.
            (self.at, batch.gap) = (0, true);
            self.partial.clear();
        }
        let mut chunk = vec![0; CHUNK.min(usize::try_from(size - self.at).unwrap_or(CHUNK))];
        let got = file.read_at(&mut chunk, self.at)?;
        let mut rest = &chunk[..got];
        let begin = self.at;
        self.at += got as u64;
        while let Some(nul) = rest.iter().position(|byte| *byte == 0) {
            let run = rest[nul..].iter().take_while(|byte| **byte == 0).count();
            self.split(&rest[..nul], batch);
            let after = nul + run;
            if run >= HOLE {
                batch.gap = true;
                self.partial.clear();
            }
            rest = &rest[after..];
            if rest.is_empty() && run >= HOLE {
                self.at = beyond(self.file.as_ref(), begin + got as u64);
            }
        }
        let tail = rest.to_vec();
        self.split(&tail, batch);
        Ok(got > 0)
    }

    fn split(&mut self, bytes: &[u8], batch: &mut Batch) {
        let mut pieces = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(piece) = pieces.next() {
            self.partial.extend_from_slice(piece);
            if pieces.peek().is_some() || self.partial.len() >= LONGEST_LINE {
                self.give(batch);
            }
        }
    }

    fn give(&mut self, batch: &mut Batch) {
        let line = String::from_utf8_lossy(&self.partial);
        batch.lines.push(line.strip_suffix('\r').unwrap_or(&line).to_owned());
        self.partial.clear();
    }
}

/// Where data begins at or after an offset, so that a large hole is not read byte by byte.
fn beyond(file: Option<&File>, at: u64) -> u64 {
    #[cfg(target_os = "linux")]
    if let Some(file) = file {
        return rustix::fs::seek(file, rustix::fs::SeekFrom::Data(at)).unwrap_or(at).max(at);
    }
    let _ = file;
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    fn place() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = Utf8PathBuf::try_from(dir.path().join("stdout")).expect("UTF-8");
        (dir, path)
    }

    fn append(path: &Utf8Path, bytes: &[u8]) {
        let mut file = OpenOptions::new().create(true).append(true).open(path).expect("opened");
        file.write_all(bytes).expect("written");
    }

    #[test]
    fn only_whole_lines_come_until_the_writer_is_over() {
        let (_dir, path) = place();
        let mut tail = Tail::open(&path, 0);
        assert_eq!(tail.read(false).expect("not there yet"), Batch::default());
        append(&path, b"one\r\ntwo \xff\npar");
        let batch = tail.read(false).expect("read");
        assert_eq!((batch.lines, batch.offset), (vec!["one".to_owned(), "two \u{fffd}".to_owned()], 11));
        append(&path, b"tial\n\nlast");
        assert_eq!(tail.read(false).expect("read").lines, ["partial", ""]);
        assert!(tail.read(false).expect("read").lines.is_empty());
        assert_eq!(tail.read(true).expect("read").lines, ["last"]);
        assert_eq!(tail.read(true).expect("read").lines, [""; 0]);
        assert_eq!(Tail::open(&path, 11).read(false).expect("read").lines, ["partial", ""]);
    }

    #[test]
    fn a_shorter_file_is_read_again_and_says_so() {
        let (_dir, path) = place();
        append(&path, b"one\ntwo\n");
        let mut tail = Tail::open(&path, 0);
        tail.read(false).expect("read");
        fs::write(&path, "new\n").expect("written");
        let batch = tail.read(false).expect("read");
        assert_eq!((batch.lines.as_slice(), batch.gap), (&["new".to_owned()][..], true));
    }

    #[test]
    fn a_hole_is_a_gap_and_stray_nul_bytes_are_nothing() {
        let (_dir, path) = place();
        append(&path, b"a\0b\n");
        let file = OpenOptions::new().write(true).open(&path).expect("opened");
        file.write_all_at(b"\nafter\n", 512 << 20).expect("written");
        let mut tail = Tail::open(&path, 0);
        let (mut lines, mut gap, mut reads) = (Vec::new(), false, 0);
        while tail.at < (512 << 20) + 7 {
            let batch = tail.read(false).expect("read");
            lines.extend(batch.lines);
            gap |= batch.gap;
            reads += 1;
        }
        lines.retain(|line| !line.is_empty());
        assert_eq!((lines, gap), (vec!["ab".to_owned(), "after".to_owned()], true));
        assert!(reads < 10, "half a GiB of nothing in {reads} reads");
    }
}
