//! A plan before it is executed: what would go first, then the order with a reason for each unit.

use crate::model::status::PlanReport;
use crate::model::{Action, Money, Plan, PlannedUnit};

use super::table::{Column, Table};
use super::text::{clean_line, count};
use super::theme::{Theme, Tone, action_word};

/// What goes, the units in order, and the count; `width` as for [`Table::render`].
pub fn render_plan(plan: &Plan, theme: Theme, width: Option<usize>) -> String {
    if plan.units.is_empty() {
        return "nothing is selected: 0 units".to_owned();
    }
    let mut blocks = Vec::new();
    let going: Vec<&PlannedUnit> = plan.units.iter().filter(|unit| !unit.destroys.is_empty()).collect();
    let destroyed: usize = going.iter().map(|unit| unit.destroys.len()).sum();
    if destroyed > 0 {
        let mut lines = vec![theme.failed(&format!("destroys {destroyed}:"))];
        for unit in going {
            let entry = |address: &String| theme.failed(&format!("  - {}  {}", unit.id.subject, clean_line(address)));
            lines.extend(unit.destroys.iter().map(entry));
        }
        blocks.push(lines.join("\n"));
    }
    let columns = vec![
        Column::new("").right(),
        Column::new("action").whole(),
        Column::new("subject").whole(),
        Column::new("stage").whole(),
        Column::new("why").wrapped(),
    ];
    let mut table = Table::new(columns);
    for (n, unit) in plan.units.iter().enumerate() {
        let (word, tone) = action_word(unit.action);
        table.row(vec![
            (Tone::Dim, (n + 1).to_string()),
            (tone, word.to_owned()),
            (Tone::Plain, unit.id.subject.to_string()),
            (Tone::Plain, unit.stage.word().to_owned()),
            (if unit.action == Action::Skip { Tone::Dim } else { Tone::Plain }, unit.why.clone()),
        ]);
    }
    blocks.push(table.render(theme, width));
    blocks.push(theme.strong(&plan_counts(plan)));
    blocks.join("\n\n")
}

/// What it would change in the bill, and which budgets would not hold.
pub fn render_costs(report: &PlanReport, theme: Theme) -> String {
    let sign = |amount: Money, places: u32| {
        let text = amount.rounded(places);
        if amount.is_negative() { text } else { format!("+{text}") }
    };
    let mut lines: Vec<String> = Vec::new();
    for one in &report.costs {
        lines.push(format!(
            "cost  {}  {} {} an hour ({} in all), {} by the month's end ({} in all)",
            one.deployment,
            sign(one.per_hour, 4),
            one.currency,
            one.per_hour_after.rounded(4),
            sign(one.forecast, 2),
            one.forecast_after.rounded(2)
        ));
        if !one.unpriced.is_empty() {
            lines.push(format!("      {} {}", theme.warning("unpriced:"), clean_line(&one.unpriced.join(", "))));
        }
    }
    lines
        .extend(report.over_budget.iter().map(|over| format!("{} {}", theme.failed("over budget:"), clean_line(over))));
    lines.join("\n")
}

/// `3 to run, 2 skipped, 1 blocked; destroys 2`
pub fn plan_counts(plan: &Plan) -> String {
    let of = |action: Action| plan.units.iter().filter(|unit| unit.action == action).count();
    let mut parts = vec![format!("{} to run", of(Action::Run))];
    parts.extend((of(Action::Skip) > 0).then(|| format!("{} skipped", of(Action::Skip))));
    parts.extend((of(Action::Blocked) > 0).then(|| format!("{} blocked", of(Action::Blocked))));
    let destroyed: usize = plan.units.iter().map(|unit| unit.destroys.len()).sum();
    let destroys = if destroyed > 0 { format!("; destroys {}", count(destroyed, "thing")) } else { String::new() };
    format!("{}{destroys}", parts.join(", "))
}
