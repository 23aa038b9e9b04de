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

/// The search path for callbacks with otto's folder in front: the variable replaces the user's setting, so that is
/// repeated in it (relative parts are relative to the folder of the `ansible.cfg`).
///
/// `inherited` is the value of `ANSIBLE_CALLBACK_PLUGINS`; `config` is the `ansible.cfg` in use with its text.
pub fn callback_path(ours: &Utf8Path, inherited: Option<&str>, config: Option<(&Utf8Path, &str)>) -> String {
    let from_config = || {
        let (file, text) = config?;
        let value = default_of(text, "callback_plugins")?;
        let folder = file.parent()?;
        let parts = value.split(':').map(|part| {
            let bare = part.starts_with(['/', '~', '$', '{']) || part.is_empty();
            if bare { part.to_owned() } else { folder.join(part).into_string() }
        });
        Some(parts.collect::<Vec<_>>().join(":"))
    };
    let theirs = inherited.filter(|v| !v.is_empty()).map(str::to_owned).or_else(from_config);
    format!("{ours}:{}", theirs.unwrap_or_else(|| DEFAULT_CALLBACKS.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_callbacks_stay() {
        let text = "[inventory]\ncallback_plugins = no\n[defaults]\n# callback_plugins = no\ncallback_plugins = ./cb:/abs ; why\n";
        let config = Some((Utf8Path::new("/p/ansible.cfg"), text));
        assert_eq!(callback_path("/o".into(), None, config), "/o:/p/./cb:/abs");
        assert_eq!(callback_path("/o".into(), Some("/mine"), config), "/o:/mine");
        assert_eq!(callback_path("/o".into(), None, None), format!("/o:{DEFAULT_CALLBACKS}"));
        assert_eq!(default_of(text, "forks"), None);
    }
}
