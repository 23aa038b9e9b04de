//! Names to addresses: `*.localhost` is this machine on every system (libc does not know it everywhere).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Why a name has no address.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unresolved(String);

/// The system's resolver with `*.localhost` answered here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let found = addresses(&name, 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether a host name or address means this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    let lower = bare.to_ascii_lowercase();
    lower == "localhost" || lower.ends_with(".localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// All addresses of a name or address.
pub(super) async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, Unresolved> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    if is_loopback(bare) {
        return Ok(vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)]);
    }
    let found: Vec<_> = tokio::net::lookup_host((bare, port)).await.map_err(|e| Unresolved(e.to_string()))?.collect();
    if found.is_empty() {
        return Err(Unresolved("no address in the answer".to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_told_from_the_world() {
        for here in ["localhost", "hello.localhost", "HELLO.Localhost.", "127.64.1.2", "::1", "[::1]"] {
            assert!(is_loopback(here), "{here}");
        }
        for there in ["notlocalhost", "localhost.example", "10.0.0.1", "128.0.0.1", ""] {
            assert!(!is_loopback(there), "{there}");
        }
    }
}
