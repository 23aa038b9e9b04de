//! The project's own authority: made once, kept for ten years, believed by whoever is told to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use crate::model::Timestamp;

/// How long the authority is good for.
const AUTHORITY_YEARS: i64 = 10;
/// How long what it signs is: browsers refuse more than 398 days.
const LEAF_DAYS: i64 = 396;

/// Who signs.
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// The file that whoever should believe the project's certificates is given.
pub fn trusted_file(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join("authority.pem")
}

/// The project's authority, made when there is none yet. `folder` is `.otto/tls`; two ottos at once get the same one.
///
/// # Errors
/// Files that cannot be read or written, or that are damaged, with their path.
pub fn authority(folder: &Utf8Path, project: &str, now: Timestamp) -> Result<Authority, String> {
    let at = |path: &Utf8Path, error: &dyn std::fmt::Display| format!("{path}: {error}");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|e| at(folder, &e))?;
    let (certificate, key) = (trusted_file(folder), folder.join("authority.key"));
    let guard = folder.join("authority.lock");
    let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(&guard).map_err(|e| at(&guard, &e))?;
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).map_err(|e| at(&guard, &e))?;
    if !certificate.exists() {
        let (pem, pair) = make(project, now).map_err(|e| at(&certificate, &e))?;
        // The key first: a certificate without its key could never be repaired, a key without one is only made anew.
        write_secret(&key, pair.serialize_pem().as_bytes()).map_err(|e| at(&key, &e))?;
        write_secret(&certificate, pem.as_bytes()).map_err(|e| at(&certificate, &e))?;
    }
    let pem = fs::read_to_string(&certificate).map_err(|e| at(&certificate, &e))?;
    let secret = fs::read_to_string(&key).map_err(|e| at(&key, &e))?;
    let damaged = |path: &Utf8Path| {
        format!("{path} is damaged: remove {certificate} and {key}, then everyone has to trust a new authority")
    };
    let pair = KeyPair::from_pem(&secret).map_err(|_| damaged(&key))?;
    let issuer = Issuer::from_ca_cert_pem(&pem, pair).map_err(|_| damaged(&certificate))?;
    Ok(Authority { pem, issuer })
}

impl Authority {
    /// Its certificate in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for these names with its key, both in PEM, one after the other.
    ///
    /// # Errors
    /// A name that cannot stand in a certificate.
    pub fn sign(&self, names: &[String], now: Timestamp) -> Result<String, String> {
        let wrong = |e: rcgen::Error| format!("no certificate can be made for {}: {e}", names.join(", "));
        let mut params = CertificateParams::new(names.to_vec()).map_err(wrong)?;
        params.distinguished_name = named(names.first().map_or("otto", String::as_str));
        good_for(&mut params, now, LEAF_DAYS);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let pair = KeyPair::generate().map_err(wrong)?;
        let leaf = params.signed_by(&pair, &self.issuer).map_err(wrong)?;
        Ok(format!("{}{}", leaf.pem(), pair.serialize_pem()))
    }
}

fn make(project: &str, now: Timestamp) -> Result<(String, KeyPair), rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&format!("otto {project}"));
    good_for(&mut params, now, AUTHORITY_YEARS * 365);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let pair = KeyPair::generate()?;
    Ok((params.self_signed(&pair)?.pem(), pair))
}

/// A subject of at most 64 characters, which is all that a common name may have.
fn named(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name.chars().take(64).collect::<String>());
    subject
}

/// Good from yesterday (clocks differ) until so many days from now, whole days in UTC.
fn good_for(params: &mut CertificateParams, now: Timestamp, days: i64) {
    let midnight = |days: i64| {
        let (year, month, day, ..) = now.plus_seconds(days * 86_400).civil();
        date_time_ymd(year as i32, month as u8, day as u8)
    };
    (params.not_before, params.not_after) = (midnight(-1), midnight(days));
}

/// Written whole or not at all, readable for nobody else.
pub(super) fn write_secret(path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let part = Utf8PathBuf::from(format!("{path}.{}.part", std::process::id()));
    let _ = fs::remove_file(&part);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
