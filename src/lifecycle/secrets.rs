//! What must not be seen: variables for the tools' environment, and every value that is taken out of what otto writes.
//!
//! Values are learnt while a run goes on: at its start from the environment and from files, later from vaults and from
//! Terraform's sensitive outputs.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{PoisonError, RwLock};

use camino::Utf8Path;
use serde_json::Value;

use crate::model::{EventKind, Secret};
use crate::process::Redactor;

/// Words that are no secret wherever they stand.
const PLAIN: &[&str] = &[
    "true",
    "false",
    "null",
    "none",
    "enabled",
    "disabled",
    "debug",
    "info",
    "warn",
    "warning",
    "error",
    "trace",
    "development",
    "production",
    "staging",
    "testing",
    "test",
    "local",
    "localhost",
    "root",
    "admin",
    "user",
    "http",
    "https",
    "utf-8",
    "utf8",
    "default",
    "password",
    "secret",
    "token",
];
/// Digits of a number that could be a secret.
const LONG_NUMBER: usize = 6;

/// Shared by all units of a run.
#[derive(Debug, Default)]
pub struct Secrets {
    env: BTreeMap<String, Secret>,
    redactor: RwLock<Redactor>,
    /// Names of the project: a secret that is called like a site would blacken everything.
    innocent: BTreeSet<String>,
    /// Vaults were read.
    vaults: tokio::sync::OnceCell<()>,
}

impl Secrets {
    /// `env` is added to the environment of every tool; `innocent` words are never taken out.
    pub fn new(env: BTreeMap<String, Secret>, innocent: BTreeSet<String>) -> Self {
        Self { env, innocent, ..Self::default() }
    }

    /// What tools get beside the inherited environment.
    pub fn env(&self) -> &BTreeMap<String, Secret> {
        &self.env
    }

    /// The cell that makes vaults be read once.
    pub(super) fn vaults(&self) -> &tokio::sync::OnceCell<()> {
        &self.vaults
    }

    /// From now on these are taken out; those that would only spoil the text are not.
    pub fn learn<'a>(&self, values: impl IntoIterator<Item = &'a str>) {
        let mut worth: Vec<Secret> = Vec::new();
        for value in values {
            let value = value.trim();
            worth.extend(self.is_worth(value).then(|| Secret::new(value)));
            worth.extend(password_of(value).filter(|word| self.is_worth(word)).map(Secret::new));
        }
        if !worth.is_empty() {
            self.redactor.write().unwrap_or_else(PoisonError::into_inner).add(&worth);
        }
    }

    fn is_worth(&self, value: &str) -> bool {
        let number = value.bytes().all(|b| b.is_ascii_digit() || b == b'.') && value.len() < LONG_NUMBER;
        let path = value.starts_with(['/', '~']) && Utf8Path::new(value).exists();
        !number && !path && !PLAIN.contains(&value.to_ascii_lowercase().as_str()) && !self.innocent.contains(value)
    }

    /// A text without them.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redactor.read().unwrap_or_else(PoisonError::into_inner).text(text)
    }

    /// An event without them. Of a record only what tools said is looked at: the rest is what otto works with.
    pub fn event(&self, kind: EventKind) -> EventKind {
        let redactor = self.redactor.read().unwrap_or_else(PoisonError::into_inner);
        if redactor.is_empty() {
            return kind;
        }
        match kind {
            EventKind::Deployment { mut record } => {
                if let Some(dirty) = &mut record.dirty {
                    dirty.reason = redactor.text(&dirty.reason).into_owned();
                    dirty.repair = redactor.text(&dirty.repair).into_owned();
                }
                EventKind::Deployment { record }
            }
            kind @ (EventKind::Image { .. }
            | EventKind::ImageGone { .. }
            | EventKind::Ledger { .. }
            | EventKind::Started { .. }) => kind,
            kind => {
                let Ok(mut value) = serde_json::to_value(&kind) else { return kind };
                if !changed(&mut value, &redactor) {
                    return kind;
                }
                serde_json::from_value(value).unwrap_or(kind)
            }
        }
    }

    /// A file without them; one that is not there has none.
    ///
    /// # Errors
    /// A file that cannot be read or written.
    pub fn file(&self, path: &Utf8Path) -> io::Result<()> {
        match self.redactor.read().unwrap_or_else(PoisonError::into_inner).file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// All outputs of calls in the folder of a run, as far as they can be written.
    pub fn folder(&self, folder: &Utf8Path) {
        for entry in folder.read_dir_utf8().into_iter().flatten().flatten() {
            for name in ["stdout", "stderr", "events.jsonl"] {
                let _ = self.file(&entry.path().join(name));
            }
        }
    }

    /// Learns the values of a Terraform state's sensitive outputs; a state that is not there or not readable has none.
    pub fn learn_outputs(&self, state: &Utf8Path) {
        let Ok(text) = std::fs::read(state) else { return };
        let Ok(state) = serde_json::from_slice::<Value>(&text) else { return };
        let outputs = state["outputs"].as_object().into_iter().flat_map(|all| all.values());
        let mut found = Vec::new();
        for output in outputs.filter(|output| output["sensitive"] == true) {
            leaves(&output["value"], &mut found);
        }
        self.learn(found.iter().map(String::as_str));
    }
}

/// The texts and numbers in a value.
pub(super) fn leaves(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Number(number) => into.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, into)),
        Value::Object(fields) => fields.values().for_each(|value| leaves(value, into)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// The password in `scheme://user:password@host`.
fn password_of(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let login = rest.split('/').next()?.rsplit_once('@')?.0;
    login.split_once(':').map(|(_, password)| password)
}

/// Takes values out of every text of a document; its keys are otto's own words. `type` says what the event is.
fn changed(value: &mut Value, redactor: &Redactor) -> bool {
    match value {
        Value::String(text) => match redactor.text(text) {
            Cow::Owned(new) => {
                *text = new;
                true
            }
            Cow::Borrowed(_) => false,
        },
        Value::Array(items) => items.iter_mut().fold(false, |any, item| changed(item, redactor) | any),
        Value::Object(fields) => {
            let words = ["type", "id", "stage", "action", "outcome", "kind", "state", "deployment", "unit"];
            let texts = fields.iter_mut().filter(|(key, _)| !words.contains(&key.as_str()));
            texts.fold(false, |any, (_, value)| changed(value, redactor) | any)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_only_spoil_the_text_is_left_alone() {
        let secrets = Secrets::new(BTreeMap::new(), BTreeSet::from(["shop".to_owned()]));
        secrets.learn(["true", "8080", "ab", "shop", "/usr", "localhost", "s3cret-word", "postgres://u:pw4you@h/db"]);
        let text = "true 8080 ab shop /usr localhost s3cret-word pw4you";
        assert_eq!(secrets.text(text), "true 8080 ab shop /usr localhost *** ***");
        let kind = EventKind::Note { text: "s3cret-word".to_owned(), warning: false };
        assert_eq!(secrets.event(kind), EventKind::Note { text: "***".to_owned(), warning: false });
    }
}
