//! `tls:` of a site: a word, or a map with what the word needs.

use camino::Utf8Path;

use super::read::{Field, Reading};
use crate::model::tls::{ACME_DIRECTORY, Source, Tls};

const KEYS: &[&str] = &["mode", "redirect", "certificate", "key", "directory", "email", "ca"];
const MODES: &[(&str, Mode)] =
    &[("off", Mode::Off), ("self-signed", Mode::SelfSigned), ("files", Mode::Files), ("acme", Mode::Acme)];
const EXAMPLE: &str = "a word (off, self-signed, files, acme) or a map such as `{mode: files, certificate: tls/certificate.pem, key: tls/key.pem}`";
/// Where `files` looks unless it is told.
const CERTIFICATE: &str = "tls/certificate.pem";
const KEY: &str = "tls/key.pem";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Off,
    SelfSigned,
    Files,
    Acme,
}

/// Reads `tls:`; nothing when it is off. Paths are relative to the site's folder and become absolute.
pub(super) fn read(reading: &mut Reading, field: &Field<'_>, folder: &Utf8Path) -> Option<Tls> {
    if !matches!(field.node.kind, super::node::Kind::Map(_)) {
        return match reading.one_of(field, MODES)? {
            Mode::Off => None,
            Mode::SelfSigned => Some(Tls { source: Source::SelfSigned, redirect: true }),
            Mode::Files => {
                let certificate = existing(reading, field, folder, CERTIFICATE)?;
                let key = existing(reading, field, folder, KEY)?;
                Some(Tls { source: Source::Files { certificate, key }, redirect: true })
            }
            Mode::Acme => {
                let source = Source::Acme { directory: ACME_DIRECTORY.to_owned(), email: None, ca: None };
                Some(Tls { source, redirect: true })
            }
        };
    }
    let fields = reading.map(field, EXAMPLE)?;
    reading.only(&fields, KEYS);
    let mode = reading.required(&fields, "mode", "mode: self-signed").and_then(|f| reading.one_of(&f, MODES))?;
    let redirect = fields.get("redirect").map_or(Some(true), |f| reading.flag(&f)).unwrap_or(true);
    let of: &[(&str, Mode)] = &[
        ("certificate", Mode::Files),
        ("key", Mode::Files),
        ("directory", Mode::Acme),
        ("email", Mode::Acme),
        ("ca", Mode::Acme),
    ];
    for (key, owner) in of.iter().filter(|(_, owner)| *owner != mode) {
        if let Some(stray) = fields.get(key) {
            let word = MODES.iter().find(|(_, mode)| mode == owner).map_or("", |(word, _)| word);
            reading.bad(&stray, format!("`{key}` belongs to the mode `{word}`"), "remove it, or change `mode`");
        }
    }
    let file = |reading: &mut Reading, key: &str, default: &str| match fields.get(key) {
        Some(field) => {
            let text = reading.text(&field, "a path beside `site.yaml`")?;
            existing(reading, &field, folder, &text)
        }
        None => existing(reading, field, folder, default),
    };
    let source = match mode {
        Mode::Off => return None,
        Mode::SelfSigned => Source::SelfSigned,
        Mode::Files => {
            let (certificate, key) = (file(reading, "certificate", CERTIFICATE), file(reading, "key", KEY));
            Source::Files { certificate: certificate?, key: key? }
        }
        Mode::Acme => {
            let ca = match fields.get("ca") {
                Some(_) => Some(file(reading, "ca", "")?),
                None => None,
            };
            let https = |text: &str| text.starts_with("https://").then(|| text.to_owned());
            let directory = fields.get("directory").map_or(Some(ACME_DIRECTORY.to_owned()), |f| {
                reading.parsed(&f, "the URL of the authority's directory, `https://…`", https)
            });
            let mail = |text: &str| text.split_once('@').is_some_and(|(a, b)| !a.is_empty() && b.contains('.'));
            let email = fields
                .get("email")
                .and_then(|f| reading.parsed(&f, "an e-mail address", |t| mail(t).then(|| t.to_owned())));
            Source::Acme { directory: directory?, email, ca }
        }
    };
    Some(Tls { source, redirect })
}

/// The absolute path of a file that is there and can be read.
fn existing(reading: &mut Reading, field: &Field<'_>, folder: &Utf8Path, path: &str) -> Option<String> {
    let full = folder.join(path);
    match std::fs::File::open(&full).and_then(|file| file.metadata()) {
        Ok(found) if found.is_file() => Some(full.into_string()),
        Ok(_) => {
            reading.bad(field, format!("`{path}` is no file"), "name a file in PEM, relative to the site's folder");
            None
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let hint = format!(
                "put it there, or name another one: `tls: {{mode: files, certificate: {CERTIFICATE}, key: {KEY}}}`"
            );
            reading.bad(field, format!("the file `{path}` does not exist beside `site.yaml`"), hint);
            None
        }
        Err(error) => {
            reading.bad(field, format!("the file `{path}` cannot be read"), error.to_string());
            None
        }
    }
}
