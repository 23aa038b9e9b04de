//! Does a page answer as it should.

use crate::model::{CheckKind, CheckResult, CheckSpec, Health};
use crate::net::{Endpoint, Response};

use super::asker::Asker;

/// The header by which a www host says its name.
const SERVED_BY: &str = "x-served-by";

/// A page and what is expected of it.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// Shown in the report.
    pub name: &'a str,
    /// Where to connect, and how.
    pub front: &'a Endpoint,
    /// The Host header, and the name in a handshake.
    pub domain: &'a str,
    /// Path, from `/`.
    pub path: &'a str,
    /// The one good status; any below 400 when absent.
    pub status: Option<u16>,
    /// A text the body must hold.
    pub body: Option<&'a str>,
    /// Who must answer, where the answer says who it is.
    pub by: Option<&'a str>,
}

impl<'a> Page<'a> {
    /// The main page of a domain, as a generated check.
    pub fn home(name: &'a str, front: &'a Endpoint, domain: &'a str) -> Self {
        Self { name, front, domain, path: "/", status: None, body: None, by: None }
    }

    /// A site's own check, asked at an address.
    pub fn own(check: &'a CheckSpec, front: &'a Endpoint, main_domain: &'a str) -> Self {
        Self {
            name: &check.name,
            front,
            domain: check.domain.as_deref().unwrap_or(main_domain),
            path: &check.http,
            status: Some(check.status),
            body: check.body.as_deref(),
            by: None,
        }
    }
}

/// Asks for a page once.
pub async fn check_page(asker: &Asker<'_>, page: &Page<'_>) -> CheckResult {
    let target = page.front.url(page.domain, page.path);
    let (state, latency_ms, detail) = match asker.get(page.front, Some(page.domain), page.path).await {
        Ok(answer) => {
            let (state, detail) = judge(page, &answer);
            (state, Some(answer.latency_ms), detail)
        }
        Err(error) => (Health::Critical, None, error.to_string()),
    };
    CheckResult { name: page.name.to_owned(), kind: CheckKind::Http, target, state, latency_ms, detail }
}

/// The host that says it answered.
pub fn served_by(answer: &Response) -> Option<&str> {
    answer.header(SERVED_BY).map(str::trim).filter(|name| !name.is_empty())
}

fn judge(page: &Page<'_>, answer: &Response) -> (Health, String) {
    let served = served_by(answer);
    let by = served.map(|name| format!(" by {name}")).unwrap_or_default();
    let got = format!("{}{by} from {}:{}", answer.status, page.front.address, page.front.port);
    let good = page.status.map_or(answer.status < 400, |wanted| answer.status == wanted);
    if !good {
        let wanted = page.status.map_or_else(|| "below 400".to_owned(), |status| status.to_string());
        return (Health::Critical, format!("answered {got}, expected {wanted}"));
    }
    if let (Some(expected), Some(name)) = (page.by, served)
        && name != expected
    {
        return (Health::Critical, format!("answered {got}, expected {expected}: another service holds its port"));
    }
    if let Some(text) = page.body
        && !answer.text().contains(text)
    {
        let read = answer.body.len();
        let how_far =
            if answer.truncated { format!("the first {read} bytes") } else { format!("the {read} bytes of the page") };
        return (Health::Critical, format!("answered {got}, but `{text}` is not in {how_far}"));
    }
    (Health::Ok, got)
}
