//! The store's handle and its journal: events in, durable where their kind asks for it, in batches where not.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::error::StoreError;
use super::fold;
use crate::model::event::SCHEMA;
use crate::model::{Event, EventKind, RunId, Sink, SinkError, Timestamp, UnitId};

/// Events that may wait for the disk are written when so many are there ...
const BATCH: usize = 64;
/// ... or when the oldest is so old.
const PATIENCE: Duration = Duration::from_millis(250);
/// More than this is not kept while the disk refuses.
const MOST_WAITING: usize = 16_384;

/// What otto remembers: one `otto.db`, opened by [`Store::open`] or [`Store::open_read_only`].
///
/// Dropping it writes what still waits.
pub struct Store {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
    pub(super) about: About,
}

/// What is known of a store without asking the file again.
pub(super) struct About {
    /// Its `otto.db`.
    pub(super) path: Utf8PathBuf,
    pub(super) id: String,
    pub(super) created_at: Timestamp,
    pub(super) new: bool,
    pub(super) read_only: bool,
}

struct Shared {
    inner: Mutex<Inner>,
    wake: Condvar,
}

/// The connection with what waits to be written.
pub(super) struct Inner {
    pub(super) conn: Connection,
    waiting: Vec<(Event, String)>,
    since: Instant,
    /// The last number taken in each run that this process writes to.
    last: HashMap<RunId, u64>,
    full_sync: bool,
    closing: bool,
}

impl Store {
    /// Wraps an open connection (with `synchronous=FULL`).
    pub(super) fn around(conn: Connection, about: About) -> Self {
        let inner = Inner {
            conn,
            waiting: Vec::new(),
            since: Instant::now(),
            last: HashMap::new(),
            full_sync: true,
            closing: false,
        };
        let shared = Arc::new(Shared { inner: Mutex::new(inner), wake: Condvar::new() });
        Self { shared, writer: Mutex::new(None), about }
    }

    /// 16 hexadecimal digits, random, made with the file; empty for a store that is not there (see [`Store::is_new`]).
    pub fn id(&self) -> &str {
        &self.about.id
    }

    /// When the file was made.
    pub fn created_at(&self) -> Timestamp {
        self.about.created_at
    }

    /// Opened for writing: this call made the file. Opened for reading: there is no file, and nothing is remembered.
    pub fn is_new(&self) -> bool {
        self.about.new
    }

    /// The `otto.db`.
    pub fn path(&self) -> &Utf8Path {
        &self.about.path
    }

    /// The `.otto` folder.
    pub fn folder(&self) -> &Utf8Path {
        self.about.path.parent().unwrap_or(&self.about.path)
    }

    /// Writes everything that waits. It is on the disk then, but survives a power cut only with the next durable event.
    ///
    /// # Errors
    /// Disk full, locked, damaged; what waits stays waiting.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.lock().write().map(drop).map_err(|error| self.failed(error))
    }

    /// Records what happened under the run's next number: for a process that adds to a run which another one began.
    ///
    /// # Errors
    /// As [`Store::flush`].
    pub fn append(
        &self,
        run: &RunId,
        at: Timestamp,
        unit: Option<UnitId>,
        kind: EventKind,
    ) -> Result<Event, StoreError> {
        self.writable()?;
        let mut inner = self.lock();
        let failed = |error| StoreError::sqlite(&self.about.path, error);
        inner.write().map_err(failed)?;
        inner.sync_full(true).map_err(failed)?;
        let tx = inner.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let seq = fold::last_seq(&tx, run).map_err(failed)? + 1;
        let event = Event { schema: SCHEMA.to_owned(), at, run: run.clone(), seq, unit, kind };
        fold::put(&tx, &event, &line(&event)?).map_err(failed)?;
        tx.commit().map_err(failed)?;
        inner.last.insert(run.clone(), seq);
        Ok(event)
    }

    /// Runs a change of another kind in a durable transaction of its own, behind what waits.
    pub(super) fn change<T>(&self, change: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.writable()?;
        let mut inner = self.lock();
        let failed = |error| StoreError::sqlite(&self.about.path, error);
        inner.write().map_err(failed)?;
        inner.sync_full(true).map_err(failed)?;
        let tx = inner.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let found = change(&tx).map_err(failed)?;
        tx.commit().map_err(failed)?;
        Ok(found)
    }

    /// Reads, with everything recorded through this handle visible.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let mut inner = self.lock();
        // A full disk must not keep anyone from reading what is on it.
        let _ = inner.write();
        read(&inner.conn).map_err(|error| self.failed(error))
    }

    /// Like [`Store::read`], for what fails in the store's own terms.
    pub(super) fn read_with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut inner = self.lock();
        let _ = inner.write();
        read(&inner.conn)
    }

    fn put(&self, events: &[Event]) -> Result<(), StoreError> {
        self.writable()?;
        let mut inner = self.lock();
        let accepted = events.iter().try_for_each(|event| inner.accept(event, &self.about.path));
        accepted.inspect_err(|_| inner.let_go(events))?;
        if let Some(event) = events.iter().find(|event| event.kind.is_durable()) {
            let written = inner.write().inspect_err(|_| inner.let_go(events));
            let displaced = written.map_err(|error| self.failed(error))?;
            if displaced.contains(&event.run) {
                let why = "another process has written to this run".to_owned();
                return Err(StoreError::Refused { run: event.run.0.clone(), seq: event.seq, why });
            }
            return Ok(());
        }
        if inner.waiting.len().is_multiple_of(BATCH) {
            // If the disk refuses, the next durable event says so; until then these wait.
            let _ = inner.write();
        }
        let anything = !inner.waiting.is_empty();
        drop(inner);
        if anything {
            self.wake_writer();
        }
        Ok(())
    }

    /// Starts the thread that writes what has waited long enough, once there is a need for it.
    fn wake_writer(&self) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.is_none() {
            let shared = Arc::clone(&self.shared);
            // Without the thread, what waits is written with the next durable event.
            *writer = std::thread::Builder::new().name("journal".to_owned()).spawn(move || shared.attend()).ok();
        }
        self.shared.wake.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.shared.lock()
    }

    fn writable(&self) -> Result<(), StoreError> {
        if self.about.read_only { Err(StoreError::ReadOnly { path: self.about.path.clone() }) } else { Ok(()) }
    }

    fn failed(&self, error: rusqlite::Error) -> StoreError {
        StoreError::sqlite(&self.about.path, error)
    }
}

impl Sink for Store {
    /// Refuses a number that does not follow the run's last one. An event that the disk refused (an error other than
    /// that) is kept in memory and written with the next one that gets through, so that the numbers stay without gaps;
    /// recording it again under its number is allowed.
    fn record(&self, event: &Event) -> Result<(), SinkError> {
        self.put(std::slice::from_ref(event)).map_err(SinkError::from)
    }

    /// One transaction, one sync.
    fn record_all(&self, events: &[Event]) -> Result<(), SinkError> {
        self.put(events).map_err(SinkError::from)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let mut inner = self.lock();
        let _ = inner.write();
        inner.closing = true;
        drop(inner);
        self.shared.wake.notify_all();
        if let Some(writer) = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = writer.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves no half-made change: transactions roll back, and `waiting` is only emptied after one.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what has waited for [`PATIENCE`], until the store is dropped.
    fn attend(&self) {
        let mut inner = self.lock();
        while !inner.closing {
            if inner.waiting.is_empty() {
                inner = self.wake.wait(inner).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let age = inner.since.elapsed();
            if age < PATIENCE {
                inner = self.wake.wait_timeout(inner, PATIENCE - age).unwrap_or_else(PoisonError::into_inner).0;
            } else if inner.write().is_err() {
                inner.since = Instant::now();
            }
        }
    }
}

impl Inner {
    /// Takes an event in if it continues its run, or repeats one that still waits.
    fn accept(&mut self, event: &Event, path: &Utf8Path) -> Result<(), StoreError> {
        let refused = |why: String| StoreError::Refused { run: event.run.0.clone(), seq: event.seq, why };
        let last = match self.last.get(&event.run) {
            Some(last) => *last,
            None => fold::last_seq(&self.conn, &event.run).map_err(|error| StoreError::sqlite(path, error))?,
        };
        let entry = (event.clone(), line(event)?);
        if event.seq == last + 1 {
            if self.waiting.len() >= MOST_WAITING {
                return Err(refused(format!("{MOST_WAITING} events wait for the disk already")));
            }
            if self.waiting.is_empty() {
                self.since = Instant::now();
            }
            self.waiting.push(entry);
            self.last.insert(event.run.clone(), event.seq);
            return Ok(());
        }
        let same = |(other, _): &&mut (Event, String)| other.run == event.run && other.seq == event.seq;
        match self.waiting.iter_mut().find(same) {
            Some(slot) => {
                *slot = entry;
                Ok(())
            }
            None => Err(refused(format!("the run's last event is {last}"))),
        }
    }

    /// Takes back events that were accepted together and not written: all or none. A single one stays, see `record`.
    fn let_go(&mut self, events: &[Event]) {
        let [first, _, ..] = events else { return };
        let one_of_them = |other: &Event| other.run == first.run && other.seq >= first.seq;
        let before = self.waiting.len();
        self.waiting.retain(|(other, _)| !one_of_them(other));
        if self.waiting.len() < before {
            self.last.insert(first.run.clone(), first.seq - 1);
        }
    }

    /// Writes all that waits in one transaction: fully synced if one of them is durable.
    ///
    /// Returns the runs that another process has written to meanwhile: their events are let go, because numbers that
    /// are taken would keep everything else from the disk for ever.
    fn write(&mut self) -> rusqlite::Result<Vec<RunId>> {
        let mut displaced = Vec::new();
        while !self.waiting.is_empty() {
            match self.write_once() {
                Ok(()) => {}
                Err((run, error)) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    self.waiting.retain(|(event, _)| event.run != run);
                    self.last.remove(&run);
                    displaced.push(run);
                }
                Err((_, error)) => return Err(error),
            }
        }
        Ok(displaced)
    }

    /// One try; an error comes with the run whose event could not be written.
    fn write_once(&mut self) -> Result<(), (RunId, rusqlite::Error)> {
        let nobody = |error| (RunId(String::new()), error);
        let durable = self.waiting.iter().any(|(event, _)| event.kind.is_durable());
        self.sync_full(durable).map_err(nobody)?;
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(nobody)?;
        for (event, line) in &self.waiting {
            fold::put(&tx, event, line).map_err(|error| (event.run.clone(), error))?;
        }
        tx.commit().map_err(nobody)?;
        for (event, _) in self.waiting.drain(..) {
            if matches!(event.kind, EventKind::RunEnded { .. }) {
                self.last.remove(&event.run);
            }
        }
        Ok(())
    }

    fn sync_full(&mut self, full: bool) -> rusqlite::Result<()> {
        if self.full_sync != full {
            self.conn.pragma_update(None, "synchronous", if full { "FULL" } else { "NORMAL" })?;
            self.full_sync = full;
        }
        Ok(())
    }
}

/// The journal's line of an event.
fn line(event: &Event) -> Result<String, StoreError> {
    serde_json::to_string(event).map_err(|error| StoreError::Refused {
        run: event.run.0.clone(),
        seq: event.seq,
        why: error.to_string(),
    })
}
