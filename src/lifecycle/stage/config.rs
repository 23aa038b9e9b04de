//! Config: one ansible-playbook run per deployment over a static inventory that otto writes from the declared hosts.

use camino::Utf8PathBuf;
use serde_json::Value;

use super::super::call::{Call, Called, call};
use super::super::context::{Context, Program};
use super::super::inputs;
use super::super::unit_end::{Trouble, UnitEnd, outcome_of};
use crate::model::{Deployment, DeploymentId, DeploymentSpec, EventKind, Host, Phase, UnitId};
use crate::process::disk;
use crate::tools::ansible::args::Playbook;
use crate::tools::ansible::inventory::inventory;
use crate::tools::ansible::parse::{Ansible, Events, Report, classify};

/// How often an unreachable host is tried again: right after it was made, its SSH may not answer yet.
const ATTEMPTS: u32 = 3;

/// Configures a deployment.
pub(super) async fn run(context: &Context, unit: &UnitId, id: &DeploymentId) -> Result<UnitEnd, Trouble> {
    let mut record = existing(context, id)?;
    let spec = context.target(id)?.spec.clone();
    let check = context.requests.check;
    if !check && record.config_hash.is_some() {
        // Durable before the tool starts: an interrupted configuration is one that has to run again.
        record.config_hash = None;
        context.remember(unit, record.clone())?;
    }
    let changed = play(context, unit, &spec, &record.hosts, "configure", true).await?;
    if check {
        return Ok(UnitEnd::ok(format!("check: {changed} tasks would change something"), false));
    }
    record.config_hash = Some(hash(context, &spec, &record.hosts));
    record.spec = spec;
    if record.phase == Phase::Provisioned {
        record.phase = Phase::Configured;
    }
    if record.dirty.as_ref().is_some_and(|d| d.in_flight.is_empty()) && record.phase != Phase::Partial {
        // What a failover test left stopped is started again by every configuration.
        record.dirty = None;
    }
    context.remember(unit, record)?;
    Ok(UnitEnd::ok(if changed == 0 { "nothing to change".to_owned() } else { format!("{changed} tasks changed") }, changed > 0))
}

/// The record of a deployment that has hosts.
pub(super) fn existing(context: &Context, id: &DeploymentId) -> Result<Deployment, Trouble> {
    let record = context.memory.record(id).filter(|r| r.phase.exists() && !r.hosts.is_empty());
    let record = record.ok_or_else(|| UnitEnd::failed("no hosts are known of it", false).hint(format!("otto up {id}")))?;
    match super::root::moved(context, &record.home) {
        Some(end) => Err(end.into()),
        None => Ok(record),
    }
}

/// The inventory of a deployment: the same value is hashed, written and given to Ansible.
pub fn inventory_of(spec: &DeploymentSpec, hosts: &[Host]) -> Value {
    inventory(spec, hosts)
}

fn hash(context: &Context, spec: &DeploymentSpec, hosts: &[Host]) -> String {
    let content = context.prints.content.get(&spec.id.site).cloned().unwrap_or_default();
    inputs::config_hash(&context.prints.config, &inventory_of(spec, hosts), &content)
}

/// Plays `site.yml` over these hosts; returns how many tasks changed something.
pub(super) async fn play(
    context: &Context,
    unit: &UnitId,
    spec: &DeploymentSpec,
    hosts: &[Host],
    step: &str,
    main: bool,
) -> Result<u32, Trouble> {
    let mut attempt = 1;
    loop {
        let step = if attempt == 1 { step.to_owned() } else { format!("{step}-{attempt}") };
        let mut playbook = Playbook::new("site.yml");
        playbook.check = context.requests.check;
        playbook.extra = if main { context.requests.passthrough.clone() } else { Vec::new() };
        let played = once(context, unit, spec, hosts, playbook, &step, main && attempt == 1).await?;
        match played.outcome {
            Ansible::Ok { changed } => return Ok(changed),
            Ansible::Unreachable { ref hosts } if attempt < ATTEMPTS && !all_local(played.local) && !played.called.interrupted => {
                let why = format!("unreachable: {}", hosts.join(", "));
                context.tally.retry();
                context.record(unit, EventKind::Retry { attempt, of: ATTEMPTS - 1, why })?;
                attempt += 1;
                tokio::time::sleep(std::time::Duration::from_secs(u64::from(attempt) * 2)).await;
            }
            _ => return Err(played.into_end().into()),
        }
    }
}

fn all_local(local: bool) -> bool {
    local
}

/// One run of a playbook, classified.
pub(super) struct Played {
    pub(super) outcome: Ansible,
    pub(super) called: Called,
    report: Report,
    local: bool,
}

impl Played {
    /// What a run that did not end well means for its unit.
    pub(super) fn into_end(self) -> UnitEnd {
        let changed = self.report.changed() > 0;
        let summary = match &self.outcome {
            _ if self.called.interrupted => "the playbook was interrupted".to_owned(),
            Ansible::Ok { .. } => "ok".to_owned(),
            Ansible::Unreachable { hosts } => format!("unreachable: {}", hosts.join(", ")),
            Ansible::HostsFailed { hosts } => match self.report.failures.first() {
                Some(f) => format!("task `{}` failed on {}", f.about.as_deref().unwrap_or("?"), hosts.join(", ")),
                None => format!("failed on {}", hosts.join(", ")),
            },
            Ansible::NoHostsMatched => "the playbook matched no hosts, so nothing was configured".to_owned(),
            Ansible::BadPlaybook => match self.called.errors.first() {
                Some(d) => format!("the playbook cannot be run: {}", d.summary),
                None => format!("the playbook cannot be run: {}", last_words(&self.called)),
            },
            Ansible::Incomplete { missing } => format!("the playbook ended without {}", missing.join(", ")),
            Ansible::Interrupted => "the playbook was interrupted".to_owned(),
        };
        let mut end = UnitEnd { outcome: outcome_of(&self.called), ..UnitEnd::failed(summary, changed) };
        end.hints = match &self.outcome {
            Ansible::NoHostsMatched => vec!["give a play in `site.yml` hosts out of the roles of `site.yaml`".to_owned()],
            Ansible::Unreachable { .. } => vec!["otto status".to_owned()],
            _ => Vec::new(),
        };
        end
    }
}

/// The last line of standard error that says something.
fn last_words(called: &Called) -> String {
    let text = std::fs::read_to_string(called.folder.join("stderr")).unwrap_or_default();
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let error = lines.clone().find(|l| l.to_ascii_lowercase().contains("error"));
    error.or_else(|| lines.next_back()).unwrap_or("it said nothing").chars().take(300).collect()
}

/// Runs a playbook once: writes inventory and callback beside the call, reads the callback's file.
pub(super) async fn once(
    context: &Context,
    unit: &UnitId,
    spec: &DeploymentSpec,
    hosts: &[Host],
    mut playbook: Playbook,
    step: &str,
    main: bool,
) -> Result<Played, Trouble> {
    let ansible: &Program = context.tools.ansible.as_ref().ok_or_else(|| UnitEnd::failed("no Ansible was found", false))?;
    let beside: Utf8PathBuf = context.home.join("runs").join(&context.recorder.run().0).join(format!("{}.{step}.d", unit.folder()));
    std::fs::create_dir_all(&beside).map_err(Trouble::file(&beside))?;
    let file = beside.join("inventory.json");
    let text = inventory_of(spec, hosts).to_string();
    disk::write_atomic(&file, text.as_bytes()).map_err(Trouble::file(&file))?;
    let local = hosts.iter().all(Host::is_local);
    playbook.folder = context.config.clone();
    playbook.program = ansible.path.clone();
    playbook.inventory = file;
    playbook.events = beside.join("events.jsonl");
    playbook.plugins = beside.join("plugins");
    playbook.home = local.then(|| context.hosts_folder(&spec.id).join(".ansible"));
    let stream = playbook.events.clone();
    let invocation = playbook.prepare().map_err(Trouble::file(&beside))?;
    let mut events = Events::new();
    let called = call(context, unit, Call { tool: "ansible-playbook", step, main, stream: Some(stream), invocation }, &mut events).await?;
    let report = events.report();
    let expected: Vec<String> = match &playbook.limit {
        Some(only) => vec![only.clone()],
        None => hosts.iter().map(|h| h.name.clone()).collect(),
    };
    let outcome = classify(&report, &called.end, &expected);
    Ok(Played { outcome, called, report, local })
}
