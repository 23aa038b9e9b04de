//! What the doctor found: a line each, and below it the line that mends it.

use super::text::clean_line;
use super::theme::{Theme, Tone};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Works, and should be looked at.
    Warn,
    /// Something will fail.
    Fail,
}

/// Findings as (verdict, what was looked at, what was found, what mends it), and at the end how many there are.
pub fn render_findings<'a>(
    rows: impl Iterator<Item = (Verdict, &'a str, &'a str, Option<&'a str>)>,
    theme: Theme,
) -> String {
    let mut text = String::new();
    let (mut warnings, mut faults) = (0, 0);
    for (verdict, check, what, fix) in rows {
        let (tone, word) = match verdict {
            Verdict::Ok => (Tone::Ok, "ok  "),
            Verdict::Warn => (Tone::Warning, "warn"),
            Verdict::Fail => (Tone::Failed, "fail"),
        };
        warnings += u32::from(verdict == Verdict::Warn);
        faults += u32::from(verdict == Verdict::Fail);
        text.push_str(&format!("{}  {check:<12} {}\n", theme.paint(tone, word), clean_line(what)));
        if let Some(fix) = fix {
            text.push_str(&format!("{:19}{} {}\n", "", theme.dim("fix:"), theme.command(&clean_line(fix))));
        }
    }
    let counted = |n: u32, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    text.push_str(&match (faults, warnings) {
        (0, 0) => "nothing is wrong\n".to_owned(),
        _ => format!("{}, {}\n", counted(faults, "fault"), counted(warnings, "warning")),
    });
    text
}
