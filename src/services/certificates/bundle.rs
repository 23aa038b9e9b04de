//! What one deployment serves HTTPS with: looked for, made where otto makes it, and what checks may expect of it.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::authority::{authority, trusted_file, write_secret};
use crate::model::tls::{Source, Tls};
use crate::model::{DeploymentSpec, Timestamp};
use crate::net::Trust;
use crate::net::certificate::{Certificate, chain, fits};

/// otto's own certificates are renewed so many days before they end: well before anyone is warned.
const RENEW_DAYS: i64 = 30;

/// A file that is ready for hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Certificate, chain and key in PEM, 0600.
    pub file: Utf8PathBuf,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What there is of a deployment's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// It is there, and the hosts should have it.
    There(Bundle),
    /// otto has to make or renew it.
    ToMake(Utf8PathBuf),
}

/// Looks; changes nothing. `folder` is `.otto/tls`.
///
/// # Errors
/// Files of the site that do not fit together, with the file and what is wrong.
pub fn wanted(folder: &Utf8Path, spec: &DeploymentSpec, tls: &Tls, now: Timestamp) -> Result<Wanted, String> {
    let file = folder.join(format!("{}.pem", spec.id.key()));
    if let Source::Files { certificate, key } = &tls.source {
        return Ok(Wanted::There(Bundle { bytes: joined(certificate, key)?, file }));
    }
    let Ok(bytes) = fs::read(&file) else { return Ok(Wanted::ToMake(file)) };
    let authority = fs::read(trusted_file(folder)).unwrap_or_default();
    let good = chain(&bytes).is_ok_and(|all| {
        let leaf = &all[0];
        let for_all = spec.domains.iter().all(|name| leaf.covers(name)) && leaf.names.len() == spec.domains.len();
        for_all && leaf.days_left(now) >= RENEW_DAYS && bytes.ends_with(&authority) && !authority.is_empty()
    });
    Ok(if good && fits(&bytes, &bytes).is_ok() { Wanted::There(Bundle { file, bytes }) } else { Wanted::ToMake(file) })
}

/// The same, made where it is not there, and written where hosts are given it from.
///
/// # Errors
/// As [`wanted`], and files that cannot be written.
pub fn ensure(
    folder: &Utf8Path,
    spec: &DeploymentSpec,
    tls: &Tls,
    project: &str,
    now: Timestamp,
) -> Result<Bundle, String> {
    let bundle = match wanted(folder, spec, tls, now)? {
        Wanted::There(bundle) if !matches!(tls.source, Source::Files { .. }) => return Ok(bundle),
        Wanted::There(bundle) => bundle,
        Wanted::ToMake(file) => {
            let authority = authority(folder, project, now)?;
            // The authority stands last, where chains end: who has the file can tell who signed it.
            let bytes = format!("{}{}", authority.sign(&spec.domains, now)?, authority.pem()).into_bytes();
            Bundle { file, bytes }
        }
    };
    fs::create_dir_all(folder).map_err(|e| format!("{folder}: {e}"))?;
    write_secret(&bundle.file, &bundle.bytes).map_err(|e| format!("{}: {e}", bundle.file))?;
    Ok(bundle)
}

/// The site's two files in one, when they belong together.
fn joined(certificate: &str, key: &str) -> Result<Vec<u8>, String> {
    let read = |path: &str| fs::read(path).map_err(|e| format!("{path}: {e}"));
    let (mut bytes, secret) = (read(certificate)?, read(key)?);
    chain(&bytes).map_err(|why| format!("{certificate}: {why}"))?;
    fits(&bytes, &secret).map_err(|why| format!("{key}: {why} ({certificate})"))?;
    if !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(&secret);
    Ok(bytes)
}

/// Whom to believe about the certificate that is shown, and what is wrong with the files at hand.
pub fn expectation(folder: &Utf8Path, tls: &Tls) -> (Trust, Option<String>) {
    match &tls.source {
        Source::SelfSigned => (Trust::Only(fs::read(trusted_file(folder)).unwrap_or_default()), None),
        Source::Acme { ca: None, .. } => (Trust::System, None),
        Source::Acme { ca: Some(file), .. } => match fs::read(file) {
            Ok(pem) => (Trust::Only(pem), None),
            Err(error) => (Trust::System, Some(format!("{file}: {error}"))),
        },
        Source::Files { certificate, key } => {
            let wrong = joined(certificate, key).err();
            let leaf = fs::read(certificate).ok().and_then(|pem| chain(&pem).ok());
            let leaf = leaf.and_then(|all| all.into_iter().next()).map(|leaf: Certificate| leaf.der);
            (Trust::Same(leaf.unwrap_or_default()), wrong)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DeploymentId;

    const NOW: Timestamp = Timestamp(1_795_242_331_000);

    fn spec(domains: &[&str]) -> DeploymentSpec {
        let id: DeploymentId = "dev/local/hello".parse().expect("an id");
        let json = serde_json::json!({
            "id": id, "domains": domains, "roles": {}, "content": null, "checks": [], "region": "", "vars": {},
            "ttl_s": null, "protect": false,
        });
        serde_json::from_value(json).expect("a spec")
    }

    fn own() -> Tls {
        Tls { source: Source::SelfSigned, redirect: true }
    }

    #[test]
    fn an_own_certificate_is_made_once_and_renewed_in_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8").join("tls");
        let spec = spec(&["hello.localhost", "www.hello.localhost"]);
        assert!(matches!(wanted(&folder, &spec, &own(), NOW), Ok(Wanted::ToMake(_))));
        assert!(!folder.exists(), "looking makes nothing");
        let first = ensure(&folder, &spec, &own(), "demo", NOW).expect("a bundle");
        let leaf = &chain(&first.bytes).expect("a chain")[0];
        assert!(leaf.covers("www.hello.localhost") && !leaf.covers("example.org"));
        assert_eq!((leaf.days_left(NOW), leaf.issuer.as_str()), (395, "otto demo"));
        assert_eq!(ensure(&folder, &spec, &own(), "demo", NOW).as_ref(), Ok(&first));
        let later = NOW.plus_seconds(370 * 86_400);
        let renewed = ensure(&folder, &spec, &own(), "demo", later).expect("a bundle");
        assert_ne!(renewed.bytes, first.bytes);
        let more = self::spec(&["hello.localhost", "other.localhost"]);
        assert!(matches!(wanted(&folder, &more, &own(), later), Ok(Wanted::ToMake(_))));
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8").to_owned();
        let one = ensure(&folder.join("a"), &spec(&["a.test"]), &own(), "a", NOW).expect("a bundle");
        let other = ensure(&folder.join("b"), &spec(&["a.test"]), &own(), "b", NOW).expect("a bundle");
        let files = Source::Files { certificate: one.file.to_string(), key: one.file.to_string() };
        let tls = Tls { source: files, redirect: true };
        assert!(matches!(wanted(&folder, &spec(&["a.test"]), &tls, NOW), Ok(Wanted::There(_))));
        let files = Source::Files { certificate: one.file.to_string(), key: other.file.to_string() };
        let tls = Tls { source: files, redirect: true };
        let why = wanted(&folder, &spec(&["a.test"]), &tls, NOW).expect_err("two halves");
        assert!(why.contains("the key belongs to another certificate"), "{why}");
        assert!(!why.contains("PRIVATE"), "{why}");
    }
}
