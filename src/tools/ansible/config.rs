//! The little of an `ansible.cfg` that otto has to know: what its own environment variables would hide.

use camino::Utf8Path;

/// Where Ansible looks for callbacks when nobody says otherwise.
const DEFAULT_CALLBACKS: &str = "~/.ansible/plugins/callback:/usr/share/ansible/plugins/callback";

/// A value of `[defaults]` in the text of an `ansible.cfg`.
pub fn default_of(text: &str, key: &str) -> Option<String> {
    let mut inside = false;
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            inside = section == "defaults";
        } else if inside
            && let Some((name, value)) = line.split_once(['=', ':'])
            && name.trim() == key
        {
            // Behind a blank, `;` begins a comment.
            let value = value.split(" ;").next().unwrap_or("").trim();
            return (!value.is_empty()).then(|| value.to_owned());
        }
    }
    None
}

/// What Ansible looks for along a path of folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Searched {
    /// Callback plugins.
    Callbacks,
    /// Collections.
    Collections,
    /// Roles.
    Roles,
}

impl Searched {
    /// Keys in `[defaults]`, the newest spelling first.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Callbacks => &["callback_plugins"],
            Self::Collections => &["collections_path", "collections_paths"],
            Self::Roles => &["roles_path"],
        }
    }

    fn default(self) -> &'static str {
        match self {
            Self::Callbacks => DEFAULT_CALLBACKS,
            Self::Collections => "~/.ansible/collections:/usr/share/ansible/collections",
            Self::Roles => "~/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles",
        }
    }
}

/// A search path with otto's folder in front: the variable replaces the user's setting, so that is repeated in it
/// (relative parts are relative to the folder of the `ansible.cfg`).
///
/// `inherited` is the value of the user's variable; `config` is the `ansible.cfg` in use with its text.
pub fn search_path(
    of: Searched,
    ours: Option<&Utf8Path>,
    inherited: Option<&str>,
    config: Option<(&Utf8Path, &str)>,
) -> String {
    let from_config = || {
        let (file, text) = config?;
        let value = of.keys().iter().find_map(|key| default_of(text, key))?;
        let folder = file.parent()?;
        let parts = value.split(':').map(|part| {
            let bare = part.starts_with(['/', '~', '$', '{']) || part.is_empty();
            if bare { part.to_owned() } else { folder.join(part).into_string() }
        });
        Some(parts.collect::<Vec<_>>().join(":"))
    };
    let theirs = inherited.filter(|v| !v.is_empty()).map(str::to_owned).or_else(from_config);
    let theirs = theirs.unwrap_or_else(|| of.default().to_owned());
    ours.map_or_else(|| theirs.clone(), |ours| format!("{ours}:{theirs}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_callbacks_stay() {
        let text = "[inventory]\ncallback_plugins = no\n[defaults]\n# callback_plugins = no\ncallback_plugins = ./cb:/abs ; why\n";
        let config = Some((Utf8Path::new("/p/ansible.cfg"), text));
        let path = |inherited, config| search_path(Searched::Callbacks, Some("/o".into()), inherited, config);
        assert_eq!(path(None, config), "/o:/p/./cb:/abs");
        assert_eq!(path(Some("/mine"), config), "/o:/mine");
        assert_eq!(path(None, None), format!("/o:{DEFAULT_CALLBACKS}"));
        let roles = Some((Utf8Path::new("/p/ansible.cfg"), "[defaults]\nroles_path = ../roles\n"));
        assert_eq!(search_path(Searched::Roles, None, None, roles), "/p/../roles");
        assert_eq!(default_of(text, "forks"), None);
    }
}
