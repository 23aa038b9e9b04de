//! What is told while installing, and what is said when it did not work.

use std::sync::Mutex;

/// How a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It begins.
    Begun,
    /// Another otto is at it; this one waits.
    Waiting,
    /// It is done.
    Done,
    /// It did not work, and another way is tried.
    PassedOver {
        /// Why.
        why: String,
    },
    /// It did not work, and there is no other way.
    Failed {
        /// Why.
        why: String,
    },
}

/// One step of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallEvent {
    /// `Packer`, `nginx, haproxy`, ...
    pub subject: String,
    /// `vendor release 1.14.2`, `Debian packages`, ...
    pub step: String,
    /// How it stands.
    pub state: State,
}

/// One way that did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// `vendor release 1.14.2`.
    pub step: String,
    /// Why not.
    pub why: String,
}

/// Nothing worked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject} could not be installed: {}{}", ways(.attempts), command(.administrator))]
pub struct InstallError {
    /// `Packer`, `nginx, haproxy`, ...
    pub subject: String,
    /// All ways tried, in order.
    pub attempts: Vec<Attempt>,
    /// What someone with the right to can type.
    pub administrator: Option<String>,
}

fn ways(attempts: &[Attempt]) -> String {
    let ways: Vec<String> = attempts.iter().map(|attempt| format!("{}: {}", attempt.step, attempt.why)).collect();
    if ways.is_empty() { "there is no way on this machine".to_owned() } else { ways.join("; ") }
}

fn command(administrator: &Option<String>) -> String {
    administrator.as_ref().map(|text| format!("; an administrator can: {text}")).unwrap_or_default()
}

/// Passes events on, from several installations at once.
pub(super) struct Reporter<'a>(Mutex<&'a mut (dyn FnMut(InstallEvent) + Send)>);

impl<'a> Reporter<'a> {
    pub(super) fn new(report: &'a mut (dyn FnMut(InstallEvent) + Send)) -> Self {
        Self(Mutex::new(report))
    }

    /// The steps of one installation.
    pub(super) fn on(&self, subject: impl Into<String>) -> Steps<'_> {
        let report = Box::new(|event| {
            if let Ok(mut report) = self.0.lock() {
                report(event);
            }
        });
        Steps { report, subject: subject.into(), attempts: Mutex::new(Vec::new()) }
    }
}

/// The steps of one installation: reported, and those that did not work collected.
pub(super) struct Steps<'a> {
    report: Box<dyn Fn(InstallEvent) + Send + Sync + 'a>,
    subject: String,
    attempts: Mutex<Vec<Attempt>>,
}

impl Steps<'_> {
    /// Reports one step.
    pub(super) fn tell(&self, step: &str, state: State) {
        if let State::PassedOver { why } | State::Failed { why } = &state
            && let Ok(mut attempts) = self.attempts.lock()
        {
            attempts.push(Attempt { step: step.to_owned(), why: why.clone() });
        }
        (self.report)(InstallEvent { subject: self.subject.clone(), step: step.to_owned(), state });
    }

    /// A step that did not work, with another to come.
    pub(super) fn pass_over(&self, step: &str, why: impl Into<String>) {
        self.tell(step, State::PassedOver { why: why.into() });
    }

    /// The end, when nothing worked.
    pub(super) fn give_up(&self, administrator: Option<String>) -> InstallError {
        let attempts = self.attempts.lock().map(|attempts| attempts.clone()).unwrap_or_default();
        InstallError { subject: self.subject.clone(), attempts, administrator }
    }

    /// The end, after one last thing that did not work.
    pub(super) fn fail(&self, step: &str, why: impl Into<String>, administrator: Option<String>) -> InstallError {
        self.tell(step, State::Failed { why: why.into() });
        self.give_up(administrator)
    }
}
