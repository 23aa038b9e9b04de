//! Takes known secret values out of texts and files before anything else reads them.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;

use camino::Utf8Path;

use super::disk;
use crate::model::Secret;

/// A value shorter than this is left alone: taken out of every word it is part of, it would spoil the text and still
/// be easy to guess.
pub const SHORTEST: usize = 4;
/// Shorter values of letters and digits are taken out as whole words only.
const WORD: usize = 8;
/// What stands in its place.
pub const MASK: &str = "***";

/// Knows the values, longest first, each also as JSON writes it (Go's way with `<`, `>` and `&` included), and the
/// lines of those that have several.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    values: Vec<Value>,
}

/// `true`: only as a whole word. A short word of letters and digits is part of many others.
#[derive(Clone, PartialEq, Eq)]
struct Value(String, bool);

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

impl Redactor {
    /// Of these secrets.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut redactor = Self::default();
        redactor.add(secrets);
        redactor
    }

    /// Knows these as well.
    pub fn add<'a>(&mut self, secrets: impl IntoIterator<Item = &'a Secret>) {
        let mut values: Vec<String> = Vec::new();
        for secret in secrets {
            let text = secret.reveal();
            let lines = text.lines().filter(|_| text.contains('\n')).map(str::trim).filter(|line| line.len() >= 12);
            for value in lines.chain([text, text.trim_end()]) {
                let json = serde_json::Value::from(value).to_string();
                let json = json[1..json.len() - 1].to_owned();
                let go = json.replace('<', r"\u003c").replace('>', r"\u003e").replace('&', r"\u0026");
                values.extend([value.to_owned(), json.clone(), go, python(&json)]);
            }
        }
        values.retain(|value| value.len() >= SHORTEST);
        let whole = |value: &str| value.len() < WORD && value.bytes().all(|b| b.is_ascii_alphanumeric());
        self.values.extend(values.into_iter().map(|value| {
            let whole = whole(&value);
            Value(value, whole)
        }));
        self.values.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
        self.values.dedup();
    }

    /// Whether it knows nothing to take out.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The text without the values.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !self.values.iter().any(|value| text.contains(value.0.as_str())) {
            return Cow::Borrowed(text);
        }
        // Values are whole characters, so what is left is UTF-8.
        let new = String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned();
        if new == text { Cow::Borrowed(text) } else { Cow::Owned(new) }
    }

    /// Rewrites a file whose writer is over, line by line, if a value is in it, and tells whether one was. A value's
    /// own lines count, so nothing hides behind a line's end. The new content replaces the old at once, or, where the
    /// disk is full, in place.
    pub fn file(&self, path: &Utf8Path) -> io::Result<bool> {
        if self.is_empty() || !self.found(path)? {
            return Ok(false);
        }
        let new = path.with_file_name(format!(".{}.redacted", path.file_name().unwrap_or("output")));
        let written = (|| {
            let mut to = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            self.copy(path, &mut to)?;
            to.sync_all()?;
            disk::replace(&new, path)
        })();
        if written.is_err() {
            let _ = fs::remove_file(&new);
            self.in_place(path)?;
        }
        Ok(true)
    }

    fn found(&self, path: &Utf8Path) -> io::Result<bool> {
        self.lines(path, |old, new| Ok(old != new))
    }

    fn copy(&self, path: &Utf8Path, to: &mut impl Write) -> io::Result<()> {
        let mut to = io::BufWriter::new(to);
        self.lines(path, |_, new| to.write_all(new).map(|()| false))?;
        to.flush()
    }

    /// The mask is never longer than a value, so what is written stays behind what is read.
    fn in_place(&self, path: &Utf8Path) -> io::Result<()> {
        let mut to = OpenOptions::new().write(true).open(path)?;
        let mut size = 0;
        self.lines(path, |_, new| {
            size += new.len() as u64;
            to.write_all(new).map(|()| false)
        })?;
        to.set_len(size)?;
        to.sync_all()
    }

    /// Every line (its end included) as it is and as it shall be, until one is answered with `true`.
    fn lines(&self, path: &Utf8Path, mut each: impl FnMut(&[u8], &[u8]) -> io::Result<bool>) -> io::Result<bool> {
        let mut from = BufReader::with_capacity(256 << 10, File::open(path)?);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line)? > 0 {
            let new = self.bytes(&line);
            if each(&line, &new)? {
                return Ok(true);
            }
            line.clear();
        }
        Ok(false)
    }

    fn bytes(&self, line: &[u8]) -> Vec<u8> {
        let mut line = line.to_vec();
        for Value(value, whole) in &self.values {
            let value = value.as_bytes();
            let mut from = 0;
            while let Some(at) = position(&line[from..], value).map(|at| from + at) {
                if *whole && !is_word(&line, at, at + value.len()) {
                    from = at + 1;
                    continue;
                }
                line.splice(at..at + value.len(), MASK.bytes());
                from = at + MASK.len();
            }
        }
        line
    }
}

/// Nothing of a word stands before or behind it; the letter of an escape such as `\n` does not count.
fn is_word(line: &[u8], start: usize, end: usize) -> bool {
    let inner = |at: usize| line.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80);
    let before = start > 0 && inner(start - 1) && !(start > 1 && line[start - 2] == b'\\');
    !before && !inner(end)
}

/// As Python's `json` writes it: nothing but ASCII.
fn python(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        }
    }
    text
}

fn position(text: &[u8], value: &[u8]) -> Option<usize> {
    let first = *value.first()?;
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|byte| *byte == first) {
        if text[from + at..].starts_with(value) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8PathBuf;

    fn redactor() -> Redactor {
        let secrets = ["hunter2", "hunter2-long", "a\"b<c>&d", "abc", "-----BEGIN-----\nMIIEvQIBADANBg\n"];
        Redactor::new(&secrets.map(Secret::new))
    }

    #[test]
    fn values_go_in_every_way_they_are_written() {
        let redactor = redactor();
        let gone = |text: &str| redactor.text(text).into_owned();
        assert_eq!(gone("x=hunter2-long, y=hunter2."), "x=***, y=***.");
        assert_eq!(gone(r#"{"a":"a\"b<c>&d"}"#), r#"{"a":"***"}"#);
        assert_eq!(gone(r#"{"a":"a\"b\u003cc\u003e\u0026d"}"#), r#"{"a":"***"}"#);
        assert_eq!(gone(r"key: -----BEGIN-----\nMIIEvQIBADANBg\n"), "key: ***");
        assert_eq!(gone("  MIIEvQIBADANBg"), "  ***");
        assert_eq!(gone("abc stays"), "abc stays");
        assert_eq!(gone(r"chunter2 hunter22 \nhunter2"), r"chunter2 hunter22 \n***");
        assert!(!format!("{redactor:?}").contains("hunter2") && Redactor::default().is_empty());
    }

    #[test]
    fn files_are_rewritten_only_if_need_be() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = Utf8PathBuf::try_from(dir.path().join("stdout")).expect("UTF-8");
        fs::write(&path, b"fine \xff\nhas hunter2 in it\nend hunter2").expect("written");
        assert!(redactor().file(&path).expect("done"));
        assert_eq!(fs::read(&path).expect("read"), b"fine \xff\nhas *** in it\nend ***");
        assert!(!redactor().file(&path).expect("done"));
        fs::write(&path, "hunter2-long\nhunter2\n").expect("written");
        redactor().in_place(&path).expect("done");
        assert_eq!(fs::read_to_string(&path).expect("read"), "***\n***\n");
        assert_eq!(fs::read_dir(dir.path()).expect("read").count(), 1);
    }
}
