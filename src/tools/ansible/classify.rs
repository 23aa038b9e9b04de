//! What a playbook run proves. Exit codes are ambiguous (0 for no host at all, 2 and 4 for several things each), so the
//! stats come first, then how the process ended.

use std::collections::BTreeSet;

use super::parse::{HostStats, Report};
use crate::model::End;

/// Ansible's exit code after an INT.
const INTERRUPTED: i32 = 99;

/// How a playbook run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnsibleOutcome {
    /// Every expected host went through all of it.
    Ok {
        /// Results that changed something.
        changed: u32,
    },
    /// Some hosts were not reached; nothing else went wrong. Trying again may help.
    Unreachable {
        /// Which.
        hosts: Vec<String>,
    },
    /// Tasks failed.
    HostsFailed {
        /// On which hosts.
        hosts: Vec<String>,
        /// Hosts that were not reached beside that.
        unreachable: Vec<String>,
    },
    /// No play had a host: Ansible calls that a success.
    NoHostsMatched,
    /// The playbook, the inventory or the call itself is wrong: no task was at fault.
    BadPlaybook {
        /// How it ended.
        why: String,
    },
    /// It ended well, but not on all hosts that it should have worked on.
    Incomplete {
        /// Hosts without stats.
        missing: Vec<String>,
    },
    /// It was stopped, or its end was seen by nobody: hosts may be half configured.
    Interrupted,
}

impl AnsibleOutcome {
    /// Did all it should.
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Ok { .. })
    }

    /// One line for a summary.
    pub fn describe(&self) -> String {
        match self {
            Self::Ok { changed } => format!("{changed} changed"),
            Self::Unreachable { hosts } => format!("not reached: {}", hosts.join(", ")),
            Self::HostsFailed { hosts, unreachable } if unreachable.is_empty() => {
                format!("tasks failed on {}", hosts.join(", "))
            }
            Self::HostsFailed { hosts, unreachable } => {
                format!("tasks failed on {}; not reached: {}", hosts.join(", "), unreachable.join(", "))
            }
            Self::NoHostsMatched => "no play matched any host of the inventory".to_owned(),
            Self::BadPlaybook { why } => format!("the playbook did not run: {why}"),
            Self::Incomplete { missing } => format!("ended without having worked on {}", missing.join(", ")),
            Self::Interrupted => "interrupted: hosts may be half configured".to_owned(),
        }
    }
}

/// Judges a run that has ended. `expected` are the hosts that it was to work on (after any limit). That otto itself
/// sent a signal is for the caller to add: nothing interrupted is a success.
pub fn classify(report: &Report, end: &End, expected: &[String]) -> AnsibleOutcome {
    let stopped = match end {
        End::Signalled { .. } | End::Unknown => true,
        End::Exited { code } => *code == INTERRUPTED || *code > 128 && *code < 160,
        End::NotStarted { .. } => false,
    };
    let Some(stats) = &report.stats else {
        if stopped {
            return AnsibleOutcome::Interrupted;
        }
        return AnsibleOutcome::BadPlaybook { why: format!("{}, no final stats", end.describe()) };
    };
    let with = |test: fn(&HostStats) -> bool| -> Vec<String> {
        stats.iter().filter(|(_, host)| test(host)).map(|(name, _)| name.clone()).collect()
    };
    let (failed, unreachable) = (with(|host| host.failures > 0), with(|host| host.unreachable > 0));
    if !failed.is_empty() {
        return AnsibleOutcome::HostsFailed { hosts: failed, unreachable };
    }
    if !unreachable.is_empty() {
        return AnsibleOutcome::Unreachable { hosts: unreachable };
    }
    if stopped {
        return AnsibleOutcome::Interrupted;
    }
    if stats.is_empty() && end.is_zero() {
        return AnsibleOutcome::NoHostsMatched;
    }
    if !end.is_zero() {
        return AnsibleOutcome::BadPlaybook { why: format!("{}, although no task failed", end.describe()) };
    }
    let seen: BTreeSet<&String> = stats.keys().collect();
    let missing: Vec<String> = expected.iter().filter(|name| !seen.contains(name)).cloned().collect();
    if missing.is_empty() {
        AnsibleOutcome::Ok { changed: report.changed }
    } else {
        AnsibleOutcome::Incomplete { missing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::ansible::parse::Events;
    use crate::tools::said::Reader;

    fn report(lines: &[&str]) -> Report {
        let mut events = Events::new();
        for line in lines {
            events.line(line);
        }
        events.report()
    }

    #[test]
    fn exit_codes_alone_decide_nothing() {
        let good = report(&[r#"{"event":"stats","hosts":{"a":{"ok":3,"changed":1},"b":{"ok":3}}}"#]);
        let none = report(&[r#"{"event":"no_hosts"}"#, r#"{"event":"stats","hosts":{}}"#]);
        let cut = report(&[r#"{"event":"playbook_start"}"#]);
        let dead = report(&[r#"{"event":"stats","hosts":{"a":{"ok":3},"b":{"unreachable":1}}}"#]);
        let worse = report(&[r#"{"event":"stats","hosts":{"a":{"failures":1},"b":{"unreachable":1}}}"#]);
        let (zero, two, four) = (End::Exited { code: 0 }, End::Exited { code: 2 }, End::Exited { code: 4 });
        let expected = ["a".to_owned(), "b".to_owned()];
        let of = |report: &Report, end: &End| classify(report, end, &expected);
        assert_eq!(of(&good, &zero), AnsibleOutcome::Ok { changed: 0 });
        assert_eq!(
            classify(&good, &zero, &["a".into(), "c".into()]),
            AnsibleOutcome::Incomplete { missing: vec!["c".into()] }
        );
        assert_eq!(of(&none, &zero), AnsibleOutcome::NoHostsMatched);
        assert_eq!(of(&dead, &four), AnsibleOutcome::Unreachable { hosts: vec!["b".into()] });
        assert_eq!(of(&dead, &zero), AnsibleOutcome::Unreachable { hosts: vec!["b".into()] });
        assert!(matches!(of(&worse, &four), AnsibleOutcome::HostsFailed { .. }));
        for end in [&zero, &two, &four] {
            assert!(matches!(of(&cut, end), AnsibleOutcome::BadPlaybook { .. }));
        }
        for end in [End::Exited { code: 99 }, End::Exited { code: 143 }, End::Signalled { signal: 9 }, End::Unknown] {
            assert_eq!(of(&cut, &end), AnsibleOutcome::Interrupted);
            assert_eq!(of(&good, &end), AnsibleOutcome::Interrupted);
        }
        assert!(matches!(of(&good, &two), AnsibleOutcome::BadPlaybook { .. }));
    }
}
