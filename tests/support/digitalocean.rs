//! A stand-in for DigitalOcean (`tests/fixtures/digitalocean`): its API on loopback, its Terraform provider built from Go, its droplets
//! records, or namespaces with a real sshd. It ends with the value, or with the test.

use std::ops::Deref;
use std::process::Command;

use serde_json::Value;

pub(crate) use super::stand_in::Account;
use super::stand_in::StandIn;
use super::{Sandbox, hosts};

/// One account at the stand-in.
pub(crate) struct Cloud(StandIn);

impl Deref for Cloud {
    type Target = StandIn;
    fn deref(&self) -> &StandIn {
        &self.0
    }
}

impl Account for Cloud {
    /// With the team's token. The provider tries again soon, not after seconds.
    fn command(&self, sandbox: &Sandbox, args: &[&str]) -> Command {
        let env = [
            ("DIGITALOCEAN_TOKEN", "token-of-the-team"),
            ("DIGITALOCEAN_API_URL", &self.url),
            ("DIGITALOCEAN_HTTP_RETRY_WAIT_MIN", "0.05"),
            ("DIGITALOCEAN_HTTP_RETRY_WAIT_MAX", "0.2"),
        ];
        self.0.command(sandbox, args, &env.map(|(name, value)| (name, value.to_owned())))
    }
}

impl Cloud {
    /// Droplets are records: nobody answers at their addresses.
    pub(crate) fn records() -> Option<Self> {
        StandIn::start("digitalocean", None).map(Self)
    }

    /// Droplets boot and let in by SSH.
    pub(crate) fn machines() -> Option<Self> {
        StandIn::start("digitalocean", Some(hosts::base(false)?)).map(Self)
    }

    /// A project with two sites, `hello` (two www behind a balancer) and `blog`, on provider `do` unless told otherwise.
    pub(crate) fn project(&self, name: &str) -> Sandbox {
        let sandbox = Sandbox::new(name);
        self.settle(&sandbox);
        sandbox
    }

    /// Makes a project one of this account's.
    pub(crate) fn settle(&self, sandbox: &Sandbox) {
        self.0.settle(sandbox, "do", "user: root, ");
    }

    /// The droplet of this name.
    #[track_caller]
    pub(crate) fn droplet(&self, name: &str) -> Value {
        let all = self.all("droplets");
        all.iter().find(|d| d["name"] == name).unwrap_or_else(|| panic!("no {name} in {all:?}")).clone()
    }

    /// Nothing that costs or protects is left, and nobody asked for what the stand-in does not know.
    #[track_caller]
    pub(crate) fn is_empty(&self) {
        self.has_none(&["droplets", "load_balancers", "firewalls", "volumes", "ssh_keys"]);
        let tags: Vec<String> = self.names("tags").into_iter().filter(|name| name.starts_with("otto")).collect();
        assert!(tags.is_empty(), "{tags:?}");
    }
}
