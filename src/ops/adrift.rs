//! Which of the things that providers told of are in no state, and whose they are.

use std::collections::{BTreeMap, BTreeSet};

use super::locks;
use super::sweep::Answer;
use super::world::{Opened, unusable};
use crate::model::{Deployment, Name, Orphan, Owner};
use crate::store::Store;
use crate::tools::terraform::{State, StateFile};

/// What is adrift, and what could not be asked.
#[derive(Default)]
pub(super) struct Adrift {
    /// Made by this store, in no state of it.
    pub(super) ours: Vec<(Name, Orphan)>,
    /// Made by otto for another store or project.
    pub(super) foreign: Vec<(Name, Orphan)>,
    /// Lines for people.
    pub(super) warnings: Vec<String>,
}

/// What this store knows of, by deployment key.
pub(super) struct Known {
    states: BTreeMap<String, State>,
    /// Keys of deployments of which it cannot be told: a state that cannot be read here, or a run at work.
    unclear: BTreeSet<String>,
    images: BTreeSet<String>,
    kept: BTreeSet<String>,
}

impl Known {
    /// Reads all states that are files of otto's.
    pub(super) fn of(opened: &Opened, store: &Store, records: &[Deployment]) -> super::Result<Self> {
        let mut known = Self {
            states: BTreeMap::new(),
            unclear: BTreeSet::new(),
            images: store.images().map_err(unusable)?.into_iter().map(|image| image.reference).collect(),
            kept: records.iter().flat_map(|r| &r.kept).map(|kept| kept.id.clone()).collect(),
        };
        known.images.extend(records.iter().flat_map(|r| &r.hosts).filter_map(|host| host.image.clone()));
        for entry in opened.home.join("terraform").read_dir_utf8().into_iter().flatten().flatten() {
            for name in ["terraform.tfstate", "errored.tfstate"] {
                match StateFile::read(&entry.path().join(name)) {
                    StateFile::Read(state) => known.add(entry.file_name(), state),
                    StateFile::Unreadable { .. } => drop(known.unclear.insert(entry.file_name().to_owned())),
                    // Killed before it was written: what was made is in no state.
                    StateFile::Missing | StateFile::Empty => {}
                }
            }
        }
        for record in records {
            let elsewhere = record.state.is_some() && (record.phase.exists() || !record.kept.is_empty());
            if elsewhere || locks::at_work(opened, &record.id.key()) {
                known.unclear.insert(record.id.key());
            }
        }
        Ok(known)
    }

    fn add(&mut self, key: &str, state: State) {
        let all = self.states.entry(key.to_owned()).or_default();
        all.leaves.extend(state.leaves);
        all.addresses.extend(state.addresses);
    }

    /// Two may have one name, so the id decides; the name only for a provider whose ids are not those of the state.
    fn holds(&self, orphan: &Orphan, all: &[Orphan]) -> bool {
        let word = |state: &State, orphan: &Orphan| state.knows(&orphan.id);
        if self.states.values().any(|state| word(state, orphan))
            || self.images.contains(&orphan.id)
            || self.kept.contains(&orphan.id)
        {
            return true;
        }
        let key = orphan.tag("deployment").unwrap_or_default().replace('/', "_");
        let Some(state) = self.states.get(&key) else { return false };
        let siblings = all.iter().filter(|other| other.tag("deployment") == orphan.tag("deployment"));
        let by_id = siblings.into_iter().any(|other| word(state, other));
        !by_id && state.knows(&orphan.name)
    }

    fn unclear(&self, opened: &Opened, provider: &Name, orphan: &Orphan) -> bool {
        let key = orphan.tag("deployment").unwrap_or_default().replace('/', "_");
        if key.is_empty() {
            // A builder: while an image of this provider is built, it is at work.
            let locks = opened.home.join("locks");
            let start = format!("image_{provider}_");
            let names = locks.read_dir_utf8().into_iter().flatten().flatten().map(|e| e.file_name().to_owned());
            return names.into_iter().any(|name| name.starts_with(&start) && locks::at_work(opened, &name));
        }
        self.unclear.contains(&key) || locks::at_work(opened, &key)
    }
}

/// Sorts what providers answered.
pub(super) fn sort(opened: &Opened, store: &str, known: &Known, answers: Vec<Answer>) -> Adrift {
    let mut found = Adrift::default();
    for Answer { provider, said } in answers {
        let all = match said {
            Ok(all) => all,
            Err(why) => {
                found.warnings.push(not_asked(&provider, &why));
                continue;
            }
        };
        for orphan in &all {
            let entry = || (provider.clone(), orphan.clone());
            match orphan.owner(&opened.project.id, store) {
                Some(Owner::Foreign) => found.foreign.push(entry()),
                Some(Owner::Ours) if known.holds(orphan, &all) || known.unclear(opened, &provider, orphan) => {}
                Some(Owner::Ours) => found.ours.push(entry()),
                None => {}
            }
        }
    }
    found
}

/// The line about a provider of which it is not known what exists.
pub(super) fn not_asked(provider: &Name, why: &str) -> String {
    format!("what exists at `{provider}` is not known: {why}")
}
