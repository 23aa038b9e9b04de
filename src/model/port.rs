//! The ports through which the engine reaches the journal, the clock and the person.

use super::event::Event;
use super::time::Timestamp;

/// Why an event could not be recorded.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what}")]
pub struct SinkError {
    /// The reason, with the file.
    pub what: String,
    /// The disk is full.
    pub full: bool,
}

/// Takes events. The journal's implementation returns only when the event is as durable as its kind asks
/// (see [`super::event::EventKind::is_durable`]); a screen's never fails.
pub trait Sink: Send + Sync {
    /// Records one event.
    fn record(&self, event: &Event) -> Result<(), SinkError>;

    /// Records events that belong together, in order: a journal makes them durable in one go, all or none.
    fn record_all(&self, events: &[Event]) -> Result<(), SinkError> {
        events.iter().try_for_each(|event| self.record(event))
    }
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Asks the person in front of the terminal.
pub trait Ask: Send + Sync {
    /// Whether someone can answer.
    fn can_ask(&self) -> bool;
    /// A yes-or-no question; the default, also at the end of input, is no.
    fn confirm(&self, question: &str) -> bool;
    /// A line; the default when nothing is typed, and where nobody can be asked.
    fn line(&self, question: &str, default: &str) -> String {
        let _ = question;
        default.to_owned()
    }
    /// Whether exactly `expected` was typed.
    fn typed(&self, question: &str, expected: &str) -> bool;
}
