//! The ground that hosts stand on: two sites on one machine must not write its settings, reload its services or stop
//! them for a test at the same time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::model::Host;

/// One lock a machine, for one run.
#[derive(Debug, Default)]
pub struct Grounds(Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Grounds {
    /// Takes the machines of these hosts, in one order, until the guards are dropped.
    pub async fn take(&self, hosts: &[Host]) -> Vec<OwnedMutexGuard<()>> {
        let mut places: Vec<&str> = hosts.iter().map(|host| host.address.as_str()).collect();
        places.sort_unstable();
        places.dedup();
        let mut guards = Vec::new();
        for place in places {
            let one =
                self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(place.to_owned()).or_default().clone();
            guards.push(one.lock_owned().await);
        }
        guards
    }
}
