//! Questions to the person at the terminal: on stderr, default No, and the end of the input is a No.

use std::io::BufRead;

use crate::model::Ask;

use super::confirm::paint_changes;
use super::out::Out;
use super::text::clean;

/// Asks on stderr, reads stdin; cannot ask without a terminal at both, in CI, or when told not to.
pub struct TerminalAsk {
    out: Out,
    can_ask: bool,
}

impl TerminalAsk {
    /// `no_input` is `--no-input`.
    pub fn new(out: Out, no_input: bool) -> Self {
        let term = out.term();
        let can_ask = term.stdin_tty && term.stderr_tty && !term.ci && !no_input;
        Self { out, can_ask }
    }

    /// The answer's line without its end; `None` at the end of the input.
    fn answer(&self, question: &str, how: &str, input: &mut dyn BufRead) -> Option<String> {
        let theme = self.out.term().err_theme();
        let question = clean(question);
        let (body, last) = question.trim_end().rsplit_once('\n').unwrap_or(("", question.trim_end()));
        self.out.ask(|say| {
            if !body.is_empty() {
                say(&format!("{}\n", paint_changes(body, theme)));
            }
            say(&format!("{} {} ", theme.strong(last), theme.dim(how)));
            let mut line = String::new();
            match input.read_line(&mut line) {
                Ok(n) if n > 0 => Some(line.trim().to_owned()),
                // The cursor stands behind the question.
                _ => {
                    say("\n");
                    None
                }
            }
        })
    }

    fn confirm_from(&self, question: &str, input: &mut dyn BufRead) -> bool {
        let answer = self.answer(question, "[y/N]", input).unwrap_or_default();
        matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes")
    }

    fn typed_from(&self, question: &str, expected: &str, input: &mut dyn BufRead) -> bool {
        // Two names do not fit one line of a small terminal.
        let question = format!("{}\ntype {expected} to go on", question.trim_end());
        !expected.is_empty() && self.answer(&question, "[nothing: no]", input).as_deref() == Some(expected)
    }
}

impl Ask for TerminalAsk {
    fn can_ask(&self) -> bool {
        self.can_ask
    }

    fn confirm(&self, question: &str) -> bool {
        self.can_ask && self.confirm_from(question, &mut std::io::stdin().lock())
    }

    fn line(&self, question: &str, default: &str) -> String {
        let answer = || self.answer(question, &format!("[{default}]"), &mut std::io::stdin().lock());
        let typed = if self.can_ask { answer() } else { None };
        typed.filter(|line| !line.is_empty()).unwrap_or_else(|| default.to_owned())
    }

    fn typed(&self, question: &str, expected: &str) -> bool {
        self.can_ask && self.typed_from(question, expected, &mut std::io::stdin().lock())
    }
}

#[cfg(test)]
mod tests {
    use super::super::term::Term;
    use super::*;

    fn ask() -> TerminalAsk {
        TerminalAsk::new(Out::memory(Term::fixed(80, false)), false)
    }

    #[test]
    fn only_yes_is_a_yes() {
        for (typed, yes) in
            [("y\n", true), ("YES\n", true), ("\n", false), ("", false), ("n\n", false), ("yep\n", false)]
        {
            assert_eq!(ask().confirm_from("go on?", &mut typed.as_bytes()), yes, "{typed:?}");
        }
        assert!(!ask().can_ask());
        assert!(!ask().confirm("go on?"));
    }

    #[test]
    fn a_name_is_typed_exactly() {
        let name = "prod/do/hello";
        for (typed, yes) in
            [("prod/do/hello\n", true), ("prod/do/hello", true), ("prod\n", false), ("", false), ("y\n", false)]
        {
            assert_eq!(ask().typed_from("destroy?", name, &mut typed.as_bytes()), yes, "{typed:?}");
        }
        assert!(!ask().typed_from("destroy?", "", &mut "\n".as_bytes()));
        let ask = ask();
        ask.typed_from("destroy it?", name, &mut "".as_bytes());
        assert_eq!(ask.out.taken().1, "destroy it?\ntype prod/do/hello to go on [nothing: no] \n");
    }

    #[test]
    fn the_question_stands_on_stderr_with_what_changes_above_it() {
        let ask = ask();
        ask.confirm_from("- www-2\n+ www-3\n1 to create, 1 to destroy\napply this?", &mut "".as_bytes());
        let (data, talk) = ask.out.taken();
        assert_eq!(data, "");
        assert_eq!(talk, "- www-2\n+ www-3\n1 to create, 1 to destroy\napply this? [y/N] \n");
    }
}
