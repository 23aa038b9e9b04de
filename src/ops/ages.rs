//! How old images are, and which hosts were born with one that is no longer the newest.

use std::collections::BTreeMap;

use crate::model::time::span;
use crate::model::{Deployment, Image, Name, Project, Timestamp};

/// What ages are told from.
pub(super) struct Ages<'a> {
    /// The index, the newest of each appliance first.
    index: &'a [Image],
    /// `images.max_age` of the project, in milliseconds.
    max_age_ms: Option<u64>,
    /// Now.
    now: Timestamp,
}

impl<'a> Ages<'a> {
    /// Those of a project's images, now.
    pub(super) fn new(project: &Project, index: &'a [Image], now: Timestamp) -> Self {
        Self { index, max_age_ms: project.image_max_age_s.map(|s| s.saturating_mul(1000)), now }
    }

    /// One line for all hosts of a deployment that were born with the same older image: why they are stale, how old that
    /// image is, and what replaces them.
    pub(super) fn stale(&self, record: Option<&Deployment>) -> Vec<String> {
        let Some(record) = record.filter(|r| r.phase.exists()) else { return Vec::new() };
        let mut groups: BTreeMap<(&Name, &str), Vec<&str>> = BTreeMap::new();
        for (host, appliance, born) in booted(record) {
            groups.entry((appliance, born)).or_default().push(host);
        }
        groups.into_iter().filter_map(|((appliance, born), hosts)| self.line(record, appliance, born, &hosts)).collect()
    }

    fn line(&self, record: &Deployment, appliance: &Name, born: &str, hosts: &[&str]) -> Option<String> {
        let of = |i: &&Image| i.provider == record.id.provider && i.appliance == *appliance;
        let newest = self.index.iter().find(of)?;
        let own = self.index.iter().filter(of).find(|i| i.reference == born);
        let age = |image: &Image| self.now.since(image.built_at);
        // A site on another one's hosts gets newer ones with them.
        let (names, id) = (hosts.join(", "), record.spec.carrier().unwrap_or_else(|| record.id.clone()));
        let of_age = own.map_or_else(|| "of unknown age".to_owned(), |image| format!("{} old", span(age(image))));
        if newest.reference != born {
            let new = span(age(newest));
            return Some(format!(
                "{names}: the {appliance} image they boot is {of_age}, a newer one was built {new} ago: `otto up {id} --refresh-images`"
            ));
        }
        let limit = self.max_age_ms?;
        let old = own.filter(|image| age(image) > limit)?;
        Some(format!(
            "{names}: the {appliance} image they boot is {} old, more than `images.max_age` ({}): `otto up {id} --refresh-images` builds a new one",
            span(age(old)),
            span(limit)
        ))
    }

    /// Some host boots an image that is older than the project allows.
    pub(super) fn too_old(&self, record: &Deployment) -> bool {
        let Some(limit) = self.max_age_ms.filter(|_| record.phase.exists()) else { return false };
        booted(record).any(|(_, _, born)| {
            let image = self.index.iter().find(|i| i.provider == record.id.provider && i.reference == born);
            image.is_some_and(|image| self.now.since(image.built_at) > limit)
        })
    }

    /// An image is older than the project allows.
    pub(super) fn over(&self, image: &Image) -> bool {
        self.max_age_ms.is_some_and(|limit| self.now.since(image.built_at) > limit)
    }
}

/// Hosts with their appliance and the image they were born with.
fn booted(record: &Deployment) -> impl Iterator<Item = (&str, &Name, &str)> {
    record.hosts.iter().filter_map(|host| {
        let (_, role) = record.spec.roles.iter().find(|(name, _)| name.as_str() == host.role)?;
        Some((host.name.as_str(), role.image.as_ref()?, host.image.as_deref()?))
    })
}
