//! A call of a tool as plain data: what to run, where, with which environment, and how it may be stopped.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// How a call may be stopped; the ladder itself belongs to whoever runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// Terraform or OpenTofu with state at stake: one INT to the pid, then waited for without limit.
    Terraform,
    /// Terraform or OpenTofu that writes no state.
    TerraformRead,
    /// Packer: INT to the group.
    Packer,
    /// Ansible: INT to the group.
    Ansible,
    /// Vagrant that makes or takes down machines: INT to the group, as a terminal sends it.
    Vagrant,
    /// A script with nothing at stake.
    Script,
}

/// One call of a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invocation {
    /// What is executed; never through a shell.
    pub program: Utf8PathBuf,
    /// Its arguments, without the program.
    pub args: Vec<String>,
    /// Its working folder.
    pub cwd: Utf8PathBuf,
    /// Set on top of the inherited environment.
    pub env: BTreeMap<String, String>,
    /// Set where the inherited environment has no such variable.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env_default: BTreeMap<String, String>,
    /// Names taken out of the inherited environment; one that ends in `*` stands for all that begin so.
    /// See [`Invocation::removals`].
    pub env_remove: Vec<String>,
    /// How it may be stopped.
    pub stop: Stop,
    /// Its time limit in milliseconds; absent: none.
    pub limit_ms: Option<u64>,
    /// It prints secrets in clear: what it printed is wiped as soon as it was read.
    #[serde(default)]
    pub secret_output: bool,
}

impl Invocation {
    /// A call without arguments, environment or limit.
    pub fn new(program: impl Into<Utf8PathBuf>, cwd: impl Into<Utf8PathBuf>, stop: Stop) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            cwd: cwd.into(),
            env: BTreeMap::new(),
            env_default: BTreeMap::new(),
            env_remove: Vec::new(),
            stop,
            limit_ms: None,
            secret_output: false,
        }
    }

    /// Appends arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: Into<String>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    /// Spares a short-lived program in Go some work: its memory is tidied up when it has trebled, not whenever it has doubled.
    /// Terraform's calls take a fifth less of the processor for it. `GOGC` of whoever calls otto counts more.
    #[must_use]
    pub fn short_lived_go(mut self) -> Self {
        self.env_default.insert("GOGC".to_owned(), "200".to_owned());
        self
    }

    /// Sets a time limit.
    #[must_use]
    pub fn limit_ms(mut self, limit: u64) -> Self {
        self.limit_ms = Some(limit);
        self
    }

    /// Says that it prints secrets in clear.
    #[must_use]
    pub fn secret_output(mut self) -> Self {
        self.secret_output = true;
        self
    }

    /// The exact names, out of those that are inherited, that this call must not see (what it sets itself stays).
    pub fn removals<'a>(&self, inherited: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let matches = |name: &str| {
            self.env_remove.iter().any(|rule| match rule.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => name == rule,
            })
        };
        inherited.into_iter().filter(|n| matches(n) && !self.env.contains_key(*n)).map(str::to_owned).collect()
    }

    /// Program and arguments as a person would type them, for logs and error messages.
    pub fn shown(&self) -> String {
        let quoted = |text: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@%+".contains(c);
            if !text.is_empty() && text.chars().all(plain) {
                text.to_owned()
            } else {
                format!("'{}'", text.replace('\'', r"'\''"))
            }
        };
        std::iter::once(self.program.as_str())
            .chain(self.args.iter().map(String::as_str))
            .map(quoted)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removals_know_prefixes_and_keep_what_is_set() {
        let mut call = Invocation::new("/bin/true", "/", Stop::Script).env("TF_WORKSPACE", "a");
        call.env_remove = vec!["TF_CLI_ARGS*".into(), "TF_WORKSPACE".into()];
        let names = call.removals(["TF_CLI_ARGS", "TF_CLI_ARGS_plan", "TF_WORKSPACE", "TF_VAR_x", "HOME"]);
        assert_eq!(names, ["TF_CLI_ARGS", "TF_CLI_ARGS_plan"]);
    }

    #[test]
    fn a_call_is_shown_as_it_would_be_typed() {
        let call = Invocation::new("/bin/echo", "/", Stop::Script).args(["a b", "it's", "-x=1", ""]);
        assert_eq!(call.shown(), r"/bin/echo 'a b' 'it'\''s' -x=1 ''");
    }
}
