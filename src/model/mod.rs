//! Layer 0: the words of otto as values. Pure: no files, no environment, no clock, no runtime.
//!
//! Everything that is stored, shown or sent is one of these types; every layer above speaks in them.

pub mod check;
pub mod deployment;
pub mod diagnostic;
pub mod dns;
pub mod event;
pub mod host;
pub mod image;
pub mod lease;
pub mod ledger;
pub mod money;
pub mod name;
pub mod orphan;
pub mod outcome;
pub mod pattern;
pub mod plan;
pub mod port;
pub mod prices;
pub mod project;
pub mod range;
pub mod secret;
pub mod site;
pub mod spend;
pub mod ssh;
pub mod status;
pub mod time;
pub mod tls;
pub mod unit;

pub use check::{CheckKind, CheckResult, CheckSpec};
pub use deployment::{Deployment, Dirty, Kept, LastRun, Phase, StatePlace};
pub use diagnostic::Diagnostic;
pub use event::{Event, EventKind, Totals};
pub use host::{Host, HostSpec, HostState, Probe};
pub use image::Image;
pub use lease::{LeaseState, Moved};
pub use ledger::{LedgerRow, Price, Resource};
pub use money::{Money, Quantity};
pub use name::{DeploymentId, Name, NameError};
pub use orphan::{Orphan, Owner};
pub use outcome::{End, Health, Outcome};
pub use pattern::Pattern;
pub use plan::{Action, Plan, PlannedUnit};
pub use port::{Ask, Clock, Sink, SinkError};
pub use prices::PriceTable;
pub use project::{Appliance, Environment, Project, Provider, ProviderKind};
pub use range::Range;
pub use secret::Secret;
pub use site::{DeploymentSpec, Machine, Role, Site};
pub use ssh::{Ssh, Way, Ways};
pub use time::Timestamp;
pub use tls::Tls;
pub use unit::{RunId, Stage, Subject, UnitId};
