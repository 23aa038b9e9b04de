//! Probes below HTTP: does a port accept a connection, does an SSH server greet.

use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::error::NetError;
use super::http::millis;
use super::resolve::addresses;
use super::target::bracketed;

/// Bytes of lines that a server may send before its SSH greeting.
const GREETING_LIMIT: usize = 8192;

/// An SSH server's first words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// `SSH-2.0-OpenSSH_9.2`, without its line end.
    pub banner: String,
    /// From the start of connecting, in milliseconds.
    pub latency_ms: u64,
}

/// Whether a port accepts a connection; the milliseconds that took.
///
/// # Errors
/// It does not, in time.
pub async fn connect(address: &str, port: u16, timeout: Duration) -> Result<u64, NetError> {
    let began = Instant::now();
    limited(address, port, timeout, open(address, port)).await?;
    Ok(millis(began))
}

/// Whether an SSH server greets. A port that accepts and says nothing is not up.
///
/// # Errors
/// It does not, in time, or something else answers there.
pub async fn ssh_greeting(address: &str, port: u16, timeout: Duration) -> Result<Greeting, NetError> {
    let began = Instant::now();
    let banner = limited(address, port, timeout, greeted(address, port)).await?;
    Ok(Greeting { banner, latency_ms: millis(began) })
}

pub(super) async fn limited<T>(
    address: &str,
    port: u16,
    timeout: Duration,
    work: impl Future<Output = Result<T, NetError>>,
) -> Result<T, NetError> {
    tokio::time::timeout(timeout, work)
        .await
        .unwrap_or_else(|_| Err(NetError::TimedOut { place: place(address, port), after: timeout }))
}

pub(super) fn place(address: &str, port: u16) -> String {
    format!("{}:{port}", bracketed(address))
}

pub(super) async fn open(address: &str, port: u16) -> Result<TcpStream, NetError> {
    let place = place(address, port);
    let found = addresses(address, port)
        .await
        .map_err(|e| NetError::Unresolved { place: place.clone(), why: e.to_string() })?;
    TcpStream::connect(found.as_slice()).await.map_err(|e| NetError::from_io(&place, &e))
}

async fn greeted(address: &str, port: u16) -> Result<String, NetError> {
    let mut stream = open(address, port).await?;
    let banner = read_greeting(&mut stream, &place(address, port)).await;
    let _ = stream.shutdown().await;
    banner
}

/// Reads up to an SSH server's greeting.
pub(super) async fn read_greeting(stream: &mut (impl AsyncRead + Unpin), place: &str) -> Result<String, NetError> {
    let place = place.to_owned();
    let mut heard = Vec::new();
    let mut part = [0_u8; 512];
    // RFC 4253 4.2: lines that do not begin with `SSH-` may come first.
    loop {
        let n = stream.read(&mut part).await.map_err(|e| NetError::from_io(&place, &e))?;
        if n == 0 {
            return Err(NetError::Closed { place });
        }
        heard.extend_from_slice(&part[..n]);
        if let Some(line) = greeting_line(&heard) {
            return Ok(line);
        }
        if heard.len() > GREETING_LIMIT {
            return Err(NetError::Protocol { place, why: "what answers is no SSH server".to_owned() });
        }
    }
}

fn greeting_line(heard: &[u8]) -> Option<String> {
    let whole = heard.iter().rposition(|b| *b == b'\n')?;
    let line = heard[..whole].split(|b| *b == b'\n').find(|line| line.starts_with(b"SSH-"))?;
    Some(String::from_utf8_lossy(line).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_may_come_late_and_in_parts() {
        assert_eq!(greeting_line(b"SSH-2.0-Open"), None);
        assert_eq!(greeting_line(b"hello\r\nSSH-2.0-OpenSSH_9.2\r\n"), Some("SSH-2.0-OpenSSH_9.2".into()));
        assert_eq!(greeting_line(b"HTTP/1.1 400 Bad\r\n"), None);
    }
}
