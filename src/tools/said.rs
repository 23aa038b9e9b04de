//! What a tool says while it works, in one shape for all tools; read from its output live and in replay alike.

use crate::model::Diagnostic;

/// One thing that a tool said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// How far it is.
    Progress {
        /// Resources, tasks or steps done.
        done: u32,
        /// Of how many; 0 while unknown.
        total: u32,
        /// What is happening.
        what: String,
    },
    /// Something is wrong.
    Diagnostic(Diagnostic),
    /// Worth a line, and no more than that.
    Note(String),
    /// The tool itself tries something again.
    Retrying {
        /// From 1.
        attempt: u32,
        /// At most.
        of: u32,
        /// What is tried.
        why: String,
    },
}

/// Reads the output of one call. One reader per call; complete lines in order, without their line end.
pub trait Reader: Send {
    /// Takes one line and answers what it says: possibly nothing. Never fails: what it cannot read is no fact.
    fn line(&mut self, line: &str) -> Vec<Said>;
}

/// Reads nothing: for calls whose output is data or of no use.
#[derive(Debug, Default)]
pub struct Unread;

impl Reader for Unread {
    fn line(&mut self, _: &str) -> Vec<Said> {
        Vec::new()
    }
}

/// The most that one shown text may hold.
const BOUND: usize = 2000;

/// Cuts a text to a bound, in the middle: the head says what it is about, the tail why it failed.
pub(crate) fn bounded(text: &str) -> String {
    cut(text, BOUND)
}

/// One line of a text, cut, for a progress line.
pub(crate) fn one_line(text: &str) -> String {
    cut(text.lines().next().unwrap_or("").trim(), 160)
}

fn cut(text: &str, bound: usize) -> String {
    if text.len() <= bound {
        return text.to_owned();
    }
    let fits = |at: &usize| text.is_char_boundary(*at);
    let head = (0..=bound / 2).rev().find(fits).unwrap_or(0);
    let tail = (text.len() - bound / 2..=text.len()).find(fits).unwrap_or(text.len());
    format!("{} [...] {}", &text[..head], &text[tail..])
}

/// Hints whose fragments occur in the texts (small letters), in the order of the texts, each at most once.
pub(crate) fn hints(known: &[(&[&str], &str)], texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        for (fragments, hint) in known {
            if fragments.iter().any(|fragment| text.contains(fragment)) && !found.iter().any(|h| h == hint) {
                found.push((*hint).to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_keep_head_and_tail() {
        let text = format!("begin{}end", "\u{e9}".repeat(3000));
        let short = bounded(&text);
        assert!(short.len() < BOUND + 10 && short.starts_with("begin") && short.ends_with("end"));
        assert_eq!(bounded("short"), "short");
        assert_eq!(one_line(" a\nb"), "a");
    }
}
