//! Layer 1: the one HTTP client, TCP and TLS probes, certificates, and verified downloads. Every wait has a limit, every body a bound.
//!
//! Checks connect by address with a fresh connection and no proxy; only what leaves for another machine by URL
//! honours the proxy settings of the environment.

pub mod certificate;
mod download;
mod error;
mod http;
mod resolve;
mod target;
mod tcp;
mod through;
mod tls;
mod tunnel;

pub use download::Download;
pub use error::NetError;
pub use http::{Client, Request, Response};
pub use target::{Endpoint, Target};
pub use tcp::{Greeting, connect, ssh_greeting};
pub use through::{connect_through, ssh_greeting_through};
pub use tls::{Shown, Trust, look};
