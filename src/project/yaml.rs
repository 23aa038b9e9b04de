//! YAML text to a tree with places. In: the text of one file; out: its one document, or problems.
//!
//! Anchors, aliases and `<<` merge keys work; size and depth are bounded (an alias of aliases of aliases would
//! otherwise fill the memory); a duplicate key, a second document or a tag is a problem, never a guess.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::node::{Entry, Kind, Node, Place};
use super::problem::Problem;

/// Nodes of one file, those behind aliases counted each time.
const MAX_NODES: usize = 50_000;
/// Levels of lists and maps.
const MAX_DEPTH: usize = 60;

/// The file's document; nothing when there is none to be read, and then there is at least one problem.
pub(super) fn parse(file: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    let mut tree =
        Tree { file, problems: Vec::new(), stack: Vec::new(), anchors: HashMap::new(), root: None, nodes: 0 };
    let whole = tree.read(text);
    let Tree { problems: mut found, root, .. } = tree;
    if let Err(problem) = whole {
        found.push(*problem);
        problems.append(&mut found);
        return None;
    }
    problems.append(&mut found);
    match root {
        Some(node) if !node.is_null() => Some(node),
        _ => {
            problems.push(Problem::of(file, "the file is empty"));
            None
        }
    }
}

type Step = Result<(), Box<Problem>>;

struct Tree<'a> {
    file: &'a str,
    problems: Vec<Problem>,
    stack: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    root: Option<Node>,
    nodes: usize,
}

/// A list or map that has not ended.
struct Open {
    at: Place,
    anchor: usize,
    /// Count of nodes when it began: its size is the difference.
    since: usize,
    held: Held,
}

enum Held {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, Place, bool)>, merges: Vec<Node> },
}

impl Tree<'_> {
    fn read(&mut self, text: &str) -> Step {
        let mut documents = 0;
        for event in Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
            let (event, span) = event.map_err(|error| Box::new(syntax(self.file, text, &error)))?;
            let at = place(&span);
            match event {
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        return self.stop(at, "a second document begins here", "one file holds one document");
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let plain = style == ScalarStyle::Plain && !self.tagged(tag.as_deref(), at);
                    let node = Node { at, kind: Kind::Scalar { text: text.into_owned(), plain } };
                    self.count(1, at)?;
                    self.value(node, anchor, 1)?;
                }
                Event::SequenceStart(anchor, tag) => {
                    self.tagged(tag.as_deref(), at);
                    self.open(at, anchor, Held::List(Vec::new()))?;
                }
                Event::MappingStart(anchor, tag) => {
                    self.tagged(tag.as_deref(), at);
                    self.open(at, anchor, Held::Map { entries: Vec::new(), key: None, merges: Vec::new() })?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close()?,
                Event::Alias(anchor) => {
                    let Some((mut node, size)) = self.anchors.get(&anchor).cloned() else {
                        return self.stop(at, "an alias to what is not complete yet", "move the anchor before it");
                    };
                    node.at = at;
                    self.count(size, at)?;
                    self.value(node, 0, size)?;
                }
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            }
        }
        Ok(())
    }

    fn stop(&self, at: Place, message: &str, hint: &str) -> Step {
        Err(Box::new(Problem::of(self.file, message).at(at.line, at.column).hint(hint)))
    }

    fn say(&mut self, at: Place, key: &str, message: String, hint: String) {
        self.problems.push(Problem::of(self.file, message).at(at.line, at.column).key(key).hint(hint));
    }

    /// Whether a tag makes it a text; a tag of one's own is a problem.
    fn tagged(&mut self, tag: Option<&Tag>, at: Place) -> bool {
        let Some(tag) = tag else { return false };
        if !tag.is_yaml_core_schema() {
            self.say(at, "", format!("the tag `{tag}` has no meaning here"), "write the value itself".to_owned());
        }
        tag.suffix == "str"
    }

    fn count(&mut self, more: usize, at: Place) -> Step {
        self.nodes += more;
        if self.nodes > MAX_NODES {
            return self.stop(at, "the file holds too much", "at most 50000 values, aliases counted each time");
        }
        Ok(())
    }

    fn open(&mut self, at: Place, anchor: usize, held: Held) -> Step {
        if self.stack.len() >= MAX_DEPTH {
            return self.stop(at, "lists and maps are nested too deeply", "60 levels at most");
        }
        self.stack.push(Open { at, anchor, since: self.nodes, held });
        self.count(1, at)
    }

    fn close(&mut self) -> Step {
        let Some(open) = self.stack.pop() else { return Ok(()) };
        let kind = match open.held {
            Held::List(items) => Kind::List(items),
            Held::Map { entries, merges, .. } => Kind::Map(self.with_merges(entries, merges)),
        };
        let size = self.nodes - open.since;
        self.value(Node { at: open.at, kind }, open.anchor, size)
    }

    /// `<<: *base`: keys that are not there already.
    fn with_merges(&mut self, mut entries: Vec<Entry>, merges: Vec<Node>) -> Vec<Entry> {
        for merge in merges {
            let at = merge.at;
            let sources = match merge.kind {
                Kind::List(items) => items,
                _ => vec![merge],
            };
            for source in sources {
                let Kind::Map(more) = source.kind else {
                    self.say(at, "<<", format!("`<<` is {}", source.described()), "expected a map".to_owned());
                    continue;
                };
                for entry in more {
                    if !entries.iter().any(|known| known.key == entry.key) {
                        entries.push(entry);
                    }
                }
            }
        }
        entries
    }

    /// Puts a finished node where it belongs: a key, a value, an item, or the document.
    fn value(&mut self, node: Node, anchor: usize, size: usize) -> Step {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        let (entries, key, merges) = match &mut open.held {
            Held::List(items) => {
                items.push(node);
                return Ok(());
            }
            Held::Map { entries, key, merges } => (entries, key, merges),
        };
        let Some((name, at, plain)) = key.take() else {
            let at = node.at;
            let Kind::Scalar { text, plain } = node.kind else {
                return self.stop(at, "a key that is a list or a map", "a key is a word");
            };
            *key = Some((text, at, plain));
            return Ok(());
        };
        if plain && name == "<<" {
            merges.push(node);
        } else if let Some(first) = entries.iter().find(|entry| entry.key == name).map(|entry| entry.at.line) {
            self.say(at, &name, format!("duplicate key `{name}`"), format!("it stands on line {first} already"));
        } else {
            entries.push(Entry { key: name, at, value: node });
        }
        Ok(())
    }
}

fn place(span: &Span) -> Place {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place { line: number(span.start.line()).max(1), column: number(span.start.col()).saturating_add(1), shared: false }
}

/// The parser's complaint, and the usual reason in plain words where it is a tab.
fn syntax(file: &str, text: &str, error: &saphyr_parser::ScanError) -> Problem {
    let marker = error.marker();
    let at = place(&Span::empty(*marker));
    let lines: Vec<&str> = text.lines().collect();
    let indented_by_tab = |line: &usize| {
        let indent = |l: &&str| l.chars().take_while(|c| c.is_whitespace()).any(|c| c == '\t');
        lines.get(line.wrapping_sub(1)).is_some_and(indent)
    };
    let near = [marker.line(), marker.line() + 1, marker.line().saturating_sub(1)];
    if let Some(line) = near.into_iter().find(indented_by_tab) {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        return Problem::of(file, "a tab in the indentation").at(line, 1).hint("YAML is indented by spaces");
    }
    Problem::of(file, format!("not valid YAML, {}", error.info())).at(at.line, at.column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, Vec<String>) {
        let mut problems = Vec::new();
        let node = parse("f", text, &mut problems);
        (node.map(|n| n.json().to_string()), problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn anchors_aliases_and_merges_work() {
        let (json, problems) = read("a: &x {k: 1, l: [~]}\nb: *x\nc: {<<: *x, k: 2}\nd: {<<: [*x, {m: 3}]}\n");
        assert_eq!(
            json.as_deref(),
            Some(
                r#"{"a":{"k":1,"l":[null]},"b":{"k":1,"l":[null]},"c":{"k":2,"l":[null]},"d":{"k":1,"l":[null],"m":3}}"#
            )
        );
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        for (text, expected) in [
            ("", "f: the file is empty"),
            ("# only a comment\n", "f: the file is empty"),
            ("a: 1\nb: 2\na: 3\n", "f:3: duplicate key `a`: it stands on line 1 already"),
            ("a: 1\n---\nb: 2\n", "f:2: a second document begins here: one file holds one document"),
            ("a: !vault x\n", "f:1: the tag `!vault` has no meaning here: write the value itself"),
            ("? [a]\n: 1\n", "f:1: a key that is a list or a map: a key is a word"),
            ("a: &x [*x]\n", "f:1: an alias to what is not complete yet: move the anchor before it"),
            ("a:\n\tb: 1\n", "f:2: a tab in the indentation: YAML is indented by spaces"),
            ("a: [1\nb: 2\n", ""),
            ("a: {<<: 5}\n", "f:1: `<<` is the number 5: expected a map"),
        ] {
            let (_, problems) = read(text);
            assert_eq!(problems.len(), 1, "{text:?}: {problems:?}");
            assert!(expected.is_empty() || problems[0] == expected, "{text:?}: {}", problems[0]);
            assert!(problems[0].starts_with("f:"));
        }
    }

    #[test]
    fn bombs_are_bounded() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for n in 1..12 {
            let list = vec![format!("*a{}", n - 1); 9].join(", ");
            bomb.push_str(&format!("a{n}: &a{n} [{list}]\n"));
        }
        assert!(read(&bomb).1[0].contains("the file holds too much"));
        assert!(read(&"- ".repeat(100_000)).1[0].contains("nested too deeply"));
        assert!(!read(&"[".repeat(100_000)).1.is_empty());
    }
}
