//! Where a request goes: a URL, or an address with the name given apart.

use super::error::NetError;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// By URL: name resolution and, for other machines, the environment's proxy apply.
    Url(String),
    /// Straight to this address over plain HTTP, never through a proxy.
    Address {
        /// An IP address or a name.
        address: String,
        /// TCP port.
        port: u16,
        /// Path and query, from `/`.
        path: String,
    },
    /// The same over TLS, in the name of `name`. Whom the certificate belongs to is not asked: that is another check.
    Secure {
        /// An IP address or a name.
        address: String,
        /// TCP port.
        port: u16,
        /// What the server is called, in the handshake and in the URL.
        name: String,
        /// Path and query, from `/`.
        path: String,
    },
}

impl Target {
    /// The URL to ask for.
    pub(super) fn url(&self) -> String {
        match self {
            Self::Url(url) => url.clone(),
            Self::Address { address, port, path } => {
                let slash = if path.starts_with('/') { "" } else { "/" };
                format!("http://{}:{port}{slash}{path}", bracketed(address))
            }
            Self::Secure { port, name, path, .. } => {
                let slash = if path.starts_with('/') { "" } else { "/" };
                format!("https://{}:{port}{slash}{path}", bracketed(name))
            }
        }
    }
}

/// A deployment's endpoint, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `https`.
    pub secure: bool,
    /// An IP address (IPv6 without brackets) or a name.
    pub address: String,
    /// The port, the scheme's own when none is written.
    pub port: u16,
}

impl Endpoint {
    /// Reads `http://127.0.0.1:20431/`; a bare `host:port` counts as plain HTTP.
    ///
    /// # Errors
    /// The text is no such thing.
    pub fn parse(text: &str) -> Result<Self, NetError> {
        let wrong = |why: &str| NetError::Address { text: text.to_owned(), why: why.to_owned() };
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = reqwest::Url::parse(&full).map_err(|e| wrong(&e.to_string()))?;
        let secure = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(wrong("only http and https are known")),
        };
        let address = url.host_str().ok_or_else(|| wrong("no host in it"))?;
        let port = url.port_or_known_default().ok_or_else(|| wrong("no port in it"))?;
        Ok(Self { secure, address: address.trim_start_matches('[').trim_end_matches(']').to_owned(), port })
    }
}

impl Endpoint {
    /// The URL of a path in the name of a domain, without the scheme's own port.
    pub fn url(&self, domain: &str, path: &str) -> String {
        let (scheme, own) = if self.secure { ("https", 443) } else { ("http", 80) };
        let port = if self.port == own { String::new() } else { format!(":{}", self.port) };
        format!("{scheme}://{domain}{port}{path}")
    }

    /// Plain HTTP to an address.
    pub fn plain(address: impl Into<String>, port: u16) -> Self {
        Self { secure: false, address: address.into(), port }
    }
}

/// An address as it stands in a URL or before a port.
pub(super) fn bracketed(address: &str) -> String {
    if address.contains(':') && !address.starts_with('[') { format!("[{address}]") } else { address.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read() {
        let read = |text: &str| Endpoint::parse(text).map(|e| (e.secure, e.address, e.port));
        assert_eq!(read("http://127.0.0.1:20431/"), Ok((false, "127.0.0.1".into(), 20431)));
        assert_eq!(read("https://example.test"), Ok((true, "example.test".into(), 443)));
        assert_eq!(read("10.0.0.5:8080"), Ok((false, "10.0.0.5".into(), 8080)));
        assert_eq!(read("http://[::1]:81"), Ok((false, "::1".into(), 81)));
        assert!(read("ftp://x").is_err() && read("").is_err() && read("http://").is_err());
    }

    #[test]
    fn addresses_become_urls() {
        let url = |address: &str, path: &str| {
            Target::Address { address: address.into(), port: 8080, path: path.into() }.url()
        };
        assert_eq!(url("127.0.0.1", "/a?b"), "http://127.0.0.1:8080/a?b");
        assert_eq!(url("::1", "a"), "http://[::1]:8080/a");
        let (address, name, path) = ("127.0.0.1".to_owned(), "hello.localhost".to_owned(), "/".to_owned());
        assert_eq!(Target::Secure { address, port: 8443, name, path }.url(), "https://hello.localhost:8443/");
    }
}
