//! The document of `otto status --json`, `otto runs --json` and `otto plan --json`: a stable contract.

use serde::{Deserialize, Serialize};

use super::check::CheckResult;
use super::deployment::{Kept, LastRun, Phase};
use super::host::HostState;
use super::lease::LeaseState;
use super::name::DeploymentId;
use super::orphan::{Orphan, Owner};
use super::outcome::{Health, Outcome};
use super::plan::{CostChange, DeploymentChanges, Drift, PlannedUnit};
use super::time::Timestamp;
use super::unit::{RunId, UnitId};

/// `otto.status/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusReport {
    /// `otto.status/1`.
    pub schema: String,
    /// When it was asked.
    pub at: Timestamp,
    /// One entry a deployment.
    pub deployments: Vec<DeploymentStatus>,
    /// What carries otto's tags and is in no state.
    pub orphans: Vec<OrphanStatus>,
}

/// Something in no state, in a status report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrphanStatus {
    /// Where it is.
    pub provider: String,
    /// What the provider says of it.
    #[serde(flatten)]
    pub orphan: Orphan,
    /// The deployment that its tags name.
    pub deployment: Option<DeploymentId>,
    /// Whose it is: what is foreign is never touched.
    pub whose: Owner,
    /// What it costs an hour, where there is a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_hour: Option<String>,
    /// What it has cost since it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accrued: Option<String>,
}

/// The last look for drift, in a status report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftStatus {
    /// When.
    pub at: Timestamp,
    /// How many resources differ.
    pub changes: u64,
}

/// One deployment in a status report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeploymentStatus {
    /// `dev/local/hello`.
    pub name: DeploymentId,
    /// First part of the name.
    pub environment: String,
    /// Second part.
    pub provider: String,
    /// Third part.
    pub site: String,
    /// How far it is.
    pub phase: Phase,
    /// Why it needs a repair, and the command that does it.
    pub dirty: Option<DirtyStatus>,
    /// Where users reach it.
    pub endpoint: Option<String>,
    /// Its hosts.
    pub hosts: Vec<HostStatus>,
    /// The worst of all checks.
    pub health: Health,
    /// What was asked.
    pub checks: Vec<CheckResult>,
    /// Since when it exists.
    pub created_at: Option<Timestamp>,
    /// How long it may live.
    pub lease: Option<LeaseStatus>,
    /// The last run that touched it.
    pub last_run: Option<LastRun>,
    /// Money.
    pub spend: Spend,
    /// Images newer than the hosts: why each is stale.
    pub stale: Vec<String>,
    /// What differs from the plan, once someone looked.
    pub drift: Option<DriftStatus>,
    /// What its destruction left behind, because it holds data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
}

/// See [`super::deployment::Dirty`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DirtyStatus {
    /// What happened.
    pub reason: String,
    /// The command that repairs it.
    pub repair: String,
}

/// One host in a status report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostStatus {
    /// `www-1`.
    pub name: String,
    /// `www`.
    pub role: String,
    /// Where it is.
    pub address: String,
    /// What it was born with.
    pub image: Option<String>,
    /// What its probe found.
    pub state: HostState,
}

/// A lease in a status report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeaseStatus {
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Seconds left, negative when it is over.
    pub left_s: Option<i64>,
    /// Where in it the deployment is.
    pub state: LeaseState,
    /// Never destroyed without its name typed.
    pub protect: bool,
}

/// Money in a status report: decimal strings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spend {
    /// `USD`.
    pub currency: String,
    /// Since it was created.
    pub accrued: String,
    /// This month.
    pub month: String,
    /// An hour.
    pub per_hour: String,
    /// To the month's end.
    pub forecast: String,
    /// Resources without a known price.
    pub unpriced: Vec<String>,
}

/// `otto.drift/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftReport {
    /// `otto.drift/1`.
    pub schema: String,
    /// One entry a deployment that was looked at.
    pub deployments: Vec<Drift>,
}

/// `otto.runs/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunsReport {
    /// `otto.runs/1`.
    pub schema: String,
    /// Newest first.
    pub runs: Vec<RunSummary>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its id.
    pub id: RunId,
    /// The verb it was started with.
    pub verb: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended, if that is known.
    pub ended_at: Option<Timestamp>,
    /// How.
    pub outcome: Outcome,
    /// Its units.
    pub units: Vec<UnitSummary>,
}

/// One unit of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitSummary {
    /// Its id.
    pub id: UnitId,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took_ms: Option<u64>,
    /// Its main call's folder.
    pub log: Option<String>,
}

/// `otto.plan/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanReport {
    /// `otto.plan/1`.
    pub schema: String,
    /// In order.
    pub units: Vec<PlannedUnit>,
    /// With `--diff`: what would become of resources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<DeploymentChanges>,
    /// What it would change in the bill.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub costs: Vec<CostChange>,
    /// Budgets that would not hold, with the numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over_budget: Vec<String>,
    /// Units are blocked because credentials are missing; they say so themselves.
    #[serde(skip)]
    pub lacks_credentials: bool,
    /// All units are blocked because tools are missing that otto cannot install.
    #[serde(skip)]
    pub lacks_tools: bool,
}
