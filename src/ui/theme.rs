//! What a text means, and the colour that goes with it. Only this file knows colours; a word always says the same.

use crate::model::host::HostState;
use crate::model::{Action, Health, Outcome};

/// A meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It went well.
    Ok,
    /// It did not.
    Failed,
    /// It needs attention.
    Warning,
    /// A suggestion, or something to be typed as it stands.
    Hint,
    /// Of less weight.
    Dim,
    /// A heading.
    Strong,
    /// Nothing in particular.
    Plain,
}

/// Puts colours on, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Colours are wanted on this stream.
    pub colour: bool,
    /// What a person types to start otto, where a suggestion says `otto`.
    pub program: &'static str,
}

impl Theme {
    /// No colours.
    pub const PLAIN: Self = Self { colour: false, program: "otto" };
    /// Colours.
    pub const COLOUR: Self = Self { colour: true, program: "otto" };

    /// The text in the colour of its meaning.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Ok => "32",
            Tone::Failed => "31",
            Tone::Warning => "33",
            Tone::Hint => "36",
            Tone::Dim => "2",
            Tone::Strong => "1",
            Tone::Plain => return text.to_owned(),
        };
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// Success.
    pub fn ok(self, text: &str) -> String {
        self.paint(Tone::Ok, text)
    }

    /// Failure.
    pub fn failed(self, text: &str) -> String {
        self.paint(Tone::Failed, text)
    }

    /// Attention.
    pub fn warning(self, text: &str) -> String {
        self.paint(Tone::Warning, text)
    }

    /// A suggestion or a literal.
    pub fn hint(self, text: &str) -> String {
        self.paint(Tone::Hint, text)
    }

    /// Of less weight.
    pub fn dim(self, text: &str) -> String {
        self.paint(Tone::Dim, text)
    }

    /// A heading.
    pub fn strong(self, text: &str) -> String {
        self.paint(Tone::Strong, text)
    }

    /// A command line that begins with `otto`, or names it behind `&&`, as this person has to type it; literals in it too.
    pub fn command(self, text: &str) -> String {
        let text = self.typed(text, "&& otto ");
        match text.strip_prefix("otto ") {
            Some(rest) => format!("{} {rest}", self.program),
            None => text,
        }
    }

    fn typed(self, text: &str, what: &str) -> String {
        if self.program == "otto" { text.to_owned() } else { text.replace(what, &what.replace("otto", self.program)) }
    }

    /// Text with its `` `literals` `` in the colour of literals; without colours the backticks stay.
    pub fn literals(self, text: &str) -> String {
        let text = &self.typed(text, "`otto ");
        if !self.colour || text.matches('`').count() % 2 == 1 {
            return text.to_owned();
        }
        text.split('`')
            .enumerate()
            .map(|(n, part)| if n % 2 == 1 { self.hint(&format!("`{part}`")) } else { part.to_owned() })
            .collect()
    }
}

/// The tone of an outcome.
pub fn outcome_tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Ok => Tone::Ok,
        Outcome::Failed | Outcome::TimedOut | Outcome::Lost => Tone::Failed,
        Outcome::Cancelled | Outcome::Blocked => Tone::Warning,
        Outcome::Skipped => Tone::Dim,
        Outcome::Running => Tone::Hint,
    }
}

/// The tone of a health.
pub fn health_tone(health: Health) -> Tone {
    match health {
        Health::Ok => Tone::Ok,
        Health::Warning | Health::Unknown => Tone::Warning,
        Health::Critical => Tone::Failed,
    }
}

/// The tone of a host's state.
pub fn host_tone(state: HostState) -> Tone {
    match state {
        HostState::Up => Tone::Ok,
        HostState::Down | HostState::Missing => Tone::Failed,
        HostState::Unknown => Tone::Warning,
    }
}

/// The word and tone of a planned action.
pub fn action_word(action: Action) -> (&'static str, Tone) {
    match action {
        Action::Run => ("run", Tone::Ok),
        Action::Skip => ("skip", Tone::Dim),
        Action::Blocked => ("blocked", Tone::Warning),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_only_where_wanted_and_words_always() {
        assert_eq!(Theme::PLAIN.failed("failed"), "failed");
        assert_eq!(Theme::COLOUR.failed("failed"), "\u{1b}[31mfailed\u{1b}[0m");
        assert_eq!(Theme::COLOUR.literals("run `otto up`"), "run \u{1b}[36m`otto up`\u{1b}[0m");
        assert_eq!(Theme::PLAIN.literals("run `otto up`"), "run `otto up`");
        assert_eq!(Theme::COLOUR.literals("odd `one"), "odd `one");
    }
    #[test]
    fn suggestions_name_the_program_as_it_was_typed() {
        let theme = Theme { program: "target/release/otto", ..Theme::PLAIN };
        assert_eq!(theme.command("otto up --yes"), "target/release/otto up --yes");
        assert_eq!(theme.command("cd demo && otto up"), "cd demo && target/release/otto up");
        assert_eq!(theme.command("a lotto of otto"), "a lotto of otto");
        assert_eq!(theme.literals("run `otto up`"), "run `target/release/otto up`");
        assert_eq!(Theme::PLAIN.command("otto up"), "otto up");
    }
}
