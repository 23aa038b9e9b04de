//! Signals become requests to stop. What they do to a tool is the stop ladder's business.

use tokio::signal::unix::{SignalKind, signal};

use super::world::World;
use crate::lifecycle::Recorder;
use crate::model::EventKind;

/// Listens until dropped with its task; every request is journaled as `stopping`.
pub(super) async fn listen(world: &World, recorder: &Recorder) {
    let (Ok(mut int), Ok(mut term), Ok(mut hup)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return;
    };
    let mut last_interrupt = None;
    loop {
        let (level, why) = tokio::select! {
            _ = int.recv() => {
                let now = world.clock.now();
                // A terminal and a wrapper may both pass on one key press: that is one request.
                if last_interrupt.is_some_and(|last| now.since(last) < 200) {
                    continue;
                }
                last_interrupt = Some(now);
                (world.stopper.firmer(2, "SIGINT"), "SIGINT")
            }
            _ = term.recv() => {
                world.stopper.gently(Some(15), "SIGTERM");
                (world.stopper.now().level, "SIGTERM")
            }
            _ = hup.recv() => {
                world.stopper.drain(Some(1), "SIGHUP");
                (world.stopper.now().level, "SIGHUP")
            }
        };
        // The journal may be what fails; the stop goes on all the same.
        let _ = recorder.record(None, EventKind::Stopping { level, why: why.to_owned() });
    }
}
