//! Calls of ansible-playbook.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use super::callback::EVENTS;
use crate::tools::invocation::{Invocation, Stop};

/// One playbook on one inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playbook {
    /// The executable.
    pub program: Utf8PathBuf,
    /// The playbook, absolute.
    pub playbook: Utf8PathBuf,
    /// The static inventory that otto wrote, absolute.
    pub inventory: Utf8PathBuf,
    /// Working folder, usually the playbook's.
    pub cwd: Utf8PathBuf,
    /// Only these hosts; all when empty.
    pub limit: Vec<String>,
    /// Dry run.
    pub check: bool,
    /// JSON variables that beat all others, absolute.
    pub extra_vars: Option<Utf8PathBuf>,
    /// What stood behind `--`.
    pub passthrough: Vec<String>,
    /// Where otto's callback writes its events, absolute.
    pub events: Utf8PathBuf,
    /// Value of `ANSIBLE_CALLBACK_PLUGINS`: [`super::config::search_path`].
    pub callbacks: String,
    /// The project's `ansible.cfg`. Named explicitly, because Ansible passes over one in a folder that all may write to.
    pub config: Option<Utf8PathBuf>,
    /// A private `ANSIBLE_HOME`: only where all hosts are local, else the user's own collections and roles are hidden.
    pub home: Option<Utf8PathBuf>,
    /// A short folder for the sockets of SSH's shared connections.
    pub control_dir: Option<Utf8PathBuf>,
    /// More variables, none of them secret: a call is stored as it is.
    pub env: BTreeMap<String, String>,
}

impl Playbook {
    /// Runs it. Exit codes are ambiguous: see [`super::classify::classify`].
    pub fn run(&self) -> Invocation {
        let mut call = Invocation::new(&self.program, &self.cwd, Stop::Ansible)
            .args(["-i", self.inventory.as_str()])
            .args(self.check.then_some("--check"));
        if !self.limit.is_empty() {
            call = call.args(["--limit".to_owned(), self.limit.join(",")]);
        }
        if let Some(file) = &self.extra_vars {
            call = call.args(["-e".to_owned(), format!("@{file}")]);
        }
        call = call.args(self.passthrough.iter().cloned()).args([self.playbook.as_str()]);
        call.env = self.env.clone();
        call.env_remove = ["ANSIBLE_JSON_INDENT", "ANSIBLE_INVENTORY_ENABLED"].map(str::to_owned).to_vec();
        call = call
            .env(EVENTS, self.events.as_str())
            .env("ANSIBLE_CALLBACK_PLUGINS", &self.callbacks)
            // A C locale is refused, and a missing one too.
            .env("LC_ALL", "C.UTF-8")
            // Else a broken inventory is a warning, and the playbook runs on an implicit localhost.
            .env("ANSIBLE_INVENTORY_UNPARSED_FAILED", "true")
            .env("ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED", "true")
            .env("ANSIBLE_NOCOLOR", "1")
            .env("ANSIBLE_NOCOWS", "1")
            .env("ANSIBLE_RETRY_FILES_ENABLED", "false")
            // Nothing can prompt, whatever an ansible.cfg says.
            .env("ANSIBLE_ASK_PASS", "false")
            .env("ANSIBLE_ASK_VAULT_PASS", "false")
            .env("ANSIBLE_BECOME_ASK_PASS", "false");
        if let Some(config) = &self.config {
            call = call.env("ANSIBLE_CONFIG", config.as_str());
        }
        if let Some(home) = &self.home {
            call = call.env("ANSIBLE_HOME", home.as_str());
        }
        if let Some(dir) = &self.control_dir {
            call = call.env("ANSIBLE_SSH_CONTROL_PATH_DIR", dir.as_str());
        }
        call
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_is_spelled_as_meant() {
        let playbook = Playbook {
            program: "/v/bin/ansible-playbook".into(),
            playbook: "/p/clowd/config/site.yml".into(),
            inventory: "/o/inventory.json".into(),
            cwd: "/p/clowd/config".into(),
            limit: vec!["www-1".into(), "lb-1".into()],
            check: true,
            extra_vars: Some("/o/vars.json".into()),
            passthrough: vec!["--tags".into(), "nginx".into()],
            events: "/o/events".into(),
            callbacks: "/o/cb".into(),
            config: Some("/p/clowd/config/ansible.cfg".into()),
            home: Some("/o/home".into()),
            control_dir: None,
            env: BTreeMap::new(),
        };
        let call = playbook.run();
        insta::assert_snapshot!(format!("{}\n{:#?}", call.shown(), call.env), @r#"
        /v/bin/ansible-playbook -i /o/inventory.json --check --limit www-1,lb-1 -e @/o/vars.json --tags nginx /p/clowd/config/site.yml
        {
            "ANSIBLE_ASK_PASS": "false",
            "ANSIBLE_ASK_VAULT_PASS": "false",
            "ANSIBLE_BECOME_ASK_PASS": "false",
            "ANSIBLE_CALLBACK_PLUGINS": "/o/cb",
            "ANSIBLE_CONFIG": "/p/clowd/config/ansible.cfg",
            "ANSIBLE_HOME": "/o/home",
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_NOCOWS": "1",
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
            "LC_ALL": "C.UTF-8",
            "OTTO_EVENTS": "/o/events",
        }
        "#);
    }
}
