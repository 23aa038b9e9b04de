//! A TLS handshake that is looked at: which certificate is shown, and whether the one who trusts what is given would accept it.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::client::TlsStream;

use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::certificate::{Certificate, now};
use super::error::NetError;
use super::http::millis;
use super::tcp::{limited, open, place};

/// Whom to believe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The authorities in a PEM text, and nobody else.
    Only(Vec<u8>),
    /// Those that the system believes.
    System,
    /// Nobody: it must be this very certificate, in DER.
    Same(Vec<u8>),
}

/// What a server showed.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its certificate.
    pub certificate: Certificate,
    /// Why it is not to be believed, validity and name apart; nothing when it is.
    pub doubt: Option<String>,
    /// From the start of connecting to the end of the handshake, in milliseconds.
    pub latency_ms: u64,
}

/// The cryptography used for everything, given explicitly: no process-wide default that another part could have set.
pub(super) fn provider() -> Arc<CryptoProvider> {
    static ONE: std::sync::OnceLock<Arc<CryptoProvider>> = std::sync::OnceLock::new();
    ONE.get_or_init(|| Arc::new(rustls::crypto::ring::default_provider())).clone()
}

/// Makes [`provider`] the one of clients that are built without a word about it. Idempotent.
pub(super) fn install() {
    let _ = CryptoProvider::install_default(provider().as_ref().clone());
}

/// A client's configuration that accepts whatever certificate is shown, and keeps it.
pub(super) fn accepting(seen: Arc<Seen>) -> ClientConfig {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider has what TLS 1.2 and 1.3 need")
        .dangerous()
        .with_custom_certificate_verifier(seen)
        .with_no_client_auth()
}

/// Shakes hands with a server in the name of `name` and looks at what it shows. A certificate that nobody would believe
/// is no error here: it is what was looked for. `via` is a program that leads there, where no direct way does.
///
/// # Errors
/// No handshake came about in time.
pub async fn look(
    address: &str,
    port: u16,
    name: &str,
    trust: &Trust,
    timeout: Duration,
    via: Option<&[String]>,
) -> Result<Shown, NetError> {
    let began = Instant::now();
    let seen = Arc::<Seen>::default();
    let shake = async {
        match via {
            Some(argv) => {
                let (stream, program) = super::through::open(argv, &place(address, port))?;
                let shaken = shake(stream, &seen, address, port, name).await.map(drop);
                drop(program);
                shaken
            }
            None => shake(open(address, port).await?, &seen, address, port, name).await.map(drop),
        }
    };
    limited(address, port, timeout, shake).await?;
    let chain = std::mem::take(&mut *seen.chain.lock().unwrap_or_else(PoisonError::into_inner));
    let wrong = |why: String| NetError::Protocol { place: place(address, port), why };
    let Some((leaf, rest)) = chain.split_first() else { return Err(wrong("it showed no certificate".to_owned())) };
    let certificate = Certificate::from_der(leaf).map_err(wrong)?;
    let doubt = doubt(leaf, rest, trust);
    Ok(Shown { certificate, doubt, latency_ms: millis(began) })
}

/// Speaks TLS over a connection in the name of `name`; any certificate will do, and is kept.
pub(super) async fn shake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    seen: &Arc<Seen>,
    address: &str,
    port: u16,
    name: &str,
) -> Result<TlsStream<S>, NetError> {
    let server = ServerName::try_from(name.to_owned())
        .map_err(|_| NetError::Address { text: name.to_owned(), why: "no name for a certificate".to_owned() })?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(accepting(seen.clone())));
    connector.connect(server, stream).await.map_err(|e| handshake_failed(address, port, &e))
}

fn handshake_failed(address: &str, port: u16, error: &std::io::Error) -> NetError {
    let place = place(address, port);
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidMessage(_)) => {
            NetError::Protocol { place, why: "what answers there does not speak TLS".to_owned() }
        }
        Some(error) => NetError::Protocol { place, why: format!("no TLS handshake: {error}") },
        None => NetError::from_io(&place, error),
    }
}

/// Why this chain is not to be believed; time and name are judged by who asks, from the certificate itself.
fn doubt(leaf: &CertificateDer<'_>, rest: &[CertificateDer<'_>], trust: &Trust) -> Option<String> {
    let roots = match trust {
        Trust::Same(der) if leaf.as_ref() == der.as_slice() => return None,
        Trust::Same(_) => return Some("it is not the certificate of the site's files".to_owned()),
        Trust::Only(pem) => authorities(pem),
        Trust::System => system_authorities(),
    };
    let roots = match roots {
        Ok(roots) => roots,
        Err(why) => return Some(why),
    };
    // A moment in which the certificate is good, and a name that it has: what is asked here is only who signed it.
    let read = Certificate::from_der(leaf).ok()?;
    let within = now().0.clamp(read.not_before.0, read.not_after.0.max(read.not_before.0));
    let at = UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(within).unwrap_or(0)));
    let Some(name) = read.names.first().map(|name| name.replacen("*.", "any.", 1)) else {
        return Some("it names no host (no subject alternative name)".to_owned());
    };
    let name = match name.parse::<IpAddr>() {
        Ok(ip) => ServerName::from(ip),
        Err(_) => ServerName::try_from(name).ok()?,
    };
    let verifier = match WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build() {
        Ok(verifier) => verifier,
        Err(error) => return Some(error.to_string()),
    };
    match verifier.verify_server_cert(leaf, rest, &name, &[], at) {
        Ok(_) => None,
        Err(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)) => {
            Some(format!("nobody who is trusted signed it (its issuer is `{}`)", read.issuer))
        }
        Err(error) => Some(error.to_string()),
    }
}

fn authorities(pem: &[u8]) -> Result<RootCertStore, String> {
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).flatten());
    if roots.is_empty() { Err("the file of the authority holds no certificate".to_owned()) } else { Ok(roots) }
}

/// Where systems keep the authorities they believe.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

fn system_authorities() -> Result<RootCertStore, String> {
    let found = BUNDLES.iter().find_map(|path| std::fs::read(path).ok());
    authorities(&found.ok_or("this system has no file of trusted authorities (install `ca-certificates`)")?)
}

/// Accepts whatever is shown and keeps it: a look, not a conversation. Signatures are verified, so that who shows a
/// certificate has its key.
#[derive(Debug)]
pub(super) struct Seen {
    chain: Mutex<Vec<CertificateDer<'static>>>,
    provider: Arc<CryptoProvider>,
}

impl Default for Seen {
    fn default() -> Self {
        Self { chain: Mutex::default(), provider: provider() }
    }
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let all = std::iter::once(leaf).chain(rest).map(|one| one.clone().into_owned()).collect();
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = all;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
