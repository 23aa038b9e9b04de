//! Layer 4: one operation per verb. Faces (command line, HTTP, chat) call these and nothing below.

pub mod adopt;
mod ages;
mod choose;
pub mod conduct;
mod consent;
mod copies;
mod destroy;
pub mod exit;
mod failure;
pub mod init;
mod jobs;
mod observe;
pub mod plan;
pub mod prune;
mod recovery;
pub mod resume;
mod room;
pub mod runs;
mod signals;
pub mod state;
pub mod status;
mod toolbox;
pub mod tools;
mod vault;
mod world;

pub use crate::lifecycle::stop::channel as stop_channel;
pub use crate::lifecycle::{Adoption, Consent, Requests, Verb, Wishes};
pub use crate::process::supervisor::main_if_asked as supervise_if_asked;
pub use conduct::{Report, Request, conduct};
pub use failure::{Failure, Kind, Result};
pub use world::{Opened, World};
