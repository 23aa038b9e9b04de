//! GET with every bound a check needs: time, body size, a fresh connection, the Host header apart from the address.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use reqwest::header::{HOST, HeaderMap};
use reqwest::redirect;

use super::error::NetError;
use super::resolve::{Resolver, addresses, is_loopback};
use super::target::Target;

/// How long setting up a connection to another machine may take.
const CONNECT: Duration = Duration::from_secs(5);
/// Redirects followed by a download.
const REDIRECTS: usize = 5;

/// One GET.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where to.
    pub to: Target,
    /// Sent as the Host header instead of the target's own name.
    pub host: Option<String>,
    /// For the whole exchange, connecting and body included.
    pub timeout: Duration,
    /// Bytes of the body kept; the rest is not read.
    pub max_body: usize,
    /// A program whose input and output are the connection, for an address that cannot be reached from here.
    pub via: Option<Vec<String>>,
}

impl Request {
    /// A GET by URL within 5 s, 1 MiB of body at most.
    pub fn url(url: impl Into<String>) -> Self {
        Self::to(Target::Url(url.into()))
    }

    /// A plain GET to an address, past all name resolution and proxies.
    pub fn address(address: impl Into<String>, port: u16, path: impl Into<String>) -> Self {
        Self::to(Target::Address { address: address.into(), port, path: path.into() })
    }

    /// A GET over TLS to an address in the name of `name`, past all name resolution and proxies; any certificate will do.
    pub fn secure(address: impl Into<String>, port: u16, name: impl Into<String>, path: impl Into<String>) -> Self {
        Self::to(Target::Secure { address: address.into(), port, name: name.into(), path: path.into() })
    }

    fn to(to: Target) -> Self {
        Self { to, host: None, timeout: Duration::from_secs(5), max_body: 1 << 20, via: None }
    }

    /// With this Host header.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// With this limit of time.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, up to the request's bound.
    pub body: Vec<u8>,
    /// More body was there than the bound.
    pub truncated: bool,
    /// From the start to the end of what was read, in milliseconds.
    pub latency_ms: u64,
}

impl Response {
    /// The first value of a header, its name compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// Asks. Each request opens a connection of its own, so that a check never rides on an older one.
#[derive(Debug, Default)]
pub struct Client {
    direct: OnceLock<reqwest::Client>,
    near_secure: OnceLock<reqwest::Client>,
    outward: OnceLock<reqwest::Client>,
    following: OnceLock<reqwest::Client>,
}

impl Client {
    /// A client; what it needs is made at the first request that needs it.
    pub fn new() -> Self {
        Self::default()
    }

    /// One GET; redirects are answers, not followed.
    ///
    /// # Errors
    /// Whatever kept a complete answer (or its first `max_body` bytes) from arriving in time.
    pub async fn get(&self, request: &Request) -> Result<Response, NetError> {
        if let Some(argv) = &request.via {
            return super::through::get(request, argv).await;
        }
        let url = request.to.url();
        let place = place(&url);
        let named;
        let client = match &request.to {
            Target::Secure { address, port, name, .. } => {
                named = self::named(address, *port, name, &place).await?;
                &named
            }
            _ => self.choose(request, &url, &place)?,
        };
        let began = Instant::now();
        let mut ask = client.get(&url);
        if let Some(host) = &request.host {
            ask = ask.header(HOST, host);
        }
        let wrong = |e: &reqwest::Error| NetError::from_reqwest(&place, e, request.timeout);
        let exchange = async {
            let mut answer = ask.send().await.map_err(|e| wrong(&e))?;
            let (status, headers) = (answer.status().as_u16(), std::mem::take(answer.headers_mut()));
            let mut body = Vec::new();
            let mut truncated = false;
            while let Some(part) = answer.chunk().await.map_err(|e| wrong(&e))? {
                let room = request.max_body - body.len();
                body.extend_from_slice(&part[..part.len().min(room)]);
                if part.len() > room {
                    truncated = true;
                    break;
                }
            }
            Ok((status, headers, body, truncated))
        };
        let (status, headers, body, truncated) = tokio::time::timeout(request.timeout, exchange)
            .await
            .map_err(|_| NetError::TimedOut { place: place.clone(), after: request.timeout })??;
        Ok(Response { status, headers, body, truncated, latency_ms: millis(began) })
    }

    fn choose(&self, request: &Request, url: &str, place: &str) -> Result<&reqwest::Client, NetError> {
        let wrong = |why: String| NetError::Address { text: place.to_owned(), why };
        let parsed = reqwest::Url::parse(url).map_err(|e| wrong(e.to_string()))?;
        let near = matches!(request.to, Target::Address { .. }) || parsed.host_str().is_some_and(is_loopback);
        if near && parsed.scheme() == "http" {
            return Ok(self.direct.get_or_init(direct));
        }
        let (client, near) = if near { (&self.near_secure, true) } else { (&self.outward, false) };
        Ok(client.get_or_init(|| secure(near, redirect::Policy::none())))
    }

    /// The client for downloads: TLS, the environment's proxy, a few redirects.
    pub(super) fn following(&self, url: &str) -> &reqwest::Client {
        let near =
            reqwest::Url::parse(url).is_ok_and(|u| u.scheme() == "http" && u.host_str().is_some_and(is_loopback));
        if near {
            return self.direct.get_or_init(direct);
        }
        self.following.get_or_init(|| secure(false, redirect::Policy::limited(REDIRECTS)))
    }
}

/// Host and port of a URL, for messages: queries and passwords stay out.
pub(super) fn place(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(parsed) => match (parsed.host_str(), parsed.port_or_known_default()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            _ => parsed.scheme().to_owned(),
        },
        Err(_) => url.to_owned(),
    }
}

pub(super) fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn base() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("otto/", env!("CARGO_PKG_VERSION")))
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT)
        .dns_resolver(Resolver)
}

/// Plain HTTP only: no certificates are read (which takes tens of milliseconds), no proxy is looked for.
fn direct() -> reqwest::Client {
    super::tls::install();
    base()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .http1_only()
        .tls_certs_only([])
        .build()
        .expect("a client without certificates and proxies has nothing that could fail")
}

/// TLS to one address under one name. Certificates are looked at by a check of their own, which says more than a refusal.
async fn named(address: &str, port: u16, name: &str, place: &str) -> Result<reqwest::Client, NetError> {
    let found = addresses(address, port).await;
    let found = found.map_err(|e| NetError::Unresolved { place: place.to_owned(), why: e.to_string() })?;
    let builder = base()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .tls_backend_preconfigured(super::tls::accepting(Arc::default()))
        .resolve_to_addrs(name, &found);
    builder.build().map_err(|e| NetError::Address { text: place.to_owned(), why: e.to_string() })
}

fn secure(near: bool, policy: redirect::Policy) -> reqwest::Client {
    super::tls::install();
    let builder = base().redirect(policy);
    let builder = if near { builder.no_proxy() } else { builder };
    // Without usable system certificates every https request fails by itself, with its own reason.
    builder.build().unwrap_or_else(|_| direct())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_never_show_queries_or_passwords() {
        assert_eq!(place("https://user:secret@example.test/a?token=1"), "example.test:443");
    }
}
