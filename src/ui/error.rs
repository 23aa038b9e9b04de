//! Errors and problems as texts: what, why, and what to do.

use super::text::{clean, count};
use super::theme::Theme;

/// `error: …`, `caused by: …` for each cause, and after an empty line `hint: …` for each suggestion.
pub fn render_error(what: &str, causes: &[String], hints: &[String], theme: Theme) -> String {
    let mut lines = vec![labelled(&theme.failed("error:"), what, theme)];
    lines.extend(causes.iter().map(|cause| labelled(&theme.dim("caused by:"), cause, theme)));
    push_hints(&mut lines, hints, theme);
    lines.join("\n")
}

/// One thing wrong in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// `sites/hello/site.yaml:12`, where known.
    pub place: Option<String>,
    /// What is wrong and what would be right.
    pub what: String,
    /// It does not stop anything.
    pub warning: bool,
}

/// Many problems at once: a line each, errors first, the same one only once with its number.
pub fn render_problems(what: &str, problems: &[Problem], hints: &[String], theme: Theme) -> String {
    let mut seen: Vec<(&Problem, usize)> = Vec::new();
    for problem in problems.iter().filter(|p| !p.warning).chain(problems.iter().filter(|p| p.warning)) {
        match seen.iter_mut().find(|(known, _)| *known == problem) {
            Some((_, times)) => *times += 1,
            None => seen.push((problem, 1)),
        }
    }
    let errors = problems.iter().filter(|p| !p.warning).count();
    let mut lines = Vec::new();
    if errors > 0 {
        lines.push(format!("{} {}, {}", theme.failed("error:"), clean(what), count(errors, "problem")));
    }
    for (problem, times) in seen {
        let place = problem.place.as_deref().map_or(String::new(), |place| format!("{}: ", clean(place)));
        let kind = if problem.warning { theme.warning("warning: ") } else { String::new() };
        let times = if times > 1 { theme.dim(&format!(" ({times} times)")) } else { String::new() };
        lines.push(format!("  {}{kind}{}{times}", theme.strong(&place), body(&problem.what, theme)));
    }
    push_hints(&mut lines, hints, theme);
    lines.join("\n")
}

fn push_hints(lines: &mut Vec<String>, hints: &[String], theme: Theme) {
    if hints.is_empty() {
        return;
    }
    lines.push(String::new());
    let mut shown: Vec<&String> = Vec::new();
    for hint in hints {
        if !shown.contains(&hint) {
            shown.push(hint);
            lines.push(labelled(&theme.hint("hint:"), &theme.command(hint), theme));
        }
    }
}

fn labelled(label: &str, text: &str, theme: Theme) -> String {
    format!("{label} {}", body(text, theme))
}

/// Further lines of a text stand below its first, indented.
fn body(text: &str, theme: Theme) -> String {
    theme.literals(clean(text).trim_end()).replace('\n', "\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn an_error_says_what_why_and_what_to_do() {
        let text = render_error(
            "cannot read the store",
            &texts(&["`.otto/otto.db` is newer than this otto\nschema 4, known up to 3"]),
            &texts(&["update otto", "`otto doctor` shows more", "update otto"]),
            Theme::PLAIN,
        );
        insta::assert_snapshot!(text, @r"
        error: cannot read the store
        caused by: `.otto/otto.db` is newer than this otto
            schema 4, known up to 3

        hint: update otto
        hint: `otto doctor` shows more
        ");
        let coloured = render_error("no", &[], &texts(&["run `otto up`"]), Theme::COLOUR);
        assert_eq!(
            coloured,
            "\u{1b}[31merror:\u{1b}[0m no\n\n\u{1b}[36mhint:\u{1b}[0m run \u{1b}[36m`otto up`\u{1b}[0m"
        );
        assert_eq!(render_error("no", &[], &[], Theme::PLAIN), "error: no");
    }

    #[test]
    fn problems_take_a_line_each_errors_first() {
        let problem = |place: &str, what: &str, warning| Problem {
            place: Some(place.to_owned()),
            what: what.to_owned(),
            warning,
        };
        let all = [
            problem("otto.yaml:3", "`enviroment` is no key here; did you mean `environment`?", false),
            problem("sites/hello/site.yaml:9", "several www hosts without lb", true),
            problem("sites/hello/site.yaml:12", "`count` must be a number", false),
            problem("otto.yaml:3", "`enviroment` is no key here; did you mean `environment`?", false),
        ];
        insta::assert_snapshot!(render_problems("the project files are not valid", &all, &[], Theme::PLAIN), @r"
        error: the project files are not valid, 3 problems
          otto.yaml:3: `enviroment` is no key here; did you mean `environment`? (2 times)
          sites/hello/site.yaml:12: `count` must be a number
          sites/hello/site.yaml:9: warning: several www hosts without lb
        ");
    }
}
