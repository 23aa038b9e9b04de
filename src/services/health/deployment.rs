//! All checks of a deployment: which there are, asked all at once, reported in a fixed order.

use std::pin::Pin;

use futures_util::future::join_all;

use crate::model::site::{balances, serves_pages};
use crate::model::{CheckKind, CheckResult, CheckSpec, Health, Host, Ways};
use crate::net::{Client, Endpoint};

use super::asker::{Asker, Settings};
use super::certificate::{self, Expected};
use super::host::host_check;
use super::page::{Page, check_page};
use super::spread::spread;

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Host probes and one request a domain: for `status`.
    Quick,
    /// Everything: for `test`.
    Full,
}

/// What is checked.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// As the root's output declares them.
    pub hosts: &'a [Host],
    /// `http://address:port/`; absent: the only www answers by itself.
    pub endpoint: Option<&'a str>,
    /// Names the site answers to; the first is its main name.
    pub domains: &'a [String],
    /// The site's own.
    pub checks: &'a [CheckSpec],
    /// What is expected of its HTTPS, where it has it.
    pub tls: Option<&'a Expected>,
    /// How hosts behind another one are reached.
    pub ways: &'a Ways,
}

/// A check about to be made.
type Pending<'a> = Pin<Box<dyn Future<Output = CheckResult> + Send + 'a>>;

/// Makes all checks of a deployment. The order of the results is that of the hosts, then domains, then own checks.
pub async fn deployment(client: &Client, scope: &Scope<'_>, level: Level, settings: Settings) -> Vec<CheckResult> {
    if scope.hosts.is_empty() {
        let detail = "the deployment has no hosts: nothing could be asked";
        return vec![finding("hosts", CheckKind::Host, Health::Unknown, detail.to_owned())];
    }
    let asker = &Asker::new(client, settings, scope.ways);
    let servers: Vec<&Host> = scope.hosts.iter().filter(|host| serves_pages(&host.role)).collect();
    let mut pending: Vec<Pending<'_>> = Vec::new();
    for host in scope.hosts {
        pending.push(Box::pin(asker.patiently(move || host_check(asker, host))));
    }
    if level == Level::Full {
        for host in &servers {
            for domain in scope.domains {
                pending.push(Box::pin(asker.patiently(move || backend_page(asker, host, domain))));
            }
        }
    }
    match front(scope, &servers) {
        Ok(Some(front)) => at_front(asker, scope, &servers, front, level, &mut pending),
        Ok(None) => {}
        Err(result) => pending.push(Box::pin(std::future::ready(result))),
    }
    join_all(pending).await
}

/// The worst of the findings; unknown when there are none.
pub fn worst(results: &[CheckResult]) -> Health {
    results.iter().map(|result| result.state).reduce(Health::worst).unwrap_or(Health::Unknown)
}

/// Where visitors come in.
struct Front {
    at: Endpoint,
    /// What it is called in the names of checks.
    name: String,
    /// Several backends stand behind it.
    balanced: bool,
}

/// Whether several servers stand behind an endpoint. One that is a www itself answers for itself alone, however many others
/// there are: visitors find those by their own addresses.
pub fn is_balanced(hosts: &[Host], endpoint: Option<&str>) -> bool {
    let Some(at) = endpoint.and_then(|text| Endpoint::parse(text).ok()) else { return false };
    let itself = |host: &Host| host.address == at.address && host.service_port() == at.port;
    let alone = |host: &Host| serves_pages(&host.role) && !balances(&host.role) && itself(host);
    hosts.iter().filter(|host| serves_pages(&host.role)).count() > 1 && !hosts.iter().any(alone)
}

/// Nothing where no host serves pages and nothing of the site asks for one: a database, say.
fn front(scope: &Scope<'_>, servers: &[&Host]) -> Result<Option<Front>, CheckResult> {
    let unknown = |detail: String| finding("endpoint", CheckKind::Http, Health::Unknown, detail);
    let secure = scope.tls.and_then(|tls| tls.endpoint.as_deref());
    if let Some(text) = secure.or(scope.endpoint) {
        let at = Endpoint::parse(text).map_err(|e| unknown(e.to_string()))?;
        let balanced = is_balanced(scope.hosts, scope.endpoint.or(secure));
        return Ok(Some(Front { at, name: "endpoint".to_owned(), balanced }));
    }
    match servers {
        [only] => Ok(Some(Front {
            at: Endpoint::plain(&only.address, only.service_port()),
            name: only.name.clone(),
            balanced: false,
        })),
        [] if scope.checks.is_empty() => Ok(None),
        [] => Err(unknown("no endpoint is declared, and no host serves pages".to_owned())),
        several => {
            let detail =
                format!("no endpoint is declared for {} www hosts: each is only asked by itself", several.len());
            Err(finding("endpoint", CheckKind::Http, Health::Warning, detail))
        }
    }
}

fn at_front<'a>(
    asker: &'a Asker<'a>,
    scope: &Scope<'a>,
    servers: &[&Host],
    front: Front,
    level: Level,
    pending: &mut Vec<Pending<'a>>,
) {
    let Front { at, name, balanced } = front;
    for domain in scope.domains {
        let (at, title) = (at.clone(), format!("{name} serves {domain}"));
        pending.push(Box::pin(async move {
            asker.patiently(|| async { check_page(asker, &Page::home(&title, &at, domain)).await }).await
        }));
    }
    if let Some(tls) = scope.tls {
        secured(asker, scope, tls, &at, level, pending);
    }
    let Some(main) = scope.domains.first().filter(|_| level == Level::Full) else { return };
    if balanced {
        let backends: Vec<String> = servers.iter().map(|host| host.name.clone()).collect();
        let at = at.clone();
        pending.push(Box::pin(async move { asker.patiently(|| spread(asker, &at, main, &backends)).await }));
    }
    for check in scope.checks {
        let at = at.clone();
        pending.push(Box::pin(async move {
            asker.patiently(|| async { check_page(asker, &Page::own(check, &at, main)).await }).await
        }));
    }
}

/// The certificate of every domain, and that plain HTTP leads to it.
fn secured<'a>(
    asker: &'a Asker<'a>,
    scope: &Scope<'a>,
    tls: &'a Expected,
    at: &Endpoint,
    level: Level,
    pending: &mut Vec<Pending<'a>>,
) {
    if let Some(why) = &tls.files {
        pending.push(Box::pin(std::future::ready(certificate::files(why))));
    }
    for domain in scope.domains {
        let Endpoint { address, port, .. } = at.clone();
        pending.push(Box::pin(async move {
            asker.patiently(|| certificate::certificate(asker, tls, &address, port, domain)).await
        }));
    }
    let plain = scope.endpoint.and_then(|text| Endpoint::parse(text).ok()).filter(|plain| !plain.secure);
    let Some(plain) = plain.filter(|_| level == Level::Full && tls.redirect) else { return };
    for domain in scope.domains {
        let plain = plain.clone();
        pending.push(Box::pin(async move {
            asker.patiently(|| certificate::redirect(asker, &plain.address, plain.port, domain)).await
        }));
    }
}

async fn backend_page(asker: &Asker<'_>, host: &Host, domain: &str) -> CheckResult {
    let name = format!("{} serves {domain}", host.name);
    let front = Endpoint::plain(&host.address, host.service_port());
    let mut page = Page::home(&name, &front, domain);
    page.by = Some(&host.name);
    check_page(asker, &page).await
}

fn finding(name: &str, kind: CheckKind, state: Health, detail: String) -> CheckResult {
    CheckResult { name: name.to_owned(), kind, target: String::new(), state, latency_ms: None, detail }
}
