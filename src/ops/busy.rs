//! What is being made at this moment by a tool whose otto was killed, and its supervisor with it: nobody holds a lock for it.

use super::failure::Result;
use super::recovery;
use super::world::{Opened, unusable};
use crate::lifecycle::recover::OpenCall;
use crate::model::{Orphan, RunId};
use crate::store::Store;

/// Calls that go on without their otto.
pub(super) struct Busy(Vec<(RunId, OpenCall)>);

impl Busy {
    /// Without a store nobody knows of any.
    pub(super) fn of(opened: &Opened, store: &Store, by_store: bool) -> Result<Self> {
        let mut found = Vec::new();
        for run in if by_store { store.unended_runs().map_err(unusable)? } else { Vec::new() } {
            if !recovery::otto_lives(opened, &run) {
                let calls = recovery::left_at_work(opened, store, &run)?;
                found.extend(calls.into_iter().map(|call| (run.clone(), call)));
            }
        }
        Ok(Self(found))
    }

    /// Why a thing is not touched yet.
    pub(super) fn with(&self, orphan: &Orphan) -> Option<String> {
        let (of, by) = (orphan.deployment(), orphan.tag("run"));
        let (run, call) = self.0.iter().find(|(run, call)| {
            by.as_deref() == Some(run.0.as_str()) || of.is_some() && call.unit.deployment() == of.as_ref()
        })?;
        let (tool, step) = (&call.tool, &call.step);
        Some(format!("the `{tool} {step}` of run {run} is still at work: `otto resume {run}` waits for it"))
    }
}
