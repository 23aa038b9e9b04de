//! Installing what is missing, into otto's own cache folder only: no service is ever installed, nothing outside the
//! cache is touched, root or not.
//!
//! For each tool: is it there already, the vendor's release, the system's packages unpacked, Python's package. Two
//! ottos at once wait for each other; one that is killed half way leaves nothing that looks finished.

mod ansible;
mod apt;
mod ensure;
mod event;
mod lock;
mod packages;
mod releases;
mod unpack;
mod vendor;

pub use ensure::{Ready, Wanted, can_install, ensure, install};
pub use event::{Attempt, InstallError, InstallEvent, State};
pub use packages::{Package, Program, Provided, missing, packages};
pub use releases::{Release, pinned};
