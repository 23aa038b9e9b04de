//! Room on the disk while a run is on: below a floor the reserve is given up, nothing more is started, and Terraform is
//! stopped while it can still save its state.

use std::time::Duration;

use super::world::World;
use crate::lifecycle::Context;
use crate::model::EventKind;
use crate::process::disk;

/// Free bytes below which a run is stopped.
const LOW: u64 = 16 << 20;
/// How often it is looked: a disk fills slowly against this.
const GLANCE: Duration = Duration::from_millis(400);

/// Looks until dropped with its task.
pub(super) async fn watch(world: &World, context: &Context) {
    loop {
        tokio::time::sleep(GLANCE).await;
        let Ok(free) = disk::free(&context.home) else { continue };
        if free >= LOW {
            continue;
        }
        let why = format!("{} MB are left on the disk of {}: free some space, then go on", free >> 20, context.home);
        context.give_up_reserve();
        world.stopper.gently(None, &why);
        // The journal may be what fails; the stop goes on all the same.
        let _ = context.recorder.record(None, EventKind::Stopping { level: world.stopper.now().level, why });
        return std::future::pending().await;
    }
}
