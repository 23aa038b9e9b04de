//! The stages: what each does to its subject. One file per stage.

mod adopt;
pub(in crate::lifecycle) mod backend;
mod billing;
mod build;
mod config;
mod credentials;
mod destroy;
mod drift;
mod extend;
mod failover;
mod galaxy;
mod guard;
mod images;
mod machines;
mod provision;
mod refresh;
pub(in crate::lifecycle) mod root;
pub(in crate::lifecycle) mod strays;
mod surroundings;
mod sweep;
mod terraform;
mod test;
mod unconfigure;
mod vagrant;
mod vagrant_down;
mod vagrant_list;
mod vault;

pub use config::hash as config_hash;
pub use machines::print as machines_print;

use super::context::Context;
use super::unit_end::{Trouble, UnitEnd};
use crate::model::{ProviderKind, Stage, Subject, UnitId};

/// Does a unit's work.
///
/// # Errors
/// What ended it early.
pub(super) async fn run(context: &Context, unit: &UnitId) -> Result<UnitEnd, Trouble> {
    match (&unit.subject, unit.stage) {
        (Subject::Image { provider, appliance }, _) => images::run(context, unit, provider, appliance).await,
        (Subject::Deployment(id), Stage::Provision) => {
            let target = context.target(id)?;
            match target.provider.kind {
                _ if target.spec.on.is_some() => machines::ride(context, unit, id).await,
                ProviderKind::Static => machines::run(context, unit, id).await,
                ProviderKind::Vagrant => vagrant::run(context, unit, id).await,
                _ => match &context.requests.adopt {
                    Some(adoption) => adopt::run(context, unit, id, adoption).await,
                    None if context.requests.refresh => refresh::run(context, unit, id).await,
                    None => provision::run(context, unit, id).await,
                },
            }
        }
        (Subject::Deployment(id), Stage::Config) => config::run(context, unit, id).await,
        (Subject::Deployment(id), Stage::Test) => test::run(context, unit, id).await,
        (Subject::Deployment(id), Stage::Destroy) => destroy::run(context, unit, id).await,
        (Subject::Deployment(id), Stage::Extend) => extend::run(context, unit, id).await,
        (Subject::Deployment(id), Stage::Drift) => drift::run(context, unit, id).await,
        (Subject::Deployment(_), Stage::Images) => Ok(UnitEnd::failed("images are built per appliance", false)),
    }
}
