//! What a call of Ansible finds around it: the project's `ansible.cfg`, roles and collections, files with passwords.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::context::Context;
use super::super::unit_end::Trouble;
use super::galaxy;
use crate::model::UnitId;
use crate::tools::ansible::config::{Searched, search_path};

/// Settings of one call, the user's own with otto's beside them.
#[derive(Debug)]
pub(super) struct Surroundings {
    /// The project's `ansible.cfg`.
    pub(super) config: Option<Utf8PathBuf>,
    /// Where callbacks are looked for.
    pub(super) callbacks: String,
    /// More of the environment.
    pub(super) env: BTreeMap<String, String>,
}

impl Surroundings {
    /// For a call whose callback lies in `plugins`; `local` when all its hosts are. Installs what `requirements.yml` names.
    ///
    /// # Errors
    /// What is named there cannot be had.
    pub(super) async fn of(
        context: &Context,
        unit: &UnitId,
        ansible: &Utf8Path,
        plugins: &Utf8Path,
        local: bool,
    ) -> Result<Self, Trouble> {
        let config = Some(context.config.join("ansible.cfg")).filter(|path| path.is_file());
        let text = config.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        let with_text = config.as_deref().zip(text.as_deref());
        let installed = galaxy::ready(context, unit, ansible, config.as_ref()).await?;
        let theirs = |name: &str| context.inherited.get(name).map(String::as_str);
        let mut env = BTreeMap::new();
        if !local && !context.pipelining_set {
            env.extend(piped(text.as_deref()));
        }
        // Local hosts get a private home, which would hide the user's own.
        if installed.is_some() || local {
            for (of, name, folder) in [
                (Searched::Collections, "ANSIBLE_COLLECTIONS_PATH", "collections"),
                (Searched::Roles, "ANSIBLE_ROLES_PATH", "roles"),
            ] {
                let ours = installed.as_ref().map(|installed| installed.join(folder));
                env.insert(name.to_owned(), search_path(of, ours.as_deref(), theirs(name), with_text));
            }
        }
        let callbacks = theirs("ANSIBLE_CALLBACK_PLUGINS");
        let callbacks = search_path(Searched::Callbacks, Some(plugins), callbacks, with_text);
        Ok(Self { config, callbacks, env })
    }
}

/// Over SSH a module is a third faster without a file of its own, unless the person has said how it shall be.
fn piped(config: Option<&str>) -> Option<(String, String)> {
    let said = config.is_some_and(|text| text.lines().any(|line| line.trim_start().starts_with("pipelining")));
    (!said).then(|| ("ANSIBLE_PIPELINING".to_owned(), "true".to_owned()))
}
