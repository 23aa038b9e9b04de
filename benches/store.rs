//! How long the store takes for what every command does: `cargo bench --bench store`.
//!
//! `cargo bench --bench store -- --fill FOLDER [N]` instead makes a store of N deployments (500) with five runs over all
//! of them in that `.otto` folder: what `benches/startup` asks `otto status` about.

use std::io::Write;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use otto::model::event::SCHEMA;
use otto::model::{Deployment, Event, EventKind, Outcome, RunId, Sink, Stage, Timestamp, UnitId};
use otto::store::{Store, list_copies, restore, save_copy};
use serde_json::json;

fn deployment(n: usize) -> Deployment {
    let id = format!("dev/local/site-{n}");
    let hosts: Vec<_> = (1..=5)
        .map(
            |n| json!({"name": format!("www-{n}"), "role": "www", "address": "127.0.0.1", "image": "/images/a.tar.gz"}),
        )
        .collect();
    let roles = json!({"www": {"image": "nginx", "count": 5, "size": "small"}});
    serde_json::from_value(json!({
        "id": id, "phase": "tested", "created_at": "2026-11-21T06:25:31.399Z", "run": "r1", "owner": "me@here",
        "home": "/somewhere/.otto", "hosts": hosts,
        "spec": {"id": id, "domains": ["a.localhost"], "roles": roles, "content": null, "checks": [],
                 "region": "here", "vars": {}, "ttl_s": null, "protect": false}
    }))
    .expect("a deployment")
}

fn event(seq: u64, kind: EventKind) -> Event {
    Event { schema: SCHEMA.into(), at: Timestamp(1), run: RunId("r1".into()), seq, unit: None, kind }
}

/// The median of so many calls.
fn median(times: usize, mut call: impl FnMut()) -> Duration {
    let mut all: Vec<Duration> = (0..times)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed()
        })
        .collect();
    all.sort();
    all[times / 2]
}

/// A store as it is after some weeks with many sites.
fn fill(home: &Utf8PathBuf, count: usize) {
    let store = Store::open(home, "0").expect("opens");
    for n in 1..=5 {
        let run = RunId(format!("2026112{n}-062531-0000"));
        let mut seq = 0_u64;
        let mut put = |unit: Option<UnitId>, kind| {
            seq += 1;
            let at = Timestamp(1_795_000_000_000 + n * 86_400_000 + seq.cast_signed());
            let event = Event { schema: SCHEMA.into(), at, run: run.clone(), seq, unit, kind };
            store.record(&event).expect("recorded");
        };
        let argv = vec!["otto".to_owned(), "up".to_owned()];
        put(None, EventKind::RunStarted { verb: "up".into(), argv, version: "0".into(), units: Vec::new() });
        for site in 0..count {
            let record = Deployment { home: home.to_string(), ..deployment(site) };
            for stage in [Stage::Provision, Stage::Config, Stage::Test] {
                let unit = Some(UnitId::of(&record.id, stage));
                put(unit.clone(), EventKind::UnitStarted { why: "new: 5 hosts".into() });
                let (summary, outcome) = ("done".to_owned(), Outcome::Ok);
                let ended =
                    EventKind::UnitEnded { outcome, took_ms: 9, summary, changed: true, hints: Vec::new(), log: None };
                put(unit, ended);
            }
            put(None, EventKind::Deployment { record: Box::new(record) });
        }
        put(None, EventKind::RunEnded { outcome: Outcome::Ok, code: 0, totals: otto::model::event::Totals::default() });
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|arg| arg == "--fill") {
        let count = args.get(at + 2).and_then(|n| n.parse().ok()).unwrap_or(500);
        return fill(&Utf8PathBuf::from(&args[at + 1]), count);
    }
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = Utf8PathBuf::from_path_buf(temporary.path().to_owned()).expect("UTF-8");
    let home = folder.join(".otto");
    let mut report = String::new();
    let mut say = |what: &str, took: Duration| report.push_str(&format!("{what:<44} {took:>10.2?}\n"));

    let start = Instant::now();
    let store = Store::open(&home, "0").expect("opens");
    say("first open", start.elapsed());
    let mut seq = 0_u64;
    let mut next = || {
        seq += 1;
        seq
    };
    let start = Instant::now();
    for n in 0..500 {
        store.record(&event(next(), EventKind::Deployment { record: Box::new(deployment(n)) })).expect("recorded");
    }
    say("500 deployments recorded, each durable", start.elapsed());
    let progress = || EventKind::Progress { done: 1, total: 9, what: "a resource is made".into() };
    let start = Instant::now();
    for _ in 0..10_000 {
        store.record(&event(next(), progress())).expect("recorded");
    }
    say("10000 progress events", start.elapsed());
    say("deployments() of 500", median(50, || assert_eq!(store.deployments().expect("reads").len(), 500)));
    say("last_run()", median(50, || drop(store.last_run().expect("reads"))));
    let start = Instant::now();
    save_copy(&store, &folder, "p", &folder, &[]).expect("copies");
    say("save_copy", start.elapsed());
    say(
        "save_copy, nothing changed",
        median(9, || drop(save_copy(&store, &folder, "p", &folder, &[]).expect("copies"))),
    );
    drop(store);
    say("open", median(30, || drop(Store::open(&home, "0").expect("opens"))));
    say("open_read_only", median(30, || drop(Store::open_read_only(&home).expect("opens"))));
    let copy = list_copies(&folder, "p").expect("lists").remove(0);
    let start = Instant::now();
    restore(&copy, &folder.join("other")).expect("restores");
    say("restore", start.elapsed());
    std::io::stdout().write_all(report.as_bytes()).expect("writes");
}
