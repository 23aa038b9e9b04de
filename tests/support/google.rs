//! A stand-in for Google (`tests/fixtures/google`): Compute Engine and DNS on loopback, the Terraform provider built from Go, instances
//! records, or namespaces with a real sshd. It ends with the value, or with the test.

use std::fs;
use std::ops::Deref;
use std::process::Command;

use serde_json::{Value, json};

pub(crate) use super::stand_in::Account;
use super::stand_in::StandIn;
use super::{Sandbox, hosts};

/// One project at the stand-in.
pub(crate) struct Google(StandIn);

impl Deref for Google {
    type Target = StandIn;
    fn deref(&self) -> &StandIn {
        &self.0
    }
}

impl Account for Google {
    /// With a service account's file.
    fn command(&self, sandbox: &Sandbox, args: &[&str]) -> Command {
        let mut command = self.0.command(sandbox, args, &self.env());
        command.env_remove("GOOGLE_OAUTH_ACCESS_TOKEN").env_remove("GOOGLE_CREDENTIALS");
        command
    }
}

impl Google {
    /// Instances are records: nobody answers at their addresses.
    pub(crate) fn records() -> Option<Self> {
        Self::with_key(StandIn::start("google", None)?)
    }

    /// The same for whoever needs no provider.
    pub(crate) fn bare() -> Option<Self> {
        Self::with_key(StandIn::bare("google", None))
    }

    /// Instances boot and let in by SSH.
    pub(crate) fn machines() -> Option<Self> {
        Self::with_key(StandIn::start("google", Some(hosts::base(false)?))?)
    }

    fn with_key(stand_in: StandIn) -> Option<Self> {
        let google = Self(stand_in);
        let made = Command::new("openssl").args(["genpkey", "-algorithm", "RSA"]).output();
        let Some(made) = made.ok().filter(|output| output.status.success()) else {
            eprintln!("SKIPPED: no openssl here, with which `clowd/provision/gcp/orphans` signs");
            return None;
        };
        let key = String::from_utf8_lossy(&made.stdout);
        let token = format!("{}/token", google.url);
        let account =
            json!({"type": "service_account", "client_email": "otto@p", "private_key": key, "token_uri": token});
        fs::write(google.credentials(), account.to_string()).expect("a file");
        Some(google)
    }

    pub(crate) fn credentials(&self) -> String {
        self.folder.path().join("account.json").display().to_string()
    }

    /// What otto, the provider and the sweep are told.
    pub(crate) fn env(&self) -> [(&'static str, String); 4] {
        [
            ("GOOGLE_PROJECT", "p".to_owned()),
            ("GOOGLE_APPLICATION_CREDENTIALS", self.credentials()),
            ("GOOGLE_COMPUTE_CUSTOM_ENDPOINT", format!("{}/compute/v1/", self.url)),
            ("GOOGLE_DNS_CUSTOM_ENDPOINT", format!("{}/dns/v1/", self.url)),
        ]
    }

    /// A project on provider `gcp`.
    pub(crate) fn project(&self, name: &str) -> Sandbox {
        let sandbox = Sandbox::new(name);
        self.0.settle(&sandbox, "gcp", "");
        sandbox
    }

    /// The instance of this name.
    #[track_caller]
    pub(crate) fn instance(&self, name: &str) -> Value {
        let all = self.all("instances");
        all.iter().find(|d| d["name"] == name).unwrap_or_else(|| panic!("no {name} in {all:?}")).clone()
    }

    /// Nothing is left but images and zones, and nobody asked for what the stand-in does not know.
    #[track_caller]
    pub(crate) fn is_empty(&self) {
        self.has_none(&[
            "instances",
            "disks",
            "forwardingRules",
            "backendServices",
            "healthChecks",
            "instanceGroups",
            "firewalls",
            "subnetworks",
            "networks",
        ]);
    }
}
