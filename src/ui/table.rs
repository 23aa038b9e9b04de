//! Tables without borders: two spaces between columns, a dim header, colours by meaning.
//!
//! On a terminal a table never exceeds the width: columns that may go are left out first, then the widest column is
//! cut. Off a terminal (`width` is `None`) nothing is left out or cut. comfy-table does the layout of plain text;
//! colours are put on afterwards, so they cannot disturb it.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table as Layout};

use super::text::{clean_line, cut, width, wrap};
use super::theme::{Theme, Tone};

/// One column.
#[derive(Clone, Debug)]
pub struct Column {
    title: String,
    right: bool,
    may_go: Option<u8>,
    whole: bool,
    wrapped: bool,
}

/// Titles and texts of the columns that were left out of a row.
pub(super) type LeftOut = Vec<(String, String)>;

impl Column {
    /// Left-aligned, always there.
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), right: false, may_go: None, whole: false, wrapped: false }
    }

    /// Numbers: right-aligned.
    #[must_use]
    pub fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// Never cut: names and ids are to be copied.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// Continued on further lines rather than cut.
    #[must_use]
    pub fn wrapped(mut self) -> Self {
        self.wrapped = true;
        self
    }

    /// Left out where the width does not suffice, the lowest number first.
    #[must_use]
    pub fn may_go(mut self, order: u8) -> Self {
        self.may_go = Some(order);
        self
    }
}

/// Rows of toned texts under named columns.
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<(Tone, String)>>,
}

/// Stands between the cells while comfy-table lays them out; never part of a cleaned text.
const SEPARATOR: char = '\u{1f}';
const GAP: usize = 2;
/// A column is not cut below this.
const NARROWEST: usize = 8;

impl Table {
    /// A table with these columns.
    pub fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row; missing cells are empty, too many are dropped.
    pub fn row(&mut self, cells: Vec<(Tone, String)>) {
        let mut cells: Vec<_> = cells.into_iter().map(|(tone, text)| (tone, clean_line(&text))).collect();
        cells.resize(self.columns.len(), (Tone::Plain, String::new()));
        self.rows.push(cells);
    }

    /// No rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as lines without a break at the end.
    pub fn render(&self, theme: Theme, max: Option<usize>) -> String {
        self.render_and_tell(theme, max).0
    }

    /// The table, and for each row what the width left no room for.
    pub(super) fn render_and_tell(&self, theme: Theme, max: Option<usize>) -> (String, Vec<LeftOut>) {
        let mut table = self.clone();
        table.drop_empty_columns();
        let left_out = max.map_or_else(|| vec![Vec::new(); self.rows.len()], |max| table.fit(max));
        (table.lay_out(theme), left_out)
    }

    /// A column in which nothing stands says nothing.
    fn drop_empty_columns(&mut self) {
        for n in (0..self.columns.len()).rev() {
            let empty = self.rows.iter().all(|row| matches!(row[n].1.as_str(), "" | "-"));
            if empty && self.columns[n].may_go.is_some() && !self.rows.is_empty() {
                self.remove(n);
            }
        }
    }

    fn remove(&mut self, n: usize) -> LeftOut {
        let title = self.columns.remove(n).title;
        self.rows.iter_mut().map(|row| (title.clone(), row.remove(n).1)).collect()
    }

    fn widths(&self) -> Vec<usize> {
        let widest = |n: usize| self.rows.iter().map(|row| width(&row[n].1)).max().unwrap_or(0);
        self.columns.iter().enumerate().map(|(n, column)| widest(n).max(width(&column.title))).collect()
    }

    fn fit(&mut self, max: usize) -> Vec<LeftOut> {
        let mut left_out = vec![Vec::new(); self.rows.len()];
        let total = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        while total(&self.widths()) > max {
            let goes = |n: &usize| self.columns[*n].may_go;
            let Some(n) = (0..self.columns.len()).filter(|n| goes(n).is_some()).min_by_key(|n| goes(n)) else { break };
            for (row, cell) in left_out.iter_mut().zip(self.remove(n)) {
                row.push(cell);
            }
        }
        let mut widths = self.widths();
        while total(&widths) > max {
            let shrinks = |n: &usize| !self.columns[*n].whole && widths[*n] > NARROWEST;
            let Some(widest) = (0..widths.len()).filter(shrinks).max_by_key(|n| widths[*n]) else { break };
            widths[widest] -= 1;
        }
        for row in &mut self.rows {
            for ((cell, to), column) in row.iter_mut().zip(&widths).zip(&self.columns) {
                cell.1 = match column.wrapped {
                    true => wrap(&cell.1, *to, 0).iter().map(|line| cut(line, *to)).collect::<Vec<_>>().join("\n"),
                    false => cut(&cell.1, *to),
                };
            }
        }
        for (column, to) in self.columns.iter_mut().zip(&widths) {
            column.title = cut(&column.title, *to);
        }
        left_out
    }

    fn lay_out(&self, theme: Theme) -> String {
        let mut layout = Layout::new();
        layout.load_style(NOTHING);
        layout.set_content_arrangement(ContentArrangement::Disabled);
        let style = layout.style_mut();
        style.header_lines.junction = Some(SEPARATOR);
        style.content_lines.junction = Some(SEPARATOR);
        layout.set_header(self.columns.iter().map(|column| column.title.clone()).collect::<Vec<_>>());
        for row in &self.rows {
            layout.add_row(row.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>());
        }
        for (n, column) in self.columns.iter().enumerate() {
            if let Some(place) = layout.column_mut(n) {
                place.set_padding((0, 0));
                let side = if column.right { CellAlignment::Right } else { CellAlignment::Left };
                place.set_cell_alignment(side);
            }
        }
        let height =
            |row: &Vec<(Tone, String)>| row.iter().map(|(_, text)| text.lines().count()).max().unwrap_or(1).max(1);
        let rows = self.rows.iter().flat_map(|row| std::iter::repeat_n(Some(row), height(row)));
        let mut lines = Vec::with_capacity(self.rows.len() + 1);
        for (line, row) in layout.lines().zip(std::iter::once(None).chain(rows)) {
            lines.push(paint_line(&line, |n| row.map_or(Tone::Dim, |row| row[n].0), theme));
        }
        lines.join("\n")
    }
}

fn paint_line(line: &str, tone: impl Fn(usize) -> Tone, theme: Theme) -> String {
    let cells: Vec<&str> = line.split(SEPARATOR).collect();
    let last = cells.iter().rposition(|cell| !cell.trim().is_empty()).unwrap_or(0);
    let mut out = String::new();
    for (n, cell) in cells.iter().take(last + 1).enumerate() {
        let text = cell.trim();
        let left = cell.len() - cell.trim_start().len();
        let right = cell.len() - left - text.len();
        if n > 0 {
            out.push_str(&" ".repeat(GAP));
        }
        out.push_str(&" ".repeat(left));
        out.push_str(&theme.paint(tone(n), text));
        if n < last {
            out.push_str(&" ".repeat(right));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(vec![
            Column::new("deployment"),
            Column::new("why"),
            Column::new("took").right(),
            Column::new("age").may_go(1),
        ]);
        let row = |cells: [&str; 4]| cells.map(|text| (Tone::Plain, text.to_owned())).to_vec();
        table.row(row(["dev/local/hello", "the inputs changed since the last build", "4 s", "2h 05m"]));
        table.row(row(["dev/local/blög", "no state\nyet", "1m 04s", "45 s"]));
        table
    }

    #[test]
    fn a_table_is_aligned_and_has_no_borders() {
        insta::assert_snapshot!(table().render(Theme::PLAIN, None), @r"
        deployment       why                                        took  age
        dev/local/hello  the inputs changed since the last build     4 s  2h 05m
        dev/local/blög   no state yet                             1m 04s  45 s
        ");
    }

    #[test]
    fn what_may_go_goes_before_the_widest_column_is_cut() {
        insta::assert_snapshot!(table().render(Theme::PLAIN, Some(66)), @r"
        deployment       why                                        took
        dev/local/hello  the inputs changed since the last build     4 s
        dev/local/blög   no state yet                             1m 04s
        ");
        insta::assert_snapshot!(table().render(Theme::PLAIN, Some(50)), @r"
        deployment       why                          took
        dev/local/hello  the inputs changed since…     4 s
        dev/local/blög   no state yet               1m 04s
        ");
    }

    #[test]
    fn colours_do_not_move_columns() {
        let mut table = Table::new(vec![Column::new("a"), Column::new("b")]);
        table.row(vec![(Tone::Failed, "failed".into()), (Tone::Ok, "日本".into())]);
        table.row(vec![(Tone::Ok, "ok".into()), (Tone::Plain, "x\u{1b}[2J\u{1f}".into())]);
        let coloured = table.render(Theme::COLOUR, Some(80));
        assert!(coloured.contains("\u{1b}[31mfailed\u{1b}[0m  \u{1b}[32m日本"), "{coloured:?}");
        assert_eq!(super::super::text::clean(&coloured), table.render(Theme::PLAIN, Some(80)));
    }
}
