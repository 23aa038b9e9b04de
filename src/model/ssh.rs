//! SSH as values: what the project says about it, how a host is reached, what a deployment's `ssh_config` holds. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::host::Host;

/// `ssh:` of `otto.yaml`: what holds for hosts that do not say otherwise. Without an identity: the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// Who to log in as.
    pub user: Option<String>,
    /// The private key's file, absolute.
    pub identity: Option<String>,
    /// Public keys for hosts that are made: files, absolute, or the keys themselves.
    pub public_keys: Vec<String>,
    /// What to go through: a host of the deployment, or `user@host:port`.
    pub jump: Option<String>,
    /// How long a host may take until its SSH answers, in seconds.
    pub wait_s: u64,
}

impl Default for Ssh {
    fn default() -> Self {
        Self { user: None, identity: None, public_keys: Vec::new(), jump: None, wait_s: 120 }
    }
}

/// Who may log in to hosts that are made, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logins {
    /// Public keys, each one line.
    pub public_keys: Vec<String>,
    /// Networks (CIDRs) from which SSH is answered.
    pub admin_cidrs: Vec<String>,
}

/// How the hosts of one deployment are reached: the project's settings with the deployment's own `ssh_config`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The settings.
    pub ssh: Ssh,
    /// The deployment's `ssh_config`, absolute; it names the file of host keys and the hosts to go through.
    pub config: String,
    /// The deployment's file of host keys, absolute.
    pub known_hosts: String,
}

/// How addresses that cannot be reached from here are reached, by address.
pub type Ways = BTreeMap<String, Way>;

/// A command whose input and output are a connection to an address behind another host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// `ssh` with its options.
    pub argv: Vec<String>,
    /// The host that opens the connection.
    pub through: String,
}

impl Way {
    /// The command for one connection.
    pub fn to(&self, address: &str, port: u16) -> Vec<String> {
        let address = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        let end = ["-W".to_owned(), format!("{address}:{port}"), self.through.clone()];
        self.argv.iter().cloned().chain(end).collect()
    }
}

impl Access {
    /// Who a host is logged in as.
    pub fn user<'a>(&'a self, host: &'a Host) -> Option<&'a str> {
        host.user.as_deref().or(self.ssh.user.as_deref())
    }

    /// With which key.
    pub fn identity<'a>(&'a self, host: &'a Host) -> Option<&'a str> {
        host.identity.as_deref().or(self.ssh.identity.as_deref())
    }

    /// What a host is reached through, as ssh with the deployment's `ssh_config` knows it.
    pub fn jump(&self, host: &Host, hosts: &[Host]) -> Option<String> {
        let through = host.jump.as_deref().or(self.ssh.jump.as_deref())?;
        match hosts.iter().find(|other| other.name == through) {
            // The one that all others go through.
            Some(same) if same.name == host.name => None,
            Some(other) => Some(alias(&other.name)),
            None => Some(through.to_owned()),
        }
    }

    /// Options for a connection to a host, without the address; ssh must ask nobody where `batch`.
    pub fn options(&self, host: &Host, hosts: &[Host], batch: bool) -> Vec<String> {
        let mut all = self.base(batch);
        let mut add = |option: &str, value: Option<String>| {
            if let Some(value) = value {
                all.extend([option.to_owned(), value]);
            }
        };
        add("-p", host.port.map(|port| port.to_string()));
        add("-l", self.user(host).map(str::to_owned));
        add("-i", self.identity(host).map(str::to_owned));
        add("-o", self.identity(host).map(|_| "IdentitiesOnly=yes".to_owned()));
        add("-o", self.jump(host, hosts).map(|jump| format!("ProxyJump={jump}")));
        all
    }

    /// How a connection to a port of a host is opened from where it can be reached; nothing where that is here.
    pub fn way(&self, host: &Host, hosts: &[Host], program: &[String]) -> Option<Way> {
        let jump = self.jump(host, hosts).filter(|_| host.by_ssh())?;
        let through = if jump.contains(['@', ':']) { format!("ssh://{jump}") } else { jump };
        Some(Way { argv: program.iter().cloned().chain(self.base(true)).collect(), through })
    }

    /// The ways to all hosts that need one.
    pub fn ways(&self, hosts: &[Host], program: &[String]) -> Ways {
        let each = |host: &Host| Some((host.address.clone(), self.way(host, hosts, program)?));
        hosts.iter().filter_map(each).collect()
    }

    fn base(&self, batch: bool) -> Vec<String> {
        let mut all = vec!["-F".to_owned(), self.config.clone(), "-o".to_owned(), "LogLevel=ERROR".to_owned()];
        if batch {
            all.extend(["-o".to_owned(), "BatchMode=yes".to_owned()]);
        }
        all
    }

    /// The text of the deployment's `ssh_config`. ssh takes the first value it finds, so the person's own settings,
    /// which are included at the end, fill in what is not said here. A jump reads nothing but this file.
    pub fn text(&self, hosts: &[Host]) -> String {
        let mut text = "# Written by otto: how the hosts of this deployment are reached.\n".to_owned();
        let mut outside: Vec<&str> = Vec::new();
        for host in hosts.iter().filter(|host| host.by_ssh()) {
            let through = host.jump.as_deref().or(self.ssh.jump.as_deref());
            match through.map(|through| (through, hosts.iter().find(|other| other.name == through))) {
                Some((through, None)) if !outside.contains(&through) => outside.push(through),
                _ => {}
            }
            let is_jump = |other: &Host| other.jump.as_deref().or(self.ssh.jump.as_deref()) == Some(&host.name);
            if hosts.iter().any(is_jump) {
                let _ = write!(text, "\nHost {}\n  HostName {}\n", alias(&host.name), host.address);
                let mut say = |key: &str, value: Option<String>| {
                    let _ = value.map(|value| writeln!(text, "  {key} {value}"));
                };
                say("Port", host.port.map(|port| port.to_string()));
                say("User", self.user(host).map(str::to_owned));
                say("IdentityFile", self.identity(host).map(quoted));
                say("IdentitiesOnly", self.identity(host).map(|_| "yes".to_owned()));
                say("ProxyJump", self.jump(host, hosts).or_else(|| Some("none".to_owned())));
            }
        }
        for through in outside {
            let Some(identity) = &self.ssh.identity else { continue };
            let name = through.rsplit_once('@').map_or(through, |(_, name)| name);
            let name = name.split(':').next().unwrap_or(name);
            let _ = write!(text, "\nHost {name}\n  IdentityFile {}\n  IdentitiesOnly yes\n", quoted(identity));
        }
        let known = quoted(&self.known_hosts);
        let _ = write!(
            text,
            "\nHost *\n  UserKnownHostsFile {known}\n  StrictHostKeyChecking accept-new\n  HashKnownHosts no\n  \
             UpdateHostKeys no\n  ConnectTimeout 10\n  ServerAliveInterval 15\n  ServerAliveCountMax 4\n  \
             Include ~/.ssh/config\n  Include /etc/ssh/ssh_config\n"
        );
        text
    }
}

fn alias(name: &str) -> String {
    format!("otto-jump-{name}")
}

/// A path as `ssh_config` takes it: in quotes for its blanks, `%` doubled.
fn quoted(path: &str) -> String {
    format!("\"{}\"", path.replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, jump: Option<&str>) -> Host {
        let mut host: Host =
            serde_json::from_value(serde_json::json!({"name": name, "role": "www", "address": "10.0.0.5"}))
                .expect("a host");
        host.jump = jump.map(str::to_owned);
        host
    }

    fn access() -> Access {
        let ssh = Ssh { user: Some("root".into()), identity: Some("/k/my id".into()), ..Ssh::default() };
        Access { ssh, config: "/o/config".into(), known_hosts: "/o/100%/known_hosts".into() }
    }

    #[test]
    fn a_jump_is_a_host_of_the_same_deployment_or_any_other() {
        let (lb, inner, outer) = (host("lb-a", None), host("web-b", Some("lb-a")), host("web-c", Some("me@gate:2222")));
        let hosts = [lb.clone(), inner.clone(), outer.clone()];
        let access = access();
        assert_eq!(access.jump(&lb, &hosts), None);
        assert!(access.options(&inner, &hosts, true).contains(&"ProxyJump=otto-jump-lb-a".to_owned()));
        let way = access.way(&outer, &hosts, &["ssh".to_owned()]).expect("a way");
        assert_eq!(way.to("10.0.0.5", 80).last().map(String::as_str), Some("ssh://me@gate:2222"));
        let text = access.text(&hosts);
        assert!(
            text.contains("Host otto-jump-lb-a\n  HostName 10.0.0.5\n  User root\n  IdentityFile \"/k/my id\""),
            "{text}"
        );
        assert!(text.contains("\nHost gate\n  IdentityFile"), "{text}");
        assert!(text.contains("UserKnownHostsFile \"/o/100%%/known_hosts\""), "{text}");
    }

    #[test]
    fn the_host_that_all_go_through_goes_through_nothing() {
        let mut access = access();
        access.ssh.jump = Some("lb-a".into());
        let hosts = [host("lb-a", None), host("web-b", None)];
        assert_eq!(access.jump(&hosts[0], &hosts), None);
        assert_eq!(access.jump(&hosts[1], &hosts), Some("otto-jump-lb-a".into()));
    }
}
