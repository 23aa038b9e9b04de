//! A run on the screen: takes events as they come and shows them, redrawn in place, as plain lines or as JSON.
//!
//! Nothing is drawn in the first 250 ms (the first plain line apart); a thread that redraws, and that beats the heart
//! of a plain log, begins only when a unit does. Recording never fails and never waits for more than a write.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::{Event, EventKind, Sink, SinkError, Timestamp, UnitId};

use super::fold::Run;
use super::frame::frame;
use super::lines::{Look, heartbeat, lines};
use super::out::Out;
use super::summary::summary;
use super::term::Term;

/// How a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Redrawn in place, on stderr.
    Live,
    /// Lines, on stderr.
    Plain,
    /// Each event as a line of JSON on stdout.
    Json,
    /// Only failures, on stderr.
    Quiet,
}

impl Mode {
    /// What the flags ask for, as far as the terminal can.
    pub fn choose(term: &Term, json: bool, quiet: bool) -> Self {
        match (json, quiet) {
            (true, _) => Self::Json,
            (_, true) => Self::Quiet,
            _ if term.can_live() => Self::Live,
            _ => Self::Plain,
        }
    }
}

/// Where the time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Events come as they happen.
    Live,
    /// Events were recorded: time is the last event's, nothing is redrawn, and the lines are what was asked for: data.
    Replay,
}

const QUIET_START: Duration = Duration::from_millis(250);
const REDRAW: Duration = Duration::from_millis(100);
const HEARTBEAT_MS: u64 = 30_000;

/// Shows a run; give it to the engine as a [`Sink`]. Dropping it takes the live display away.
pub struct Screen {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    out: Out,
    mode: Mode,
    verbose: bool,
    pace: Pace,
    folder: String,
    /// Where the monotonic time stands on the calendar: a clock that is set meanwhile does not disturb.
    origin: (Timestamp, Instant),
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    run: Run,
    extra: Vec<String>,
    changed: bool,
    over: bool,
    beats: Vec<(UnitId, Timestamp)>,
}

impl Screen {
    /// A screen for one run. `verbose`: tool calls, progress and checks leave lines as well.
    pub fn new(term: &Term, out: Out, mode: Mode, verbose: bool) -> Self {
        let mode = if mode == Mode::Live && !term.can_live() { Mode::Plain } else { mode };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Timestamp(i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
        let shared = Shared {
            out,
            mode,
            verbose,
            pace: Pace::Live,
            folder: ".otto".to_owned(),
            origin: (now, Instant::now()),
            state: Mutex::default(),
            wake: Condvar::new(),
        };
        Self { shared: Arc::new(shared), thread: Mutex::default() }
    }

    /// Where the time comes from; live unless said. To be called before the first event.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.pace = pace;
            if pace == Pace::Replay && shared.mode == Mode::Live {
                shared.mode = Mode::Plain;
            }
        }
        self
    }

    /// What log paths stand in, as it is to be shown; `.otto` unless said. To be called before the first event.
    #[must_use]
    pub fn folder(mut self, folder: &str) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            folder.clone_into(&mut shared.folder);
        }
        self
    }

    /// Lines to stand in the summary (the site's URL, say); after the run's end they are written at once.
    pub fn extra(&self, more: Vec<String>) {
        let mut state = self.shared.state();
        if state.run.end.is_none() {
            state.extra.extend(more);
        } else if matches!(self.shared.mode, Mode::Live | Mode::Plain) {
            drop(state);
            self.shared.say(&more, || None);
        }
    }

    fn begin_thread(&self) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_some() {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let builder = std::thread::Builder::new().name("screen".to_owned()).stack_size(128 * 1024);
        // Without a thread the run is shown all the same, by lines.
        *thread = builder.spawn(move || shared.keep_up()).ok();
    }

    fn end_thread(&self) {
        self.shared.state().over = true;
        self.shared.wake.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
        if self.shared.mode == Mode::Live {
            self.shared.out.end_live();
        }
    }
}

impl Sink for Screen {
    fn record(&self, event: &Event) -> Result<(), SinkError> {
        let shared = &self.shared;
        if shared.mode == Mode::Json {
            if let Ok(line) = serde_json::to_string(event) {
                shared.out.data(&line);
            }
            return Ok(());
        }
        let over = matches!(event.kind, EventKind::RunEnded { .. });
        {
            let mut state = shared.state();
            state.run.apply(event);
            state.changed = true;
            if shared.mode != Mode::Quiet || matches!(event.kind, EventKind::Stopping { .. }) {
                let lines = lines(&state.run, event, shared.look());
                if !lines.is_empty() {
                    shared.say(&lines, || (shared.mode == Mode::Live).then(|| shared.frame(&state.run)));
                }
            }
        }
        if over {
            self.end_thread();
            shared.show_summary();
        } else if shared.pace == Pace::Live && shared.mode != Mode::Quiet {
            if matches!(event.kind, EventKind::UnitStarted { .. }) {
                self.begin_thread();
            }
            shared.wake.notify_all();
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.end_thread();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.origin.1.elapsed().as_millis()).unwrap_or(0);
        Timestamp(self.origin.0.0 + passed)
    }

    fn look(&self) -> Look {
        let term = self.out.term();
        let (theme, width) = match self.pace {
            Pace::Live => (term.err_theme(), term.err_width()),
            Pace::Replay => (term.out_theme(), term.out_width()),
        };
        Look { theme, width, live: self.mode == Mode::Live, verbose: self.verbose }
    }

    /// Lines of a run: talk while it runs, data when it is read again.
    fn say(&self, lines: &[String], frame: impl FnOnce() -> Option<Vec<String>>) {
        let text = lines.join("\n");
        match self.pace {
            Pace::Live => self.out.line_over(&text, frame),
            Pace::Replay => self.out.data(&text),
        }
    }

    fn frame(&self, run: &Run) -> Vec<String> {
        let term = self.out.term();
        // The last column stays free: a line is ended by erasing from the cursor on, which on a full line is its last character.
        frame(run, term.live_width() - 1, term.live_height(), self.now(), term.err_theme())
    }

    fn show_summary(&self) {
        let state = self.state();
        let good = state.run.end.as_ref().is_some_and(|end| end.outcome.is_good());
        if self.mode == Mode::Quiet && good {
            return;
        }
        let lines = summary(&state.run, &state.extra, &self.folder, self.look());
        self.say(&lines, || None);
    }

    /// The thread: redraws when something changed, else each second; or beats.
    fn keep_up(&self) {
        let begun = Instant::now();
        let mut drawn = begun;
        let mut state = self.state();
        while !state.over {
            let earliest = if self.mode == Mode::Live { begun + QUIET_START } else { begun + Duration::from_secs(1) };
            let next = match state.changed {
                true => earliest.max(drawn + REDRAW),
                false => earliest.max(drawn + Duration::from_secs(1)),
            };
            let wait = next.saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                state = self.wake.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            drawn = Instant::now();
            state.changed = false;
            if self.mode == Mode::Live {
                let lines = self.frame(&state.run);
                drop(state);
                self.out.draw(&lines);
                state = self.state();
            } else {
                let lines = beats(&mut state, self.now(), self.look());
                if !lines.is_empty() {
                    self.out.line(&lines.join("\n"));
                }
            }
        }
    }
}

/// Heartbeats that are due, by unit.
fn beats(state: &mut State, now: Timestamp, look: Look) -> Vec<String> {
    let mut found = Vec::new();
    let State { run, beats, .. } = state;
    beats.retain(|(id, _)| run.find(id).is_some_and(|unit| unit.is_running()));
    for unit in run.running() {
        let since = unit.started.unwrap_or(now);
        match beats.iter_mut().find(|(id, _)| *id == unit.id) {
            None => beats.push((unit.id.clone(), since)),
            Some((_, last)) if now.since(*last) >= HEARTBEAT_MS => {
                *last = now;
                found.extend(heartbeat(run, unit, now, look));
            }
            Some(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::theme::Theme;
    use super::*;

    #[test]
    fn a_plain_log_beats_every_thirty_seconds_per_running_unit() {
        let mut state = State::default();
        let start = Timestamp(1_795_242_331_000);
        state.run.apply(&Event {
            schema: crate::model::event::SCHEMA.to_owned(),
            at: start,
            run: crate::model::RunId("r".into()),
            seq: 1,
            unit: Some("dev/local/hello:config".parse().expect("a unit")),
            kind: EventKind::UnitStarted { why: String::new() },
        });
        let look = Look { theme: Theme::PLAIN, width: None, live: false, verbose: false };
        let at = (0..=95).filter(|second| !beats(&mut state, start.plus_seconds(*second), look).is_empty());
        assert_eq!(at.collect::<Vec<_>>(), [30, 60, 90]);
    }
}
