//! `otto plan --diff`: resources with the values that would change.

use crate::model::plan::DeploymentChanges;

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
        for resource in &deployment.resources {
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
        blocks.push(lines.join("\n"));
    }
    blocks.join("\n\n")
}
