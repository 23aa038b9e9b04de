//! What a run would do: its units, in order, each with a reason.

use serde::{Deserialize, Serialize};

use super::money::Money;
use super::name::DeploymentId;
use super::time::Timestamp;
use super::unit::{Stage, UnitId};

/// What will happen to a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is executed.
    Run,
    /// It is not needed.
    Skip,
    /// It cannot be executed.
    Blocked,
}

/// One node of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedUnit {
    /// `dev/local/hello:provision`.
    pub id: UnitId,
    /// Repeated for readers of the JSON.
    pub stage: Stage,
    /// Absent for an image.
    pub deployment: Option<DeploymentId>,
    /// What will happen.
    pub action: Action,
    /// Why.
    pub why: String,
    /// Units that must end well first.
    pub after: Vec<UnitId>,
    /// Resource addresses or hosts that would go.
    pub destroys: Vec<String>,
}

/// The whole graph in an executable order: a unit stands behind all it is `after`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In order.
    pub units: Vec<PlannedUnit>,
}

impl Plan {
    /// Units that will be executed.
    pub fn to_run(&self) -> impl Iterator<Item = &PlannedUnit> {
        self.units.iter().filter(|unit| unit.action == Action::Run)
    }

    /// The unit with this id.
    pub fn unit(&self, id: &UnitId) -> Option<&PlannedUnit> {
        self.units.iter().find(|unit| unit.id == *id)
    }
}

/// What would become of one attribute; values as JSON, `***` for a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// `input.path`; empty for an output as a whole.
    pub path: String,
    /// Absent: it was not there.
    pub before: Option<String>,
    /// Absent: it will not be there.
    pub after: Option<String>,
}

/// What would become of one resource or output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceChange {
    /// As the tool names it.
    pub address: String,
    /// `create`, `update`, `replace` or `delete`.
    pub action: String,
    /// What differs.
    pub fields: Vec<FieldChange>,
}

/// What a run would change in the bill of one deployment. Amounts are decimal strings in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostChange {
    /// Which.
    pub deployment: DeploymentId,
    /// `USD`.
    pub currency: String,
    /// More an hour, or less.
    pub per_hour: Money,
    /// What an hour then costs.
    pub per_hour_after: Money,
    /// More by the end of this calendar month, or less.
    pub forecast: Money,
    /// What this month will then have cost.
    pub forecast_after: Money,
    /// What comes and has no known price: it is in no number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpriced: Vec<String>,
}

/// What changed of one deployment outside of otto, as far as its state knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// Which.
    pub name: DeploymentId,
    /// When it was looked at.
    pub at: Timestamp,
    /// `update` or `delete`, with what differs.
    pub changes: Vec<ResourceChange>,
}

/// What provisioning would change of one deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentChanges {
    /// Which.
    pub deployment: DeploymentId,
    /// Resources and outputs.
    pub resources: Vec<ResourceChange>,
    /// Why it cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
