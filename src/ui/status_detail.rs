//! What stands below the table of `otto status`: where each deployment is reached, and what needs attention.

use crate::model::status::{DeploymentStatus, OrphanStatus, StatusReport};
use crate::model::time::span;
use crate::model::{CheckKind, Health, HostState, LeaseState, Owner};

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
        let mut below = of_deployment(one, report, theme);
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

fn of_deployment(one: &DeploymentStatus, report: &StatusReport, theme: Theme) -> Vec<String> {
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
    lines.extend(lease(one, theme));
    if let Some(drift) = &one.drift {
        let age = span(report.at.since(drift.at));
        let text = format!("{} changed outside of otto ({age} ago)", count(drift.changes as usize, "resource"));
        let told = match drift.changes {
            0 => theme.dim(&format!("drift: none ({age} ago)")),
            _ => format!(
                "{} {text}: {}",
                theme.warning("drift:"),
                theme.literals("`otto drift` shows it, `otto up` puts back what the root sets")
            ),
        };
        lines.push(told);
    }
    for kept in one.kept.iter().filter(|kept| !kept.holds_up) {
        let line = format!("`otto destroy {} --with '{}'` takes it down", one.name, clean_line(&kept.address));
        let what = format!("{} ({})", clean_line(&kept.address), clean_line(&kept.id));
        lines.push(format!("{} {what}: {}", theme.warning("left behind:"), theme.literals(&line)));
    }
    if !one.spend.unpriced.is_empty() && one.phase.exists() {
        let names: Vec<String> = one.spend.unpriced.iter().map(|name| clean_line(name)).collect();
        lines.push(format!("{} {}", theme.warning("unpriced:"), names.join(", ")));
    }
    lines
}

/// A lease that is over or ends soon, and what may be done.
fn lease(one: &DeploymentStatus, theme: Theme) -> Option<String> {
    let lease = one.lease.as_ref().filter(|_| one.phase.exists())?;
    let left = span(lease.left_s?.unsigned_abs() * 1000);
    let keep = format!("`otto extend {} --for 8h` keeps it", one.name);
    match lease.state {
        LeaseState::Over if lease.protect => Some(format!(
            "{} for {left}: {}",
            theme.warning("lease over:"),
            theme.literals(&format!("it is protected; `otto destroy {0} --confirm {0}` ends it", one.name))
        )),
        LeaseState::Over => Some(format!(
            "{} for {left}: {}",
            theme.warning("lease over:"),
            theme.literals(&format!("`otto reap` destroys it, {keep}"))
        )),
        LeaseState::Ending => Some(format!("{} in {left}: {}", theme.warning("lease ends:"), theme.literals(&keep))),
        LeaseState::Ok | LeaseState::None => None,
    }
}

fn orphans(report: &StatusReport, theme: Theme) -> Vec<String> {
    let told = |one: &OrphanStatus| {
        let of = one.deployment.as_ref().map(|id| format!("of {id}")).unwrap_or_default();
        let cost = one.per_hour.as_ref().map(|cost| format!("{cost}/h")).unwrap_or_default();
        let orphan = &one.orphan;
        let parts = [&orphan.kind, &orphan.name, &orphan.id, &of, &one.provider, &orphan.region, &orphan.size, &cost];
        let parts = parts.iter().filter(|part| !part.is_empty()).map(|part| clean_line(part));
        parts.collect::<Vec<_>>().join("  ")
    };
    let (ours, foreign): (Vec<_>, Vec<_>) = report.orphans.iter().partition(|one| one.whose == Owner::Ours);
    let mut lines = Vec::new();
    if !ours.is_empty() {
        let what = count(ours.len(), "orphan");
        let how = theme.literals("`otto reap` removes what holds no data");
        lines.push(format!("{} {what}: made by otto, in no state; {how}", theme.warning("warning:")));
        lines.extend(ours.into_iter().map(|one| format!("  {}", told(one))));
    }
    if !foreign.is_empty() {
        let names: Vec<String> = foreign.iter().take(3).map(|one| clean_line(&one.orphan.name)).collect();
        let more = if foreign.len() > 3 { ", ..." } else { "" };
        let what = count(foreign.len(), "thing");
        let text = format!("{what} of other stores or projects, never touched: {}{more}", names.join(", "));
        lines.push(theme.dim(&text));
    }
    lines
}
