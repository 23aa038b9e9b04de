//! Requests by hand: one connection, the Host header as wished, no client that would hide anything.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) served_by: String,
    pub(crate) body: String,
    /// The server will close the connection.
    pub(crate) last: bool,
}

/// A connection on which one request after another is made.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(port: u16) -> Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) fn get(&mut self, host: &str, path: &str, close: bool) -> Result<Page> {
        let end = if close { "close" } else { "keep-alive" };
        let text = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: {end}\r\n\r\n");
        self.0.get_mut().write_all(text.as_bytes())?;
        let bad = |what: &str| Error::new(ErrorKind::InvalidData, what.to_owned());
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(Error::new(ErrorKind::UnexpectedEof, "closed without an answer"));
        }
        let status = line.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(|| bad(&line))?;
        let mut page = Page { status, served_by: String::new(), body: String::new(), last: close };
        let mut length = None;
        loop {
            line.clear();
            self.0.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            match (name.to_ascii_lowercase().as_str(), value.trim()) {
                ("x-served-by", value) => page.served_by = value.to_owned(),
                ("content-length", value) => length = value.parse().ok(),
                ("connection", value) => page.last |= value.eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        let mut body = Vec::new();
        match length {
            Some(length) => {
                body.resize(length, 0);
                self.0.read_exact(&mut body)?;
            }
            None => drop(self.0.read_to_end(&mut body)?),
        }
        page.body = String::from_utf8_lossy(&body).into_owned();
        Ok(page)
    }
}

/// One page over a connection of its own.
#[track_caller]
pub(crate) fn get(port: u16, host: &str, path: &str) -> Page {
    let page = Connection::open(port).and_then(|mut c| c.get(host, path, true));
    page.unwrap_or_else(|e| panic!("http://{host}:{port}{path}: {e}"))
}

/// Who served the first page of this host in so many connections; all must answer 200.
#[track_caller]
pub(crate) fn served_by(port: u16, host: &str, times: usize) -> BTreeSet<String> {
    let pages = (0..times).map(|_| get(port, host, "/"));
    pages.inspect(|page| assert_eq!(page.status, 200, "{page:?}")).map(|page| page.served_by).collect()
}
