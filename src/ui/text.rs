//! Text as a terminal shows it: what a foreign text may hold, how wide it is, where it is cut or wrapped.
//!
//! Widths are columns and never too small: wide characters count two, everything else one, zero-width marks too.
//! So what fits by this count fits on every terminal.

/// Foreign text made harmless: no escape sequences, no control characters, no characters that reorder a line.
/// Line breaks stay, tabs become spaces.
pub fn clean(text: &str) -> String {
    if !text.chars().any(is_unsafe) {
        return text.to_owned();
    }
    filter(text, false)
}

/// Like [`clean`], and one line only: line breaks become spaces.
pub fn clean_line(text: &str) -> String {
    let cleaned = clean(text);
    if cleaned.contains('\n') { cleaned.split_whitespace().collect::<Vec<_>>().join(" ") } else { cleaned }
}

/// The last guard before a terminal: only colour sequences (`ESC [ … m`) pass.
pub(super) fn guard(text: &str) -> String {
    if !text.chars().any(is_unsafe) {
        return text.to_owned();
    }
    filter(text, true)
}

fn is_unsafe(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

fn filter(text: &str, keep_colour: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                Some('[') => csi(&mut chars, keep_colour, &mut out),
                Some(']' | 'P' | 'X' | '^' | '_') => string_sequence(&mut chars),
                _ => {}
            },
            '\u{9b}' => csi(&mut chars, false, &mut out),
            '\u{9d}' | '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => string_sequence(&mut chars),
            '\t' => out.push_str("    "),
            // A line that a tool redraws in place: only a line break tells the versions apart here.
            '\r' if chars.peek() != Some(&'\n') => out.push('\n'),
            c if is_unsafe(c) => {}
            c => out.push(c),
        }
    }
    out
}

fn csi(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, keep_colour: bool, out: &mut String) {
    let mut parameters = String::new();
    while let Some(c) = chars.peek().copied() {
        if !(' '..='~').contains(&c) {
            return;
        }
        chars.next();
        if ('@'..='~').contains(&c) {
            if c == 'm' && keep_colour {
                out.push_str("\u{1b}[");
                out.push_str(&parameters);
                out.push('m');
            }
            return;
        }
        parameters.push(c);
    }
}

/// Skips to BEL or ST, or to the end of the line when neither comes: what follows a broken sequence is still shown.
fn string_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(c) = chars.peek().copied() {
        if c == '\n' {
            return;
        }
        chars.next();
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' if chars.peek() == Some(&'\\') => {
                chars.next();
                return;
            }
            _ => {}
        }
    }
}

/// Columns that a text takes; colour sequences take none.
pub fn width(text: &str) -> usize {
    let mut in_sequence = false;
    let mut sum = 0;
    for c in text.chars() {
        match (in_sequence, c) {
            (true, 'm') => in_sequence = false,
            (true, _) => {}
            (false, '\u{1b}') => in_sequence = true,
            (false, c) => sum += columns(c),
        }
    }
    sum
}

fn columns(c: char) -> usize {
    let wide = matches!(c,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{a960}'..='\u{a97c}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe10}'..='\u{fe6f}' | '\u{ff01}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}'
        | '\u{231a}'..='\u{231b}' | '\u{23e9}'..='\u{23f3}' | '\u{2614}'..='\u{2615}' | '\u{26a1}' | '\u{2705}'
        | '\u{2728}' | '\u{274c}' | '\u{274e}' | '\u{2753}'..='\u{2757}' | '\u{2b50}'
        | '\u{1f000}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}');
    if wide { 2 } else { 1 }
}

/// The text (without colours), cut to at most `max` columns, the last being `…` when something was cut.
pub fn cut(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        if used + columns(c) + 1 > max {
            break;
        }
        used += columns(c);
        out.push(c);
    }
    if max > 0 {
        out.push('…');
    }
    out
}

/// The text filled with spaces to `to` columns.
pub fn pad(text: &str, to: usize) -> String {
    let mut out = text.to_owned();
    out.extend(std::iter::repeat_n(' ', to.saturating_sub(width(text))));
    out
}

/// Breaks one line at spaces so that each piece fits `max` columns; pieces after the first are meant to be
/// indented by `hang`. A word that fits nowhere (a path, a URL) stays whole: it must be copyable.
pub fn wrap(line: &str, max: usize, hang: usize) -> Vec<String> {
    if width(line) <= max {
        return vec![line.to_owned()];
    }
    let lead: String = line.chars().take_while(|c| *c == ' ').collect();
    let mut lines = Vec::new();
    let mut current = lead.clone();
    let mut used = width(&lead);
    let mut empty = true;
    // Runs of spaces are kept within a line, so that columns of a short table survive.
    for word in line[lead.len()..].split_inclusive(' ') {
        let bare = word.trim_end_matches(' ');
        if !empty && used + width(bare) > max {
            lines.push(current.trim_end().to_owned());
            current = " ".repeat(hang);
            used = hang;
            empty = true;
        }
        if empty && bare.is_empty() && !lines.is_empty() {
            continue;
        }
        current.push_str(word);
        used += width(word);
        empty = false;
    }
    if !current.trim().is_empty() {
        lines.push(current.trim_end().to_owned());
    }
    lines
}

/// [`wrap`]s to a width, if there is one, each line of the text hanging two columns deeper than it begins.
pub fn fitted(text: &str, to: Option<usize>) -> Vec<String> {
    let fit = |line: &str| match to {
        Some(to) => wrap(line, to, 2 + line.len() - line.trim_start_matches(' ').len()),
        None => vec![line.to_owned()],
    };
    if text.is_empty() { vec![String::new()] } else { text.lines().flat_map(fit).collect() }
}

/// `1 unit`, `2 units`.
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_drive_the_terminal() {
        assert_eq!(clean("plain – ünïcödé\nnext"), "plain – ünïcödé\nnext");
        assert_eq!(clean("a\u{1b}[2Jb\u{1b}]0;title\u{7}c\u{1b}]8;;x\u{1b}\\d\u{7}\u{8}e\u{9b}31mf"), "abcdef");
        assert_eq!(clean("\u{1b}[31mred\u{1b}[0m"), "red");
        assert_eq!(clean("10%\r20%\r\nend\tx"), "10%\n20%\nend    x");
        assert_eq!(clean("evil\u{202e}txt"), "eviltxt");
        assert_eq!(clean("broken \u{1b}]never ends\nshown"), "broken \nshown");
        assert_eq!(guard("\u{1b}[31mred\u{1b}[0m\u{1b}[6n"), "\u{1b}[31mred\u{1b}[0m");
        assert_eq!(clean_line("a\n  b"), "a b");
    }

    #[test]
    fn cuts_and_pads_count_columns() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(width(&pad("日本", 6)), 6);
    }

    #[test]
    fn wraps_at_spaces_and_keeps_paths_whole() {
        assert_eq!(wrap("one two three", 8, 2), ["one two", "  three"]);
        assert_eq!(wrap("  see /a/very/long/path now", 10, 4), ["  see", "    /a/very/long/path", "    now"]);
        assert_eq!(wrap("fits", 10, 2), ["fits"]);
        assert_eq!(wrap("\u{1b}[31mone\u{1b}[0m two three", 8, 2), ["\u{1b}[31mone\u{1b}[0m two", "  three"]);
        assert_eq!(fitted("  one two three\nfour", Some(9)), ["  one two", "    three", "four"]);
    }
}
