//! The live part of the screen as lines: a pure function of the run, the width and the time.

use crate::model::time::span;
use crate::model::{Action, Outcome, Timestamp};

use super::fold::{Run, Unit};
use super::text::{cut, pad, width};
use super::theme::{Theme, Tone};

/// Units shown at most; more are counted.
pub(super) const SHOWN: usize = 8;
/// On a wide terminal the elapsed time still stands near the text.
const WIDEST: usize = 120;

/// One line per running unit, `… and 5 more running`, a line of totals; none wider than `width`, at most `height`.
pub(super) fn frame(run: &Run, to: usize, height: usize, now: Timestamp, theme: Theme) -> Vec<String> {
    let to = to.min(WIDEST);
    let running = run.running();
    let room = height.saturating_sub(2).max(1);
    // One more than fits would need the line that says so.
    let most = if running.len() > SHOWN.min(room) { SHOWN.min(room.saturating_sub(1)).max(1) } else { SHOWN };
    let shown = &running[..running.len().min(most)];
    let progress_width = shown.iter().map(|unit| width(&unit.progress())).max().unwrap_or(0);
    let mut lines: Vec<String> =
        shown.iter().map(|unit| unit_line(run, unit, progress_width, to, now, theme)).collect();
    if running.len() > shown.len() {
        let more = format!("… and {} more running", running.len() - shown.len());
        lines.push(theme.dim(&cut(&more, to)));
    }
    lines.push(totals_line(run, running.len(), to, now, theme));
    lines
}

fn unit_line(run: &Run, unit: &Unit, progress_width: usize, to: usize, now: Timestamp, theme: Theme) -> String {
    let elapsed = clock(now.since(unit.started.unwrap_or(now)));
    let subject = pad(&unit.id.subject.to_string(), run.subject_width);
    let stage = pad(unit.id.stage.word(), run.stage_width);
    let mut left = format!("{}  {stage}", cut(&subject, to.saturating_sub(22).max(8)));
    if progress_width > 0 && width(&left) + progress_width + 12 <= to {
        left = format!("{left}  {}", pad(&unit.progress(), progress_width));
    }
    let room = to.saturating_sub(width(&left) + 2 + width(&elapsed) + 2);
    if room >= 8 {
        let what = pad(&cut(unit.now(), room), room);
        let tone = if unit.now().is_empty() { Tone::Plain } else { Tone::Dim };
        return format!("{left}  {}  {elapsed}", theme.paint(tone, &what));
    }
    ends_with(&left, &elapsed, to, Tone::Plain, theme)
}

fn totals_line(run: &Run, running: usize, to: usize, now: Timestamp, theme: Theme) -> String {
    let planned = run.units.iter().filter(|unit| unit.action != Action::Skip || unit.started.is_some());
    let (all, done) = planned.fold((0, 0), |(all, done), unit| (all + 1, done + usize::from(unit.end.is_some())));
    let mut parts = vec![format!("{done}/{all} units done"), format!("{running} running")];
    let failed = run.units.iter().filter(|unit| unit.failed()).count();
    let blocked = run.ended_as(Outcome::Blocked);
    if failed > 0 {
        parts.insert(1, format!("{failed} failed"));
    }
    if blocked > 0 {
        parts.insert(1, format!("{blocked} blocked"));
    }
    if run.stopping > 0 {
        parts.push("stopping".to_owned());
    }
    let elapsed = clock(now.since(run.started.unwrap_or(now)));
    let tone = match (failed, run.stopping) {
        (0, 0) => Tone::Strong,
        (0, _) => Tone::Warning,
        _ => Tone::Failed,
    };
    ends_with(&format!("{}  {}", run.verb, parts.join(", ")), &elapsed, to, tone, theme)
}

/// The left text, and the right one at the margin.
fn ends_with(left: &str, right: &str, to: usize, tone: Tone, theme: Theme) -> String {
    let room = to.saturating_sub(width(right) + 2);
    if room < 8 {
        return theme.paint(tone, &cut(left, to));
    }
    let left = cut(left, room);
    let gap = " ".repeat(to - width(&left) - width(right));
    format!("{}{gap}{right}", theme.paint(tone, &left))
}

/// An elapsed time that moves by the second: `4 s`, `1m 04s`.
pub(super) fn clock(ms: u64) -> String {
    if ms < 60_000 { format!("{} s", ms / 1000) } else { span(ms) }
}
