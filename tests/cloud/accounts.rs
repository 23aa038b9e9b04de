//! Several stores and projects on one account: each sees to its own.

use super::support::Sandbox;
use super::support::digitalocean::{Account as _, Cloud};
use super::{NAMES, PROVISION, THINGS, site_things, things};

/// The droplets of a store, by id.
fn of(cloud: &Cloud, sandbox: &Sandbox) -> Vec<String> {
    let shown = cloud.otto(sandbox, &["state", "show"]).ends(0).stdout;
    let store = shown.lines().find_map(|line| line.strip_prefix("store")).expect("a store").trim();
    let tag = format!("otto:store:{store}");
    let droplets = cloud.all("droplets");
    let mine = droplets.iter().filter(|d| d["tags"].as_array().is_some_and(|tags| tags.iter().any(|t| *t == *tag)));
    mine.map(|d| d["id"].to_string()).collect()
}

#[test]
fn two_stores_and_two_projects_live_beside_each_other() {
    let Some((cloud, one)) = things() else { return };
    one.edit("otto.yaml", "environments:\n", "environments:\n  ann: {}\n");
    let fresh = one.clone_as("fresh");
    let other = one.beside("other");
    cloud.settle(&other);
    site_things(&other);
    cloud.otto(&one, &PROVISION).ends(0);
    cloud.otto(&fresh, &PROVISION).ends(30).says("was made by another store");
    assert_eq!(cloud.names("droplets"), NAMES, "a fresh clone makes nothing of what is there");
    cloud.otto(&fresh, &["provision", "--yes", "ann/do/things"]).ends(0);
    cloud.otto(&other, &PROVISION).ends(0);
    assert_eq!(cloud.names("droplets").len(), 9);
    let (mine, theirs) = (of(&cloud, &one), of(&cloud, &other));
    assert_eq!((mine.len(), theirs.len()), (3, 3));
    for each in [&one, &fresh, &other] {
        let status = cloud.otto(each, &["status", "--json"]).json();
        let found = status["orphans"].as_array().expect("a list");
        assert!(!found.is_empty() && found.iter().all(|orphan| orphan["whose"] == "foreign"), "{found:?}");
        cloud.otto(each, &["reap", "--yes"]).ends(0);
    }
    assert_eq!(cloud.names("droplets").len(), 9, "what is others' is listed and stays");
    cloud.otto(&fresh, &["destroy", "--yes", "ann/do/things"]).ends(0);
    assert_eq!((of(&cloud, &one), of(&cloud, &other)), (mine.clone(), theirs));
    cloud.otto(&other, &["destroy", "--yes", THINGS]).ends(0);
    assert_eq!(of(&cloud, &one), mine);
    assert_eq!(cloud.names("droplets"), NAMES);
    cloud.otto(&one, &["destroy", "--yes"]).ends(0);
    cloud.is_empty();
}
