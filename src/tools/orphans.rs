//! How a provider is asked what exists: an executable `orphans` in its folder, or a folder `orphans/` of Terraform's data
//! sources with an output `orphans`. Both say the same; this is the one place that reads it.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::said::{Reader, Said};
use super::script::interpreted;
use super::terraform::root;
use crate::model::{Diagnostic, Orphan};

/// The name of both.
pub const NAME: &str = "orphans";

/// A way to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// `list`, `check` or `remove ID` follow these words.
    Program(Vec<String>),
    /// Data sources: they can only be listed.
    Sources(Utf8PathBuf),
}

impl Form {
    /// What a provider's folder (or a copy of it) has; nothing where it cannot be asked.
    ///
    /// # Errors
    /// A file that cannot be read, or a folder that would make things.
    pub fn of(folder: &Utf8Path) -> io::Result<Option<Self>> {
        let path = folder.join(NAME);
        if path.is_file() {
            return Ok(Some(Self::Program(interpreted(&path)?)));
        }
        let has_sources = |dir: &Utf8Path| -> io::Result<bool> {
            let mut files = dir.read_dir_utf8()?.flatten();
            Ok(files.any(|file| file.file_name().ends_with(".tf") || file.file_name().ends_with(".tf.json")))
        };
        if !path.is_dir() || !has_sources(&path)? {
            return Ok(None);
        }
        if let Some(kind) = root::makes_something(&path)? {
            let what = format!("{path} holds a `{kind}` block: to ask, it may hold data sources only");
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(Some(Self::Sources(path)))
    }

    /// Whether what is found can be removed as well.
    pub fn removes(&self) -> bool {
        matches!(self, Self::Program(_))
    }
}

/// Reads what `orphans list` prints: one JSON object a line.
#[derive(Debug, Default)]
pub struct Listing {
    found: Vec<Orphan>,
    broken: Option<String>,
}

impl Listing {
    /// Reads all of a text.
    pub fn of(text: &str) -> Self {
        let mut listing = Self::default();
        text.lines().for_each(|line| drop(listing.line(line)));
        listing
    }

    /// What was found.
    ///
    /// # Errors
    /// A line that is no such object: then nothing may be concluded from what is missing.
    pub fn found(self) -> Result<Vec<Orphan>, String> {
        match self.broken {
            None => Ok(self.found),
            Some(line) => Err(format!(
                "`orphans list` printed a line that is no JSON object with an id: {}",
                line.chars().take(200).collect::<String>()
            )),
        }
    }
}

impl Reader for Listing {
    fn line(&mut self, line: &str) -> Vec<Said> {
        if line.trim().is_empty() || self.broken.is_some() {
            return Vec::new();
        }
        match serde_json::from_str(line) {
            Ok(orphan) => {
                self.found.push(orphan);
                Vec::new()
            }
            Err(_) => {
                self.broken = Some(line.to_owned());
                vec![Said::Diagnostic(Diagnostic::error(format!("orphans: {line}")))]
            }
        }
    }
}

/// The same out of the value of the output `orphans`: a list of such objects.
///
/// # Errors
/// It is not there, or something else.
pub fn of_output(value: Option<&Value>) -> Result<Vec<Orphan>, String> {
    let value = value.ok_or_else(|| "the folder `orphans` has no output `orphans` (or a sensitive one)".to_owned())?;
    serde_json::from_value(value.clone())
        .map_err(|error| format!("the output `orphans` is no list of objects with an `id`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let line = r#"{"id": 7, "kind": "droplet", "name": "a", "tags": {"otto:project": "p"}}"#;
        let listed = Listing::of(&format!("{line}\n\n")).found().expect("a list");
        let value = serde_json::from_str(&format!("[{line}]")).expect("JSON");
        assert_eq!(of_output(Some(&value)).expect("a list"), listed);
        assert!(Listing::of("nonsense\n").found().is_err());
        assert!(Listing::of("{\"id\": \"\"}").found().is_err());
        assert!(of_output(None).is_err() && of_output(Some(&Value::from("x"))).is_err());
    }
}
