//! Certificates as files and as servers show them: whose they are, until when, whether a key belongs to them.

use std::time::{SystemTime, UNIX_EPOCH};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::tls::provider;
use crate::model::Timestamp;

/// What a certificate says, as far as a check cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The names it is good for, in lower case, `*.` in front of some. Its common name does not count.
    pub names: Vec<String>,
    /// From when.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// The common name of who issued it, else the whole name.
    pub issuer: String,
    /// As it was signed.
    pub der: Vec<u8>,
}

impl Certificate {
    /// Reads one certificate.
    ///
    /// # Errors
    /// It is none.
    pub fn from_der(der: &[u8]) -> Result<Self, String> {
        let (_, read) = X509Certificate::from_der(der).map_err(|_| "it is no X.509 certificate".to_owned())?;
        let names = read.subject_alternative_name().ok().flatten().map(|found| {
            let of = |name: &GeneralName<'_>| match name {
                GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
                GeneralName::IPAddress(bytes) => address(bytes),
                _ => None,
            };
            found.value.general_names.iter().filter_map(of).collect()
        });
        let issuer = read.issuer().iter_common_name().next().and_then(|name| name.as_str().ok().map(str::to_owned));
        let at = |time: x509_parser::time::ASN1Time| Timestamp(time.timestamp().saturating_mul(1000));
        Ok(Self {
            names: names.unwrap_or_default(),
            not_before: at(read.validity().not_before),
            not_after: at(read.validity().not_after),
            issuer: issuer.unwrap_or_else(|| read.issuer().to_string()),
            der: der.to_vec(),
        })
    }

    /// Whether it is good for a name; `*.example.org` covers one label.
    pub fn covers(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let parent = name.split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|own| *own == name || own.strip_prefix("*.").is_some_and(|rest| Some(rest) == parent))
    }

    /// Whole days until it ends; negative when it has ended.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        (self.not_after.0 - now.0).div_euclid(86_400_000)
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|b| std::net::Ipv4Addr::from(b).to_string());
    v4.ok().or_else(|| <[u8; 16]>::try_from(bytes).ok().map(|b| std::net::Ipv6Addr::from(b).to_string()))
}

/// All certificates of a PEM text, in its order: the server's own first.
///
/// # Errors
/// There is none, or one is damaged.
pub fn chain(pem: &[u8]) -> Result<Vec<Certificate>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.map_err(|error| format!("a certificate in it is damaged ({error})"))?;
    if all.is_empty() {
        return Err("there is no certificate in it (`-----BEGIN CERTIFICATE-----`)".to_owned());
    }
    all.iter().map(|der| Certificate::from_der(der)).collect()
}

/// Whether the first certificate of a PEM text and a key belong together.
///
/// # Errors
/// They do not, or one of them cannot be read. Nothing of the key is in the text.
pub fn fits(certificates: &[u8], key: &[u8]) -> Result<(), String> {
    let all = chain(certificates)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
        let locked = String::from_utf8_lossy(key).contains("ENCRYPTED");
        let why = if locked { "it is encrypted with a passphrase" } else { "there is no private key in it" };
        format!("the key cannot be used: {why}")
    })?;
    let key = provider().key_provider.load_private_key(key);
    let key = key.map_err(|error| format!("the key cannot be used: {error}"))?;
    let chain = all.into_iter().map(|one| CertificateDer::from(one.der)).collect();
    match CertifiedKey::new(chain, key).keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(()),
        Err(_) => Err("the key belongs to another certificate".to_owned()),
    }
}

/// The time now, for validity. A certificate's own times are those of the calendar.
pub(super) fn now() -> Timestamp {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(passed.as_millis()).unwrap_or(i64::MAX))
}
