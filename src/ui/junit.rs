//! A run as JUnit XML, for the test views of CI systems: a suite per unit, a case per check.

use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{CheckResult, Event, EventKind, Health, Outcome, Sink, SinkError};

/// Keeps what a report needs, and passes everything on.
pub struct Junit {
    next: Arc<dyn Sink>,
    events: Mutex<Vec<Event>>,
}

impl Junit {
    /// Before another watcher.
    pub fn before(next: Arc<dyn Sink>) -> Self {
        Self { next, events: Mutex::default() }
    }

    /// What was seen so far, as a document.
    pub fn document(&self) -> String {
        render(&self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sink for Junit {
    fn record(&self, event: &Event) -> Result<(), SinkError> {
        if matches!(event.kind, EventKind::Checked { .. } | EventKind::UnitEnded { .. }) {
            self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        }
        self.next.record(event)
    }
}

fn render(events: &[Event]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"otto\">\n");
    for event in events {
        let (EventKind::UnitEnded { outcome, took_ms, summary, .. }, Some(unit)) = (&event.kind, &event.unit) else {
            continue;
        };
        let checks: Vec<&CheckResult> = events
            .iter()
            .filter(|other| other.unit.as_ref() == Some(unit))
            .filter_map(|other| if let EventKind::Checked { check } = &other.kind { Some(check) } else { None })
            .collect();
        let bad = |check: &&&CheckResult| matches!(check.state, Health::Critical | Health::Unknown);
        let failures = checks.iter().filter(bad).count();
        let silent = outcome.is_good() || failures > 0;
        let skipped = matches!(outcome, Outcome::Skipped | Outcome::Blocked | Outcome::Cancelled);
        let (tests, errors) =
            (checks.len() + usize::from(!silent || checks.is_empty()), usize::from(!silent && !skipped));
        text.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{}\">\n",
            xml(&unit.to_string()),
            seconds(*took_ms)
        ));
        for check in &checks {
            case(&mut text, &unit.to_string(), check);
        }
        if !silent || checks.is_empty() {
            let inner = match (silent, skipped) {
                (true, _) => String::new(),
                (false, true) => format!("<skipped message=\"{}\"/>", xml(summary)),
                (false, false) => format!("<error message=\"{}\"/>", xml(summary)),
            };
            let name = unit.stage.word();
            text.push_str(&format!(
                "    <testcase classname=\"{}\" name=\"{name}\">{inner}</testcase>\n",
                xml(&unit.to_string())
            ));
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn case(text: &mut String, class: &str, check: &CheckResult) {
    let detail = format!("{}: {}", check.target, check.detail);
    let inner = match check.state {
        Health::Ok => String::new(),
        Health::Warning => format!("<system-out>warning: {}</system-out>", xml(&detail)),
        Health::Critical | Health::Unknown => format!("<failure message=\"{}\"/>", xml(&detail)),
    };
    let time = seconds(check.latency_ms.unwrap_or(0));
    let (class, name) = (xml(class), xml(&check.name));
    text.push_str(&format!("    <testcase classname=\"{class}\" name=\"{name}\" time=\"{time}\">{inner}</testcase>\n"));
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Text for an attribute or an element; characters that XML does not know are left out.
fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' | '\t' => safe.push(' '),
            c if c.is_control() => {}
            c => safe.push(c),
        }
    }
    safe
}
