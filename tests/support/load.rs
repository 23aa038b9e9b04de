//! Visitors that come all the time: one that keeps its connection, one with a new connection for every page.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::http::Connection;

/// Visitors at work.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    visitors: Vec<JoinHandle<Visits>>,
}

/// What one visitor saw.
#[derive(Debug, Default)]
pub(crate) struct Visits {
    pub(crate) requests: usize,
    pub(crate) failures: Vec<String>,
}

impl Load {
    pub(crate) fn start(port: u16, host: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let visitor = |keeps: bool| {
            let (stop, host) = (stop.clone(), host.to_owned());
            std::thread::spawn(move || visit(port, &host, keeps, &stop))
        };
        Self { visitors: vec![visitor(true), visitor(false)], stop }
    }

    /// Sends the visitors home; how many requests they made, and what failed.
    pub(crate) fn end(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::SeqCst);
        let visits = self.visitors.into_iter().map(|visitor| visitor.join().expect("a visitor"));
        visits.fold((0, Vec::new()), |(requests, mut failures), one| {
            failures.extend(one.failures);
            (requests + one.requests, failures)
        })
    }

    /// Sends the visitors home; none of them may have seen a failure.
    #[track_caller]
    pub(crate) fn all_was_well(self) {
        self.stop.store(true, Ordering::SeqCst);
        for visitor in self.visitors {
            let visits = visitor.join().expect("a visitor");
            assert!(visits.failures.is_empty(), "{} of {}: {:?}", visits.failures.len(), visits.requests, visits);
            assert!(visits.requests > 20, "only {} requests", visits.requests);
        }
    }
}

fn visit(port: u16, host: &str, keeps: bool, stop: &AtomicBool) -> Visits {
    let mut visits = Visits::default();
    let mut kept: Option<Connection> = None;
    while !stop.load(Ordering::SeqCst) {
        visits.requests += 1;
        let reused = kept.is_some();
        let connection = kept.take().map_or_else(|| Connection::open(port), Ok);
        let answer = connection.and_then(|mut c| Ok((c.get(host, "/", !keeps)?, c)));
        match answer {
            Ok((page, connection)) if page.status == 200 => kept = (!page.last).then_some(connection),
            Ok((page, _)) => visits.failures.push(format!("{} by `{}`", page.status, page.served_by)),
            Err(error) => visits.failures.push(format!("{error} (kept connection: {reused})")),
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    visits
}
