//! Why a request, a probe or a download did not work, in words that say what to look at.

use std::error::Error as _;
use std::io;
use std::time::Duration;

/// What went wrong on the way to an answer. The texts name the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// The text is no usable address or URL.
    #[error("`{text}` is no usable address: {why}")]
    Address {
        /// As given.
        text: String,
        /// The parser's reason.
        why: String,
    },
    /// The name has no address.
    #[error("{place}: the name has no address ({why})")]
    Unresolved {
        /// Host and port, or the URL.
        place: String,
        /// The resolver's reason.
        why: String,
    },
    /// Nothing listens there.
    #[error("{place}: connection refused, nothing listens there")]
    Refused {
        /// Host and port, or the URL.
        place: String,
    },
    /// There is no way there.
    #[error("{place}: unreachable ({why})")]
    Unreachable {
        /// Host and port, or the URL.
        place: String,
        /// The system's reason.
        why: String,
    },
    /// The time was over before the answer was complete.
    #[error("{place}: no complete answer within {}", seconds(*.after))]
    TimedOut {
        /// Host and port, or the URL.
        place: String,
        /// The limit.
        after: Duration,
    },
    /// The connection ended before the answer did.
    #[error("{place}: the connection was closed before the answer was complete")]
    Closed {
        /// Host and port, or the URL.
        place: String,
    },
    /// It answers, but not in the protocol asked for.
    #[error("{place}: {why}")]
    Protocol {
        /// Host and port, or the URL.
        place: String,
        /// What is wrong with the answer.
        why: String,
    },
    /// A download's answer is not the file.
    #[error("{place}: answered {status}")]
    Status {
        /// The URL.
        place: String,
        /// The HTTP status.
        status: u16,
    },
    /// A download is larger than it may be.
    #[error("{place}: larger than the limit of {limit} bytes")]
    TooLarge {
        /// The URL.
        place: String,
        /// The bound.
        limit: u64,
    },
    /// A download is not the file it should be.
    #[error("{place}: sha256 is {found}, expected {expected}: the file was changed on the way, or is another version")]
    Checksum {
        /// The URL.
        place: String,
        /// Pinned.
        expected: String,
        /// Computed.
        found: String,
    },
    /// A download could not be written.
    #[error("{path}: {why}")]
    Write {
        /// The file.
        path: String,
        /// The system's reason.
        why: String,
    },
}

fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(1) { format!("{} ms", time.as_millis()) } else { format!("{} s", time.as_secs_f32()) }
}

impl NetError {
    /// The place could not be reached at all: another source may be tried.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::Unresolved { .. } | Self::Refused { .. } | Self::Unreachable { .. } | Self::TimedOut { .. }
        )
    }

    pub(super) fn from_io(place: &str, error: &io::Error) -> Self {
        let place = place.to_owned();
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused { place },
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Self::Closed { place },
            _ => Self::Unreachable { place, why: error.to_string() },
        }
    }

    /// Finds the real cause in reqwest's chain of sources.
    pub(super) fn from_reqwest(place: &str, error: &reqwest::Error, limit: Duration) -> Self {
        if error.is_timeout() {
            return Self::TimedOut { place: place.to_owned(), after: limit };
        }
        let mut deepest = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            deepest = cause.to_string();
            if let Some(io) = cause.downcast_ref::<io::Error>() {
                if io.kind() == io::ErrorKind::TimedOut {
                    return Self::TimedOut { place: place.to_owned(), after: limit };
                }
                // An io error may wrap the resolver's or TLS's own error: those are further down the chain.
                if io.raw_os_error().is_some() || io.kind() == io::ErrorKind::UnexpectedEof {
                    return Self::from_io(place, io);
                }
            }
            if let Some(unresolved) = cause.downcast_ref::<super::resolve::Unresolved>() {
                return Self::Unresolved { place: place.to_owned(), why: unresolved.to_string() };
            }
            source = cause.source();
        }
        // hyper's own words for an end in mid-answer; its error type is not part of reqwest's interface.
        if deepest.contains("before message completed") || deepest.contains("end of file") {
            return Self::Closed { place: place.to_owned() };
        }
        if error.is_builder() {
            return Self::Address { text: place.to_owned(), why: deepest };
        }
        Self::Protocol { place: place.to_owned(), why: deepest }
    }
}
