//! Every environment variable that otto reads, declared once, and their values, captured once.
//!
//! This is the only place that reads the process environment; everything else is given a [`Vars`].

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::near;
use super::problem::Problem;
use crate::model::Secret;

/// One variable, as `otto help environment` lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Var {
    /// Its name.
    pub name: &'static str,
    /// What it does, one line.
    pub doc: &'static str,
    /// What holds without it, in words.
    pub default: &'static str,
}

const fn var(name: &'static str, doc: &'static str, default: &'static str) -> Var {
    Var { name, doc, default }
}

/// All of them, in the order of the help.
pub const DECLARED: &[Var] = &[
    var("CLOWD_PROVIDERS", "providers to work on, separated by commas or spaces", "`providers` in otto.yaml"),
    var("OTTO_ENV", "environment to work on", "`environment` in otto.yaml"),
    var("OTTO_PROJECT", "folder of the project", "the nearest folder upwards with otto.yaml"),
    var("OTTO_DIR", "state folder", "`.otto` in the project"),
    var(
        "OTTO_STATE",
        "URL of the state: `file:/FOLDER` is a state folder that outlives this one (a CI job's), instead of OTTO_DIR",
        "the state folder",
    ),
    var("OTTO_NO_PROGRESS", "plain lines instead of live progress, when not empty", "live on a terminal"),
    var("NO_COLOR", "no colour, when not empty", "colour on a terminal"),
    var("FORCE_COLOR", "colour off a terminal too, when not empty or 0", "colour on a terminal"),
    var("CLICOLOR_FORCE", "the same as FORCE_COLOR", "colour on a terminal"),
    var("TERM", "`dumb` is a terminal without colour and cursor", "an ordinary terminal"),
    var("COLUMNS", "width of the output", "the terminal's"),
    var("CI", "plain lines, and nothing is asked, when not empty", "live on a terminal"),
    var("PATH", "where the tools are looked for", "the system's folders"),
    var("HOME", "your folder, below which the following ones are", "the one that the system has for you"),
    var("XDG_CACHE_HOME", "downloads and tools that otto installed", "~/.cache"),
    var("XDG_STATE_HOME", "copies of the state", "~/.local/state"),
    var("XDG_RUNTIME_DIR", "sockets of shared SSH connections", "/tmp"),
    var(
        "TF_HTTP_ADDRESS",
        "address of a root's `http` backend; each deployment gets its own from it",
        "the root's block",
    ),
    var("TF_HTTP_LOCK_ADDRESS", "the same of its lock", "the root's block"),
    var("TF_HTTP_UNLOCK_ADDRESS", "the same for giving the lock up", "the root's block"),
    var("ANSIBLE_CALLBACK_PLUGINS", "your own callbacks, which otto's is added to", "ansible.cfg"),
    var("GITLAB_CI", "with --ci: groups as GitLab reads them, when not empty", "as GitHub does"),
    var("LC_ALL", "locale of the tools, which `otto doctor` looks at", "LC_CTYPE"),
    var("LC_CTYPE", "the same where LC_ALL is not set", "LANG"),
    var("LANG", "the same where neither is set", "the tools' own"),
    var("SSH_AUTH_SOCK", "the SSH agent, which `otto doctor` looks at", "no agent"),
    var(
        "ANSIBLE_COLLECTIONS_PATH",
        "your own collections, which those of requirements.yml are added to",
        "ansible.cfg",
    ),
    var("ANSIBLE_ROLES_PATH", "your own roles, likewise", "ansible.cfg"),
    var("ANSIBLE_CONFIG", "your ansible.cfg, for a project without one", "~/.ansible.cfg"),
    var("OTTO_VAGRANT_DOCKER_IMAGE", "image of the containers that Vagrant makes with Docker", "the role's image"),
    var("OTTO_VAGRANT_DRIVER", "driver of Vagrant's libvirt, such as `qemu` where there is no KVM", "the plugin's own"),
    var("SHELL", "the shell of `otto ssh` on a local host", "/bin/sh"),
    var("USER", "who the owner in tags and the journal is", "unknown"),
];

/// The environment of this process, as it was at the start. Values of variables that are not declared are kept as secrets.
#[derive(Clone, Debug, Default)]
pub struct Vars {
    values: BTreeMap<&'static str, String>,
    /// Every name with a value that is not empty.
    set: Vec<String>,
    /// What is not declared.
    hidden: BTreeMap<String, Secret>,
}

impl Vars {
    /// Captures the process environment. Called once, in `main`.
    pub fn capture() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let mut vars = Self::from_pairs(std::env::vars_os().map(|(name, value)| (text(name), text(value))));
        // A service or a bare container may have no HOME; the system knows the folder all the same.
        if let (None, Some(home)) = (vars.get("HOME"), std::env::home_dir()) {
            vars.values.insert("HOME", text(home.into_os_string()));
        }
        vars
    }

    /// From pairs of name and value; an empty value is none.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut vars = Self::default();
        for (name, value) in pairs {
            let (name, value): (String, String) = (name.into(), value.into());
            if value.is_empty() {
                continue;
            }
            if let Some(declared) = DECLARED.iter().find(|declared| declared.name == name) {
                vars.values.insert(declared.name, value);
            } else {
                vars.hidden.insert(name.clone(), Secret::new(value));
            }
            vars.set.push(name);
        }
        vars.set.sort();
        vars.set.dedup();
        vars
    }

    /// The value of a declared variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        debug_assert!(DECLARED.iter().any(|declared| declared.name == name), "{name} is not declared");
        self.values.get(name).map(String::as_str)
    }

    /// Whether any variable, declared or not, has a value: a provider's credentials.
    pub fn is_set(&self, name: &str) -> bool {
        self.set.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
    }

    /// The value of a variable that is not declared, for the one who must not let it be seen.
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.hidden.get(name)
    }

    /// Names of all set variables, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.set.iter().map(String::as_str)
    }

    /// Names of set variables that begin with a text, such as `TF_CLI_ARGS`.
    pub fn beginning_with<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a str> {
        self.set.iter().map(String::as_str).filter(move |name| name.starts_with(start))
    }

    /// `CLOWD_PROVIDERS`, taken apart.
    pub fn providers(&self) -> Vec<String> {
        self.get("CLOWD_PROVIDERS").map(listed).unwrap_or_default()
    }

    /// `OTTO_ENV`.
    pub fn environment(&self) -> Option<&str> {
        self.get("OTTO_ENV")
    }

    /// `OTTO_PROJECT`.
    pub fn project(&self) -> Option<&Utf8Path> {
        self.get("OTTO_PROJECT").map(Utf8Path::new)
    }

    /// The state folder: that of `OTTO_STATE`, else `OTTO_DIR`, below the project when it is not absolute, else `.otto`
    /// there.
    pub fn state_folder(&self, project: &Utf8Path) -> Utf8PathBuf {
        let by_url = self.get("OTTO_STATE").and_then(file_url);
        project.join(by_url.or_else(|| self.get("OTTO_DIR")).unwrap_or(".otto"))
    }

    /// `OTTO_STATE`, if this otto cannot use it.
    pub fn unusable_state(&self) -> Option<&str> {
        self.get("OTTO_STATE").filter(|url| file_url(url).is_none())
    }

    /// otto's folder for what can be downloaded again; nothing without a home.
    pub fn cache_folder(&self) -> Option<Utf8PathBuf> {
        self.xdg("XDG_CACHE_HOME", ".cache")
    }

    /// otto's folder for copies of the state; nothing without a home.
    pub fn copies_folder(&self) -> Option<Utf8PathBuf> {
        self.xdg("XDG_STATE_HOME", ".local/state")
    }

    /// Warnings for names that look like otto's and are not.
    pub fn unknown(&self) -> Vec<Problem> {
        let strange = |name: &&str| DECLARED.iter().all(|declared| declared.name != *name);
        let all = self.beginning_with("OTTO_").chain(self.beginning_with("CLOWD_")).filter(strange);
        let own = || DECLARED.iter().map(|var| var.name).filter(|n| n.starts_with("OTTO_") || n.starts_with("CLOWD_"));
        all.map(|name| {
            let problem = Problem::new(format!("otto does not know the environment variable `{name}`"));
            problem.hint(near::suggestion(name, own())).warn()
        })
        .collect()
    }

    /// The XDG rule: a path that is not absolute is ignored.
    fn absolute(&self, name: &str) -> Option<Utf8PathBuf> {
        self.get(name).map(Utf8PathBuf::from).filter(|path| path.is_absolute())
    }

    fn xdg(&self, name: &str, below_home: &str) -> Option<Utf8PathBuf> {
        let folder = self.absolute(name).or_else(|| Some(self.absolute("HOME")?.join(below_home)));
        folder.map(|folder| folder.join("otto"))
    }
}

/// The path in `file:/path` or `file:///path`.
fn file_url(url: &str) -> Option<&str> {
    let path = url.strip_prefix("file:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    (!path.is_empty()).then_some(path)
}

/// The words of a list with commas or white space between them.
pub fn listed(text: &str) -> Vec<String> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_apart() {
        for text in ["do, gcp, vagrant", "do gcp vagrant", "do,gcp,vagrant", " do ,\tgcp\n,,vagrant, "] {
            assert_eq!(Vars::from_pairs([("CLOWD_PROVIDERS", text)]).providers(), ["do", "gcp", "vagrant"], "{text:?}");
        }
        assert!(Vars::from_pairs([("CLOWD_PROVIDERS", "")]).providers().is_empty());
    }

    #[test]
    fn only_declared_values_are_kept_but_every_name_is_known() {
        let vars = Vars::from_pairs([("DIGITALOCEAN_TOKEN", "s3cret"), ("EMPTY", ""), ("OTTO_ENV", "prod")]);
        assert!(vars.is_set("DIGITALOCEAN_TOKEN") && !vars.is_set("EMPTY") && !vars.is_set("OTHER"));
        assert!(!format!("{vars:?}").contains("s3cret"));
        assert_eq!(vars.environment(), Some("prod"));
    }

    #[test]
    fn folders_follow_the_xdg_rules() {
        let vars = Vars::from_pairs([("HOME", "/home/a"), ("XDG_CACHE_HOME", "relative"), ("XDG_STATE_HOME", "/s")]);
        assert_eq!(vars.cache_folder().as_deref(), Some(Utf8Path::new("/home/a/.cache/otto")));
        assert_eq!(vars.copies_folder().as_deref(), Some(Utf8Path::new("/s/otto")));
        assert_eq!(Vars::default().cache_folder(), None);
        assert_eq!(vars.state_folder("/p".into()), "/p/.otto");
        assert_eq!(Vars::from_pairs([("OTTO_DIR", "x")]).state_folder("/p".into()), "/p/x");
        assert_eq!(Vars::from_pairs([("OTTO_DIR", "/x")]).state_folder("/p".into()), "/x");
        for url in ["file:/s", "file:///s"] {
            let vars = Vars::from_pairs([("OTTO_STATE", url), ("OTTO_DIR", "/x")]);
            assert_eq!((vars.state_folder("/p".into()).as_str(), vars.unusable_state()), ("/s", None));
        }
        assert!(Vars::from_pairs([("OTTO_STATE", "postgres://h/d")]).unusable_state().is_some());
    }

    #[test]
    fn a_slip_in_a_name_is_named() {
        let vars = Vars::from_pairs([("OTTO_EVN", "prod"), ("CLOWD_PROVIDER", "do"), ("OTTO_DIR", "x")]);
        let told: Vec<String> = vars.unknown().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "otto does not know the environment variable `OTTO_EVN`: did you mean `OTTO_ENV`?",
                "otto does not know the environment variable `CLOWD_PROVIDER`: did you mean `CLOWD_PROVIDERS`?",
            ]
        );
    }
}
