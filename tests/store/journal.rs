//! What goes in comes out, and what an event changes is changed.

use super::*;
use otto::model::Phase;
use otto::model::ledger::{PriceUnit, Rule};
use otto::model::{Price, Resource, Subject};
use otto::store::{DriftRow, RunMatch};

#[test]
fn a_run_is_folded_into_its_tables_and_reads_back_after_reopening() {
    let folder = Folder::new();
    let unit = Some("dev/local/hello:provision");
    let written: Vec<Event> = vec![
        event("r1", 1, None, started()),
        event("r1", 2, unit, EventKind::UnitStarted { why: "new".into() }),
        event("r1", 3, unit, intended("runs/r1/x")),
        event("r1", 4, unit, EventKind::Started { pid: 7, start_time: u64::MAX >> 1 }),
        event("r1", 5, unit, EventKind::Progress { done: 1, total: 0, what: "töne \u{0} \"quoted\"".into() }),
        event("r1", 6, unit, recorded("dev/local/hello", "provisioned", &["www-1", "www-2"])),
        event("r1", 7, None, EventKind::Image { record: image("nginx", "/a", 1) }),
        event("r1", 8, None, EventKind::Image { record: image("nginx", "/b", 2) }),
        event("r1", 9, None, EventKind::Image { record: image("haproxy", "/c", 3) }),
        event("r1", 10, None, EventKind::ImageGone { reference: "/c".into() }),
        event("r1", 11, unit, unit_ended(Outcome::Failed)),
        event("r1", 12, None, run_ended()),
    ];
    let (id, created) = {
        let store = folder.open();
        assert!(store.is_new() && store.is_empty().expect("reads"));
        for event in &written {
            store.record(event).expect("recorded");
        }
        assert_eq!(store.events(&run("r1"), 0, 100).expect("reads"), written);
        (store.id().to_owned(), store.created_at())
    };
    assert_eq!(id.len(), 16);
    for store in [folder.open(), Store::open_read_only(&folder.home()).expect("opens")] {
        assert!(!store.is_new() && !store.is_empty().expect("reads"));
        assert_eq!((store.id(), store.created_at()), (id.as_str(), created));
        assert_eq!(store.events(&run("r1"), 0, 100).expect("reads"), written);
        assert_eq!(store.events(&run("r1"), 9, 2).expect("reads"), written[9..11]);
        let all = store.deployments().expect("reads");
        assert_eq!(all, [deployment("dev/local/hello", "provisioned", &["www-1", "www-2"])]);
        assert_eq!(store.deployment(&all[0].id).expect("reads").as_ref(), Some(&all[0]));
        let images = store.images().expect("reads");
        assert_eq!(images.iter().map(|i| i.reference.as_str()).collect::<Vec<_>>(), ["/b", "/a"]);
        let newest = store.image(&images[0].provider, &images[0].appliance).expect("reads");
        assert_eq!(newest.as_ref(), Some(&images[0]));
        let summary = store.run(&run("r1")).expect("reads").expect("the run");
        assert_eq!(store.runs(5).expect("reads"), std::slice::from_ref(&summary));
        assert_eq!((summary.verb.as_str(), summary.outcome), ("up", Outcome::Ok));
        assert_eq!(summary.ended_at, Some(written[11].at));
        assert_eq!(summary.units.len(), 1);
        assert_eq!((summary.units[0].outcome, summary.units[0].took_ms), (Outcome::Failed, Some(12)));
        assert!(store.unended_runs().expect("reads").is_empty());
        assert!(store.examine().expect("reads").is_empty());
    }
}

#[test]
fn numbers_continue_their_run_or_are_refused() {
    let folder = Folder::new();
    let store = folder.open();
    let refused = |seq| {
        let error = store.record(&event("r1", seq, None, note("x"))).expect_err("refused");
        assert!(!error.full && error.what.contains("refused"), "{error}");
    };
    refused(2);
    record(&store, "r1", vec![note("a")]);
    refused(1);
    refused(4);
    store.record(&event("r1", 2, None, note("instead"))).expect("one that waits may be repeated");
    store.record(&event("r1", 3, None, note("b"))).expect("the next");
    drop(store);
    let store = folder.open();
    assert_eq!(store.last_seq(&run("r1")).expect("reads"), 3);
    assert_eq!(store.events(&run("r1"), 1, 1).expect("reads")[0].kind, note("instead"));
    store.record(&event("r1", 4, None, note("c"))).expect("goes on after reopening");
}

#[test]
fn another_process_may_add_to_a_run_and_a_writer_that_lost_the_race_is_told() {
    let folder = Folder::new();
    let (one, other) = (folder.open(), folder.open());
    record(&one, "r1", vec![]);
    let added = other.append(&run("r1"), Timestamp(5), None, note("lost")).expect("appends");
    assert_eq!(added.seq, 2);
    one.record(&event("r1", 2, None, note("late"))).expect("waits");
    one.record(&event("r2", 1, None, started())).expect("another run is not held up");
    let error = one.record(&event("r1", 3, None, intended("x"))).err();
    // Its note was let go with the batch above, so number 3 follows the other process's number 2.
    assert!(error.is_none(), "{error:?}");
    one.record(&event("r1", 4, None, note("waits"))).expect("waits");
    other.append(&run("r1"), Timestamp(6), None, run_ended()).expect("appends");
    let error = one.record(&event("r1", 5, None, intended("y"))).expect_err("displaced");
    assert!(error.what.contains("another process"), "{error}");
    let kinds: Vec<_> = one.events(&run("r1"), 0, 9).expect("reads").into_iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [started(), note("lost"), intended("x"), run_ended()]);
}

#[test]
fn what_is_not_durable_waits_a_moment_and_is_seen_by_others_soon() {
    let folder = Folder::new();
    let (store, other) = (folder.open(), Store::open_read_only(&folder.home()).expect("opens"));
    record(&store, "r1", vec![note("a")]);
    assert!(soon(|| other.last_seq(&run("r1")).expect("reads") == 2), "written by time");
    for seq in 3..=66 {
        store.record(&event("r1", seq, None, note("b"))).expect("recorded");
    }
    assert_eq!(other.last_seq(&run("r1")).expect("reads"), 66, "written by number");
    store.record(&event("r1", 67, None, note("c"))).expect("recorded");
    store.flush().expect("flushes");
    assert_eq!(other.last_seq(&run("r1")).expect("reads"), 67);
    assert!(other.record(&event("r1", 68, None, note("d"))).is_err(), "reading only");
}

#[test]
fn runs_are_listed_found_and_unended_ones_named() {
    let folder = Folder::new();
    let store = folder.open();
    for (n, name) in ["20261121-062531-a3f9", "20261121-070000-b000", "20261122-070000-b001"].into_iter().enumerate() {
        let mut first = event(name, 1, None, started());
        first.at = Timestamp(n as i64);
        store.record(&first).expect("recorded");
    }
    store.record(&event("20261121-070000-b000", 2, None, run_ended())).expect("recorded");
    let names = |runs: Vec<RunId>| runs.into_iter().map(|r| r.0).collect::<Vec<_>>();
    assert_eq!(names(store.unended_runs().expect("reads")), ["20261121-062531-a3f9", "20261122-070000-b001"]);
    assert_eq!(store.last_run().expect("reads").expect("a run").id.0, "20261122-070000-b001");
    assert_eq!(store.runs(2).expect("reads").len(), 2);
    assert_eq!(store.find_run("20261122").expect("reads"), RunMatch::One(run("20261122-070000-b001")));
    assert_eq!(store.find_run("2027").expect("reads"), RunMatch::None);
    assert_eq!(store.find_run("%").expect("reads"), RunMatch::None);
    let RunMatch::Many(both) = store.find_run("20261121").expect("reads") else { panic!("two begin so") };
    assert_eq!(names(both), ["20261121-070000-b000", "20261121-062531-a3f9"]);
}

#[test]
fn the_ledger_follows_the_hosts_and_is_only_added_to() {
    let folder = Folder::new();
    let store = folder.open();
    let rows = || {
        let rows = store.ledger(None).expect("reads");
        rows.iter().map(|r| format!("{} {}", r.address, r.to.is_some())).collect::<Vec<_>>().join(", ")
    };
    let id = "dev/local/hello";
    record(&store, "r1", vec![recorded(id, "partial", &[]), recorded(id, "provisioned", &["www-1", "www-2"])]);
    assert_eq!(rows(), "www-1 false, www-2 false");
    store.record(&event("r1", 4, None, recorded(id, "configured", &["www-1"]))).expect("recorded");
    assert_eq!(rows(), "www-1 false, www-2 true");
    store.record(&event("r1", 5, None, recorded(id, "destroyed", &[]))).expect("recorded");
    assert_eq!(rows(), "www-1 true, www-2 true");
    store.record(&event("r1", 6, None, recorded(id, "provisioned", &["www-1"]))).expect("recorded");
    assert_eq!(rows(), "www-1 true, www-2 true, www-1 false");
    assert_eq!(store.deployments().expect("reads")[0].phase, Phase::Provisioned);
    let row = &store.ledger(Some(&id.parse().expect("an owner"))).expect("reads")[0];
    assert_eq!((&*row.size, &*row.region, &*row.kind), ("small", "here", "host"));
    assert_eq!((row.price.clone(), row.note.clone()), (None, None));

    let conn = rusqlite::Connection::open(store.path()).expect("opens");
    for change in [
        "DELETE FROM ledger",
        r#"UPDATE ledger SET "to" = 1"#,
        r#"UPDATE ledger SET size = 'large' WHERE "to" IS NULL"#,
        r#"UPDATE ledger SET "from" = 1, "to" = 2 WHERE "to" IS NULL"#,
    ] {
        assert!(conn.execute(change, []).is_err(), "{change}");
    }
}

pub(super) fn resource(address: &str, provider_id: &str, size: &str, amount: &str) -> Resource {
    Resource {
        address: address.into(),
        provider_id: Some(provider_id.into()),
        kind: "a_server".into(),
        size: size.into(),
        region: "fra1".into(),
        created_at: None,
        quantity: Some("25.5".parse().expect("GB")),
        price: Some(Price {
            amount: amount.parse().expect("an amount"),
            unit: PriceUnit::Hour,
            month: None,
            currency: "USD".into(),
            rule: Rule::default(),
            table: "a".into(),
            row: "clowd/prices/a.yaml:3".into(),
            source: "the vendor".into(),
            as_of: "2026-07-01".into(),
        }),
        why: None,
        facts: std::collections::BTreeMap::new(),
    }
}

pub(super) fn ledger(owner: &str, resources: Vec<Resource>) -> EventKind {
    EventKind::Ledger { owner: owner.parse().expect("an owner"), resources }
}

#[test]
fn what_a_state_holds_is_entered_with_its_price_and_goes_on_or_ends() {
    let folder = Folder::new();
    let store = folder.open();
    let id = "prod/do/hello";
    let at = |seq: i64| 1_800_000_000_000 + seq;
    let rows = |store: &Store| {
        let rows = store.ledger(None).expect("reads");
        let span = |r: &otto::model::LedgerRow| {
            format!("{} {} {}-{}", r.address, r.size, r.from.0 - at(0), r.to.map_or(0, |to| to.0 - at(0)))
        };
        rows.iter().map(span).collect::<Vec<_>>().join(", ")
    };
    let mut first = resource("a.b[\"www-1\"]", "1", "small", "0.01");
    first.created_at = Some(Timestamp(at(1)));
    let second = resource("a.b[\"www-2\"]", "2", "small", "0.01");
    // `partial` is event 2: what has no time of its own is there since then.
    record(&store, "r1", vec![recorded(id, "partial", &[]), ledger(id, vec![first.clone(), second.clone()])]);
    assert_eq!(rows(&store), "a.b[\"www-1\"] small 1-0, a.b[\"www-2\"] small 2-0");
    store.record(&event("r1", 4, None, recorded(id, "provisioned", &["www-1", "www-2"]))).expect("recorded");
    assert_eq!(rows(&store), "a.b[\"www-1\"] small 1-0, a.b[\"www-2\"] small 2-0", "hosts are not entered beside");
    // The same again is nothing new; another source of the same price is none either.
    let mut same = first.clone();
    same.price.as_mut().expect("a price").as_of = "2026-08-01".into();
    store.record(&event("r1", 5, None, ledger(id, vec![same, second.clone()]))).expect("recorded");
    assert_eq!(store.ledger(None).expect("reads").len(), 2);
    let resized = resource("a.b[\"www-1\"]", "1", "large", "0.02");
    store.record(&event("r1", 6, None, ledger(id, vec![resized]))).expect("recorded");
    let expected = "a.b[\"www-1\"] small 1-6, a.b[\"www-2\"] small 2-6, a.b[\"www-1\"] large 6-0";
    assert_eq!(rows(&store), expected);
    let image = Resource { kind: "image".into(), ..resource("fra1:77", "77", "", "0.06") };
    for n in 0..2 {
        let other = Resource { address: format!("fra1:{}", 77 + n), ..image.clone() };
        store.record(&event("r1", 7 + n, None, ledger("do/nginx", vec![other]))).expect("recorded");
    }
    store.record(&event("r1", 9, None, EventKind::ImageGone { reference: "fra1:77".into() })).expect("recorded");
    store.record(&event("r1", 10, None, recorded(id, "destroyed", &[]))).expect("recorded");
    drop(store);
    let store = folder.open();
    assert!(rows(&store).ends_with("large 6-10, fra1:77  7-9, fra1:78  8-0"), "{}", rows(&store));
    let all = store.ledger(None).expect("reads");
    assert_eq!(all[0].price.as_ref().map(|p| p.amount.to_string()).as_deref(), Some("0.01"));
    assert_eq!(
        (all[0].note().basis, all[1].note().basis, all[2].note().basis),
        ("state".into(), "journal".into(), "change".into())
    );
    assert_eq!(all[0].quantity.map(|gb| gb.to_string()).as_deref(), Some("25.5"));
    assert_eq!(
        *all[4].owner,
        Subject::Image { provider: "do".parse().expect("a name"), appliance: "nginx".parse().expect("a name") }
    );
    let conn = rusqlite::Connection::open(store.path()).expect("opens");
    for change in [
        "DELETE FROM prices",
        "UPDATE prices SET doc = 'x'",
        r#"UPDATE ledger SET "to" = 9, price = NULL WHERE "to" IS NULL"#,
    ] {
        assert!(conn.execute(change, []).is_err(), "{change}");
    }
}

#[test]
fn drift_is_kept_with_its_history() {
    let folder = Folder::new();
    let store = folder.open();
    let row = |id: &str, at: i64, changes: u32| DriftRow {
        deployment: id.parse().expect("an id"),
        at: Timestamp(at),
        run: Some(run("r1")),
        changes,
        doc: json!({"changes": changes}),
    };
    let id = "dev/do/hello".parse().expect("an id");
    assert_eq!(store.drift_last().expect("reads").remove(&id), None);
    for found in [row("dev/do/hello", 1, 0), row("dev/do/blog", 2, 3), row("dev/do/hello", 3, 2)] {
        store.drift_add(&found).expect("added");
    }
    assert_eq!(store.drift_last().expect("reads").remove(&id), Some(row("dev/do/hello", 3, 2)));
    assert_eq!(store.drift_history(Some(&id), 9).expect("reads").len(), 2);
    assert_eq!(store.drift_history(None, 2).expect("reads")[1], row("dev/do/blog", 2, 3));
}
