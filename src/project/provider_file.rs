//! `clowd/provision/<provider>/provider.yaml`: what drives a provider and how its words are spelt.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::project::ImageFrom;
use crate::model::{Name, Provider, ProviderKind};

use super::node::{Kind, Node};
use super::read::{Field, Reading};

const KEYS: &[&str] = &[
    "kind",
    "sizes",
    "base",
    "region",
    "workspace",
    "backend_config",
    "credentials",
    "image",
    "prices",
    "probed",
    "keep",
    "ignore_changes",
];
const KINDS: &[(&str, ProviderKind)] =
    &[("terraform", ProviderKind::Terraform), ("vagrant", ProviderKind::Vagrant), ("static", ProviderKind::Static)];

/// Reads the document; where something is wrong there is a default and a problem.
pub(super) fn read(reading: &mut Reading, node: &Node, name: Name, folder: String) -> Option<Provider> {
    let fields = super::load::document(reading, node)?;
    reading.only(&fields, KEYS);
    let mut provider = Provider {
        name,
        folder,
        kind: ProviderKind::Terraform,
        sizes: BTreeMap::new(),
        bases: BTreeMap::new(),
        region: String::new(),
        credentials: Vec::new(),
        image_from: ImageFrom::Id,
        image_match: None,
        prices: None,
        probed: false,
        workspace: None,
        variables: BTreeSet::new(),
        backend_config: Vec::new(),
        keep: Vec::new(),
        ignore_changes: Vec::new(),
    };
    if let Some(field) = reading.required(&fields, "kind", "kind: terraform") {
        provider.kind = reading.one_of(&field, KINDS).unwrap_or(provider.kind);
    }
    if let Some(field) = fields.get("sizes") {
        provider.sizes = reading.texts(&field, "a map such as `{small: s-1vcpu-1gb}`");
    }
    if let Some(field) = fields.get("base") {
        provider.bases = bases(reading, &field);
    }
    if let Some(field) = fields.get("region") {
        let expected = "a region such as `fra1`, or `\"\"`";
        provider.region = reading.parsed(&field, expected, |text| Some(text.to_owned())).unwrap_or_default();
    }
    if let Some(field) = fields.get("credentials") {
        provider.credentials = credentials(reading, &field);
    }
    if let Some(field) = fields.get("image") {
        image(reading, &field, &mut provider);
    }
    if let Some(field) = fields.get("prices") {
        provider.prices = reading.text(&field, "the name of a price table, or `free`");
    }
    if let Some(field) = fields.get("probed") {
        provider.probed = reading.flag(&field).unwrap_or_default();
    }
    if let Some(field) = fields.get("workspace") {
        provider.workspace = reading.text(&field, "the name of a workspace");
    }
    if let Some(field) = fields.get("backend_config") {
        let expected = "a list such as `[backend.hcl, \"key=shop/{deployment}\"]`";
        for item in reading.list(&field, expected).unwrap_or_default() {
            provider.backend_config.extend(reading.text(&item, "a file beside the root, or `name=value`"));
        }
    }
    if let Some(field) = fields.get("keep") {
        for item in reading.list(&field, "a list such as `[digitalocean_spaces_bucket]`").unwrap_or_default() {
            provider.keep.extend(reading.text(&item, "a resource type"));
        }
    }
    if let Some(field) = fields.get("ignore_changes") {
        let expected = "`TYPE.ATTRIBUTE`, such as `digitalocean_tag.droplets_count`";
        let named = |text: &str| text.split_once('.').is_some_and(|(kind, path)| !kind.is_empty() && !path.is_empty());
        for item in reading.list(&field, &format!("a list of {expected}")).unwrap_or_default() {
            let read = reading.parsed(&item, expected, |text| named(text).then(|| text.to_owned()));
            provider.ignore_changes.extend(read);
        }
    }
    Some(provider)
}

fn bases(reading: &mut Reading, field: &Field<'_>) -> BTreeMap<String, String> {
    if matches!(field.node.kind, Kind::Map(_)) {
        return reading.texts(field, "a map by appliance");
    }
    let expected = "a text such as `debian-12-x64`, or a map by appliance";
    let base = reading.parsed(field, expected, |text| Some(text.to_owned()));
    base.map(|base| BTreeMap::from([(String::new(), base)])).unwrap_or_default()
}

/// Names of variables, never their values.
fn credentials(reading: &mut Reading, field: &Field<'_>) -> Vec<String> {
    let mut all = Vec::new();
    for item in reading.list(field, "a list such as `[DIGITALOCEAN_TOKEN]`").unwrap_or_default() {
        let Some(text) = reading.text(&item, "the name of an environment variable") else { continue };
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if text.len() <= 60 && text.chars().all(inner) && !text.starts_with(|c: char| c.is_ascii_digit()) {
            all.push(text);
        } else {
            // The text itself is not shown: it may be the secret.
            let message = format!("`{}` is no name of an environment variable", item.path);
            reading.bad(&item, message, "write the variable's name, never the secret itself");
        }
    }
    all
}

fn image(reading: &mut Reading, field: &Field<'_>, provider: &mut Provider) {
    let Some(fields) = reading.map(field, "a map such as `{from: id, match: '[^:]+$'}`") else { return };
    reading.only(&fields, &["from", "match"]);
    if let Some(from) = fields.get("from") {
        let words = [("id", ImageFrom::Id), ("file", ImageFrom::File)];
        provider.image_from = reading.one_of(&from, &words).unwrap_or(ImageFrom::Id);
    }
    if let Some(pattern) = fields.get("match")
        && let Some(text) = reading.text(&pattern, "a regular expression")
    {
        match regex::Regex::new(&text) {
            Ok(_) => provider.image_match = Some(text),
            Err(error) => {
                let reason = error.to_string();
                let last = reason.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
                reading.bad(&pattern, format!("`{}` is no regular expression", pattern.path), last);
            }
        }
    }
}
