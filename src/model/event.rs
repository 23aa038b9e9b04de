//! The one event type: what the journal holds, what the screen shows, what `--json` prints, what a replay reads.
//!
//! In JSON: `{"schema":"otto.event/1","at","run","seq","unit"?,"type":…}`; `seq` counts from 1 without gaps within a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check::CheckResult;
use super::deployment::Deployment;
use super::diagnostic::Diagnostic;
use super::image::Image;
use super::ledger::Resource;
use super::outcome::{End, Outcome};
use super::plan::{Drift, PlannedUnit};
use super::time::Timestamp;
use super::unit::{RunId, Subject, UnitId};

/// The schema named in every line.
pub const SCHEMA: &str = "otto.event/1";

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// [`SCHEMA`].
    pub schema: String,
    /// When.
    pub at: Timestamp,
    /// In which run.
    pub run: RunId,
    /// From 1, without gaps.
    pub seq: u64,
    /// In which unit, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitId>,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// otto's own account of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// From start to end, tool installation and waiting for an answer left out, in milliseconds.
    pub wall_ms: u64,
    /// Spent installing tools, in milliseconds.
    pub install_ms: u64,
    /// Wall time from first start to last end of each stage, in milliseconds.
    pub stages_ms: BTreeMap<String, u64>,
    /// Calls made of each tool.
    pub tool_calls: BTreeMap<String, u32>,
    /// Units by outcome.
    pub units: BTreeMap<String, u32>,
    /// Repeated tool calls.
    pub retries: u32,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// The first of every run.
    RunStarted {
        /// `up`, `destroy`, ...
        verb: String,
        /// The command line, as typed.
        argv: Vec<String>,
        /// Which otto.
        version: String,
        /// The graph.
        units: Vec<PlannedUnit>,
    },
    /// A unit begins.
    UnitStarted {
        /// Why it runs.
        why: String,
    },
    /// A tool is about to be started: durable before it is.
    Intended {
        /// `terraform`, `packer`, `ansible-playbook`, ...
        tool: String,
        /// What this call does within its unit: `apply`, `plan`, `build`, ...
        step: String,
        /// The call's folder, below `.otto`.
        folder: String,
    },
    /// The tool runs.
    Started {
        /// Its process.
        pid: i32,
        /// The process's start time in clock ticks since boot: with the pid, an identity.
        start_time: u64,
    },
    /// The tool, and every process of its session, is over.
    Ended {
        /// The step of its `Intended`.
        step: String,
        /// How.
        end: End,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// How far the unit is.
    Progress {
        /// Resources, tasks or steps done.
        done: u32,
        /// Of how many, 0 while unknown.
        total: u32,
        /// What is happening.
        what: String,
    },
    /// The tool said that something is wrong.
    Diagnostic {
        /// What.
        diagnostic: Diagnostic,
    },
    /// A call is repeated because its failure is known to pass.
    Retry {
        /// From 1.
        attempt: u32,
        /// At most.
        of: u32,
        /// The failure.
        why: String,
    },
    /// A check was made.
    Checked {
        /// Its finding.
        check: CheckResult,
    },
    /// Something worth a line.
    Note {
        /// The line.
        text: String,
        /// It is a warning.
        warning: bool,
    },
    /// A deployment's record changed; the store folds it in.
    Deployment {
        /// As it is now.
        record: Box<Deployment>,
    },
    /// An image was built; the store folds it in.
    Image {
        /// As it is now.
        record: Image,
    },
    /// An image is no longer there; the store drops it from the index.
    ImageGone {
        /// Its reference.
        reference: String,
    },
    /// What of a deployment, or of an image, bills now; the store brings the ledger in line with it.
    Ledger {
        /// Whose.
        owner: Subject,
        /// All of a deployment's; of an image, those that were added.
        resources: Vec<Resource>,
    },
    /// A deployment was compared with what is there; the store keeps it.
    Drift {
        /// What was found.
        record: Drift,
    },
    /// A unit is over.
    UnitEnded {
        /// How.
        outcome: Outcome,
        /// From its start, in milliseconds.
        took_ms: u64,
        /// One line: what it did, or why it did not.
        summary: String,
        /// It made, changed or removed something.
        changed: bool,
        /// What to do, one suggestion a line.
        hints: Vec<String>,
        /// Its main call's folder, below `.otto`, if it made one.
        log: Option<String>,
    },
    /// Someone asked to stop.
    Stopping {
        /// 1, 2 or 3: how firmly.
        level: u8,
        /// `SIGINT`, `SIGTERM`, `SIGHUP`, or what ran out.
        why: String,
    },
    /// The last of every run.
    RunEnded {
        /// How.
        outcome: Outcome,
        /// otto's own exit code.
        code: u8,
        /// Its account.
        totals: Totals,
    },
}

impl EventKind {
    /// Must be on the disk before `record` returns: these are what a recovery stands on.
    ///
    /// `Started` is not among them: its truth is the call's folder, where the supervisor makes it durable before the tool
    /// can run; here it follows within a moment, while the tool is not kept waiting for a disk.
    pub fn is_durable(&self) -> bool {
        !matches!(
            self,
            Self::Progress { .. }
                | Self::Started { .. }
                | Self::Checked { .. }
                | Self::Note { .. }
                | Self::Diagnostic { .. }
                | Self::UnitStarted { .. }
        )
    }
}
