//! `--machine-readable`: `unix_ts,target,type,data...`. Facts are the states, the boxes, the ends of actions and the errors
//! with a class; everything of type `ui` is for people and only moves the progress line.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::model::Diagnostic;
use crate::tools::said::{Reader, Said, bounded, one_line};

/// How many `ui` error lines are kept for a failure that has no typed error.
const KEPT: usize = 20;
/// The state of a machine that is not there, in all of Vagrant's providers.
const ABSENT: &str = "not_created";
/// The ends of what stands before a machine's own error where Vagrant works on several at once.
const TOGETHER: &[&str] =
    &["machine. Please handle this error then try again:\n", "machine. Please report this as a bug:\n"];
/// What stands before the words of a program that Vagrant called.
const CALLED: &str = "A Docker command executed by Vagrant didn't complete successfully!";
/// That of one with nothing behind it yet, in the provider for Docker: its container was not made, or not noted.
const PREPARING: &str = "preparing";
/// States of a machine that is up.
const UP: &[&str] = &["running", "active"];

/// What one output says, so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// By machine: `libvirt`, `virtualbox`, `docker`.
    pub providers: BTreeMap<String, String>,
    /// By machine: `running`, `poweroff`, `not_created`, ...
    pub states: BTreeMap<String, String>,
    /// Names of boxes.
    pub boxes: BTreeSet<String>,
    /// Machines on which an action began.
    pub begun: BTreeSet<String>,
    /// Machines on which it came to its end.
    pub done: BTreeSet<String>,
    /// With the machine as `about`, and Vagrant's class of error in `summary` only where there is no text.
    pub errors: Vec<Diagnostic>,
}

impl Report {
    /// Machines that exist in any state, in order.
    pub fn existing(&self) -> Vec<String> {
        self.states.iter().filter(|(_, state)| *state != ABSENT).map(|(name, _)| name.clone()).collect()
    }

    /// Whether the next `up` makes a machine, instead of starting the one that is there.
    pub fn is_missing(&self, name: &str) -> bool {
        self.states.get(name).is_some_and(|state| [ABSENT, PREPARING].contains(&state.as_str()))
    }

    /// Whether a machine runs.
    pub fn is_up(&self, name: &str) -> bool {
        self.states.get(name).is_some_and(|state| UP.contains(&state.as_str()))
    }
}

/// The reader of one output.
#[derive(Debug, Default)]
pub struct Stream {
    report: Report,
    /// Machines that the call is about; 0 while unknown.
    total: u32,
    ui_errors: VecDeque<String>,
}

impl Stream {
    /// A reader that has read nothing, of a call about so many machines.
    pub fn new(total: usize) -> Self {
        Self { total: u32::try_from(total).unwrap_or(u32::MAX), ..Self::default() }
    }

    /// What was read so far; final once the output is at its end.
    pub fn report(&self) -> Report {
        let mut report = self.report.clone();
        if report.errors.is_empty() {
            report.errors = self.ui_errors.iter().map(|text| diagnostic(text, None)).collect();
        }
        report
    }

    fn progress(&self, what: &str) -> Vec<Said> {
        let done = u32::try_from(self.report.done.len()).unwrap_or(u32::MAX);
        vec![Said::Progress { done, total: self.total, what: one_line(what) }]
    }

    fn ui(&mut self, kind: &str, text: &str) -> Vec<Said> {
        let shown = text.trim().trim_start_matches("==>").trim();
        match kind {
            "error" => {
                if self.ui_errors.len() == KEPT {
                    self.ui_errors.pop_front();
                }
                self.ui_errors.push_back(bounded(shown));
                Vec::new()
            }
            "info" | "output" if text.starts_with("==> ") && !shown.contains(":  -- ") => self.progress(shown),
            _ => Vec::new(),
        }
    }
}

impl Reader for Stream {
    fn line(&mut self, line: &str) -> Vec<Said> {
        let mut parts = line.trim_end_matches('\r').split(',');
        let (Some(stamp), Some(target), Some(kind)) = (parts.next(), parts.next(), parts.next()) else {
            return Vec::new();
        };
        if stamp.is_empty() || !stamp.bytes().all(|b| b.is_ascii_digit()) {
            return Vec::new();
        }
        let data: Vec<String> = parts.map(unescaped).collect();
        let first = data.first().cloned().unwrap_or_default();
        let rest = data.get(1..).unwrap_or_default().join(",");
        let machine = target.to_owned();
        match kind {
            "ui" => return self.ui(&first, &rest),
            "metadata" if first == "provider" => drop(self.report.providers.insert(machine, rest)),
            "provider-name" => drop(self.report.providers.insert(machine, first)),
            "state" => drop(self.report.states.insert(machine, first)),
            "box-name" => drop(self.report.boxes.insert(first)),
            "action" if data.get(1).is_some_and(|word| word == "start") => {
                self.report.begun.insert(machine);
            }
            "action" if data.get(1).is_some_and(|word| word == "end") => {
                self.report.done.insert(machine);
                return self.progress(&format!("{target}: {first} done"));
            }
            "error-exit" => {
                let text = if rest.trim().is_empty() { first.as_str() } else { rest.as_str() };
                let found = diagnostic(text, Some(target).filter(|t| !t.is_empty()));
                self.report.errors.push(found.clone());
                return vec![Said::Diagnostic(found)];
            }
            _ => {}
        }
        Vec::new()
    }
}

/// Undoes Vagrant's escapes, as far as they can be undone (a backslash itself is not escaped).
fn unescaped(text: &str) -> String {
    text.replace("%!(VAGRANT_COMMA)", ",").replace("\\n", "\n").replace("\\r", "\r")
}

fn diagnostic(text: &str, machine: Option<&str>) -> Diagnostic {
    let text = text.trim();
    // Of several machines at once: the first one's own words.
    let text = if text.starts_with("An error occurred while executing multiple actions") {
        let owns = TOGETHER.iter().filter_map(|end| text.split_once(end));
        owns.min_by_key(|(before, _)| before.len()).map_or(text, |(_, own)| own.trim())
    } else {
        text
    };
    // It is wrapped at some 70 columns: the first paragraph says what is wrong, or what Docker says.
    let said = text.strip_prefix(CALLED).and_then(|rest| rest.split_once("Stderr: ")).map(|(_, said)| said.trim());
    let (summary, detail) = match said {
        Some(said) => (said.split("\n").next().unwrap_or(said), text),
        None => text.split_once("\n\n").unwrap_or((text, "")),
    };
    Diagnostic {
        summary: one_line(&summary.replace('\n', " ")),
        detail: bounded(detail.trim()),
        about: machine.map(str::to_owned),
        ..Diagnostic::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_boxes_and_errors_are_facts() {
        let mut stream = Stream::new(2);
        for line in [
            "1,www-1,metadata,provider,libvirt",
            "1,www-1,provider-name,libvirt",
            "1,www-1,state,running",
            "1,www-1,state-human-short,running",
            "1,www-2,state,not_created",
            "1,www-3,state,preparing",
            "1,,ui,info,Current machine states:\\n\\nwww-1 running%!(VAGRANT_COMMA) so",
            "1,,box-name,otto/nginx-1",
            "1,,error-exit,Vagrant::Errors::NoDefaultProvider,No usable default provider%!(VAGRANT_COMMA) here.\\n\\nMore",
            "1,,error-exit,Vagrant::Errors::BatchMultiError,An error occurred while executing multiple actions in parallel.\\nAny \
             errors that occurred are shown below.\\n\\nAn error occurred while executing the action on the 'lb-1'\\nmachine. \
             Please handle this error then try again:\\n\\nNo such\\nsocket\\n\\nAn error occurred on another",
            "1,,error-exit,Vagrant::Errors::BatchMultiError,An error occurred while executing multiple actions in parallel.\\nAny \
             errors that occurred are shown below.\\n\\nAn unexpected error occurred when executing the action on the\\n'www-1' \
             machine. Please report this as a bug:\\n\\nno implicit conversion\\n\\n/usr/lib/x.rb:1:in `system'",
            "1,,error-exit,Vagrant::Errors::BatchMultiError,An error occurred while executing multiple actions in parallel.\\nAny \
             errors that occurred are shown below.\\n\\nAn error occurred while executing the action on the 'www-1'\\nmachine. \
             Please handle this error then try again:\\n\\nA Docker command executed by Vagrant didn't complete successfully!\\n\
             The command run along with the output from the command is shown\\nbelow.\\n\\nCommand: [\"docker\"%!(VAGRANT_COMMA) \
             \"run\"]\\n\\nStderr: docker: Error response from daemon: No such image.\\nSee 'docker run --help'.\\n\\n\\nStdout:",
            "no line of it",
        ] {
            stream.line(line);
        }
        let report = stream.report();
        assert!(report.is_up("www-1") && !report.is_up("www-2"));
        assert_eq!(report.existing(), ["www-1", "www-3"]);
        assert_eq!(["www-1", "www-2", "www-3"].map(|name| report.is_missing(name)), [false, true, true]);
        assert_eq!(report.boxes.iter().collect::<Vec<_>>(), ["otto/nginx-1"]);
        assert_eq!(report.errors[0].summary, "No usable default provider, here.");
        assert_eq!(report.errors[0].detail, "More");
        let told: Vec<&str> = report.errors[1..].iter().map(|error| error.summary.as_str()).collect();
        let docker = "docker: Error response from daemon: No such image.";
        assert_eq!(told, ["No such socket", "no implicit conversion", docker]);
    }
}
