//! All checks of a deployment: which there are, asked all at once, reported in a fixed order.

use std::pin::Pin;

use futures_util::future::join_all;

use crate::model::site::serves_pages;
use crate::model::{CheckKind, CheckResult, CheckSpec, Health, Host, Ways};
use crate::net::{Client, Endpoint};

use super::asker::{Asker, Settings};
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
        Ok(front) => at_front(asker, scope, &servers, front, level, &mut pending),
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
    address: String,
    port: u16,
    /// What it is called in the names of checks.
    name: String,
    /// Several backends stand behind it.
    balanced: bool,
}

fn front(scope: &Scope<'_>, servers: &[&Host]) -> Result<Front, CheckResult> {
    let unknown = |detail: String| finding("endpoint", CheckKind::Http, Health::Unknown, detail);
    if let Some(text) = scope.endpoint {
        let parsed = Endpoint::parse(text).map_err(|e| unknown(e.to_string()))?;
        if parsed.secure {
            return Err(unknown(format!("{text}: https endpoints cannot be asked yet")));
        }
        let Endpoint { address, port, .. } = parsed;
        return Ok(Front { address, port, name: "endpoint".to_owned(), balanced: servers.len() > 1 });
    }
    match servers {
        [only] => Ok(Front {
            address: only.address.clone(),
            port: only.service_port(),
            name: only.name.clone(),
            balanced: false,
        }),
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
    let Front { address, port, name, balanced } = front;
    for domain in scope.domains {
        let (address, title) = (address.clone(), format!("{name} serves {domain}"));
        pending.push(Box::pin(async move {
            asker.patiently(|| async { check_page(asker, &Page::home(&title, &address, port, domain)).await }).await
        }));
    }
    let Some(main) = scope.domains.first().filter(|_| level == Level::Full) else { return };
    if balanced {
        let backends: Vec<String> = servers.iter().map(|host| host.name.clone()).collect();
        let address = address.clone();
        pending.push(Box::pin(async move { asker.patiently(|| spread(asker, &address, port, main, &backends)).await }));
    }
    for check in scope.checks {
        let address = address.clone();
        pending.push(Box::pin(async move {
            asker.patiently(|| async { check_page(asker, &Page::own(check, &address, port, main)).await }).await
        }));
    }
}

async fn backend_page(asker: &Asker<'_>, host: &Host, domain: &str) -> CheckResult {
    let name = format!("{} serves {domain}", host.name);
    let mut page = Page::home(&name, &host.address, host.service_port(), domain);
    page.by = Some(&host.name);
    check_page(asker, &page).await
}

fn finding(name: &str, kind: CheckKind, state: Health, detail: String) -> CheckResult {
    CheckResult { name: name.to_owned(), kind, target: String::new(), state, latency_ms: None, detail }
}
