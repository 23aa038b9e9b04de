//! Where each value comes from, so that it can be explained.

use std::collections::BTreeMap;
use std::fmt;

/// The source of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A line of a file of the project.
    File {
        /// Relative to the project.
        file: String,
        /// From 1.
        line: u32,
        /// From 1.
        column: u32,
    },
    /// Nobody said anything else.
    Default,
    /// An environment variable.
    Env(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, .. } => write!(f, "{file}:{line}"),
            Self::Default => f.write_str("default"),
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "{name}"),
        }
    }
}

/// Origins by key path: `project.environment`, `providers.do.region`, `sites.hello.roles.www.count`, and for what an
/// environment overrides `sites.hello.environments.prod.roles.www.count`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(pub BTreeMap<String, Origin>);

/// Values as they are written, by the same key paths; of lists and texts only, maps are known by their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(pub BTreeMap<String, String>);

impl Origins {
    /// The origin of a key, or of the nearest key above it that has one.
    pub fn get(&self, key: &str) -> Option<&Origin> {
        let mut key = key;
        loop {
            if let Some(origin) = self.0.get(key) {
                return Some(origin);
            }
            key = key.rsplit_once('.')?.0;
        }
    }
}
