//! A small, careful scanner of HCL: blocks, labels, attributes. It evaluates nothing, and it knows comments, quoted
//! strings with interpolation and heredocs, so that a `variable` inside any of them does not count.

/// A body: what stands in a file, or between the braces of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// Attributes as name and source text, comments and line ends left out.
    pub attributes: Vec<(String, String)>,
    /// Blocks in order.
    pub blocks: Vec<Block>,
    /// False when something was met that the scanner does not understand: then nothing may be concluded from absence.
    pub whole: bool,
}

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// `resource`, `variable`, ...
    pub kind: String,
    /// Its labels, without quotes.
    pub labels: Vec<String>,
    /// What is inside.
    pub body: Body,
}

impl Body {
    /// The blocks of a kind.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| block.kind == kind)
    }

    /// An attribute's source text.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, text)| text.as_str())
    }

    /// All of it as text, the same for bodies that mean the same: for hashing.
    pub fn normal(&self) -> String {
        let mut text: String = self.attributes.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
        for block in &self.blocks {
            text.push_str(&format!("{} {:?} {{\n{}}}\n", block.kind, block.labels, block.body.normal()));
        }
        text
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    /// The text between the quotes, escapes as written.
    Text(String),
    Heredoc(String),
    Punct(char),
    LineEnd,
}

impl Token {
    fn source(&self) -> String {
        match self {
            Self::Word(word) => word.clone(),
            Self::Text(text) | Self::Heredoc(text) => format!("\"{text}\""),
            Self::Punct(c) => c.to_string(),
            Self::LineEnd => String::new(),
        }
    }
}

/// Scans one file. Never fails; see [`Body::whole`].
pub fn scan(source: &str) -> Body {
    let mut lexer = Lexer { chars: source.chars().collect(), at: 0, whole: true };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next() {
        tokens.push(token);
    }
    let mut parser = Parser { tokens, at: 0 };
    let mut body = parser.body(false);
    body.whole &= lexer.whole;
    body
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    whole: bool,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<Token> {
        loop {
            let c = self.peek(0)?;
            match (c, self.peek(1)) {
                ('\n', _) => {
                    self.at += 1;
                    return Some(Token::LineEnd);
                }
                ('#', _) | ('/', Some('/')) => self.skip_line(),
                ('/', Some('*')) => self.skip_comment(),
                ('"', _) => {
                    self.at += 1;
                    return Some(Token::Text(self.quoted()));
                }
                ('<', Some('<')) if matches!(self.peek(2), Some('-')) || self.starts_word(2) => {
                    return Some(Token::Heredoc(self.heredoc()));
                }
                (c, _) if c.is_whitespace() || c == '\u{feff}' => self.at += 1,
                (c, _) if c.is_alphanumeric() || c == '_' => return Some(Token::Word(self.word())),
                (c, _) => {
                    self.at += 1;
                    return Some(Token::Punct(c));
                }
            }
        }
    }

    fn starts_word(&self, ahead: usize) -> bool {
        self.peek(ahead).is_some_and(|c| c.is_alphabetic() || c == '_')
    }

    fn word(&mut self) -> String {
        let start = self.at;
        while self.peek(0).is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn skip_line(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.at += 1;
        }
    }

    fn skip_comment(&mut self) {
        self.at += 2;
        while self.at < self.chars.len() {
            if self.peek(0) == Some('*') && self.peek(1) == Some('/') {
                self.at += 2;
                return;
            }
            self.at += 1;
        }
        self.whole = false;
    }

    /// From behind the opening quote to behind the closing one.
    fn quoted(&mut self) -> String {
        let start = self.at;
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('\\', Some(_)) => self.at += 2,
                ('$', Some('$')) | ('%', Some('%')) if self.peek(2) == Some('{') => self.at += 3,
                ('$' | '%', Some('{')) => {
                    self.at += 2;
                    self.interpolation();
                }
                ('"', _) => {
                    let text = self.chars[start..self.at].iter().collect();
                    self.at += 1;
                    return text;
                }
                ('\n', _) => break,
                _ => self.at += 1,
            }
        }
        self.whole = false;
        self.chars[start..self.at].iter().collect()
    }

    /// From behind `${` to behind its `}`; strings and braces inside nest.
    fn interpolation(&mut self) {
        let mut depth = 1;
        while let Some(c) = self.peek(0) {
            self.at += 1;
            match c {
                '"' => drop(self.quoted()),
                '{' => depth += 1,
                '}' => {
                    depth -= 1;
                    if depth == 0 {
                        return;
                    }
                }
                _ => {}
            }
        }
        self.whole = false;
    }

    fn heredoc(&mut self) -> String {
        self.at += if self.peek(2) == Some('-') { 3 } else { 2 };
        let marker = self.word();
        self.skip_line();
        self.at += 1;
        let start = self.at.min(self.chars.len());
        while self.at < self.chars.len() {
            let line_start = self.at;
            self.skip_line();
            let line: String = self.chars[line_start..self.at].iter().collect();
            if line.trim() == marker {
                return self.chars[start..line_start].iter().collect();
            }
            self.at += 1;
        }
        self.whole = false;
        String::new()
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn body(&mut self, inside: bool) -> Body {
        let mut body = Body { whole: true, ..Body::default() };
        while let Some(token) = self.tokens.get(self.at).cloned() {
            self.at += 1;
            match token {
                Token::LineEnd => {}
                Token::Punct('}') if inside => return body,
                Token::Word(name) => self.item(name, &mut body),
                _ => body.whole = false,
            }
        }
        body.whole &= !inside;
        body
    }

    fn item(&mut self, name: String, body: &mut Body) {
        if self.tokens.get(self.at) == Some(&Token::Punct('=')) {
            self.at += 1;
            let value = self.expression();
            body.attributes.push((name, value));
            return;
        }
        let mut labels = Vec::new();
        loop {
            match self.tokens.get(self.at).cloned() {
                Some(Token::Word(label) | Token::Text(label)) => labels.push(label),
                Some(Token::Punct('{')) => {
                    self.at += 1;
                    let inner = self.body(true);
                    body.whole &= inner.whole;
                    body.blocks.push(Block { kind: name, labels, body: inner });
                    return;
                }
                _ => {
                    body.whole = false;
                    return;
                }
            }
            self.at += 1;
        }
    }

    /// To the line end that is in no bracket, or to the brace that closes a block on one line.
    fn expression(&mut self) -> String {
        let mut depth = 0_i32;
        let mut parts = Vec::new();
        while let Some(token) = self.tokens.get(self.at) {
            match token {
                Token::LineEnd if depth == 0 => break,
                Token::Punct('}') if depth == 0 => break,
                Token::Punct('(' | '[' | '{') => depth += 1,
                Token::Punct(')' | ']' | '}') => depth -= 1,
                _ => {}
            }
            let ends = matches!(token, Token::Heredoc(_)) && depth == 0;
            parts.push(token.source());
            self.at += 1;
            if ends {
                break;
            }
        }
        parts.retain(|part| !part.is_empty());
        parts.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_strings_and_heredocs_hide_blocks() {
        let body = scan(
            r#"
# variable "a" {}
// variable "b" {}
/* variable "c" {}
*/
variable "real" { default = "x" }
variable plain {}
locals {
  text = "variable \"d\" {} ${join("}", [for k in ["a"] : "${k}{"])} $${not"
  doc  = <<-EOT
    variable "e" {
    EOT
  map = {
    variable = "f" # }
  }
}
output "o" { value = <<X
}
X
}
"#,
        );
        assert!(body.whole, "{body:#?}");
        let names: Vec<_> = body.of_kind("variable").map(|b| b.labels.join(".")).collect();
        assert_eq!(names, ["real", "plain"]);
        assert_eq!(body.blocks.len(), 4);
        assert_eq!(body.of_kind("locals").next().expect("locals").body.attributes.len(), 3);
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for broken in ["resource \"a\" \"b\" {", "x = \"abc\n", "/* open", "a = <<E\nx\n", "= 3", "}"] {
            assert!(!scan(broken).whole, "{broken}");
        }
        assert!(scan("").whole);
        assert!(scan("\u{feff}a = 1\r\nb {\r\n}\r\n").whole);
    }
}
