//! How long the store takes for what every command does: `cargo bench --bench store`.

use std::io::Write;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use otto::model::event::SCHEMA;
use otto::model::{Deployment, Event, EventKind, RunId, Sink, Timestamp};
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

fn main() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = Utf8PathBuf::from_path_buf(temporary.path().to_owned()).expect("UTF-8");
    let home = folder.join(".otto");
    let mut report = String::new();
    let mut say = |what: &str, took: Duration| report.push_str(&format!("{what:<44} {took:>10.2?}\n"));

    let start = Instant::now();
    let store = Store::open(&home, "0").expect("opens");
    say("first open", start.elapsed());
    let mut seq = 0;
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
