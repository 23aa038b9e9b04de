//! `test --failover`: one backend is stopped, the site must go on serving, the backend is brought back.
//!
//! The undo is durable before the stop: the record says dirty, and every later configuration starts what is stopped.

use serde_json::json;

use super::super::context::Context;
use super::super::https;
use super::super::unit_end::{Trouble, UnitEnd};
use super::config::{Play, Played, once};
use crate::model::site::serves_pages;
use crate::model::{CheckKind, CheckResult, Deployment, DeploymentSpec, Dirty, Health, UnitId};
use crate::services::health::{Scope, is_balanced};

/// Stops the first backend, checks, starts it again.
pub(super) async fn run(
    context: &Context,
    unit: &UnitId,
    record: &mut Deployment,
    spec: &DeploymentSpec,
) -> Result<Vec<CheckResult>, Trouble> {
    let backends: Vec<String> = record.hosts.iter().filter(|h| serves_pages(&h.role)).map(|h| h.name.clone()).collect();
    let (Some(victim), true) = (backends.first().cloned(), backends.len() > 1) else {
        context.note(unit, "failover is not tried: there is only one backend", true)?;
        return Ok(Vec::new());
    };
    if record.endpoint.is_some() && !is_balanced(&record.hosts, record.endpoint.as_deref()) {
        context.note(
            unit,
            "failover is not tried: nothing stands before the backends that could choose another",
            true,
        )?;
        return Ok(Vec::new());
    }
    let run = context.recorder.run();
    record.dirty = Some(Dirty {
        reason: format!("the failover test of run {run} stopped {victim}"),
        repair: format!("otto resume {run} --yes"),
        in_flight: Vec::new(),
        unfinished: Vec::new(),
    });
    context.remember(unit, record.clone())?;
    switch(context, unit, record, spec, &victim, "stopped").await?;
    let without: Vec<_> = record.hosts.iter().filter(|h| h.name != victim).cloned().collect();
    let ways = context.ways(spec, &record.hosts)?;
    let tls = https::expected(&context.home, record, spec, context.now());
    let scope = Scope {
        hosts: &without,
        endpoint: record.endpoint.as_deref(),
        domains: &spec.domains,
        checks: &spec.checks,
        tls: tls.as_ref(),
        ways: &ways,
    };
    let served = context.checker.survives(&scope, &victim).await;
    switch(context, unit, record, spec, &victim, "started").await?;
    record.dirty = None;
    context.remember(unit, record.clone())?;
    let back = context.checker.returns(&Scope { hosts: &record.hosts, ..scope }, &victim).await;
    let result = |name: String, found: Result<String, String>| CheckResult {
        name,
        kind: CheckKind::Failover,
        target: record.front(spec.tls.as_ref()).unwrap_or_default(),
        state: if found.is_ok() { Health::Ok } else { Health::Critical },
        latency_ms: None,
        detail: found.unwrap_or_else(|e| e),
    };
    Ok(vec![result(format!("serves without {victim}"), served), result(format!("{victim} is back"), back)])
}

async fn switch(
    context: &Context,
    unit: &UnitId,
    record: &Deployment,
    spec: &DeploymentSpec,
    host: &str,
    state: &str,
) -> Result<(), Trouble> {
    let play = Play {
        file: "backend.yml",
        step: format!("backend-{state}"),
        main: false,
        only: Some(host.to_owned()),
        extra: Some(json!({ "backend_state": state })),
    };
    let played: Played = once(context, unit, spec, &record.hosts, &play).await?;
    if played.outcome.is_ok() && !played.called.interrupted {
        return Ok(());
    }
    let end: UnitEnd = played.into_end();
    Err(end.hint(format!("otto resume {}", context.recorder.run())).into())
}
