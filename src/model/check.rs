//! Checks: what a site declares, and what was found.

use serde::{Deserialize, Serialize};

use super::outcome::Health;

/// A site's own check, from `site.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckSpec {
    /// Shown in reports.
    pub name: String,
    /// A path asked of the endpoint with the site's first domain (or `domain`) as Host.
    pub http: String,
    /// Host header; the first domain when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Expected status.
    pub status: u16,
    /// A text the body must hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// The kinds of checks there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// A host answers its probe.
    Host,
    /// A page answers as it should.
    Http,
    /// A certificate is good, for long enough.
    Tls,
    /// The load balancer spreads over all backends.
    Spread,
    /// The site survives the loss of one backend.
    Failover,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// `home`, `www-1 up`, `www-1 serves hello.localhost`, ...
    pub name: String,
    /// Which kind.
    pub kind: CheckKind,
    /// What was asked: a URL or host.
    pub target: String,
    /// The finding.
    pub state: Health,
    /// How long the answer took, in milliseconds.
    pub latency_ms: Option<u64>,
    /// The reason, when it is not ok; a fact worth showing otherwise.
    pub detail: String,
}
