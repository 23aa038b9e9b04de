//! What is shown before a question: what would go, change and come, deletions first, then the counts.

use super::text::clean_line;
use super::theme::{Theme, Tone};

/// What an apply would do to one deployment, as addresses or host names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// `dev/local/hello`
    pub deployment: String,
    /// Come.
    pub create: Vec<String>,
    /// Are changed in place.
    pub change: Vec<String>,
    /// Go and come again.
    pub replace: Vec<String>,
    /// Go.
    pub destroy: Vec<String>,
    /// `0.012 USD an hour`, where there is a price.
    pub cost: Option<String>,
}

/// Entries of a kind shown per deployment; deletions are never shortened.
const SHOWN: usize = 10;

/// A block per deployment: `-` destroyed, `-/+` replaced, `~` changed, `+` created, and the counts below.
pub fn render_changes(all: &[Changes], theme: Theme) -> String {
    let blocks: Vec<String> = all.iter().map(block).collect();
    paint_changes(&blocks.join("\n\n"), theme)
}

/// `2 to create, 1 to change, 0 to destroy`; a replacement is counted as what it is, and as a destruction.
pub fn change_counts(changes: &Changes) -> String {
    let replaced = changes.replace.len();
    let mut text = String::new();
    if replaced + changes.destroy.len() > 0 {
        text.push_str(&format!("{} to destroy", changes.destroy.len() + replaced));
        if replaced > 0 {
            text.push_str(&format!(" ({replaced} of them replaced)"));
        }
        text.push_str(", ");
    }
    text.push_str(&format!("{} to change, {} to create", changes.change.len(), changes.create.len() + replaced));
    if replaced + changes.destroy.len() == 0 {
        text.push_str(", 0 to destroy");
    }
    text
}

fn block(changes: &Changes) -> String {
    let mut lines = vec![clean_line(&changes.deployment)];
    let mut list = |sign: &str, all: &[String], most: usize| {
        lines.extend(all.iter().take(most).map(|address| format!("  {sign} {}", clean_line(address))));
        if all.len() > most {
            lines.push(format!("  {sign} … and {} more", all.len() - most));
        }
    };
    list("-", &changes.destroy, usize::MAX);
    list("-/+", &changes.replace, usize::MAX);
    list("~", &changes.change, SHOWN);
    list("+", &changes.create, SHOWN);
    let cost = changes.cost.as_deref().map_or(String::new(), |cost| format!("; {}", clean_line(cost)));
    lines.push(format!("  {}{cost}", change_counts(changes)));
    lines.join("\n")
}

/// Colours lines by their sign: `-` goes, `~` changes, `+` comes.
pub(super) fn paint_changes(text: &str, theme: Theme) -> String {
    let tone = |line: &str| match line.split_whitespace().next() {
        Some("-" | "-/+") => Tone::Failed,
        Some("~") => Tone::Warning,
        Some("+") => Tone::Ok,
        _ => Tone::Plain,
    };
    text.lines().map(|line| theme.paint(tone(line), line)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deletions_come_first_and_are_never_shortened() {
        let names = |n: usize, what: &str| (1..=n).map(|n| format!("terraform_data.{what}[\"www-{n}\"]")).collect();
        let all = [
            Changes {
                deployment: "dev/local/hello".into(),
                create: names(12, "boot"),
                change: names(1, "dns"),
                replace: vec!["terraform_data.boot[\"lb-1\"]".into()],
                destroy: names(2, "old"),
                cost: Some("0.036 USD an hour".into()),
            },
            Changes { deployment: "dev/local/blog".into(), create: names(1, "boot"), ..Changes::default() },
        ];
        insta::assert_snapshot!(render_changes(&all, Theme::PLAIN), @r#"
        dev/local/hello
          - terraform_data.old["www-1"]
          - terraform_data.old["www-2"]
          -/+ terraform_data.boot["lb-1"]
          ~ terraform_data.dns["www-1"]
          + terraform_data.boot["www-1"]
          + terraform_data.boot["www-2"]
          + terraform_data.boot["www-3"]
          + terraform_data.boot["www-4"]
          + terraform_data.boot["www-5"]
          + terraform_data.boot["www-6"]
          + terraform_data.boot["www-7"]
          + terraform_data.boot["www-8"]
          + terraform_data.boot["www-9"]
          + terraform_data.boot["www-10"]
          + … and 2 more
          3 to destroy (1 of them replaced), 1 to change, 13 to create; 0.036 USD an hour

        dev/local/blog
          + terraform_data.boot["www-1"]
          0 to change, 1 to create, 0 to destroy
        "#);
        let coloured = render_changes(&all, Theme::COLOUR);
        assert!(coloured.contains("\u{1b}[31m  - terraform_data.old[\"www-1\"]\u{1b}[0m"));
    }
}
