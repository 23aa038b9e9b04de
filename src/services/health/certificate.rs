//! Is the certificate that visitors are shown good, for this name, and for long enough; does HTTP send them there.

use crate::model::tls::WARN_DAYS;
use crate::model::{CheckKind, CheckResult, Health, Timestamp};
use crate::net::certificate::Certificate;
use crate::net::{Endpoint, Shown, Trust, look};

use super::asker::Asker;

/// What is expected of a site's HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Where visitors reach it over HTTPS; nothing while no host is known that they do.
    pub endpoint: Option<String>,
    /// Who is to be believed.
    pub trust: Trust,
    /// What is wrong with the site's own files, found without asking anybody.
    pub files: Option<String>,
    /// HTTP has to send visitors on.
    pub redirect: bool,
    /// The calendar.
    pub now: Timestamp,
}

/// Looks at the certificate shown for a domain.
pub(super) async fn certificate(
    asker: &Asker<'_>,
    expected: &Expected,
    address: &str,
    port: u16,
    domain: &str,
) -> CheckResult {
    let _permit = asker.permit(address).await;
    let via = asker.via(address, port);
    let looked = look(address, port, domain, &expected.trust, asker.timeout(address), via.as_deref()).await;
    let (state, latency_ms, detail) = match looked {
        Ok(shown) => {
            let (state, detail) = judge(&shown, expected, domain);
            (state, Some(shown.latency_ms), detail)
        }
        Err(error) => (Health::Critical, None, error.to_string()),
    };
    let target = if port == 443 { domain.to_owned() } else { format!("{domain}:{port}") };
    CheckResult { name: format!("certificate of {domain}"), kind: CheckKind::Tls, target, state, latency_ms, detail }
}

/// A finding about the site's own files.
pub(super) fn files(why: &str) -> CheckResult {
    CheckResult {
        name: "certificate files".to_owned(),
        kind: CheckKind::Tls,
        target: String::new(),
        state: Health::Critical,
        latency_ms: None,
        detail: why.to_owned(),
    }
}

fn judge(shown: &Shown, expected: &Expected, domain: &str) -> (Health, String) {
    let Shown { certificate, doubt, .. } = shown;
    let left = certificate.days_left(expected.now);
    let until = day(certificate.not_after);
    if certificate.not_after <= expected.now {
        let ago = match -left {
            ..=1 => "it ended less than a day ago".to_owned(),
            days => format!("it ended {days} days ago"),
        };
        return (Health::Critical, format!("{ago}, on {until}"));
    }
    if certificate.not_before > expected.now {
        return (Health::Critical, format!("it begins only on {}", day(certificate.not_before)));
    }
    if !certificate.covers(domain) {
        return (Health::Critical, format!("it is for {}", names(certificate)));
    }
    if let Some(why) = doubt {
        // Newer files that the hosts do not have yet: what is served is good as well.
        let state = if matches!(expected.trust, Trust::Same(_)) { Health::Warning } else { Health::Critical };
        return (state, why.clone());
    }
    let text = match left {
        0 => format!("it ends today, on {until}"),
        1 => format!("it ends in 1 day, on {until}"),
        days => format!("it ends in {days} days, on {until}"),
    };
    if left < WARN_DAYS {
        return (Health::Warning, text);
    }
    (Health::Ok, format!("{text}; issued by {}", certificate.issuer))
}

fn names(certificate: &Certificate) -> String {
    if certificate.names.is_empty() { "no host at all".to_owned() } else { certificate.names.join(", ") }
}

fn day(time: Timestamp) -> String {
    let (year, month, day, ..) = time.civil();
    format!("{year:04}-{month:02}-{day:02}")
}

/// Whether plain HTTP sends visitors of a domain to HTTPS.
pub(super) async fn redirect(asker: &Asker<'_>, address: &str, port: u16, domain: &str) -> CheckResult {
    let front = Endpoint::plain(address, port);
    let answer = asker.get(&front, Some(domain), "/").await;
    let (state, latency_ms, detail) = match answer {
        Err(error) => (Health::Critical, None, error.to_string()),
        Ok(answer) => {
            let to = answer.header("location").unwrap_or_default().to_owned();
            let good = (300..400).contains(&answer.status) && to.starts_with(&format!("https://{domain}"));
            let state = if good { Health::Ok } else { Health::Critical };
            let detail = if to.is_empty() { answer.status.to_string() } else { format!("{} to {to}", answer.status) };
            (state, Some(answer.latency_ms), detail)
        }
    };
    let target = front.url(domain, "/");
    let name = format!("http sends {domain} to https");
    CheckResult { name, kind: CheckKind::Http, target, state, latency_ms, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_242_331_000);

    fn shown(days: i64, doubt: Option<&str>) -> (Health, String) {
        let certificate = Certificate {
            names: vec!["hello.test".to_owned(), "*.hello.test".to_owned()],
            not_before: NOW.plus_seconds(-86_400),
            not_after: NOW.plus_seconds(days * 86_400 + 60),
            issuer: "someone".to_owned(),
            der: Vec::new(),
        };
        let shown = Shown { certificate, doubt: doubt.map(str::to_owned), latency_ms: 1 };
        let expected = Expected { endpoint: None, trust: Trust::System, files: None, redirect: true, now: NOW };
        judge(&shown, &expected, "www.hello.test")
    }

    #[test]
    fn certificates_are_judged_by_time_name_and_signature() {
        assert_eq!(shown(90, None).0, Health::Ok);
        assert_eq!(shown(21, None).0, Health::Ok);
        assert_eq!(shown(20, None), (Health::Warning, "it ends in 20 days, on 2026-12-11".to_owned()));
        assert_eq!(shown(-3, None).0, Health::Critical);
        assert_eq!(shown(90, Some("nobody signed it")), (Health::Critical, "nobody signed it".to_owned()));
    }
}
