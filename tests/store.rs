//! The store against a real disk: round trips, kills, cuts, full and read-only folders, old files, copies.
//! This binary is also the child process of its own tests: see `child`.

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use otto::model::event::SCHEMA;
use otto::model::{Deployment, Event, EventKind, Image, Outcome, RunId, Sink, Timestamp, Totals};
use otto::store::Store;
use serde_json::json;

#[path = "store/copies.rs"]
mod copies;
#[path = "store/damage.rs"]
mod damage;
#[path = "store/disk.rs"]
mod disk;
#[path = "store/journal.rs"]
mod journal;
#[path = "store/processes.rs"]
mod processes;

/// What a child process is to do, and where.
const TASK: &str = "OTTO_TEST_STORE_TASK";
const PLACE: &str = "OTTO_TEST_STORE_PLACE";

struct Folder {
    _temporary: tempfile::TempDir,
    path: Utf8PathBuf,
}

impl Folder {
    fn new() -> Self {
        let temporary = tempfile::tempdir().expect("a folder");
        let path = Utf8PathBuf::from_path_buf(temporary.path().to_owned()).expect("UTF-8");
        Self { _temporary: temporary, path }
    }

    /// Its `.otto`.
    fn home(&self) -> Utf8PathBuf {
        self.path.join(".otto")
    }

    fn open(&self) -> Store {
        Store::open(&self.home(), "0.1.0").expect("a store")
    }
}

fn run(name: &str) -> RunId {
    RunId(name.to_owned())
}

fn event(run_name: &str, seq: u64, unit: Option<&str>, kind: EventKind) -> Event {
    let unit = unit.map(|unit| unit.parse().expect("a unit"));
    let at = Timestamp(1_800_000_000_000 + i64::try_from(seq).expect("small"));
    Event { schema: SCHEMA.into(), at, run: run(run_name), seq, unit, kind }
}

fn started() -> EventKind {
    EventKind::RunStarted { verb: "up".into(), argv: vec!["otto".into()], version: "0.1.0".into(), units: Vec::new() }
}

fn run_ended() -> EventKind {
    EventKind::RunEnded { outcome: Outcome::Ok, code: 0, totals: Totals::default() }
}

fn note(text: &str) -> EventKind {
    EventKind::Note { text: text.into(), warning: false }
}

fn intended(folder: &str) -> EventKind {
    EventKind::Intended { tool: "terraform".into(), step: "apply".into(), folder: folder.into() }
}

fn unit_ended(outcome: Outcome) -> EventKind {
    EventKind::UnitEnded {
        outcome,
        took_ms: 12,
        summary: "done".into(),
        changed: true,
        hints: Vec::new(),
        log: Some("runs/x/y".into()),
    }
}

fn deployment(id: &str, phase: &str, hosts: &[&str]) -> Deployment {
    let parts: Vec<&str> = id.split('/').collect();
    assert_eq!(parts.len(), 3);
    let hosts: Vec<_> =
        hosts.iter().map(|name| json!({"name": name, "role": "www", "address": "127.0.0.1", "image": "i-1"})).collect();
    let record = json!({
        "id": id, "phase": phase, "created_at": "2026-11-21T06:25:31.399Z", "run": "r1", "owner": "me@here",
        "home": "/somewhere/.otto", "hosts": hosts,
        "spec": {"id": id, "domains": ["a.localhost"], "roles": {"www": {"image": "nginx", "count": 2, "size": "small"}},
                 "content": null, "checks": [], "region": "here", "vars": {}, "ttl_s": null, "protect": false}
    });
    serde_json::from_value(record).expect("a deployment")
}

fn recorded(id: &str, phase: &str, hosts: &[&str]) -> EventKind {
    EventKind::Deployment { record: Box::new(deployment(id, phase, hosts)) }
}

fn image(appliance: &str, reference: &str, built_at: i64) -> Image {
    Image {
        provider: "local".parse().expect("a name"),
        appliance: appliance.parse().expect("a name"),
        hash: "abc".into(),
        reference: reference.into(),
        size: Some(5),
        run: run("r1"),
        built_at: Timestamp(built_at),
    }
}

/// Records a run's first events: its start, then these.
fn record(store: &Store, run_name: &str, kinds: Vec<EventKind>) {
    for (n, kind) in std::iter::once(started()).chain(kinds).enumerate() {
        store.record(&event(run_name, n as u64 + 1, None, kind)).expect("recorded");
    }
}

/// Whether it comes true before patience ends; other work on the machine may slow it down.
fn soon(mut is_true: impl FnMut() -> bool) -> bool {
    (0..3000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        is_true()
    })
}

/// This binary again, as a process of its own.
fn spawn(task: &str, place: &Utf8Path) -> Child {
    Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(TASK, task)
        .env(PLACE, place)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("a child")
}

/// Not a test: what a child process does.
#[test]
fn child() {
    let Ok(task) = std::env::var(TASK) else { return };
    let place = Utf8PathBuf::from(std::env::var(PLACE).expect("a place"));
    match task.split_once(' ').expect("a task and its name") {
        ("open", name) => {
            while !place.join("go").exists() {
                std::thread::sleep(Duration::from_micros(200));
            }
            let store = Store::open(&place.join(".otto"), "0.1.0").expect("opens");
            store.record(&event(name, 1, None, started())).expect("records");
            let line = format!("{} {}\n", store.id(), store.is_new());
            fs::write(place.join(format!("opened-{name}")), line).expect("writes");
        }
        ("write", name) => {
            let store = Store::open(&place.join(".otto"), "0.1.0").expect("opens");
            let mut seen = fs::File::create(place.join(format!("seen-{name}"))).expect("a file");
            store.record(&event(name, 1, None, started())).expect("records");
            writeln!(seen, "1").expect("writes");
            for seq in 2.. {
                let kind = match seq % 4 {
                    0 => recorded(&format!("dev/local/{name}"), "provisioned", &["www-1"]),
                    1 => note("a line"),
                    _ => intended(&format!("runs/{seq}")),
                };
                let durable = kind.is_durable();
                store.record(&event(name, seq, None, kind)).expect("records");
                if durable {
                    writeln!(seen, "{seq}").expect("writes");
                }
            }
        }
        (other, _) => panic!("no task `{other}`"),
    }
}
