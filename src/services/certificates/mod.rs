//! Certificates that otto makes or is given: the project's own authority, what a deployment serves HTTPS with, and the
//! question of whether that is still good.
//!
//! All of it lies in `.otto/tls/`, 0700: `authority.pem` and `authority.key`, and `<deployment key>.pem`, the
//! certificate with its chain and its key in one file, as balancers and web servers take it.

mod authority;
mod bundle;

pub use authority::{authority, trusted_file};
pub use bundle::{Bundle, Wanted, ensure, expectation, wanted};
