//! Config: one ansible-playbook run per deployment over a static inventory that otto writes from the declared hosts.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::super::call::{Call, Called, call};
use super::super::context::{Context, Prints, Program};
use super::super::reach;
use super::super::unit_end::{Trouble, UnitEnd, outcome_of};
use super::super::{https, inputs};
use super::surroundings::Surroundings;
use super::{build, vault};
use crate::model::name::counted;
use crate::model::tls::Source;
use crate::model::{
    Deployment, DeploymentId, DeploymentSpec, Diagnostic, Dirty, EventKind, Host, Phase, Timestamp, UnitId,
};
use crate::process::disk;
use crate::services::certificates::ensure;
use crate::tools::ansible::{Access, AnsibleOutcome, Events, Playbook, Report, callback, classify, explain, inventory};

/// How often an unreachable host is tried again: right after it was made, its SSH may not answer yet.
const ATTEMPTS: u32 = 3;

/// Configures a deployment.
pub(super) async fn run(context: &Context, unit: &UnitId, id: &DeploymentId) -> Result<UnitEnd, Trouble> {
    configure(context, unit, id, "configure", true).await
}

/// Configures a deployment in a call of this name; `main` as in [`Call`].
pub(super) async fn configure(
    context: &Context,
    unit: &UnitId,
    id: &DeploymentId,
    step: &str,
    main: bool,
) -> Result<UnitEnd, Trouble> {
    let mut record = existing(context, id)?;
    let _ground = context.grounds.take(&record.hosts).await;
    let spec = context.target(id)?.spec.clone();
    reach::wait(context, unit, &spec, &record.hosts, &record.hosts).await?;
    build::ensure(context, unit, &spec).await?;
    let check = context.requests.check;
    certificate(context, &spec, &record.hosts)?;
    let before = record.phase;
    if !check && (record.config_hash.is_some() || matches!(before, Phase::Configured | Phase::Tested)) {
        // Durable before the tool starts: an interrupted configuration is one that has to run again, and what is half
        // configured is not what was tested.
        record.config_hash = None;
        record.phase = if before == Phase::Partial { before } else { Phase::Provisioned };
        context.remember(unit, record.clone())?;
    }
    let play_of = Play { main, ..Play::new("site.yml", step) };
    let played = play(context, unit, &spec, &record.hosts, play_of).await;
    if let (Err(Trouble::End(end)), false) = (&played, check) {
        half_done(context, unit, &mut record, end)?;
    }
    let changed = played?;
    if check {
        return Ok(UnitEnd::ok(format!("check: {} would change something", counted(changed, "task")), false));
    }
    record.config_hash = Some(hash(&context.home, &context.prints, &spec, &record.hosts, context.now()));
    record.spec = spec;
    if record.phase == Phase::Provisioned {
        record.phase = if before == Phase::Tested { before } else { Phase::Configured };
    }
    if record.dirty.as_ref().is_some_and(|d| d.in_flight.is_empty()) && record.phase != Phase::Partial {
        // What a failover test left stopped is started again by every configuration.
        record.dirty = None;
    }
    context.remember(unit, record)?;
    let summary =
        if changed == 0 { "nothing to change".to_owned() } else { format!("{} changed", counted(changed, "task")) };
    Ok(UnitEnd::ok(summary, changed > 0))
}

/// Hosts that a playbook changed and did not finish with: status says so, and what to do.
fn half_done(context: &Context, unit: &UnitId, record: &mut Deployment, end: &UnitEnd) -> Result<(), Trouble> {
    if !end.changed || record.adrift().is_some() {
        return Ok(());
    }
    let run = context.recorder.run();
    let why = end.summary.lines().next().unwrap_or_default();
    record.phase = Phase::Provisioned;
    record.dirty = Some(Dirty {
        reason: format!("half configured by run {run}: {why}"),
        repair: format!("otto resume {run} --yes"),
        in_flight: Vec::new(),
        unfinished: Vec::new(),
    });
    context.remember(unit, record.clone())
}

/// What the hosts are to serve HTTPS with, ready before anything is touched.
fn certificate(context: &Context, spec: &DeploymentSpec, hosts: &[Host]) -> Result<(), Trouble> {
    let Some(tls) = &spec.tls else { return Ok(()) };
    if matches!(tls.source, Source::Acme { .. }) && hosts.iter().all(Host::is_local) {
        let what =
            "`tls: acme` needs hosts that an authority reaches by the site's domains, and these are on this machine";
        return Err(UnitEnd::failed(what, false).hint("tls: self-signed").into());
    }
    let made = ensure(&https::folder(&context.home), spec, tls, context.title.as_str(), context.now());
    made.map(drop).map_err(|why| {
        let end = UnitEnd::failed(format!("the certificate cannot be used: {why}"), false);
        match tls.source {
            Source::Files { .. } => end.hint("name a certificate and the key that belongs to it in `site.yaml`").into(),
            _ => end.into(),
        }
    })
}

/// The record of a deployment that has hosts.
pub(super) fn existing(context: &Context, id: &DeploymentId) -> Result<Deployment, Trouble> {
    let record = context.memory.record(id).filter(|r| r.phase.exists() && !r.hosts.is_empty());
    let record =
        record.ok_or_else(|| UnitEnd::failed("no hosts are known of it", false).hint(format!("otto up {id}")))?;
    match super::root::moved(context, &record.home) {
        Some(end) => Err(end.into()),
        None => Ok(record),
    }
}

/// The inventory of a deployment: the same value is hashed, written and given to Ansible. `home` is `.otto`.
fn inventory_of(home: &Utf8Path, spec: &DeploymentSpec, hosts: &[Host]) -> Value {
    inventory(spec, hosts, &secured_access(home, spec))
}

fn secured_access(home: &Utf8Path, spec: &DeploymentSpec) -> Access {
    Access { vars: https::variables(home, spec), ..Access::default() }
}

/// All that a configuration of these hosts depends on: playbook, inventory, content, certificate. `home` is `.otto`.
pub fn hash(home: &Utf8Path, prints: &Prints, spec: &DeploymentSpec, hosts: &[Host], now: Timestamp) -> String {
    let content = prints.content.get(&spec.id.site).cloned().unwrap_or_default();
    let certificate = https::print(home, spec, now);
    inputs::config_hash(&prints.config, &inventory_of(home, spec, hosts), &format!("{content}{certificate}"))
}

/// One playbook to run.
#[derive(Clone, Debug)]
pub(super) struct Play {
    /// Below `clowd/config`.
    pub(super) file: &'static str,
    /// The call's step.
    pub(super) step: String,
    /// It has the unit's plain folder, and what followed `--`.
    pub(super) main: bool,
    /// Only this host.
    pub(super) only: Option<String>,
    /// Variables that beat all others.
    pub(super) extra: Option<Value>,
}

impl Play {
    /// A playbook over all hosts, as a step beside the unit's main one.
    pub(super) fn new(file: &'static str, step: &str) -> Self {
        Self { file, step: step.to_owned(), main: false, only: None, extra: None }
    }
}

/// Plays a playbook over these hosts; returns how many tasks changed something.
pub(super) async fn play(
    context: &Context,
    unit: &UnitId,
    spec: &DeploymentSpec,
    hosts: &[Host],
    play: Play,
) -> Result<u32, Trouble> {
    let local = hosts.iter().all(Host::is_local);
    for attempt in 1.. {
        let step = if attempt == 1 { play.step.clone() } else { format!("{}-{attempt}", play.step) };
        let again = Play { step, main: play.main && attempt == 1, ..play.clone() };
        let played = once(context, unit, spec, hosts, &again).await?;
        match &played.outcome {
            AnsibleOutcome::Ok { changed } if !played.called.interrupted => return Ok(*changed),
            AnsibleOutcome::Unreachable { hosts } if attempt < ATTEMPTS && !local && !played.called.interrupted => {
                context.tally.retry();
                let why = format!("unreachable: {}", hosts.join(", "));
                context.record(unit, EventKind::Retry { attempt, of: ATTEMPTS - 1, why })?;
                tokio::time::sleep(std::time::Duration::from_secs(u64::from(attempt) * 4)).await;
            }
            _ => return Err(played.into_end().into()),
        }
    }
    unreachable!("the last attempt returns")
}

/// One run of a playbook, classified.
pub(super) struct Played {
    pub(super) outcome: AnsibleOutcome,
    pub(super) called: Called,
    report: Report,
    /// As the person knows it.
    playbook: String,
}

impl Played {
    /// What a run that did not end well means for its unit.
    pub(super) fn into_end(self) -> UnitEnd {
        let summary = match &self.outcome {
            _ if self.called.interrupted => "the playbook was interrupted: hosts may be half configured".to_owned(),
            AnsibleOutcome::HostsFailed { .. } => match self.report.failures.first() {
                Some(first) => format!("task `{}` failed on {}: {}", first.task, first.host, first.msg),
                None => self.outcome.describe(),
            },
            AnsibleOutcome::BadPlaybook { .. } => format!("the playbook cannot be run: {}", last_words(&self.called)),
            other => other.describe(),
        };
        // Interrupted or seen by nobody: what it did is unknown, which is not nothing.
        let unknown = self.called.interrupted || self.outcome == AnsibleOutcome::Interrupted;
        let changed = self.report.changed > 0 || unknown && self.report.tasks > 0;
        let mut end = UnitEnd { outcome: outcome_of(&self.called), ..UnitEnd::failed(summary, changed) };
        end.hints = explain::hints(&self.report, &said(&self.called));
        if self.outcome == AnsibleOutcome::NoHostsMatched {
            end.hints.push(format!("`hosts:` in {} has to name `all`, a role or a host of it", self.playbook));
        }
        end
    }
}

fn said(called: &Called) -> String {
    std::fs::read_to_string(called.folder.join("stderr")).unwrap_or_default()
}

/// What standard error says, in one line.
fn last_words(called: &Called) -> String {
    let text = said(called);
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let error = lines.clone().find(|l| l.contains("ERROR") || l.contains("rror:"));
    let words = error.or_else(|| lines.next_back()).unwrap_or("it said nothing");
    words.chars().take(400).collect()
}

/// Runs a playbook once: writes inventory and callback beside the call, reads the callback's file.
pub(super) async fn once(
    context: &Context,
    unit: &UnitId,
    spec: &DeploymentSpec,
    hosts: &[Host],
    play: &Play,
) -> Result<Played, Trouble> {
    let ansible: &Program =
        context.tools.ansible.as_ref().ok_or_else(|| UnitEnd::failed("no Ansible was found", false))?;
    let run = context.home.join("runs").join(&context.recorder.run().0);
    let beside: Utf8PathBuf = run.join(format!("{}.{}.files", unit.folder(), play.step));
    std::fs::create_dir_all(&beside).map_err(Trouble::file(&beside))?;
    let write = |name: &str, value: &Value| -> Result<Utf8PathBuf, Trouble> {
        let path = beside.join(name);
        disk::write_atomic(&path, value.to_string().as_bytes(), 0o600).map_err(Trouble::file(&path))?;
        Ok(path)
    };
    let local = hosts.iter().all(Host::is_local);
    // All hosts of the deployment may be on the way to one of these.
    let known = context
        .memory
        .record(&spec.id)
        .map(|r| r.hosts)
        .filter(|all| all.iter().any(|h| hosts.iter().any(|o| o.name == h.name)));
    let ssh = Some(context.access_ready(spec, known.as_deref().unwrap_or(hosts))?).filter(|_| !local);
    vault::learn(context, &ansible.path, &beside).await;
    context.secrets.learn_outputs(&context.terraform_folder(&spec.id).join("terraform.tfstate"));
    let inventory =
        write("inventory.json", &inventory(spec, hosts, &Access { ssh, ..secured_access(&context.home, spec) }))?;
    let extra_vars = play.extra.as_ref().map(|extra| write("extra.json", extra)).transpose()?;
    let plugins = beside.join("plugins");
    callback::install(&plugins).map_err(Trouble::file(&plugins))?;
    let around = Surroundings::of(context, unit, &ansible.path, &plugins, local).await?;
    let events = beside.join("events.jsonl");
    let playbook = Playbook {
        program: ansible.path.clone(),
        playbook: context.config.join(play.file),
        inventory,
        cwd: context.config.clone(),
        limit: play.only.iter().cloned().collect(),
        check: context.requests.check,
        extra_vars,
        passthrough: if play.main { context.requests.passthrough.clone() } else { Vec::new() },
        callbacks: around.callbacks,
        events: events.clone(),
        config: around.config,
        home: local.then(|| beside.join("home")),
        control_dir: (!local).then(|| context.sockets.clone()),
        env: around.env,
    };
    let mut reader = Events::new();
    let call_of = Call {
        tool: "ansible-playbook",
        step: &play.step,
        main: play.main,
        stream: Some(events),
        invocation: playbook.run(),
        lock: None,
    };
    let called = call(context, unit, call_of, &mut reader).await?;
    let report = reader.report();
    let expected: Vec<String> = match &play.only {
        Some(only) => vec![only.clone()],
        None if playbook.passthrough.is_empty() => hosts.iter().map(|h| h.name.clone()).collect(),
        // `--limit` and `--tags` behind `--` narrow it down.
        None => Vec::new(),
    };
    let outcome = classify(&report, &called.end, &expected);
    if matches!(outcome, AnsibleOutcome::BadPlaybook { .. })
        && let Some((file, line)) = explain::place(&said(&called))
    {
        let file = Some(context.source(unit, &file));
        let diagnostic = Diagnostic { file, line: Some(line), ..Diagnostic::error(last_words(&called)) };
        context.record(unit, EventKind::Diagnostic { diagnostic })?;
    }
    Ok(Played { outcome, called, report, playbook: format!("clowd/config/{}", play.file) })
}
