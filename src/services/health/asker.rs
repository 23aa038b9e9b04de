//! How checks ask: through one client, so many at once, each with its limit, patiently only where told so.

use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::model::{CheckResult, Health, Ways};
use crate::net::{Client, Endpoint, NetError, Request, Response};

/// The first pause between two attempts of a patient check; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Logins at the same time, for addresses behind another host, and how long one may take.
const AT_ONCE_THROUGH: usize = 4;
const LOGIN: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The bounds of a round of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// For one request, body included. 5 s.
    pub timeout: Duration,
    /// Requests at the same time. 16.
    pub concurrency: usize,
    /// How long a check that is not ok is repeated, from the start of the round: right after a configuration, when
    /// services are about to answer. Zero: each check asks once.
    pub patience: Duration,
    /// Bytes of a page that are read and searched. 1 MiB.
    pub max_body: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(5), concurrency: 16, patience: Duration::ZERO, max_body: 1 << 20 }
    }
}

/// Asks on behalf of one round of checks.
#[derive(Debug)]
pub struct Asker<'a> {
    client: &'a Client,
    permits: Semaphore,
    /// Those that go through another host: sshd turns away many logins at once.
    narrow: Semaphore,
    ways: &'a Ways,
    settings: Settings,
    deadline: Instant,
}

impl<'a> Asker<'a> {
    /// A round that begins now.
    pub fn new(client: &'a Client, settings: Settings, ways: &'a Ways) -> Self {
        let permits = Semaphore::new(settings.concurrency.max(1));
        Self {
            client,
            permits,
            narrow: Semaphore::new(AT_ONCE_THROUGH),
            ways,
            settings,
            deadline: Instant::now() + settings.patience,
        }
    }

    /// The limit of one request to an address.
    pub(super) fn timeout(&self, address: &str) -> Duration {
        let login = if self.ways.contains_key(address) { LOGIN } else { Duration::ZERO };
        self.settings.timeout + login
    }

    /// The program that connects to an address which cannot be reached from here.
    pub(super) fn via(&self, address: &str, port: u16) -> Option<Vec<String>> {
        self.ways.get(address).map(|way| way.to(address, port))
    }

    /// A GET to an address in the name of `domain`; over TLS when `secure`.
    pub(super) async fn get(&self, front: &Endpoint, domain: Option<&str>, path: &str) -> Result<Response, NetError> {
        let Endpoint { secure, address, port } = front;
        let mut request = if *secure {
            Request::secure(address, *port, domain.unwrap_or(address), path)
        } else {
            Request { host: domain.map(|domain| host_header(domain, *port)), ..Request::address(address, *port, path) }
        };
        request.timeout = self.timeout(address);
        request.max_body = self.settings.max_body;
        request.via = self.via(address, *port);
        let _permit = self.permit(address).await;
        self.client.get(&request).await
    }

    /// A place among the requests that may run at the same time.
    pub(super) async fn permit(&self, address: &str) -> tokio::sync::SemaphorePermit<'_> {
        let permits = if self.ways.contains_key(address) { &self.narrow } else { &self.permits };
        permits.acquire().await.expect("the semaphore lives as long as the asker and is never closed")
    }

    /// Repeats a check until it is ok or the round's patience is over; the last result counts.
    pub(super) async fn patiently<F, C>(&self, check: C) -> CheckResult
    where
        F: Future<Output = CheckResult>,
        C: Fn() -> F,
    {
        let mut pause = FIRST_PAUSE;
        loop {
            let result = check().await;
            if result.state == Health::Ok || Instant::now() + pause > self.deadline {
                return result;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// What a browser sends: the port belongs to it unless it is the scheme's own.
fn host_header(domain: &str, port: u16) -> String {
    if port == 80 { domain.to_owned() } else { format!("{domain}:{port}") }
}
