//! What the layers above hold: one client for all rounds of checks, with the questions they ask.

use std::time::Duration;

use super::asker::{Asker, Settings};
use super::deployment::{Level, Scope, deployment};
use super::host::{Probed, probe_host};
use super::page::served_by;
use crate::model::site::serves_pages;
use crate::model::{CheckKind, CheckResult, Health, Host, HostState, Ways};
use crate::net::{Client, Endpoint};

/// Requests sent while a backend is stopped; every one must be answered.
const REQUESTS_WITHOUT: usize = 30;
/// How long a backend that was started again may take to be seen.
const BACK: Duration = Duration::from_secs(10);

/// Makes checks.
#[derive(Debug, Default)]
pub struct Checker {
    client: Client,
}

impl Checker {
    /// One for as many rounds as wanted.
    pub fn new() -> Self {
        Self::default()
    }

    /// All checks of a deployment; those that fail are repeated until `patience` is over.
    pub async fn check(&self, scope: &Scope<'_>, level: Level, patience: Duration) -> Vec<CheckResult> {
        deployment(&self.client, scope, level, Settings { patience, ..Settings::default() }).await
    }

    /// All checks once, and what they say about each host.
    pub async fn look(&self, scope: &Scope<'_>, level: Level) -> (Vec<(String, HostState)>, Vec<CheckResult>) {
        let results = self.check(scope, level, Duration::ZERO).await;
        // Host checks come first, one a host, in the hosts' order.
        let of_hosts = results.iter().filter(|r| r.kind == CheckKind::Host);
        let state = |r: &CheckResult| match r.state {
            Health::Ok => HostState::Up,
            Health::Unknown => HostState::Unknown,
            _ => HostState::Down,
        };
        let states =
            scope.hosts.iter().zip(of_hosts).map(|(host, result)| (host.name.clone(), state(result))).collect();
        (states, results)
    }

    /// What one host answers to its probe.
    pub async fn probe(&self, host: &Host, ways: &Ways) -> Probed {
        probe_host(&Asker::new(&self.client, Settings::default(), ways), host).await
    }

    /// With a backend stopped: every request is answered, and by another one.
    ///
    /// # Errors
    /// What happened instead.
    pub async fn survives(&self, scope: &Scope<'_>, victim: &str) -> Result<String, String> {
        let (endpoint, domain) = front(scope)?;
        let asker = Asker::new(&self.client, Settings::default(), scope.ways);
        for number in 1..=REQUESTS_WITHOUT {
            let answer = asker.get(&endpoint, Some(domain), "/").await;
            match answer {
                Err(error) => {
                    return Err(format!("request {number} of {REQUESTS_WITHOUT} without {victim} failed: {error}"));
                }
                Ok(answer) if answer.status >= 400 => {
                    return Err(format!(
                        "request {number} of {REQUESTS_WITHOUT} without {victim} was answered {}",
                        answer.status
                    ));
                }
                Ok(answer) if served_by(&answer) == Some(victim) => {
                    return Err(format!("{victim} still serves: it was not stopped"));
                }
                Ok(_) => {}
            }
        }
        Ok(format!("{REQUESTS_WITHOUT} of {REQUESTS_WITHOUT} requests answered"))
    }

    /// A backend that was started again is seen again.
    ///
    /// # Errors
    /// It was not within ten seconds.
    pub async fn returns(&self, scope: &Scope<'_>, victim: &str) -> Result<String, String> {
        let host = scope.hosts.iter().find(|h| h.name == victim).ok_or_else(|| format!("{victim} is gone"))?;
        let (endpoint, domain) = front(scope)?;
        let asker = Asker::new(&self.client, Settings::default(), scope.ways);
        let until = std::time::Instant::now() + BACK;
        let backends = scope.hosts.iter().filter(|h| serves_pages(&h.role)).count();
        while std::time::Instant::now() < until {
            let up = probe_host(&asker, host).await.state == HostState::Up;
            for _ in 0..if up { backends * 4 } else { 0 } {
                let answer = asker.get(&endpoint, Some(domain), "/").await;
                if answer.is_ok_and(|a| served_by(&a).is_none_or(|by| by == victim)) {
                    return Ok("serves again".to_owned());
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(format!("{victim} was not seen again within {} s", BACK.as_secs()))
    }
}

fn front<'a>(scope: &Scope<'a>) -> Result<(Endpoint, &'a str), String> {
    let secure = scope.tls.and_then(|tls| tls.endpoint.as_deref());
    let endpoint = secure.or(scope.endpoint).ok_or("no endpoint is declared")?;
    let endpoint = Endpoint::parse(endpoint).map_err(|e| e.to_string())?;
    let domain = scope.domains.first().ok_or("no domain is declared")?;
    Ok((endpoint, domain))
}
