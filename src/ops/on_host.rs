//! A command for one host: by SSH, or in the folder of a host that is one. Data only; who runs it is said elsewhere.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::choose;
use super::failure::{Failure, Kind, Result};
use super::reach;
use super::world::{Opened, World, unusable};
use crate::model::{Deployment, DeploymentId, Host};
use crate::process::leash::leashed;
use crate::project::Selection;

/// A host that exists.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Of this deployment.
    pub(super) record: Deployment,
    /// This host.
    pub(super) host: Host,
}

/// A command as it is started.
#[derive(Clone, Debug)]
pub(super) struct Started {
    /// Program and arguments.
    pub(super) argv: Vec<String>,
    /// Working folder, where it matters.
    pub(super) folder: Option<Utf8PathBuf>,
    /// On top of the inherited environment.
    pub(super) env: BTreeMap<String, String>,
}

impl Place {
    /// `dev/local/hello/www-1`.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.record.id, self.host.name)
    }

    /// The command line for it. One word is a line for the host's shell, several are passed on as they are. With a
    /// terminal ssh may ask, and lends it to the command.
    pub(super) fn command(&self, world: &World, opened: &Opened, words: &[String], terminal: bool) -> Started {
        if self.host.is_local() {
            return self.local(world, words);
        }
        let access = reach::access(&opened.project, &opened.home, &self.record);
        let mut argv = access.options(&self.host, &self.record.hosts, !terminal);
        if terminal && !words.is_empty() {
            argv.push("-t".to_owned());
        }
        argv.push(self.host.address.clone());
        argv.extend(match words {
            [line] => vec![line.clone()],
            words => words.iter().map(|word| quoted(word)).collect(),
        });
        argv.insert(0, "ssh".to_owned());
        Started { argv, folder: None, env: BTreeMap::new() }
    }

    /// In its folder, with its programs first.
    fn local(&self, world: &World, words: &[String]) -> Started {
        let root = self.host.vars.get("root").and_then(Value::as_str).map(Utf8PathBuf::from);
        let mut env = BTreeMap::from([("OTTO_HOST".to_owned(), self.name())]);
        if let Some(root) = &root {
            let path = world.vars.get("PATH").unwrap_or("/usr/bin:/bin");
            env.insert("PATH".to_owned(), format!("{root}/bin:{path}"));
            env.insert("HOST".to_owned(), root.to_string());
        }
        for name in ["address", "http_port", "www_port"] {
            let value = if name == "address" {
                Some(Value::from(self.host.address.clone()))
            } else {
                self.host.vars.get(name).cloned()
            };
            if let Some(value) = value {
                env.insert(name.to_uppercase(), value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            }
        }
        let argv = match words {
            [] => vec![world.vars.get("SHELL").unwrap_or("/bin/sh").to_owned()],
            [line] => ["/bin/sh", "-c", line].map(str::to_owned).to_vec(),
            words => words.to_vec(),
        };
        Started { argv, folder: root, env }
    }
}

impl Started {
    /// The same, ending with otto.
    pub(super) fn leashed(mut self, exe: &Utf8Path) -> Self {
        let program = self.argv.remove(0);
        self.argv = leashed(exe, &program).into_iter().chain(self.argv).collect();
        self
    }
}

/// Hosts of the deployments that are meant, each machine once: those of a site that lives on another one's are that one's.
pub(super) fn places(world: &World, opened: &Opened, selection: &Selection) -> Result<Vec<Place>> {
    let store = world.store_to_read(opened)?;
    let mut records = store.deployments().map_err(unusable)?;
    records.retain(|r| r.phase.exists());
    if *selection != Selection::default() {
        let meant = choose::existing(&opened.project, selection, &records)?;
        records.retain(|r| meant.contains(&r.id));
    }
    let ids: Vec<DeploymentId> = records.iter().map(|r| r.id.clone()).collect();
    records.retain(|r| r.spec.carrier().is_none_or(|carrier| !ids.contains(&carrier)));
    let each = |record: Deployment| {
        let hosts = record.hosts.clone();
        hosts.into_iter().map(move |host| Place { record: record.clone(), host })
    };
    Ok(records.into_iter().flat_map(each).collect())
}

/// The one host that a word means: `www-1`, `hello/www-1`, `dev/local/hello/www-1`.
pub(super) fn one(places: Vec<Place>, word: &str) -> Result<Place> {
    let (of, name) = word.rsplit_once('/').map_or((None, word), |(of, name)| (Some(of), name));
    let meant = |place: &Place| {
        let id = &place.record.id;
        place.host.name == name && of.is_none_or(|of| of == id.to_string() || of == id.site.as_str())
    };
    let mut names: Vec<String> = places.iter().map(Place::name).collect();
    let mut found: Vec<Place> = places.into_iter().filter(meant).collect();
    if found.len() > 1 {
        let failure = Failure::new(Kind::Usage, format!("{} hosts are called `{name}`", found.len()));
        return Err(found.iter().fold(failure, |failure, place| failure.hint(format!("otto ssh {}", place.name()))));
    }
    found.pop().ok_or_else(|| {
        names.truncate(8);
        let failure = Failure::new(Kind::Usage, format!("no host is called `{word}`"));
        if names.is_empty() { failure.hint("otto up") } else { failure.hint(format!("there are {}", names.join(", "))) }
    })
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Programs that are missing, in words.
pub(super) fn not_started(program: &str, error: &std::io::Error) -> Failure {
    let failure = Failure::new(Kind::Tool, format!("`{program}` cannot be started: {error}"));
    if program == "ssh" { failure.hint("install OpenSSH's client (openssh-client)") } else { failure }
}
