//! GET and SSH's greeting through a tunnel, for hosts that only another host can reach.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use tokio::io::{AsyncRead, AsyncWrite};

use super::error::NetError;
use super::http::{Request, Response, millis};
use super::target::Target;
use super::tcp::{Greeting, read_greeting};
use super::tunnel::{Program, Tunnel};

/// One GET through a program.
pub(super) async fn get(request: &Request, argv: &[String]) -> Result<Response, NetError> {
    let url = request.to.url();
    let place = super::http::place(&url);
    let (path, secure) = match &request.to {
        Target::Address { path, .. } => (path.clone(), None),
        Target::Secure { address, port, name, path } => (path.clone(), Some((address, *port, name))),
        Target::Url(_) => {
            let why = "only addresses are asked through another host".to_owned();
            return Err(NetError::Address { text: place, why });
        }
    };
    let began = Instant::now();
    let talk = async |stream: Box<dyn Stream>| -> Result<Response, hyper::Error> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let host = request.host.clone().unwrap_or_else(|| place.clone());
        let asked = hyper::Request::get(path)
            .header("host", host)
            .header("user-agent", concat!("otto/", env!("CARGO_PKG_VERSION")))
            .header("accept", "*/*")
            .header("connection", "close")
            .body(Empty::<Bytes>::new())
            .expect("a path that was checked, and headers that were sent before");
        let answer = async {
            let mut answer = sender.send_request(asked).await?;
            let (status, headers) = (answer.status().as_u16(), std::mem::take(answer.headers_mut()));
            let (mut body, mut truncated) = (Vec::new(), false);
            while let Some(frame) = answer.frame().await {
                let Ok(part) = frame?.into_data() else { continue };
                let room = request.max_body - body.len();
                body.extend_from_slice(&part[..part.len().min(room)]);
                truncated = part.len() > room;
                if truncated {
                    break;
                }
            }
            Ok(Response { status, headers, body, truncated, latency_ms: millis(began) })
        };
        tokio::pin!(connection);
        tokio::select! {
            answered = answer => answered,
            // The answer's own future says what is wrong; a connection that ended well has brought it.
            Err(error) = &mut connection => Err(error),
        }
    };
    let exchange = async |stream: Tunnel| -> Result<Response, String> {
        let stream: Box<dyn Stream> = match secure {
            None => Box::new(stream),
            Some((address, port, name)) => {
                let seen = std::sync::Arc::default();
                let stream = super::tls::shake(stream, &seen, address, port, name).await;
                Box::new(stream.map_err(|e| e.to_string())?)
            }
        };
        talk(stream).await.map_err(|e| e.to_string())
    };
    within(argv, &place, request.timeout, exchange, String::clone).await
}

/// Either end of a conversation, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Whether an SSH server greets at the other end.
///
/// # Errors
/// It does not, in time, or what leads there does not work.
pub async fn ssh_greeting_through(
    argv: &[String],
    address: &str,
    port: u16,
    timeout: Duration,
) -> Result<Greeting, NetError> {
    let place = super::tcp::place(address, port);
    let began = Instant::now();
    let greeting = async |mut stream: Tunnel| {
        let banner = read_greeting(&mut stream, &place).await?;
        Ok::<_, NetError>(Greeting { banner, latency_ms: millis(began) })
    };
    within(argv, &place, timeout, greeting, |e| e.to_string()).await
}

/// Whether the other end accepts a connection: an SSH server's or a balancer's does so before it says anything, so what
/// counts is that the program goes on.
///
/// # Errors
/// It ended, or could not be started.
pub async fn connect_through(argv: &[String], address: &str, port: u16, timeout: Duration) -> Result<u64, NetError> {
    use tokio::io::AsyncReadExt;
    let place = super::tcp::place(address, port);
    let began = Instant::now();
    let (mut stream, program) = open(argv, &place)?;
    let mut first = [0_u8; 1];
    match tokio::time::timeout(timeout.min(Duration::from_secs(3)), stream.read(&mut first)).await {
        Ok(Ok(0) | Err(_)) => Err(failed(place, program, "the connection was closed".to_owned()).await),
        Ok(Ok(_)) | Err(_) => Ok(millis(began)),
    }
}

pub(super) fn open(argv: &[String], place: &str) -> Result<(Tunnel, Program), NetError> {
    Tunnel::open(argv).map_err(|e| NetError::Unreachable { place: place.to_owned(), why: format!("ssh: {e}") })
}

async fn failed(place: String, program: Program, why: String) -> NetError {
    let why = program.last_words().await.unwrap_or(why);
    NetError::Unreachable { place, why }
}

async fn within<T, E>(
    argv: &[String],
    place: &str,
    timeout: Duration,
    exchange: impl AsyncFnOnce(Tunnel) -> Result<T, E>,
    word: impl Fn(&E) -> String,
) -> Result<T, NetError> {
    let (stream, program) = open(argv, place)?;
    match tokio::time::timeout(timeout, exchange(stream)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(failed(place.to_owned(), program, word(&error)).await),
        Err(_) => Err(NetError::TimedOut { place: place.to_owned(), after: timeout }),
    }
}
