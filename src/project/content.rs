//! `content:` of a site: a folder of finished pages, or what makes one: `{build: "npm run build", from: dist}`.

use camino::{Utf8Component, Utf8Path};

use super::node::Kind;
use super::read::{Field, Reading};
use crate::model::site::Build;

const KEYS: &[&str] = &["build", "from"];

/// The absolute folder of the pages, and what makes it.
pub(super) fn read(reading: &mut Reading, field: &Field<'_>, folder: &Utf8Path) -> (Option<String>, Option<Build>) {
    if !matches!(field.node.kind, Kind::Map(_)) {
        return (finished(reading, field, folder), None);
    }
    let Some(fields) = reading.map(field, "a folder, or a map such as `{build: \"npm run build\", from: dist}`") else {
        return (None, None);
    };
    reading.only(&fields, KEYS);
    let build = reading.required(&fields, "build", "build: npm run build");
    let from = reading.required(&fields, "from", "from: dist");
    let command = build.and_then(|field| command(reading, &field));
    let from = from.and_then(|field| reading.parsed(&field, "a folder below the site's own, such as `dist`", below));
    let (Some(command), Some(from)) = (command, from) else { return (None, None) };
    let content = folder.join(&from).into_string();
    (Some(content), Some(Build { command, folder: folder.to_string(), from }))
}

/// A relative path that stays below.
fn below(text: &str) -> Option<String> {
    let path = Utf8Path::new(text);
    let inside = path.components().all(|part| matches!(part, Utf8Component::Normal(_) | Utf8Component::CurDir));
    let named = path.components().any(|part| matches!(part, Utf8Component::Normal(_)));
    (inside && named).then(|| text.trim_end_matches('/').to_owned())
}

/// Words between spaces, quotes as a shell reads them; or a list of words.
fn command(reading: &mut Reading, field: &Field<'_>) -> Option<Vec<String>> {
    if matches!(field.node.kind, Kind::List(_)) {
        let items = reading.list(field, "a list such as `[npm, run, build]`")?;
        let words: Vec<String> = items.iter().filter_map(|item| reading.text(item, "a word")).collect();
        if words.is_empty() {
            reading.unexpected(field, "a command such as `npm run build`");
        }
        return (!words.is_empty()).then_some(words);
    }
    reading.parsed(field, "a command such as `npm run build`, its quotes closed", words)
}

fn words(text: &str) -> Option<Vec<String>> {
    let (mut all, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if matches!(c, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => all.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    all.extend(word);
    (quote.is_none() && !all.is_empty()).then_some(all)
}

/// The absolute folder, inside the site's own.
fn finished(reading: &mut Reading, field: &Field<'_>, folder: &Utf8Path) -> Option<String> {
    let text = reading.text(field, "the name of a folder beside `site.yaml`")?;
    let hint = "the content is a folder beside `site.yaml`";
    if Utf8Path::new(&text).is_absolute() {
        reading.bad(field, format!("the content folder `{text}` is an absolute path"), hint);
        return None;
    }
    let real = match folder.join(&text).canonicalize_utf8() {
        Ok(real) => real,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let hint = format!("make the folder `{text}` beside `site.yaml`");
            reading.bad(field, format!("the content folder `{text}` does not exist"), hint);
            return None;
        }
        Err(error) => {
            reading.bad(field, format!("the content folder `{text}` cannot be opened"), error.to_string());
            return None;
        }
    };
    let own = folder.canonicalize_utf8().ok()?;
    if real == own {
        reading.bad(field, format!("the content folder `{text}` is the site's own folder"), hint);
    } else if !real.starts_with(&own) {
        reading.bad(field, format!("the content folder `{text}` lies outside of the site's folder"), hint);
    } else if !real.is_dir() {
        reading.bad(field, format!("the content `{text}` is no folder"), hint);
    } else {
        return Some(real.into_string());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_taken_apart() {
        let of = |text| words(text).map(|all| all.join("|"));
        assert_eq!(of("npm run build").as_deref(), Some("npm|run|build"));
        assert_eq!(of(" sh -c 'a \"b\" c' \"\"").as_deref(), Some("sh|-c|a \"b\" c|"));
        assert_eq!((of(""), of("a 'b")), (None, None));
        assert_eq!(below("dist/pages/").as_deref(), Some("dist/pages"));
        assert!([".", "..", "a/../..", "/x", ""].iter().all(|text| below(text).is_none()));
    }
}
