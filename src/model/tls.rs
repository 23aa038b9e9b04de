//! How a site answers HTTPS: where its certificate comes from, and where visitors are sent.

use serde::{Deserialize, Serialize};

use super::host::Host;
use super::site::{balances, serves_pages};

/// The public directory of the authority that `acme` asks unless a site says otherwise.
pub const ACME_DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// A certificate that ends sooner than in this many days is a warning.
pub const WARN_DAYS: i64 = 21;

/// A site's HTTPS; without it the site answers HTTP alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// Where the certificate comes from.
    pub source: Source,
    /// HTTP sends visitors to HTTPS.
    pub redirect: bool,
}

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case")]
pub enum Source {
    /// Signed by the project's own authority.
    SelfSigned,
    /// Two files, absolute.
    Files {
        /// The certificate, its intermediates after it, in PEM.
        certificate: String,
        /// Its key, in PEM.
        key: String,
    },
    /// Asked of an authority over HTTP-01 by the host that visitors reach.
    Acme {
        /// The authority's directory.
        directory: String,
        /// Where the authority writes to when something is wrong.
        email: Option<String>,
        /// The authorities to believe, absolute, in PEM: of the directory and of what it issues.
        ca: Option<String>,
    },
}

impl Source {
    /// The word in `site.yaml`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::SelfSigned => "self-signed",
            Self::Files { .. } => "files",
            Self::Acme { .. } => "acme",
        }
    }
}

/// The host that visitors reach: the first balancer, else the only one that serves pages.
pub fn entry(hosts: &[Host]) -> Option<&Host> {
    let first = |fits: fn(&str) -> bool| hosts.iter().filter(|h| fits(&h.role)).min_by(|a, b| a.name.cmp(&b.name));
    let only = || hosts.iter().filter(|h| serves_pages(&h.role)).count() == 1;
    first(balances).or_else(|| first(serves_pages).filter(|_| only()))
}

/// Where visitors reach a site over HTTPS: `entry: {address, tls_port}` of the entry host's variables, else its
/// `https_port` or 443 on the endpoint's address.
pub fn secure_endpoint(hosts: &[Host], endpoint: Option<&str>) -> Option<String> {
    let host = entry(hosts)?;
    let port = |value: Option<&serde_json::Value>| value.and_then(serde_json::Value::as_u64);
    let own = host.vars.get("entry").and_then(|own| Some((own.get("address")?.as_str()?, port(own.get("tls_port"))?)));
    let (address, port) = match own {
        Some((address, port)) => (address.to_owned(), port),
        None => {
            let declared = endpoint.and_then(|text| Some(authority(text.split_once("://")?.1)));
            let address = declared.unwrap_or(&host.address);
            (address.to_owned(), port(host.vars.get("https_port")).unwrap_or(443))
        }
    };
    let address = if address.contains(':') && !address.starts_with('[') { format!("[{address}]") } else { address };
    Some(if port == 443 { format!("https://{address}/") } else { format!("https://{address}:{port}/") })
}

/// Host without port and path.
fn authority(rest: &str) -> &str {
    let place = rest.split(['/', '?']).next().unwrap_or(rest);
    match place.rfind(':') {
        Some(colon) if !place[colon..].contains(']') => &place[..colon],
        _ => place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, vars: &str) -> Host {
        let role = name.split('-').next().unwrap_or(name);
        let json = format!(r#"{{"name":"{name}","role":"{role}","address":"10.0.0.{}","vars":{vars}}}"#, name.len());
        serde_json::from_str(&json).expect("a host")
    }

    #[test]
    fn visitors_come_in_at_the_balancer() {
        let hosts = [host("www-1", "{}"), host("www-2", "{}"), host("lb-1", "{}")];
        assert_eq!(entry(&hosts).map(|h| h.name.as_str()), Some("lb-1"));
        assert_eq!(entry(&hosts[..1]).map(|h| h.name.as_str()), Some("www-1"));
        assert_eq!(entry(&hosts[..2]), None);
    }

    #[test]
    fn the_secure_endpoint_has_a_port_of_its_own() {
        let local = [host("www-1", r#"{"entry":{"address":"127.0.0.1","port":20123,"tls_port":10123}}"#)];
        let url = secure_endpoint(&local, Some("http://127.0.0.1:20123/"));
        assert_eq!(url.as_deref(), Some("https://127.0.0.1:10123/"));
        let cloud = [host("lb-1", "{}")];
        assert_eq!(secure_endpoint(&cloud, Some("http://203.0.113.7/")).as_deref(), Some("https://203.0.113.7/"));
        assert_eq!(secure_endpoint(&cloud, None).as_deref(), Some("https://10.0.0.4/"));
        assert_eq!(
            secure_endpoint(&cloud, Some("http://[2001:db8::1]:80/")).as_deref(),
            Some("https://[2001:db8::1]/")
        );
    }
}
