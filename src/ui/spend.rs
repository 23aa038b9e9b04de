//! `otto spend` for people: amounts by name, the last days as bars, what has no price, and how an amount comes about.

use crate::model::spend::{SpendReport, SpendRow, SpendSums};
use crate::model::time::span;
use crate::model::{Money, Timestamp};

use super::runs::moment;
use super::table::{Column, Table};
use super::text::{clean_line, fitted};
use super::theme::{Theme, Tone};

/// The longest bar.
const BAR: u64 = 40;
/// Eighths of a cell.
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// The table, the bars, the totals; `width` as for [`Table::render`].
pub fn render_spend(report: &SpendReport, theme: Theme, width: Option<usize>) -> String {
    if report.rows.is_empty() && report.groups.is_empty() && report.unpriced.is_empty() {
        return "nothing in the ledger: nothing that costs was brought up here".to_owned();
    }
    let mut blocks = vec![if report.groups.is_empty() { rows(report) } else { groups(report) }.render(theme, width)];
    blocks.extend(bars(report, theme));
    blocks.push(totals(report, theme));
    if !report.unpriced.is_empty() {
        let mut lines = vec![theme.warning("unpriced, in no amount above:")];
        for one in &report.unpriced {
            let text = format!("{}  {}: {}", one.deployment, clean_line(&one.address), clean_line(&one.why));
            lines.extend(
                fitted(&text, width.map(|width| width.saturating_sub(2))).iter().map(|line| format!("  {line}")),
            );
        }
        blocks.push(lines.join("\n"));
    }
    blocks.join("\n\n")
}

fn cents(amount: Money) -> String {
    // Less than a cent is not nothing.
    if amount.is_zero() || amount.rounded(2) != "0.00" { amount.rounded(2) } else { amount.rounded(4) }
}

fn groups(report: &SpendReport) -> Table {
    let mut table = Table::new(vec![
        Column::new("").whole(),
        Column::new("accrued").right().whole(),
        Column::new("month").right().may_go(3),
        Column::new("an hour").right().may_go(2),
        Column::new("month's end").right().may_go(1),
        Column::new("").whole(),
    ]);
    let of_days = report.groups.iter().all(|one| one.month.is_zero() && one.forecast.is_zero());
    let cell = |amount: Money, text: String| if of_days && amount.is_zero() { "-".to_owned() } else { text };
    for SpendSums { name, currency, accrued, month, per_hour, forecast } in &report.groups {
        table.row(vec![
            (Tone::Plain, name.clone()),
            (Tone::Plain, cents(*accrued)),
            (Tone::Plain, cell(*month, cents(*month))),
            (Tone::Plain, cell(*per_hour, per_hour.rounded(4))),
            (Tone::Plain, cell(*forecast, cents(*forecast))),
            (Tone::Dim, currency.clone()),
        ]);
    }
    table
}

fn rows(report: &SpendReport) -> Table {
    let mut table = Table::new(vec![
        Column::new("deployment").whole(),
        Column::new("resource").whole(),
        Column::new("size").may_go(3),
        Column::new("region").may_go(2),
        Column::new("for").right().may_go(4),
        Column::new("accrued").right().whole(),
        Column::new("").whole(),
        Column::new("price").may_go(1),
    ]);
    for row in &report.rows {
        let lives = span(row.to.unwrap_or(report.until).since(row.from));
        let tone = if row.to.is_some() { Tone::Dim } else { Tone::Plain };
        table.row(vec![
            (Tone::Plain, row.deployment.clone()),
            (tone, row.address.clone()),
            (
                Tone::Plain,
                row.quantity.map_or_else(|| row.size.clone(), |gb| format!("{} {gb} GB", row.size).trim().to_owned()),
            ),
            (Tone::Plain, row.region.clone()),
            (Tone::Plain, lives),
            (Tone::Plain, cents(row.accrued)),
            (Tone::Dim, row.price.currency.clone()),
            (Tone::Dim, format!("{} {}", row.price.amount, each(&row.price.unit))),
        ]);
    }
    table
}

/// A bar a day; none where there is but one day, or nothing in them.
fn bars(report: &SpendReport, theme: Theme) -> Option<String> {
    let most = report.days.iter().map(|day| day.cost).max().filter(|most| !most.is_zero())?;
    if report.days.len() < 2 {
        return None;
    }
    let longest = report.days.iter().map(|day| cents(day.cost).len()).max().unwrap_or(0);
    let line = |day: &crate::model::spend::SpendDay| {
        let eighths = eighths(day.cost, most);
        let full = usize::try_from(eighths / 8).unwrap_or(0);
        let rest = EIGHTHS[usize::try_from(eighths % 8).unwrap_or(0)];
        let bar = format!("{}{}", "█".repeat(full), if rest == ' ' { String::new() } else { rest.to_string() });
        format!("{}  {:>longest$}  {}", theme.dim(&day.day), cents(day.cost), theme.paint(Tone::Hint, &bar))
            .trim_end()
            .to_owned()
    };
    Some(report.days.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// How long a bar is, in eighths of a cell; what is not nothing is seen.
fn eighths(cost: Money, most: Money) -> u64 {
    let whole = BAR * 8;
    let found = (0..=whole).rev().find(|n| most.share(u128::from(*n), u128::from(whole)) <= cost).unwrap_or(0);
    if cost.is_zero() { 0 } else { found.max(1) }
}

fn totals(report: &SpendReport, theme: Theme) -> String {
    let line = |currency: &str, [accrued, month, per_hour, forecast]: [Money; 4]| {
        format!(
            "{} {currency} since {}; {} this month, {} {currency} by its end; {} an hour",
            theme.strong(&cents(accrued)),
            moment(report.since),
            cents(month),
            cents(forecast),
            per_hour.rounded(4)
        )
    };
    let mut lines = vec![line(&report.currency, [report.accrued, report.month, report.per_hour, report.forecast])];
    lines.extend(report.others.iter().map(|o| line(&o.currency, [o.accrued, o.month, o.per_hour, o.forecast])));
    for one in &report.actual {
        lines.push(match (&one.month, &one.why) {
            (Some(month), _) => {
                let at = one.at.as_deref().map(|at| format!(", as of {}", clean_line(at))).unwrap_or_default();
                format!("{} itself says {} {} this month for the whole account{at}", one.provider, month, one.currency)
            }
            (None, why) => {
                format!("{} itself says nothing: {}", one.provider, clean_line(why.as_deref().unwrap_or("no reason")))
            }
        });
    }
    lines.join("\n")
}

/// What a price is for.
fn each(unit: &str) -> String {
    match unit {
        "hour" => "an hour".to_owned(),
        "gb_month" => "a GB and month".to_owned(),
        other => format!("a {other}"),
    }
}

/// How the amounts of some rows come about; `width` as for [`Table::render`].
pub fn render_explained(report: &SpendReport, theme: Theme, width: Option<usize>) -> String {
    let blocks = report.rows.iter().map(|row| explained(row, report.until, theme, width));
    let unpriced = report.unpriced.iter().map(|one| {
        format!(
            "{}  {}\n  {} {}",
            one.deployment,
            clean_line(&one.address),
            theme.warning("no price:"),
            clean_line(&one.why)
        )
    });
    blocks.chain(unpriced).collect::<Vec<_>>().join("\n\n")
}

fn explained(row: &SpendRow, now: Timestamp, theme: Theme, width: Option<usize>) -> String {
    let size = [row.size.as_str(), row.region.as_str()]
        .iter()
        .filter(|text| !text.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    let lived = row.to.unwrap_or(now).since(row.from).div_ceil(1000);
    let until = row.to.map_or_else(|| "now".to_owned(), |to| to.to_string());
    let basis = match row.basis.as_str() {
        "state" => "as the state says",
        "change" => "since its size or price changed",
        _ => "since the apply that made it, by the journal",
    };
    let day = if row.price.as_of.is_empty() { String::new() } else { format!(", read {}", row.price.as_of) };
    let facts = [
        ("what", if size.is_empty() { row.kind.clone() } else { format!("{} ({size})", row.kind) }),
        ("id", row.provider_id.clone().unwrap_or_default()),
        ("existed", format!("{} to {until}: {lived} s, {basis}", row.from)),
        ("formula", row.formula.clone()),
        (
            "price",
            format!("{} {} {}, rule `{}`", row.price.amount, row.price.currency, each(&row.price.unit), row.price.rule),
        ),
        ("row", row.price.row.clone()),
        ("source", format!("{}{day}", row.price.source)),
        ("month", format!("{} {} of it this month", row.month, row.price.currency)),
    ];
    let head = format!(
        "{}  {}  {} {}",
        row.deployment,
        clean_line(&row.address),
        theme.strong(&row.accrued.to_string()),
        row.price.currency
    );
    let mut lines = vec![head];
    for (name, text) in facts.iter().filter(|(_, text)| !text.is_empty()) {
        let text = format!("{:8}  {}", name, clean_line(text));
        lines.extend(fitted(&text, width.map(|width| width.saturating_sub(2))).iter().map(|line| format!("  {line}")));
    }
    lines.join("\n")
}

/// One line a row, with a header, quoted as spreadsheets want it.
pub fn spend_csv(report: &SpendReport) -> String {
    let mut lines = vec![
        "deployment,address,provider_id,kind,size,region,quantity,from,to,amount,unit,currency,rule,accrued,month,source,as_of".to_owned(),
    ];
    for row in &report.rows {
        let fields = [
            row.deployment.clone(),
            row.address.clone(),
            row.provider_id.clone().unwrap_or_default(),
            row.kind.clone(),
            row.size.clone(),
            row.region.clone(),
            row.quantity.map(|gb| gb.to_string()).unwrap_or_default(),
            row.from.to_string(),
            row.to.map(|to| to.to_string()).unwrap_or_default(),
            row.price.amount.to_string(),
            row.price.unit.clone(),
            row.price.currency.clone(),
            row.price.rule.clone(),
            row.accrued.to_string(),
            row.month.to_string(),
            row.price.source.clone(),
            row.price.as_of.clone(),
        ];
        lines.push(fields.iter().map(|field| quoted(field)).collect::<Vec<_>>().join(","));
    }
    for one in &report.unpriced {
        let empty = ",".repeat(13);
        lines.push(format!(
            "{},{}{empty}{},",
            quoted(&one.deployment),
            quoted(&one.address),
            quoted(&format!("unpriced: {}", one.why))
        ));
    }
    lines.join("\n")
}

fn quoted(field: &str) -> String {
    // A field that a spreadsheet would run as a formula is a text all the same.
    let field = if field.starts_with(['=', '+', '-', '@']) { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}
