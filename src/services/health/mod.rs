//! Health: host probes, pages, the spread over backends, and a site's own checks, all at once and each bounded.
//!
//! Every request opens its own connection to an address and says in its Host header which domain it means.

mod asker;
mod certificate;
mod checker;
mod deployment;
mod host;
mod page;
mod spread;

pub use asker::{Asker, Settings};
pub use certificate::Expected;
pub use checker::Checker;
pub use deployment::{Level, Scope, deployment, is_balanced, worst};
pub use host::{Probed, probe_host};
pub use page::{Page, check_page, served_by};
pub use spread::spread;
