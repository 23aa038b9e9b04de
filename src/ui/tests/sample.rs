//! Made-up runs and reports.

use crate::model::status::StatusReport;
use crate::model::{Diagnostic, Event, EventKind, Outcome, PlannedUnit, RunId, Timestamp, Totals, UnitId};

/// 2026-11-21T06:25:31.399Z
pub(super) const START: Timestamp = Timestamp(1_795_242_331_399);

/// Makes events of one run, each some milliseconds after the last.
pub(super) struct Tape {
    pub(super) events: Vec<Event>,
    at: Timestamp,
}

pub(super) fn unit(text: &str) -> UnitId {
    text.parse().expect("a unit")
}

pub(super) fn planned(id: &str, action: &str, why: &str, after: &[&str], destroys: &[&str]) -> PlannedUnit {
    let id = unit(id);
    PlannedUnit {
        stage: id.stage,
        deployment: id.deployment().cloned(),
        id,
        action: serde_json::from_value(action.into()).expect("an action"),
        why: why.to_owned(),
        after: after.iter().map(|id| unit(id)).collect(),
        destroys: destroys.iter().map(|text| (*text).to_owned()).collect(),
    }
}

impl Tape {
    pub(super) fn new(verb: &str, units: Vec<PlannedUnit>) -> Self {
        let mut tape = Self { events: Vec::new(), at: START };
        let argv = vec!["otto".to_owned(), verb.to_owned()];
        tape.push(0, None, EventKind::RunStarted { verb: verb.to_owned(), argv, version: "0.1.0".into(), units });
        tape
    }

    pub(super) fn push(&mut self, after_ms: i64, unit_id: Option<&str>, kind: EventKind) -> &mut Self {
        self.at = Timestamp(self.at.0 + after_ms);
        self.events.push(Event {
            schema: crate::model::event::SCHEMA.to_owned(),
            at: self.at,
            run: RunId("20261121-062531-a3f9".into()),
            seq: self.events.len() as u64 + 1,
            unit: unit_id.map(unit),
            kind,
        });
        self
    }

    pub(super) fn start(&mut self, id: &str, tool: &str, step: &str) -> &mut Self {
        let folder = format!("runs/20261121-062531-a3f9/{}.{step}", unit(id).folder());
        self.push(5, Some(id), EventKind::UnitStarted { why: "not made yet".into() });
        self.push(1, Some(id), EventKind::Intended { tool: tool.into(), step: step.into(), folder });
        self.push(2, Some(id), EventKind::Started { pid: 4711, start_time: 99 })
    }

    pub(super) fn progress(&mut self, id: &str, done: u32, total: u32, what: &str) -> &mut Self {
        self.push(120, Some(id), EventKind::Progress { done, total, what: what.into() })
    }

    pub(super) fn end(&mut self, id: &str, outcome: Outcome, took_ms: u64, summary: &str, hints: &[&str]) -> &mut Self {
        let ran = !matches!(outcome, Outcome::Skipped | Outcome::Blocked);
        let kind = EventKind::UnitEnded {
            outcome,
            took_ms,
            summary: summary.into(),
            changed: outcome == Outcome::Ok,
            hints: hints.iter().map(|hint| (*hint).to_owned()).collect(),
            log: ran.then(|| format!("runs/20261121-062531-a3f9/{}.apply", unit(id).folder())),
        };
        self.push(300, Some(id), kind)
    }

    pub(super) fn finish(&mut self, outcome: Outcome, code: u8, totals: Totals) -> Vec<Event> {
        self.push(10, None, EventKind::RunEnded { outcome, code, totals });
        std::mem::take(&mut self.events)
    }
}

fn up_units() -> Vec<PlannedUnit> {
    let mut units = vec![
        planned("local/nginx:images", "skip", "unchanged since 20261120-101500-77aa", &[], &[]),
        planned("local/haproxy:images", "run", "the template changed", &[], &[]),
    ];
    for site in ["hello", "blog"] {
        let id = |stage: &str| format!("dev/local/{site}:{stage}");
        let (provision, config, test) = (id("provision"), id("config"), id("test"));
        units.push(planned(&provision, "run", "not made yet", &["local/haproxy:images"], &[]));
        units.push(planned(&config, "run", "not configured yet", &[&provision], &[]));
        units.push(planned(&test, "run", "not tested yet", &[&config], &[]));
    }
    units
}

fn counts(pairs: &[(&str, u32)]) -> std::collections::BTreeMap<String, u32> {
    pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect()
}

/// A run in which all goes well, with a retry and two warnings.
pub(super) fn good_run() -> Vec<Event> {
    let mut tape = Tape::new("up", up_units());
    tape.end("local/nginx:images", Outcome::Skipped, 0, "unchanged since 20261120-101500-77aa", &[]);
    tape.start("local/haproxy:images", "packer", "build");
    tape.push(900, None, EventKind::Note { text: "`TF_WORKSPACE` is set and was dropped".into(), warning: true });
    tape.end("local/haproxy:images", Outcome::Ok, 1_400, "built haproxy 3.1 MB", &[]);
    for site in ["hello", "blog"] {
        let id = |stage: &str| format!("dev/local/{site}:{stage}");
        let (provision, config, test) = (id("provision"), id("config"), id("test"));
        tape.start(&provision, "terraform", "apply");
        tape.progress(&provision, 1, 3, "creating terraform_data.boot[\"www-1\"]");
        if site == "hello" {
            let why = "the state was locked by another process".to_owned();
            tape.push(10, Some(&provision), EventKind::Retry { attempt: 2, of: 3, why });
        }
        tape.end(&provision, Outcome::Ok, 431, "3 created", &[]);
        tape.start(&config, "ansible-playbook", "site");
        let mut warning = Diagnostic::error("the module `shell` \u{1b}[2Jis used where `command` would do");
        warning.warning = true;
        (warning.file, warning.line) = (Some("clowd/config/roles/nginx/tasks/main.yml".into()), Some(12));
        tape.push(50, Some(&config), EventKind::Diagnostic { diagnostic: warning });
        tape.progress(&config, 9, 18, "nginx : write the site's file");
        tape.end(&config, Outcome::Ok, 3_950, "18 tasks, 9 changed on 3 hosts", &[]);
        tape.push(1, Some(&test), EventKind::UnitStarted { why: "not tested yet".into() });
        for name in ["www-1 up", "home"] {
            let check = serde_json::json!({"name": name, "kind": "http", "target": "http://127.0.0.1:8080/", "state": "ok", "latency_ms": 3, "detail": ""});
            tape.push(4, Some(&test), EventKind::Checked { check: serde_json::from_value(check).expect("a check") });
        }
        tape.end(&test, Outcome::Ok, 212, "2 checks ok", &[]);
    }
    let totals = Totals {
        wall_ms: 12_345,
        install_ms: 0,
        stages_ms: [("images", 1_400), ("provision", 900), ("config", 8_100), ("test", 430)]
            .map(|(stage, ms)| (stage.to_owned(), ms))
            .into(),
        tool_calls: counts(&[("packer", 1), ("terraform", 3), ("ansible-playbook", 2)]),
        units: counts(&[("ok", 7), ("skipped", 1)]),
        retries: 1,
    };
    tape.finish(Outcome::Ok, 0, totals)
}

fn port_taken() -> Diagnostic {
    Diagnostic {
        warning: false,
        summary: "local-exec provisioner error".into(),
        detail: "Error running command 'sh boot.sh': exit status 98. Output:\nstarting nginx for www-1\n\n\u{1b}[31mnginx: [emerg] bind() to 127.0.0.1:8080 failed (98: Address already in use)\u{1b}[0m".into(),
        file: Some("clowd/provision/local/main.tf".into()),
        line: Some(31),
        about: Some("terraform_data.boot[\"www-1\"]".into()),
        host: None,
    }
}

/// A run in which two sites fail for the same reason and their later stages are blocked.
pub(super) fn failed_run() -> Vec<Event> {
    let mut tape = Tape::new("up", up_units());
    tape.end("local/nginx:images", Outcome::Skipped, 0, "unchanged since 20261120-101500-77aa", &[]);
    tape.start("local/haproxy:images", "packer", "build");
    tape.end("local/haproxy:images", Outcome::Ok, 1_400, "built haproxy 3.1 MB", &[]);
    for site in ["hello", "blog"] {
        tape.start(&format!("dev/local/{site}:provision"), "terraform", "apply");
    }
    for (site, took) in [("hello", 2_100), ("blog", 2_900)] {
        let id = |stage: &str| format!("dev/local/{site}:{stage}");
        tape.push(10, Some(&id("provision")), EventKind::Diagnostic { diagnostic: port_taken() });
        let hints = [
            "stop what listens on 127.0.0.1:8080, or give the site another port with `vars: {http_port: 8090}` in its `site.yaml`",
        ];
        tape.end(
            &id("provision"),
            Outcome::Failed,
            took,
            "terraform apply: exit code 1, 1 of 3 resources made",
            &hints,
        );
        for stage in ["config", "test"] {
            tape.end(&id(stage), Outcome::Blocked, 0, &format!("dev/local/{site}:provision failed"), &[]);
        }
    }
    let totals = Totals {
        wall_ms: 4_900,
        stages_ms: [("images".to_owned(), 1_400), ("provision".to_owned(), 2_900)].into(),
        tool_calls: counts(&[("packer", 1), ("terraform", 2)]),
        ..Totals::default()
    };
    tape.finish(Outcome::Failed, 32, totals)
}

/// Two deployments at work for over a minute, and `more` beside them.
pub(super) fn busy_run(more: usize) -> Vec<Event> {
    let mut units = up_units();
    for n in 0..more {
        units.push(planned(&format!("dev/local/site-{n}:provision"), "run", "not made yet", &[], &[]));
    }
    let mut tape = Tape::new("up", units);
    tape.end("local/nginx:images", Outcome::Skipped, 0, "unchanged", &[]);
    tape.start("dev/local/hello:provision", "terraform", "apply");
    tape.progress("dev/local/hello:provision", 12, 30, "creating terraform_data.boot[\"www-1\"]");
    tape.start("dev/local/blog:provision", "terraform", "plan");
    tape.start("local/haproxy:images", "packer", "build");
    tape.progress("local/haproxy:images", 0, 0, "unpacking libssl3, a long line of words 日本語 that goes on and on beyond what fits into eighty columns or even a hundred and forty");
    for n in 0..more {
        tape.start(&format!("dev/local/site-{n}:provision"), "terraform", "apply");
    }
    std::mem::take(&mut tape.events)
}

/// Five deployments: well, dirty with failing checks, protected and priced, destroyed, never made; and an orphan.
pub(super) fn status_report() -> StatusReport {
    serde_json::from_str(include_str!("status.json")).expect("a status report")
}
