//! Test: the bootstrap check. Every host up, every page served, the load spread, and on request the loss of one backend.

use std::time::Duration;

use super::super::context::Context;
use super::super::https;
use super::super::unit_end::{Trouble, UnitEnd};
use super::{config, failover};
use crate::model::{CheckResult, Deployment, DeploymentId, DeploymentSpec, EventKind, Health, Phase, UnitId};
use crate::services::health::{Level, Scope, worst};

/// Right after a reload a balancer needs its first rounds of checks: failures are asked again until then.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tests a deployment.
pub(super) async fn run(context: &Context, unit: &UnitId, id: &DeploymentId) -> Result<UnitEnd, Trouble> {
    let mut record = config::existing(context, id)?;
    let _ground = context.grounds.take(&record.hosts).await;
    let spec = &context.target(id)?.spec;
    let mut results = ask(context, &record, spec).await?;
    if context.requests.failover && worst(&results) == Health::Ok {
        results.extend(failover::run(context, unit, &mut record, spec).await?);
    }
    for check in &results {
        context.record(unit, EventKind::Checked { check: check.clone() })?;
    }
    let bad: Vec<&CheckResult> = results.iter().filter(|c| c.state != Health::Ok).collect();
    let passed = results.len() - bad.len();
    let failing = bad.iter().any(|c| c.state != Health::Warning);
    let before = record.phase;
    if failing {
        if record.phase == Phase::Tested {
            record.phase = Phase::Configured;
        }
    } else if matches!(record.phase, Phase::Configured | Phase::Provisioned) {
        record.phase = Phase::Tested;
    }
    if record.phase != before {
        context.remember(unit, record.clone())?;
    }
    if !failing {
        let warned = if bad.is_empty() { String::new() } else { format!(", {} warnings", bad.len()) };
        return Ok(UnitEnd::ok(format!("{passed} checks passed{warned}"), false));
    }
    let first = bad.iter().find(|c| c.state != Health::Warning).expect("some check fails");
    let summary = format!(
        "{} of {} checks failed; {} ({}): {}",
        bad.len(),
        results.len(),
        first.name,
        first.target,
        first.detail
    );
    Ok(UnitEnd::failed(summary, false).hint(format!("otto status {id}")).hint(format!("otto up {id} --force")))
}

/// The full set of checks, with patience for what has just been configured.
async fn ask(context: &Context, record: &Deployment, spec: &DeploymentSpec) -> Result<Vec<CheckResult>, Trouble> {
    let ways = context.ways(spec, &record.hosts)?;
    let tls = https::expected(&context.home, record, spec, context.now());
    let scope = Scope {
        hosts: &record.hosts,
        endpoint: record.endpoint.as_deref(),
        domains: &spec.domains,
        checks: &spec.checks,
        tls: tls.as_ref(),
        ways: &ways,
    };
    Ok(context.checker.check(&scope, Level::Full, PATIENCE).await)
}
