//! Numbers events and hands each to the journal first, then to whoever watches.
//!
//! No event holds a secret: values that are known as such are taken out here, once for all readers.
//! The journal may refuse (a full disk): then the run must not go on as if it had been written. A watcher may not.

use std::sync::{Arc, Mutex};

use super::secrets::Secrets;
use crate::model::{Clock, Event, EventKind, RunId, Sink, SinkError, UnitId, event::SCHEMA};

/// The one source of a run's events: `seq` has no gaps because numbering and writing happen under one lock.
pub struct Recorder {
    run: RunId,
    journal: Arc<dyn Sink>,
    watcher: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    last: Mutex<u64>,
    secrets: Arc<Secrets>,
}

impl Recorder {
    /// Continues after `last_seq` (0 for a new run).
    pub fn new(
        run: RunId,
        last_seq: u64,
        journal: Arc<dyn Sink>,
        watcher: Arc<dyn Sink>,
        clock: Arc<dyn Clock>,
        secrets: Arc<Secrets>,
    ) -> Self {
        Self { run, journal, watcher, clock, last: Mutex::new(last_seq), secrets }
    }

    /// The run that it records.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// The clock that stamps the events.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Journal first, then the watcher.
    ///
    /// # Errors
    /// The journal's; the number is then not used up, and the watcher sees nothing.
    pub fn record(&self, unit: Option<&UnitId>, kind: EventKind) -> Result<(), SinkError> {
        self.record_all(vec![(unit.cloned(), kind)])
    }

    /// Several at once, which the journal writes as one.
    ///
    /// # Errors
    /// As [`Recorder::record`], for all of them.
    pub fn record_all(&self, all: Vec<(Option<UnitId>, EventKind)>) -> Result<(), SinkError> {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let numbered = (*last + 1..).zip(all);
        let events: Vec<Event> = numbered.map(|(seq, (unit, kind))| self.event(seq, unit, kind)).collect();
        self.journal.record_all(&events)?;
        *last += events.len() as u64;
        // A watcher that fails (a closed terminal) must not stop the work.
        let _ = self.watcher.record_all(&events);
        Ok(())
    }

    /// Shows an event without writing it: the end of what was left running is not known yet.
    pub fn show(&self, unit: Option<&UnitId>, kind: EventKind) {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *last += 1;
        let _ = self.watcher.record(&self.event(*last, unit.cloned(), kind));
    }

    fn event(&self, seq: u64, unit: Option<UnitId>, kind: EventKind) -> Event {
        let (at, run) = (self.clock.now(), self.run.clone());
        let kind = self.secrets.event(kind);
        Event { schema: SCHEMA.to_owned(), at, run, seq, unit, kind }
    }
}
