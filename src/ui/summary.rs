//! The end of a run: what matters comes last. On failure the root cause first, what else failed, then what to do; on
//! success the counts and times.

use std::collections::BTreeMap;

use crate::model::time::span;
use crate::model::{Diagnostic, Outcome, Stage};

use super::fold::{Run, RunEnd, Unit};
use super::lines::{Look, check_line};
use super::text::{count, fitted, wrap};
use super::theme::{Tone, outcome_tone};

/// Lines of a tool's detail shown for the root cause, and for each other failure.
const DETAIL: (usize, usize) = (30, 4);
/// Units named in a list; more are counted.
const NAMED: usize = 12;
/// Errors shown per unit.
const ERRORS: usize = 5;

/// Everything after the last unit's line; `folder` is what log paths stand in, `extra` is the caller's.
pub(super) fn summary(run: &Run, extra: &[String], folder: &str, look: Look) -> Vec<String> {
    let Some(end) = &run.end else { return Vec::new() };
    let mut text = Text { look, lines: vec![String::new()] };
    if end.outcome.is_good() {
        text.good(run, end);
        text.plain_all(extra);
        return text.lines;
    }
    text.failures(run, folder);
    text.headline(run, end);
    text.counts(run, end);
    text.plain_all(extra);
    text.what_to_do(run);
    text.lines
}

struct Text {
    look: Look,
    lines: Vec<String>,
}

impl Text {
    fn push(&mut self, line: &str) {
        self.lines.extend(fitted(line, self.look.width));
    }

    fn plain_all(&mut self, lines: &[String]) {
        for line in lines {
            self.push(line);
        }
    }

    /// A text in one tone, wrapped with its own indentation.
    fn toned(&mut self, tone: Tone, indent: usize, text: &str) {
        let line = format!("{}{text}", " ".repeat(indent));
        let to = self.look.width.unwrap_or(usize::MAX);
        for piece in wrap(&line, to, indent + 2) {
            let bare = piece.trim_start();
            let lead = &piece[..piece.len() - bare.len()];
            self.lines.push(format!("{lead}{}", self.look.theme.paint(tone, bare)));
        }
    }

    fn headline(&mut self, run: &Run, end: &RunEnd) {
        let theme = self.look.theme;
        let wall = if end.totals.wall_ms > 0 { end.totals.wall_ms } else { since_start(run, end) };
        let word = theme.paint(outcome_tone(end.outcome), end.outcome.word());
        let id = run.id.as_ref().map_or(String::new(), |id| format!("  run {id}"));
        self.push(&format!("{} {word} in {}{}", run.verb, span(wall), theme.dim(&id)));
    }

    fn good(&mut self, run: &Run, end: &RunEnd) {
        self.headline(run, end);
        self.counts(run, end);
    }

    /// `units   5 run, 2 skipped; slowest dev/local/hello provision 4.2 s`, and so on.
    fn counts(&mut self, run: &Run, end: &RunEnd) {
        let all = [
            (Outcome::Ok, "ok"),
            (Outcome::Failed, "failed"),
            (Outcome::TimedOut, "timed out"),
            (Outcome::Lost, "lost"),
            (Outcome::Cancelled, "cancelled"),
            (Outcome::Blocked, "blocked"),
            (Outcome::Skipped, "skipped"),
        ];
        let by_outcome = all.iter().map(|(outcome, word)| (run.ended_as(*outcome), *word));
        let mut units =
            by_outcome.filter(|(n, _)| *n > 0).map(|(n, w)| format!("{n} {w}")).collect::<Vec<_>>().join(", ");
        let took = |unit: &&Unit| unit.end.as_ref().map_or(0, |end| end.took_ms);
        let ran = run.units.iter().filter(|unit| unit.started.is_some() && took(unit) > 0);
        if let Some(slowest) = ran.clone().max_by_key(took).filter(|_| ran.count() > 1) {
            let name = format!("{} {}", slowest.id.subject, slowest.id.stage);
            units = format!("{units}; slowest {name} {}", span(took(&slowest)));
        }
        self.fact("units", &units);
        self.fact("stages", &stages(&end.totals.stages_ms));
        let calls = |(tool, n): (&String, &u32)| format!("{tool} {n}");
        let mut tools = end.totals.tool_calls.iter().map(calls).collect::<Vec<_>>().join(", ");
        if end.totals.retries > 0 {
            tools = format!("{tools}; {}", count(end.totals.retries as usize, "repetition"));
        }
        if end.totals.install_ms > 0 {
            tools = format!("{tools}; installing tools took {} more", span(end.totals.install_ms));
        }
        self.fact("calls", tools.trim_start_matches("; "));
        let bad: usize = run.units.iter().map(|unit| unit.checks.len()).sum();
        let checks = match (run.checks_ok, bad) {
            (0, 0) => String::new(),
            (ok, 0) => format!("{ok} ok"),
            (ok, bad) => format!("{ok} ok, {bad} not"),
        };
        self.fact("checks", &checks);
    }

    fn fact(&mut self, name: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let line = format!("  {name:<7} {text}");
        let pieces = wrap(&line, self.look.width.unwrap_or(usize::MAX), 10);
        let first = format!("  {}{}", self.look.theme.dim(&format!("{name:<7}")), &pieces[0][9..]);
        self.lines.push(first);
        self.lines.extend(pieces.into_iter().skip(1));
    }

    fn failures(&mut self, run: &Run, folder: &str) {
        let failed: Vec<&Unit> = run.ended.iter().map(|n| &run.units[*n]).filter(|unit| unit.failed()).collect();
        let cancelled = || run.units.iter().filter(|u| u.end.as_ref().is_some_and(|e| e.outcome == Outcome::Cancelled));
        let mut groups: Vec<Vec<&Unit>> = Vec::new();
        for unit in failed {
            match groups.iter_mut().find(|group| same_failure(group[0], unit)) {
                Some(group) => group.push(unit),
                None => groups.push(vec![unit]),
            }
        }
        if groups.is_empty() {
            groups = cancelled().map(|unit| vec![unit]).collect();
        }
        for (n, group) in groups.iter().enumerate() {
            self.failure(run, group, folder, if n == 0 { DETAIL.0 } else { DETAIL.1 });
        }
    }

    /// Units that failed for the same reason; the first one in full.
    fn failure(&mut self, run: &Run, group: &[&Unit], folder: &str, detail: usize) {
        let unit = group[0];
        let Some(end) = &unit.end else { return };
        let theme = self.look.theme;
        let word = theme.paint(outcome_tone(end.outcome), end.outcome.word());
        let name = theme.strong(&format!("{}  {}", unit.id.subject, unit.id.stage));
        // The tool's own words follow below: they are not told twice.
        let told = unit.errors.first().and_then(|error| end.summary.split_once(error.summary.as_str()));
        let summary = told.map_or(end.summary.as_str(), |(before, _)| before.trim_end_matches([':', ' ']));
        let summary = if summary.is_empty() { String::new() } else { format!("  {summary}") };
        self.push(&format!("{word}  {name}{summary}  {}", span(end.took_ms)));
        for error in unit.errors.iter().take(ERRORS) {
            self.diagnostic(error, detail);
        }
        let more = unit.errors.len().saturating_sub(ERRORS) + unit.more_errors;
        if more > 0 {
            self.toned(Tone::Dim, 2, &format!("… and {} in the log", count(more, "more error")));
        }
        for check in &unit.checks {
            let line = check_line(&check.name, check.state, &check.target, &check.detail, theme);
            self.push(&format!("  {line}"));
        }
        if let Some(log) = &end.log {
            self.toned(Tone::Plain, 2, &format!("log: {}{log}", folder_prefix(folder)));
        }
        if let [_, others @ ..] = group
            && !others.is_empty()
        {
            self.toned(Tone::Plain, 2, &format!("the same in: {}", names(others)));
        }
        let blocked: Vec<&Unit> = group.iter().flat_map(|unit| run.blocked_by(&unit.id)).collect();
        if !blocked.is_empty() {
            self.toned(Tone::Plain, 2, &format!("blocked by it: {}", names(&blocked)));
        }
        self.lines.push(String::new());
    }

    fn diagnostic(&mut self, error: &Diagnostic, detail: usize) {
        self.toned(Tone::Failed, 2, &format!("error: {}", error.summary));
        let about = [error.place(), error.about.clone(), error.host.as_ref().map(|host| format!("on {host}"))];
        let about: Vec<String> = about.into_iter().flatten().collect();
        if !about.is_empty() {
            self.toned(Tone::Plain, 4, &format!("at {}", about.join(", ")).replacen("at on ", "on ", 1));
        }
        let lines: Vec<&str> = error.detail.lines().collect();
        for line in &lines[lines.len().saturating_sub(detail)..] {
            self.toned(Tone::Dim, 4, &format!("| {line}"));
        }
    }

    fn what_to_do(&mut self, run: &Run) {
        let theme = self.look.theme;
        let mut shown: Vec<&String> = Vec::new();
        let ended = run.ended.iter().filter_map(|n| run.units[*n].end.as_ref());
        for hint in ended.filter(|end| !end.outcome.is_good()).flat_map(|end| &end.hints) {
            if shown.contains(&hint) {
                continue;
            }
            shown.push(hint);
            let to = self.look.width.unwrap_or(usize::MAX);
            let mut pieces = wrap(&format!("hint: {}", theme.command(&hint.trim_end().replace('\n', " "))), to, 6);
            // A literal that was broken in two is left uncoloured by `literals`.
            for piece in &mut pieces {
                *piece = theme.literals(piece);
            }
            pieces[0] = pieces[0].replacen("hint:", &theme.hint("hint:"), 1);
            self.lines.extend(pieces);
        }
        if let Some(id) = &run.id {
            self.push(&format!(
                "{} {}",
                theme.hint("resume:"),
                theme.hint(&theme.command(&format!("otto resume {id}")))
            ));
        }
    }
}

fn same_failure(one: &Unit, other: &Unit) -> bool {
    let key =
        |unit: &Unit| unit.errors.first().map(|error| (error.summary.clone(), error.place(), error.about.clone()));
    one.id.stage == other.id.stage && key(one).is_some() && key(one) == key(other)
}

fn names(units: &[&Unit]) -> String {
    let named = units.iter().take(NAMED).map(|unit| unit.id.to_string()).collect::<Vec<_>>().join(", ");
    let more = units.len().saturating_sub(NAMED);
    if more > 0 { format!("{named} and {more} more") } else { named }
}

fn folder_prefix(folder: &str) -> String {
    if folder.is_empty() { String::new() } else { format!("{}/", folder.trim_end_matches('/')) }
}

fn since_start(run: &Run, end: &RunEnd) -> u64 {
    run.started.map_or(0, |started| end.at.since(started))
}

/// In the order of the flow.
fn stages(took: &BTreeMap<String, u64>) -> String {
    [Stage::Images, Stage::Provision, Stage::Config, Stage::Test, Stage::Destroy, Stage::Extend, Stage::Drift]
        .iter()
        .filter_map(|stage| took.get(stage.word()).map(|ms| format!("{stage} {}", span(*ms))))
        .collect::<Vec<_>>()
        .join(", ")
}
