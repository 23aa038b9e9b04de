//! `.env` files: names and values for the environment of the tools. A small strict reader: what cannot be meant is a
//! problem with its line, nothing is expanded, and no value is ever part of a message.
//!
//! ```text
//! # a comment
//! TOKEN=plain-text          # up to a space and a `#`
//! export NAME='as it is'
//! KEY="with \n, \t, \" and \\, over
//! several lines"
//! ```

use std::os::unix::fs::PermissionsExt;

use camino::Utf8Path;

use super::problem::Problem;
use crate::model::Secret;

/// One variable of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value, which nothing prints.
    pub value: Secret,
    /// The file, as `otto.yaml` names it.
    pub file: String,
    /// From 1.
    pub line: u32,
}

/// Reads one file of the project; warnings are among the problems. A file that is not there has no variables, which is
/// a warning: a fresh clone has none, and the variables may be set in another way.
pub(super) fn read(folder: &Utf8Path, file: &str, problems: &mut Vec<Problem>) -> Vec<EnvVar> {
    let path = folder.join(file);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let problem = Problem::of(file, "the file is not there: none of its variables is set");
            problems.push(problem.hint("write it with `NAME=value` lines, or take it out of `env_files`").warn());
            return Vec::new();
        }
        Err(error) => {
            problems.push(Problem::of(file, format!("the file cannot be read: {error}")));
            return Vec::new();
        }
    };
    if let Ok(about) = std::fs::metadata(&path)
        && about.permissions().mode() & 0o077 != 0
    {
        let mode = about.permissions().mode() & 0o777;
        let problem = Problem::of(file, format!("others may read the secrets in it (mode {mode:04o})"));
        problems.push(problem.hint(format!("chmod 600 {file}")).warn());
    }
    parse(file, &text, problems)
}

/// The variables of a text, in order.
pub(super) fn parse(file: &str, text: &str, problems: &mut Vec<Problem>) -> Vec<EnvVar> {
    let mut all: Vec<EnvVar> = Vec::new();
    let mut lines = Lines { lines: text.strip_prefix('\u{feff}').unwrap_or(text).lines(), number: 0 };
    while let Some(line) = lines.next() {
        let number = lines.number;
        let mut wrong = |message: String, hint: &str| {
            problems.push(Problem::of(file, message).at(number, 1).hint(hint));
        };
        let line = line.trim_start();
        if line.trim_end().is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let Some((name, rest)) = line.split_once('=') else {
            wrong("no `=` in the line".to_owned(), "such as `NAME=value`; a comment begins with `#`");
            continue;
        };
        // What stands before `=` may be a secret on the wrong line: it is shown only as a name.
        if !is_name(name) {
            let hint = "a name has letters, digits and underscores, with no space before `=`";
            wrong("what stands before `=` is no name of a variable".to_owned(), hint);
            // A quote that stays open belongs to the value that is not read.
            let _ = value(rest, &mut lines);
            continue;
        }
        if let Some(first) = all.iter().find(|known| known.name == name) {
            wrong(format!("`{name}` is set twice"), &format!("line {} sets it already", first.line));
        }
        match value(rest, &mut lines) {
            Ok(value) => {
                all.push(EnvVar {
                    name: name.to_owned(),
                    value: Secret::new(value),
                    file: file.to_owned(),
                    line: number,
                });
            }
            Err(why) => wrong(format!("the value of `{name}` {why}"), "quote it as '…' or \"…\""),
        }
    }
    all
}

fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(inner)
}

struct Lines<'a> {
    lines: std::str::Lines<'a>,
    number: u32,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        self.number += 1;
        self.lines.next()
    }
}

/// A value that begins here; a quoted one may go on over further lines.
fn value(rest: &str, lines: &mut Lines<'_>) -> Result<String, &'static str> {
    let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
        let plain = rest.find(" #").or_else(|| rest.find("\t#")).map_or(rest, |at| &rest[..at]).trim();
        let fits = !plain.contains(['\'', '"', '`', '\0']) && !plain.contains(char::is_whitespace);
        return if fits { Ok(plain.to_owned()) } else { Err("has spaces or quotes in it") };
    };
    let mut value = String::new();
    let mut line = &rest[1..];
    loop {
        let mut chars = line.char_indices();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                let after = line[at + 1..].trim();
                let over = after.is_empty() || after.starts_with('#');
                return if over { Ok(value) } else { Err("goes on behind its closing quote") };
            }
            match (c, quote) {
                ('\\', '"') => value.push(match chars.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, 't')) => '\t',
                    Some((_, 'r')) => '\r',
                    Some((_, c @ ('"' | '\\' | '$' | '`'))) => c,
                    _ => return Err(r#"has a `\` that means nothing between " and ""#),
                }),
                ('\0', _) => return Err("holds a zero byte"),
                _ => value.push(c),
            }
        }
        value.push('\n');
        line = lines.next().ok_or("has no closing quote")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(String, String)>, Vec<String>) {
        let mut problems = Vec::new();
        let all = parse(".env", text, &mut problems);
        let pairs = all.into_iter().map(|var| (var.name, var.value.reveal().to_owned())).collect();
        (pairs, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn values_are_what_stands_there() {
        let (pairs, problems) = read(
            "\u{feff}# about\n\nA=plain # not this\n export B='it is $HOME # all'\nC=\"a\\nb\\\"\"  # end\nD=\nE=x=y#z\nF=\"one\ntwo\"\n",
        );
        let expected =
            [("A", "plain"), ("B", "it is $HOME # all"), ("C", "a\nb\""), ("D", ""), ("E", "x=y#z"), ("F", "one\ntwo")];
        assert_eq!(pairs, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn what_cannot_be_meant_has_its_line_and_no_value() {
        for (text, line, words) in [
            ("A=1\nhunter2\n", 2, "no `=` in the line"),
            ("hunter2 x=1\n", 1, "no name of a variable"),
            ("A=hunter2 more\n", 1, "has spaces or quotes"),
            ("A=\"hunter2\n\n", 1, "has no closing quote"),
            ("A='hunter2'x\n", 1, "behind its closing quote"),
            ("A=\"hunter2 \\q\"\n", 1, "means nothing"),
            ("A=1\nB=2\nA=hunter2\n", 3, "`A` is set twice: line 1 sets it already"),
        ] {
            let (_, problems) = read(text);
            assert_eq!(problems.len(), 1, "{text:?}: {problems:?}");
            assert!(problems[0].starts_with(&format!(".env:{line}: ")), "{}", problems[0]);
            assert!(problems[0].contains(words) && !problems[0].contains("hunter2"), "{}", problems[0]);
        }
    }
}
