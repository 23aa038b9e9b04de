//! Does the load balancer spread requests over all backends: each is seen within a few fresh connections.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use crate::model::{CheckKind, CheckResult, Health};
use crate::net::Endpoint;

use super::asker::Asker;
use super::page::served_by;

/// Fresh connections per backend within which each backend must have answered.
const CONNECTIONS_PER_BACKEND: usize = 4;
/// Requests of one spread check that run at the same time.
const AT_ONCE: usize = 8;

/// Asks the endpoint until every backend has answered, at most four times per backend.
pub async fn spread(asker: &Asker<'_>, front: &Endpoint, domain: &str, backends: &[String]) -> CheckResult {
    let limit = backends.len() * CONNECTIONS_PER_BACKEND;
    let mut tally = Tally::new(backends);
    while tally.asked < limit && !tally.is_complete() {
        let round = AT_ONCE.min(backends.len()).min(limit - tally.asked);
        let answers = join_all((0..round).map(|_| asker.get(front, Some(domain), "/"))).await;
        for answer in answers {
            match answer {
                Ok(answer) => tally.count(served_by(&answer), answer.status),
                Err(error) => tally.failed(error.to_string()),
            }
        }
        // An endpoint that names nobody will not begin to: no need to ask on.
        if tally.nameless == tally.asked && tally.asked >= backends.len() {
            break;
        }
    }
    let (state, detail) = tally.verdict();
    let target = front.url(domain, "/");
    CheckResult {
        name: "spread over all backends".to_owned(),
        kind: CheckKind::Spread,
        target,
        state,
        latency_ms: None,
        detail,
    }
}

/// Who answered how often.
struct Tally {
    seen: BTreeMap<String, usize>,
    strangers: BTreeMap<String, usize>,
    nameless: usize,
    asked: usize,
    failures: Vec<String>,
}

impl Tally {
    fn new(backends: &[String]) -> Self {
        let seen = backends.iter().map(|name| (name.clone(), 0)).collect();
        Self { seen, strangers: BTreeMap::new(), nameless: 0, asked: 0, failures: Vec::new() }
    }

    fn count(&mut self, name: Option<&str>, status: u16) {
        self.asked += 1;
        match name {
            // A backend that only produces errors does not count as serving.
            _ if status >= 500 => self.failures.push(format!("answered {status}")),
            Some(name) => match self.seen.get_mut(name) {
                Some(times) => *times += 1,
                None => *self.strangers.entry(name.to_owned()).or_default() += 1,
            },
            None => self.nameless += 1,
        }
    }

    fn failed(&mut self, why: String) {
        self.asked += 1;
        self.failures.push(why);
    }

    fn is_complete(&self) -> bool {
        self.seen.values().all(|times| *times > 0)
    }

    fn verdict(&self) -> (Health, String) {
        let asked = self.asked;
        if let Some(first) = self.failures.first() {
            let failed = self.failures.len();
            return (Health::Critical, format!("{failed} of {asked} connections failed: {first}"));
        }
        if !self.strangers.is_empty() {
            let names: Vec<&str> = self.strangers.keys().map(String::as_str).collect();
            return (Health::Critical, format!("{} answered, and is no backend of this deployment", names.join(", ")));
        }
        if self.nameless == asked {
            let detail = "no X-Served-By in the answers: the backends cannot be told apart";
            return (Health::Warning, detail.to_owned());
        }
        let shares: Vec<String> = self.seen.iter().map(|(name, times)| format!("{name} {times}")).collect();
        let silent: Vec<&str> = self.seen.iter().filter(|(_, n)| **n == 0).map(|(name, _)| name.as_str()).collect();
        if silent.is_empty() {
            return (Health::Ok, format!("{asked} connections: {}", shares.join(", ")));
        }
        let detail = format!("{} never answered in {asked} connections ({})", silent.join(", "), shares.join(", "));
        (Health::Critical, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(answers: &[(Option<&str>, u16)]) -> (Health, String) {
        let mut tally = Tally::new(&["www-1".to_owned(), "www-2".to_owned()]);
        for (name, status) in answers {
            tally.count(*name, *status);
        }
        tally.verdict()
    }

    #[test]
    fn each_backend_has_to_answer() {
        assert_eq!(tally(&[(Some("www-1"), 200), (Some("www-2"), 200)]).0, Health::Ok);
        let (state, detail) = tally(&[(Some("www-1"), 200), (Some("www-1"), 200)]);
        assert_eq!((state, detail.contains("www-2 never answered")), (Health::Critical, true));
    }

    #[test]
    fn strangers_errors_and_missing_names_are_told() {
        assert_eq!(tally(&[(Some("www-1"), 200), (Some("web-9"), 200)]).0, Health::Critical);
        assert_eq!(tally(&[(None, 200), (None, 200)]).0, Health::Warning);
        assert_eq!(tally(&[(Some("www-1"), 200), (Some("www-2"), 503)]).0, Health::Critical);
    }
}
