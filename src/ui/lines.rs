//! The lines that stay: what each event leaves on the screen, live above the frame, plain off a terminal.

use crate::model::time::span;
use crate::model::{Action, Event, EventKind, Health, Outcome, Timestamp, UnitId};

use super::fold::{Run, Unit};
use super::frame::clock;
use super::text::{clean, clean_line, count, cut, fitted, pad, width, wrap};
use super::theme::{Theme, Tone, health_tone, outcome_tone};

/// How lines are to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) theme: Theme,
    /// `None`: nothing is wrapped or shortened.
    pub(super) width: Option<usize>,
    /// A frame shows what runs; so starts are not worth a line.
    pub(super) live: bool,
    /// Everything is worth a line.
    pub(super) verbose: bool,
}

/// `ok`, `failed`, `skipped`, `blocked`, `started`, `running`, `warning`: all but two words fit.
const WORD: usize = 7;

/// What this event, already taken into `run`, leaves.
pub(super) fn lines(run: &Run, event: &Event, look: Look) -> Vec<String> {
    let unit = event.unit.as_ref().and_then(|id| run.find(id));
    let line = match (&event.kind, unit) {
        (EventKind::RunStarted { .. }, _) => return vec![first_line(run, look)],
        (EventKind::Stopping { level, why }, _) => return stopping(run, *level, why, look),
        (EventKind::UnitStarted { why }, Some(unit)) if !look.live || look.verbose => {
            unit_line(run, unit, ("started", Tone::Hint), &clean_line(why), None, look)
        }
        (EventKind::Retry { attempt, of, why }, Some(unit)) => {
            let text = format!("{} (attempt {attempt} of {of})", clean_line(why));
            unit_line(run, unit, ("retry", Tone::Warning), &text, None, look)
        }
        (EventKind::Diagnostic { diagnostic }, Some(unit)) if diagnostic.warning || look.verbose => {
            let place = diagnostic.place().map_or(String::new(), |place| format!(" ({place})"));
            let text = clean_line(&format!("{}{place}", diagnostic.summary));
            let word = if diagnostic.warning { ("warning", Tone::Warning) } else { ("error", Tone::Failed) };
            unit_line(run, unit, word, &text, None, look)
        }
        (EventKind::Note { text, warning }, unit) => {
            let word = if *warning { ("warning", Tone::Warning) } else { ("note", Tone::Plain) };
            match unit {
                Some(unit) => unit_line(run, unit, word, &clean_line(text), None, look),
                None => {
                    let label = look.theme.paint(word.1, &format!("{}:", word.0));
                    vec![format!("{label} {}", look.theme.literals(&clean(text)))]
                }
            }
        }
        (EventKind::UnitEnded { outcome, took_ms, .. }, Some(unit)) => {
            let summary = unit.end.as_ref().map_or("", |end| end.summary.as_str());
            let took =
                (*took_ms > 0 && !matches!(outcome, Outcome::Skipped | Outcome::Blocked)).then(|| span(*took_ms));
            unit_line(run, unit, (outcome.word(), outcome_tone(*outcome)), summary, took.as_deref(), look)
        }
        (kind, Some(unit)) if look.verbose => verbose(&unit.id, kind, look),
        _ => return Vec::new(),
    };
    line.into_iter().flat_map(|line| fitted(&line, look.width)).collect()
}

/// `up  dev/local/hello, dev/local/blog  5 units`
fn first_line(run: &Run, look: Look) -> String {
    let mut subjects: Vec<String> = Vec::new();
    let deployments = run.units.iter().filter(|unit| unit.id.deployment().is_some());
    let images = run.units.iter().filter(|unit| unit.id.deployment().is_none());
    for unit in deployments {
        let name = unit.id.subject.to_string();
        if !subjects.contains(&name) {
            subjects.push(name);
        }
    }
    if subjects.is_empty() {
        subjects.extend(images.map(|unit| unit.id.subject.to_string()));
    }
    let skipped = run.units.iter().filter(|unit| unit.action == Action::Skip).count();
    let mut units = count(run.units.len() - skipped, "unit");
    if skipped > 0 {
        units = format!("{units}, {skipped} skipped");
    }
    let room = look.width.unwrap_or(usize::MAX).saturating_sub(width(&run.verb) + width(&units) + 4);
    let mut names = subjects.join(", ");
    let mut kept = subjects.len();
    while width(&names) > room && kept > 1 {
        kept -= 1;
        names = format!("{} and {} more", subjects[..kept].join(", "), subjects.len() - kept);
    }
    let names = if names.is_empty() { names } else { format!("{}  ", cut(&names, room)) };
    format!("{}  {names}{}", look.theme.strong(&run.verb), look.theme.dim(&units))
}

/// `ok  dev/local/hello  provision  3 created  0.4 s`
fn unit_line(run: &Run, unit: &Unit, word: (&str, Tone), text: &str, took: Option<&str>, look: Look) -> Vec<String> {
    let subject = pad(&unit.id.subject.to_string(), run.subject_width);
    let stage = pad(unit.id.stage.word(), run.stage_width);
    let head = format!("{}  {subject}  {stage}", pad(word.0, WORD));
    let mut parts = vec![head];
    parts.extend((!text.is_empty()).then(|| text.to_owned()));
    parts.extend(took.map(str::to_owned));
    let plain = parts.join("  ");
    // The word is padded, so that its length in bytes is where the rest begins.
    let line = format!("{}{}", look.theme.paint(word.1, word.0), plain[word.0.len()..].trim_end());
    look.width.map_or_else(|| vec![line.clone()], |width| wrap(&line, width, WORD + 2))
}

/// `dev/local/hello:provision | terraform apply`
fn verbose(id: &UnitId, kind: &EventKind, look: Look) -> Vec<String> {
    let text = match kind {
        EventKind::Intended { tool, step, folder } => format!("{tool} {step} (log: {folder})"),
        EventKind::Ended { step, end, took_ms } => format!("{step}: {}, {}", end.describe(), span(*took_ms)),
        EventKind::Progress { done, total, what } if *total > 0 => format!("{done}/{total}  {what}"),
        EventKind::Progress { what, .. } => what.clone(),
        EventKind::Checked { check } => {
            let took = check.latency_ms.map_or(String::new(), |ms| format!(", {ms} ms"));
            let detail = if check.detail.is_empty() { String::new() } else { format!(": {}", check.detail) };
            let word = look.theme.paint(health_tone(check.state), check.state.word());
            let text = clean_line(&format!("{} ({}{took}){detail}", check.name, check.target));
            return vec![format!("{} {word} {text}", look.theme.dim(&format!("{id} |")))];
        }
        EventKind::Image { record } => format!("image {}", record.reference),
        EventKind::ImageGone { reference } => format!("image gone: {reference}"),
        EventKind::Ledger { owner, resources } => format!("ledger of {owner}: {} in it", resources.len()),
        _ => return Vec::new(),
    };
    vec![format!("{} {}", look.theme.dim(&format!("{id} |")), clean_line(&text))]
}

fn stopping(run: &Run, level: u8, why: &str, look: Look) -> Vec<String> {
    let running = run.running();
    let names = |with_tool: bool| {
        let name = |unit: &&Unit| match with_tool && !unit.call.is_empty() {
            true => format!("{} ({})", unit.id, unit.call),
            false => unit.id.to_string(),
        };
        running.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    let why = clean_line(why);
    let text = match level {
        0 | 1 if running.is_empty() => format!("stopping ({why}): no new units"),
        0 | 1 if why == "SIGINT" => format!(
            "stopping ({why}): no new units, tools asked to finish; Ctrl-C again stops what can be stopped without losing state"
        ),
        0 | 1 => format!("stopping ({why}): no new units, tools asked to finish"),
        2 if running.is_empty() => format!("stopping ({why}): nothing is running any more"),
        2 => format!("stopping ({why}): still waiting for {}; once more abandons it", names(true)),
        _ if running.is_empty() => format!("stopping ({why})"),
        _ => {
            let id = run.id.as_ref().map_or("", |id| id.0.as_str());
            format!("abandoned ({why}): what {} left is unknown; `otto resume {id}` looks for it", names(true))
        }
    };
    fitted(&look.theme.warning(&text), look.width)
}

/// What a unit at work has come to, for a log in which nothing moves.
pub(super) fn heartbeat(run: &Run, unit: &Unit, now: Timestamp, look: Look) -> Vec<String> {
    let parts = [unit.progress(), unit.now().to_owned()];
    let text = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join("  ");
    let elapsed = clock(now.since(unit.started.unwrap_or(now)));
    unit_line(run, unit, ("running", Tone::Hint), &text, Some(&elapsed), look)
}

/// A check that found something, for reports: `critical  www-1 up  …`.
pub(super) fn check_line(name: &str, state: Health, target: &str, detail: &str, theme: Theme) -> String {
    let word = theme.paint(health_tone(state), state.word());
    let why = if detail.is_empty() { String::new() } else { format!(": {}", clean_line(detail)) };
    format!("{word}  {}{why}  {}", clean_line(name), theme.dim(&clean_line(target)))
}
