//! The ready queue: which unit may begin, what a failure blocks. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Action, Outcome, Plan, UnitId};

/// Walks a plan's graph: gives out units whose predecessors ended well, in the plan's order.
#[derive(Debug)]
pub(super) struct Queue {
    order: Vec<UnitId>,
    waits_for: BTreeMap<UnitId, BTreeSet<UnitId>>,
    ready: BTreeSet<usize>,
    at_work: BTreeSet<UnitId>,
    ended: BTreeMap<UnitId, Outcome>,
}

impl Queue {
    /// All units that are to run; skipped ones count as ended well, blocked ones as blocked.
    pub(super) fn new(plan: &Plan) -> Self {
        let mut queue = Self {
            order: plan.units.iter().map(|u| u.id.clone()).collect(),
            waits_for: BTreeMap::new(),
            ready: BTreeSet::new(),
            at_work: BTreeSet::new(),
            ended: BTreeMap::new(),
        };
        let known: BTreeSet<&UnitId> = queue.order.iter().collect();
        for unit in &plan.units {
            let after = unit.after.iter().filter(|id| known.contains(id)).cloned().collect();
            queue.waits_for.insert(unit.id.clone(), after);
        }
        for unit in &plan.units {
            match unit.action {
                Action::Run => {}
                Action::Skip => drop(queue.finish(&unit.id, Outcome::Skipped)),
                Action::Blocked => drop(queue.finish(&unit.id, Outcome::Blocked)),
            }
        }
        queue.refresh();
        queue
    }

    /// The next unit that may begin, if any.
    pub(super) fn take(&mut self) -> Option<UnitId> {
        let first = self.ready.pop_first()?;
        let id = self.order[first].clone();
        self.at_work.insert(id.clone());
        Some(id)
    }

    /// Records an end; returns the units that it blocks, directly or not.
    pub(super) fn finish(&mut self, id: &UnitId, outcome: Outcome) -> Vec<UnitId> {
        self.at_work.remove(id);
        self.ended.insert(id.clone(), outcome);
        let mut blocked = Vec::new();
        if !outcome.is_good() {
            let mut bad = vec![id.clone()];
            while let Some(cause) = bad.pop() {
                for (unit, waits) in &self.waits_for {
                    if waits.contains(&cause) && !self.ended.contains_key(unit) {
                        blocked.push(unit.clone());
                        bad.push(unit.clone());
                    }
                }
                for unit in &blocked {
                    self.ended.insert(unit.clone(), Outcome::Blocked);
                }
            }
        }
        self.refresh();
        blocked
    }

    /// Units that neither ended nor are at work.
    pub(super) fn waiting(&self) -> Vec<UnitId> {
        self.order.iter().filter(|id| !self.ended.contains_key(id) && !self.at_work.contains(id)).cloned().collect()
    }

    /// How each unit ended so far.
    pub(super) fn ended(&self) -> &BTreeMap<UnitId, Outcome> {
        &self.ended
    }

    fn refresh(&mut self) {
        for (index, id) in self.order.iter().enumerate() {
            let good = |other: &UnitId| self.ended.get(other).is_some_and(|o| o.is_good());
            let free = !self.ended.contains_key(id) && !self.at_work.contains(id);
            if free && self.waits_for[id].iter().all(good) {
                self.ready.insert(index);
            } else {
                self.ready.remove(&index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PlannedUnit, Stage};
    use proptest::prelude::*;

    fn plan(edges: &[(usize, Vec<usize>)]) -> Plan {
        let id = |n: usize| -> UnitId { format!("dev/local/s{n}:provision").parse().expect("an id") };
        let units = edges.iter().map(|(n, after)| PlannedUnit {
            id: id(*n),
            stage: Stage::Provision,
            deployment: None,
            action: Action::Run,
            why: String::new(),
            after: after.iter().map(|m| id(*m)).collect(),
            destroys: Vec::new(),
        });
        Plan { units: units.collect() }
    }

    #[test]
    fn a_failure_blocks_what_stands_on_it_and_nothing_else() {
        let plan = plan(&[(0, vec![]), (1, vec![0]), (2, vec![1]), (3, vec![])]);
        let mut queue = Queue::new(&plan);
        let first = queue.take().expect("ready");
        assert_eq!(first, plan.units[0].id);
        assert_eq!(queue.take(), Some(plan.units[3].id.clone()));
        assert_eq!(queue.take(), None);
        let blocked = queue.finish(&first, Outcome::Failed);
        assert_eq!(blocked.len(), 2);
        assert!(queue.waiting().is_empty());
    }

    proptest! {
        /// Whatever the graph, a unit is only given out behind all of its predecessors, and each exactly once.
        #[test]
        fn order_holds_for_any_graph(sizes in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..3), 1..20)) {
            let edges: Vec<(usize, Vec<usize>)> = sizes.iter().enumerate()
                .map(|(n, picks)| (n, if n == 0 { vec![] } else { picks.iter().map(|p| p.index(n)).collect() }))
                .collect();
            let plan = plan(&edges);
            let mut queue = Queue::new(&plan);
            let mut done = BTreeSet::new();
            while let Some(id) = queue.take() {
                for before in &plan.unit(&id).expect("planned").after {
                    prop_assert!(done.contains(before));
                }
                prop_assert!(done.insert(id.clone()));
                queue.finish(&id, Outcome::Ok);
            }
            prop_assert_eq!(done.len(), plan.units.len());
        }
    }
}
