//! Is a host up: what its declared probe says.

use crate::model::{CheckKind, CheckResult, Health, Host, HostState, Probe};
use crate::net::{Endpoint, connect, connect_through, ssh_greeting, ssh_greeting_through};

use super::asker::Asker;

/// What a host's probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// Up, down, or unknown when it could not be asked.
    pub state: HostState,
    /// Until the answer, in milliseconds.
    pub latency_ms: Option<u64>,
    /// What was asked: `127.64.1.2:8080`.
    pub target: String,
    /// The reason when it is not up; a fact worth showing otherwise.
    pub detail: String,
}

/// Asks a host by its declared probe.
pub async fn probe_host(asker: &Asker<'_>, host: &Host) -> Probed {
    let probed = |state, latency_ms, target, detail| Probed { state, latency_ms, target, detail };
    let address = &host.address;
    let probe = match host.probe() {
        Ok(probe) => probe,
        Err(text) => {
            let detail = format!("`{text}` is no probe: ssh, none, tcp:PORT or http:/PATH are");
            return probed(HostState::Unknown, None, address.clone(), detail);
        }
    };
    let answered = match &probe {
        Probe::None => {
            return probed(HostState::Up, None, address.clone(), "has no probe: up once made".to_owned());
        }
        Probe::Ssh(port) => {
            let _permit = asker.permit(address).await;
            let limit = asker.timeout(address);
            let greeted = match asker.via(address, *port) {
                Some(argv) => ssh_greeting_through(&argv, address, *port, limit).await,
                None => ssh_greeting(address, *port, limit).await,
            };
            greeted.map(|g| (g.latency_ms, g.banner))
        }
        Probe::Tcp(port) => {
            let _permit = asker.permit(address).await;
            let limit = asker.timeout(address);
            let took = match asker.via(address, *port) {
                Some(argv) => connect_through(&argv, address, *port, limit).await,
                None => connect(address, *port, limit).await,
            };
            took.map(|ms| (ms, format!("port {port} accepts")))
        }
        Probe::Http(port, path) => match asker.get(&Endpoint::plain(address, *port), None, path).await {
            Ok(answer) if answer.status >= 500 => {
                let detail = format!("{path} answered {}", answer.status);
                return probed(HostState::Down, Some(answer.latency_ms), target(address, *port), detail);
            }
            other => other.map(|a| (a.latency_ms, format!("{path} answered {}", a.status))),
        },
    };
    let (Probe::Ssh(port) | Probe::Tcp(port) | Probe::Http(port, _)) = probe else {
        return probed(HostState::Up, None, address.clone(), String::new());
    };
    match answered {
        Ok((ms, detail)) => probed(HostState::Up, Some(ms), target(address, port), detail),
        Err(error) => probed(HostState::Down, None, target(address, port), error.to_string()),
    }
}

/// The probe as a check.
pub(super) async fn host_check(asker: &Asker<'_>, host: &Host) -> CheckResult {
    let found = probe_host(asker, host).await;
    CheckResult {
        name: format!("{} up", host.name),
        kind: CheckKind::Host,
        target: found.target,
        state: match found.state {
            HostState::Up => Health::Ok,
            HostState::Unknown => Health::Unknown,
            HostState::Down | HostState::Missing => Health::Critical,
        },
        latency_ms: found.latency_ms,
        detail: found.detail,
    }
}

fn target(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}
