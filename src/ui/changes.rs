//! `otto plan --diff`: resources with the values that would change.

use crate::model::plan::{DeploymentChanges, Drift, ResourceChange};

use super::text::clean_line;
use super::theme::{Theme, Tone};

/// A block per deployment: each resource with its sign, and below it what becomes of its attributes.
pub fn render_resources(all: &[DeploymentChanges], theme: Theme) -> String {
    let mut blocks = Vec::new();
    for deployment in all {
        let mut lines = vec![theme.strong(&deployment.deployment.to_string())];
        if let Some(error) = &deployment.error {
            lines.push(format!("  {}", theme.failed(&clean_line(error))));
        } else if deployment.resources.is_empty() {
            lines.push("  no resource would change".to_owned());
        }
        deployment.resources.iter().for_each(|resource| push(&mut lines, resource, theme));
        blocks.push(lines.join("\n"));
    }
    blocks.join("\n\n")
}

/// `otto drift`: a block per deployment.
pub fn render_drift(all: &[Drift], theme: Theme) -> String {
    let mut blocks = Vec::new();
    for one in all {
        let mut lines = vec![theme.strong(&one.name.to_string())];
        if one.changes.is_empty() {
            lines.push("  as it was made".to_owned());
        }
        one.changes.iter().for_each(|resource| push(&mut lines, resource, theme));
        blocks.push(lines.join("\n"));
    }
    if blocks.is_empty() {
        return "nothing to compare\n".to_owned();
    }
    format!("{}\n", blocks.join("\n\n"))
}

/// One resource with its sign, and below it what becomes of its attributes.
fn push(lines: &mut Vec<String>, resource: &ResourceChange, theme: Theme) {
    let (sign, tone) = match resource.action.as_str() {
        "create" => ("+", Tone::Ok),
        "update" => ("~", Tone::Warning),
        "replace" => ("-/+", Tone::Failed),
        _ => ("-", Tone::Failed),
    };
    lines.push(format!("  {}", theme.paint(tone, &format!("{sign} {}", clean_line(&resource.address)))));
    for field in &resource.fields {
        let text = match (&field.before, &field.after) {
            (Some(before), Some(after)) => format!("{before} -> {after}"),
            (Some(before), None) => format!("{before} -> nothing"),
            (None, Some(after)) => after.clone(),
            (None, None) => continue,
        };
        let path = if field.path.is_empty() { String::new() } else { format!("{}: ", field.path) };
        lines.push(format!("      {}", clean_line(&format!("{path}{text}"))));
    }
}
