//! A run in the log of a CI system: the lines of each unit together, in a group that folds.
//!
//! Units work at once and groups cannot nest: a unit's lines wait until it ends. That it began is told at once.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::model::{Event, EventKind, Sink, SinkError, UnitId};

use super::out::Out;
use super::screen::Screen;
use super::text::clean_line;

/// Whose words for groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ci {
    /// `::group::`, and `::error` for what failed.
    Github,
    /// `section_start`.
    Gitlab,
}

/// Groups what it is given and passes it on to a plain screen.
pub struct Grouped {
    ci: Ci,
    out: Out,
    screen: Screen,
    held: Mutex<BTreeMap<UnitId, Vec<Event>>>,
}

impl Grouped {
    /// Before a plain screen that writes to the same output.
    pub fn before(screen: Screen, out: Out, ci: Ci) -> Self {
        Self { ci, out, screen, held: Mutex::default() }
    }

    fn ended(&self, unit: &UnitId, event: &Event) -> Result<(), SinkError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let before = held.remove(unit).unwrap_or_default();
        let EventKind::UnitEnded { outcome, summary, .. } = &event.kind else { return Ok(()) };
        let title = clean_line(&format!("{unit}  {}", outcome.word()));
        let at = event.at.seconds();
        let id = format!("otto_{}", unit.to_string().replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
        match self.ci {
            Ci::Github => self.out.raw_line(&format!("::group::{title}")),
            Ci::Gitlab => {
                self.out.raw_line(&format!("\x1b[0Ksection_start:{at}:{id}[collapsed=true]\r\x1b[0K{title}"));
            }
        }
        let passed = before.iter().chain([event]).try_for_each(|one| self.screen.record(one));
        match self.ci {
            Ci::Github => self.out.raw_line("::endgroup::"),
            Ci::Gitlab => self.out.raw_line(&format!("\x1b[0Ksection_end:{at}:{id}\r\x1b[0K")),
        }
        if self.ci == Ci::Github && !outcome.is_good() {
            let escaped = clean_line(summary).replace('%', "%25");
            self.out.raw_line(&format!("::error title={unit}::{escaped}"));
        }
        passed
    }
}

impl Sink for Grouped {
    fn record(&self, event: &Event) -> Result<(), SinkError> {
        let Some(unit) = &event.unit else { return self.screen.record(event) };
        match &event.kind {
            EventKind::UnitEnded { .. } => return self.ended(unit, event),
            EventKind::UnitStarted { .. } => self.out.line(&format!("{unit}  begins")),
            _ => {}
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.entry(unit.clone()).or_default().push(event.clone());
        Ok(())
    }
}
