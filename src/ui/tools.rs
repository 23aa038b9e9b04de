//! Tables of ready-made texts: tools and their versions, hosts, prices.

use super::table::{Column, Table};
use super::theme::{Theme, Tone};

/// Rows under these headers. Cells that are one of otto's words of state take its colour; `width` as for
/// [`Table::render`].
pub fn render_rows(headers: &[&str], rows: &[Vec<String>], theme: Theme, width: Option<usize>) -> String {
    let mut table = Table::new(headers.iter().map(|title| Column::new(title)).collect());
    for row in rows {
        table.row(row.iter().map(|text| (tone_of_word(text), text.clone())).collect());
    }
    table.render(theme, width)
}

fn tone_of_word(text: &str) -> Tone {
    match text.split_whitespace().next().unwrap_or("").trim_end_matches([':', ',']) {
        "ok" | "up" | "found" | "installed" => Tone::Ok,
        "failed" | "fail" | "missing" | "down" | "critical" | "error" | "lost" => Tone::Failed,
        "warning" | "warn" | "unknown" | "old" | "stale" => Tone::Warning,
        _ => Tone::Plain,
    }
}
