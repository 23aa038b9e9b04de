//! What HTTPS means for a deployment's other parts: the inventory's word for it, what its configuration depends on, and
//! what checks may expect.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};

use super::inputs::hash;
use crate::model::tls::Source;
use crate::model::{Deployment, DeploymentSpec, Timestamp};
use crate::services::certificates::{self, Wanted};
use crate::services::health::Expected;

/// Where certificates lie, below `.otto`.
pub fn folder(home: &Utf8Path) -> Utf8PathBuf {
    home.join("tls")
}

/// The variable `tls` of the inventory: `mode`, `redirect`, the file `pem` on this machine, and what `acme` needs.
pub fn variables(home: &Utf8Path, spec: &DeploymentSpec) -> Map<String, Value> {
    let Some(tls) = &spec.tls else { return Map::new() };
    let mut value = json!({
        "mode": tls.source.word(),
        "redirect": tls.redirect,
        "pem": folder(home).join(format!("{}.pem", spec.id.key())),
    });
    if let Source::Acme { directory, email, ca } = &tls.source {
        value["directory"] = json!(directory);
        value["email"] = json!(email);
        value["ca"] = json!(ca);
    }
    Map::from_iter([("tls".to_owned(), value)])
}

/// What a configuration depends on beside its inventory: the certificate that the hosts should have. Looks only.
pub fn print(home: &Utf8Path, spec: &DeploymentSpec, now: Timestamp) -> String {
    let Some(tls) = &spec.tls else { return String::new() };
    match certificates::wanted(&folder(home), spec, tls, now) {
        Ok(Wanted::There(bundle)) => hash(&[("certificate", &String::from_utf8_lossy(&bundle.bytes))]),
        Ok(Wanted::ToMake(_)) => "to be made".to_owned(),
        Err(why) => why,
    }
}

/// What checks may expect of a deployment's HTTPS; nothing where it has none, or was never configured for it.
pub fn expected(home: &Utf8Path, record: &Deployment, spec: &DeploymentSpec, now: Timestamp) -> Option<Expected> {
    let tls = spec.tls.as_ref()?;
    let (trust, files) = certificates::expectation(&folder(home), tls);
    Some(Expected { endpoint: record.front(Some(tls)), trust, files, redirect: tls.redirect, now })
}
