//! A command as data: what is run, where, with what around it, and how it may be stopped.

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::ladder::Ladder;
use crate::model::Secret;

/// One call of a tool. Stored as `command.json`, so nothing in it may be secret: secrets come by the inherited
/// environment or by files. There is no shell: `args` reach the program as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// A path, or a name looked up in `PATH`.
    pub program: Utf8PathBuf,
    /// Its arguments, without the program itself.
    pub args: Vec<String>,
    /// The folder it starts in.
    pub cwd: Utf8PathBuf,
    /// Set on top of the inherited environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Set where the inherited environment has no such variable.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env_default: BTreeMap<String, String>,
    /// Added to the inherited environment itself, never written anywhere.
    #[serde(skip)]
    pub secret_env: BTreeMap<String, Secret>,
    /// Removed from the inherited environment before `env` is set; `TF_CLI_ARGS*` removes all that begin so.
    #[serde(default)]
    pub env_remove: Vec<String>,
    /// How it is stopped.
    pub ladder: Ladder,
    /// After so many milliseconds the supervisor climbs the ladder by itself; `None`: no limit.
    #[serde(default)]
    pub limit_ms: Option<u64>,
    /// Bytes kept of each of stdout and stderr (at least [`Command::LEAST_OUTPUT`]): beyond, a quarter of it from the
    /// beginning and the newest part stay, what lies between is cut out without stopping the tool.
    pub output_limit: u64,
    /// It prints secrets in clear: whoever started it wipes what it printed, or whoever finds it later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret_output: bool,
    /// Beginnings of the names of processes that only serve the tool: those that outlive it by some seconds are ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servants: Vec<String>,
}

impl Command {
    /// 64 MiB: the usual `output_limit`.
    pub const OUTPUT: u64 = 64 << 20;
    /// 64 KiB: a smaller `output_limit` counts as this.
    pub const LEAST_OUTPUT: u64 = 64 << 10;

    /// A command without arguments, in a folder, with nothing added to the environment, no time limit and
    /// [`Command::OUTPUT`] as its output limit.
    pub fn new(program: impl Into<Utf8PathBuf>, cwd: impl Into<Utf8PathBuf>, ladder: Ladder) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            cwd: cwd.into(),
            env: BTreeMap::new(),
            env_default: BTreeMap::new(),
            secret_env: BTreeMap::new(),
            env_remove: Vec::new(),
            ladder,
            limit_ms: None,
            output_limit: Self::OUTPUT,
            secret_output: false,
            servants: Vec::new(),
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Whether `env_remove` takes this variable away.
    pub fn removes(&self, variable: &str) -> bool {
        self.env_remove.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(head) => variable.starts_with(head),
            None => variable == pattern,
        })
    }
}

impl fmt::Display for Command {
    /// The line to type into a shell for the same call (without folder and environment).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(self.program.as_str()))?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

/// A word as a POSIX shell reads it back.
pub fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_can_be_typed_again() {
        let command =
            Command::new("terraform", "/x", Ladder::terraform_apply()).args(["apply", "-var=a b", "it's", "", "*"]);
        assert_eq!(command.to_string(), r"terraform apply '-var=a b' 'it'\''s' '' '*'");
    }

    #[test]
    fn a_star_removes_all_with_that_beginning() {
        let mut command = Command::new("x", "/", Ladder::ansible());
        command.env_remove = vec!["TF_CLI_ARGS*".into(), "TF_WORKSPACE".into()];
        let removed = |name| command.removes(name);
        assert!(removed("TF_CLI_ARGS") && removed("TF_CLI_ARGS_plan") && removed("TF_WORKSPACE"));
        assert!(!removed("TF_WORKSPACE_X") && !removed("PATH"));
    }

    #[test]
    fn commands_read_back() {
        let command = Command::new("x", "/", Ladder::packer());
        let text = serde_json::to_string(&command).expect("JSON");
        assert_eq!(serde_json::from_str::<Command>(&text).expect("a command"), command);
    }
}
