//! Hosts: what is asked for, and what a root's `hosts` output says there is.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One host as passed to a root in `hosts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSpec {
    /// `<role>-<n>`, n from 1.
    pub name: String,
    /// The role, such as `www`.
    pub role: String,
    /// What it boots: an id, or an absolute path where hosts are folders; empty: the root's stock image.
    pub image: String,
    /// As the provider names it.
    pub size: String,
}

/// One host as the root's output declares it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// `<role>-<n>`.
    pub name: String,
    /// The role.
    pub role: String,
    /// Where its services and its probe are reached.
    pub address: String,
    /// Where its neighbours reach it, when that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_address: Option<String>,
    /// Who to log in as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The connection's port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The private key to log in with, absolute, when it is not the project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// What SSH goes through, when it is not the project's: a host of the same deployment, or `user@host:port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jump: Option<String>,
    /// `ssh` when absent, or `local`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// `ssh`, `none`, `tcp:8080` or `http:/path`; see [`Host::probe`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
    /// Variables for Ansible.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub vars: Map<String, Value>,
    /// The image it was born with: the store pins it here, a root does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// How to ask whether a host is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It counts as up once made.
    None,
    /// The SSH port greets.
    Ssh(u16),
    /// This port accepts a connection.
    Tcp(u16),
    /// This path, on this port, answers with any status below 500.
    Http(u16, String),
}

impl Host {
    /// Ansible reaches it without SSH.
    pub fn is_local(&self) -> bool {
        self.connection.as_deref() == Some("local")
    }

    /// It is reached by SSH, and by no connection of a root's own.
    pub fn by_ssh(&self) -> bool {
        matches!(self.connection.as_deref(), None | Some("ssh"))
    }

    /// The declared probe, or the connection's default.
    ///
    /// # Errors
    /// The text, when it is none of the known forms.
    pub fn probe(&self) -> Result<Probe, String> {
        let Some(text) = self.probe.as_deref() else {
            return Ok(if self.is_local() { Probe::None } else { Probe::Ssh(self.port.unwrap_or(22)) });
        };
        match text.split_once(':') {
            None if text == "ssh" => Ok(Probe::Ssh(self.port.unwrap_or(22))),
            None if text == "none" => Ok(Probe::None),
            Some(("tcp", port)) => port.parse().map(Probe::Tcp).map_err(|_| text.to_owned()),
            Some(("http", path)) => {
                let (port, path) = match path.split_once('/') {
                    Some(("", path)) => (80, path),
                    Some((port, path)) => (port.parse().map_err(|_| text.to_owned())?, path),
                    None => return Err(text.to_owned()),
                };
                Ok(Probe::Http(port, format!("/{path}")))
            }
            _ => Err(text.to_owned()),
        }
    }

    /// The port of its web service: `vars.http_port`, else the probe's, else 80.
    pub fn service_port(&self) -> u16 {
        let declared = self.vars.get("http_port").and_then(Value::as_u64).and_then(|p| u16::try_from(p).ok());
        declared.unwrap_or(match self.probe() {
            Ok(Probe::Tcp(port) | Probe::Http(port, _)) => port,
            _ => 80,
        })
    }
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostState {
    /// It answers.
    Up,
    /// It exists and does not answer.
    Down,
    /// Not asked.
    Unknown,
    /// A plan would create it.
    Missing,
}

impl HostState {
    /// The word used in JSON and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unknown => "unknown",
            Self::Missing => "missing",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(json: &str) -> Host {
        serde_json::from_str(json).expect("a host")
    }

    #[test]
    fn probes_are_read() {
        let with =
            |probe: &str| host(&format!(r#"{{"name":"a-1","role":"a","address":"x","probe":"{probe}"}}"#)).probe();
        assert_eq!(with("tcp:8080"), Ok(Probe::Tcp(8080)));
        assert_eq!(with("http:/up"), Ok(Probe::Http(80, "/up".into())));
        assert_eq!(with("http:8080/"), Ok(Probe::Http(8080, "/".into())));
        assert_eq!(with("ssh"), Ok(Probe::Ssh(22)));
        assert!(with("smoke").is_err());
        assert_eq!(host(r#"{"name":"a","role":"a","address":"x","connection":"local"}"#).probe(), Ok(Probe::None));
    }
}
