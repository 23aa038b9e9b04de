//! Several processes: opening at once, writing at once, being killed.

use super::*;

#[test]
fn eight_processes_may_be_the_first_at_once() {
    for round in 0..25 {
        let folder = Folder::new();
        let children: Vec<Child> = (0..8).map(|n| spawn(&format!("open c{n}"), &folder.path)).collect();
        std::thread::sleep(Duration::from_millis(15));
        fs::write(folder.path.join("go"), "").expect("writes");
        for mut child in children {
            assert!(child.wait().expect("ends").success(), "round {round}");
        }
        let said: Vec<String> =
            (0..8).map(|n| fs::read_to_string(folder.path.join(format!("opened-c{n}"))).expect("reads")).collect();
        assert_eq!(said.iter().filter(|line| line.ends_with("true\n")).count(), 1, "{said:?}");
        let store = folder.open();
        assert!(said.iter().all(|line| line.starts_with(store.id())), "{said:?}");
        assert_eq!(store.runs(99).expect("reads").len(), 8);
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_writers_are_killed() {
    let folder = Folder::new();
    let (mut acknowledged, mut random) = (0_u64, 0x9e37_79b9_u64);
    for round in 0..10 {
        let names: Vec<String> = (0..6).map(|n| format!("w{round}-{n}")).collect();
        let mut children: Vec<Child> = names.iter().map(|name| spawn(&format!("write {name}"), &folder.path)).collect();
        let at_work = |name: &String| fs::metadata(folder.path.join(format!("seen-{name}"))).is_ok_and(|m| m.len() > 0);
        assert!(soon(|| names.iter().all(at_work)), "all have begun");
        for child in &mut children {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            std::thread::sleep(Duration::from_micros((random >> 33) % 40_000));
            child.kill().expect("is killed");
            assert!(!child.wait().expect("ends").success(), "it writes until killed");
        }
        let store = folder.open();
        for name in &names {
            let text = fs::read_to_string(folder.path.join(format!("seen-{name}"))).unwrap_or_default();
            // The last line may be cut.
            let seen: u64 =
                text.rsplit_once('\n').and_then(|(lines, _)| lines.lines().last()?.parse().ok()).unwrap_or(0);
            let found = store.events(&run(name), 0, usize::MAX).expect("reads");
            assert!(found.len() as u64 >= seen, "{name}: {seen} acknowledged, {} there", found.len());
            assert!(found.iter().zip(1..).all(|(event, seq)| event.seq == seq), "{name}: no gaps");
            let folded = store.deployment(&format!("dev/local/{name}").parse().expect("an id")).expect("reads");
            assert_eq!(folded.is_some(), found.len() >= 4, "{name}: record and journal agree");
            acknowledged += seen;
        }
        assert!(store.examine().expect("reads").is_empty());
        assert_eq!(store.unended_runs().expect("reads").len(), store.runs(999).expect("reads").len());
    }
    assert!(acknowledged > 100, "only {acknowledged} were acknowledged");
}

#[test]
fn opening_and_closing_never_disturbs_another() {
    let folder = Folder::new();
    drop(folder.open());
    std::thread::scope(|scope| {
        for n in 0..6 {
            let home = folder.home();
            scope.spawn(move || {
                for round in 0..25 {
                    let store = Store::open(&home, "0.1.0").expect("opens");
                    record(&store, &format!("r{n}-{round}"), vec![note("a"), run_ended()]);
                    drop(store);
                    let store = Store::open_read_only(&home).expect("opens to read");
                    assert_eq!(store.last_seq(&run(&format!("r{n}-{round}"))).expect("reads"), 3);
                }
            });
        }
    });
    assert_eq!(folder.open().runs(999).expect("reads").len(), 150);
}
