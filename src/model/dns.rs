//! DNS records that a deployment needs and nobody has set: what a person is told at the end of `up`.

use std::net::IpAddr;

use super::deployment::Deployment;

/// Names below these never leave the machine or the house.
const PRIVATE: [&str; 4] = ["localhost", "test", "internal", "example"];

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsRecord {
    /// The name, without a final dot.
    pub name: String,
    /// `A`, `AAAA` or `CNAME`.
    pub kind: &'static str,
    /// An address, or the name that it stands for.
    pub value: String,
}

/// The records of a deployment's public names. `set` is the zone whose records the provider's root sets itself.
pub fn wanted(record: &Deployment, set: Option<&str>) -> Vec<DnsRecord> {
    of(record.endpoint.as_deref(), &record.spec.domains, set)
}

fn of(endpoint: Option<&str>, domains: &[String], set: Option<&str>) -> Vec<DnsRecord> {
    let Some(host) = endpoint.and_then(host) else { return Vec::new() };
    let kind = match host.parse::<IpAddr>() {
        Ok(address) if address.is_loopback() => return Vec::new(),
        Ok(IpAddr::V4(_)) => "A",
        Ok(IpAddr::V6(_)) => "AAAA",
        Err(_) if below(&host, "localhost") => return Vec::new(),
        Err(_) => "CNAME",
    };
    let public = |name: &&String| !PRIVATE.iter().any(|zone| below(name, zone));
    let open = |name: &&String| !set.is_some_and(|zone| below(name, zone));
    let names = domains.iter().filter(public).filter(open);
    names.map(|name| DnsRecord { name: name.clone(), kind, value: host.clone() }).collect()
}

/// `203.0.113.7` of `http://203.0.113.7:80/`.
fn host(endpoint: &str) -> Option<String> {
    let rest = endpoint.split_once("://")?.1;
    let authority = rest.split('/').next()?;
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split(']').next()?,
        None => authority.split(':').next()?,
    };
    (!host.is_empty()).then(|| host.to_owned())
}

/// The zone itself, or a name in it.
fn below(name: &str, zone: &str) -> bool {
    let (name, zone) = (name.to_ascii_lowercase(), zone.to_ascii_lowercase());
    name == zone || name.strip_suffix(&zone).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_names_get_records_that_nobody_else_sets() {
        let domains = ["shop.org", "www.shop.org", "other.org", "shop.test", "x.localhost"].map(str::to_owned);
        let of = |endpoint: &str, set| {
            let all = of(Some(endpoint), &domains, set).into_iter();
            all.map(|record| format!("{} {} {}", record.name, record.kind, record.value)).collect::<Vec<_>>()
        };
        assert_eq!(of("http://203.0.113.7/", Some("Shop.org")), ["other.org A 203.0.113.7"]);
        assert_eq!(of("http://[2001:db8::1]/", Some("org")), Vec::<String>::new());
        assert_eq!(of("http://front.elb.example.net/", None).len(), 3);
        assert!(of("http://front.elb.example.net/", None)[0].ends_with("CNAME front.elb.example.net"));
        assert_eq!(of("http://127.0.0.1:20000/", None), Vec::<String>::new());
    }

    #[test]
    fn hosts_and_zones_are_read_as_they_are_written() {
        let of = |text: &str| host(text).unwrap_or_default();
        assert_eq!(of("http://203.0.113.7:8080/"), "203.0.113.7");
        assert_eq!(of("https://[2001:db8::1]/"), "2001:db8::1");
        assert_eq!(of("http://front.example.org/x"), "front.example.org");
        assert!(below("WWW.shop.org", "shop.org") && below("shop.org", "shop.org") && !below("myshop.org", "shop.org"));
        assert!(below("a.test", "test") && !below("contest", "test"));
    }
}
