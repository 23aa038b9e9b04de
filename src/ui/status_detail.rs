//! What stands below the table of `otto status`: where each deployment is reached, and what needs attention.

use crate::model::status::{DeploymentStatus, StatusReport};
use crate::model::{CheckKind, Health, HostState};

use super::lines::check_line;
use super::table::LeftOut;
use super::text::{clean_line, count, fitted};
use super::theme::{Theme, host_tone};

/// Checks shown per deployment.
const SHOWN: usize = 10;

/// The lines, by deployment, then what is nobody's.
pub(super) fn details(report: &StatusReport, left_out: &[LeftOut], theme: Theme, width: Option<usize>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (n, one) in report.deployments.iter().enumerate() {
        let mut below = of_deployment(one, theme);
        let facts = left_out.get(n).into_iter().flatten().filter(|(_, text)| text != "-");
        let facts: Vec<String> = facts.map(|(title, text)| format!("{title} {text}")).collect();
        if !facts.is_empty() {
            below.insert(0, theme.dim(&facts.join(", ")));
        }
        if below.is_empty() && one.endpoint.is_none() {
            continue;
        }
        let endpoint =
            one.endpoint.as_deref().map_or(String::new(), |url| format!("  {}", theme.hint(&clean_line(url))));
        lines.push(format!("{}{endpoint}", theme.strong(&one.name.to_string())));
        lines.extend(below.into_iter().map(|line| format!("  {line}")));
    }
    lines.extend(orphans(report, theme));
    lines.iter().flat_map(|line| fitted(line, width)).collect()
}

fn of_deployment(one: &DeploymentStatus, theme: Theme) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(dirty) = &one.dirty {
        lines.push(format!("{} {}", theme.failed("dirty:"), clean_line(&dirty.reason)));
        lines.push(format!("{} {}", theme.hint("repair:"), theme.hint(&theme.command(&clean_line(&dirty.repair)))));
    }
    for host in one.hosts.iter().filter(|host| host.state != HostState::Up) {
        let word = theme.paint(host_tone(host.state), host.state.word());
        let address = if host.address.is_empty() { String::new() } else { format!("  {}", clean_line(&host.address)) };
        lines.push(format!("{word}  {}{}", clean_line(&host.name), theme.dim(&address)));
    }
    let bad: Vec<_> = one.checks.iter().filter(|check| check.state != Health::Ok).collect();
    for check in bad.iter().take(SHOWN) {
        lines.push(check_line(&check.name, check.state, &check.target, &check.detail, theme));
    }
    if bad.len() > SHOWN {
        lines.push(theme.dim(&format!("… and {} that found something", count(bad.len() - SHOWN, "more check"))));
    }
    // All certificates of a site are mostly one: the first says until when.
    let good = one.checks.iter().find(|check| check.kind == CheckKind::Tls && check.state == Health::Ok);
    lines.extend(good.map(|check| theme.dim(&format!("certificate: {}", clean_line(&check.detail)))));
    lines.extend(
        one.stale.iter().map(|why| format!("{} {}", theme.warning("stale:"), theme.literals(&clean_line(why)))),
    );
    if one.lease.as_ref().and_then(|lease| lease.left_s).is_some_and(|left| left <= 0) && one.phase.exists() {
        let what = theme.literals(&format!("`otto destroy {0}` ends it", one.name));
        lines.push(format!("{} {what}", theme.warning("lease over:")));
    }
    if !one.spend.unpriced.is_empty() && one.phase.exists() {
        let names: Vec<String> = one.spend.unpriced.iter().map(|name| clean_line(name)).collect();
        lines.push(format!("{} {}", theme.warning("unpriced:"), names.join(", ")));
    }
    lines
}

fn orphans(report: &StatusReport, theme: Theme) -> Vec<String> {
    if report.orphans.is_empty() {
        return Vec::new();
    }
    let field = |orphan: &serde_json::Value, key: &str| {
        orphan.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
    };
    let what = count(report.orphans.len(), "orphan");
    let mut lines = vec![format!("{} {what}: tagged by otto, in no state", theme.warning("warning:"))];
    for orphan in &report.orphans {
        let parts = [field(orphan, "kind"), field(orphan, "name"), field(orphan, "id"), field(orphan, "region")];
        let parts: Vec<String> = parts.iter().filter(|part| !part.is_empty()).map(|part| clean_line(part)).collect();
        lines.push(format!("  {}", parts.join("  ")));
    }
    lines
}
