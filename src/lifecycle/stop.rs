//! How firmly someone asked to stop, shared by all units of a run.

use tokio::sync::watch;

/// A request to stop; levels only rise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stop {
    /// 0: go on; 1: one signal to each tool, no new unit; 2: end what can end without losing state; 3: abandon.
    pub level: u8,
    /// No new unit, but tools are left in peace: the terminal went away, or the disk is nearly full.
    pub drain: bool,
    /// The signal's number that otto's exit code is made of (128 + it), if it was one.
    pub signal: Option<u8>,
    /// Why, for people.
    pub why: String,
}

impl Stop {
    /// No new unit may begin.
    pub fn requested(&self) -> bool {
        self.level > 0 || self.drain
    }
}

/// The asking side.
#[derive(Clone, Debug)]
pub struct Stopper(watch::Sender<Stop>);

/// The listening side.
pub type StopWatch = watch::Receiver<Stop>;

/// A pair: one asks, many listen.
pub fn channel() -> (Stopper, StopWatch) {
    let (sender, receiver) = watch::channel(Stop::default());
    (Stopper(sender), receiver)
}

impl Stopper {
    /// One step firmer; returns the level reached.
    pub fn firmer(&self, signal: u8, why: &str) -> u8 {
        self.0.send_modify(|stop| {
            stop.level = (stop.level + 1).min(3);
            stop.signal = stop.signal.or(Some(signal));
            why.clone_into(&mut stop.why);
        });
        self.0.borrow().level
    }

    /// At least level 1, never firmer: SIGTERM, or a disk that fills.
    pub fn gently(&self, signal: Option<u8>, why: &str) {
        self.0.send_modify(|stop| {
            stop.level = stop.level.max(1);
            stop.signal = stop.signal.or(signal);
            why.clone_into(&mut stop.why);
        });
    }

    /// No new unit; tools go on.
    pub fn drain(&self, signal: Option<u8>, why: &str) {
        self.0.send_modify(|stop| {
            stop.drain = true;
            stop.signal = stop.signal.or(signal);
            why.clone_into(&mut stop.why);
        });
    }

    /// What was asked so far.
    pub fn now(&self) -> Stop {
        self.0.borrow().clone()
    }
}
