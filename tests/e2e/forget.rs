//! otto never forgets: a lost `.otto`, a site whose folder is gone, a provider whose folder is gone, protection.

use std::fs;

use super::support::http::get;
use super::support::toy::Toy;
use super::support::{Sandbox, units};

const BLOG: &str = "dev/local/blog";

#[test]
fn a_lost_store_is_refused_and_restored() {
    let sandbox = Sandbox::new("demo");
    sandbox.otto(&["up", "--yes", BLOG]).ends(0);
    let port = sandbox.port(BLOG, 0);

    // Another clone of the same project begins with an empty store of its own, and is told about this one.
    let clone = sandbox.clone_as("clone");
    let told = clone.otto(&["images", "--yes", "--json"]).ends(0);
    assert!(told.stderr.contains(BLOG) && told.stderr.contains("demo"), "a notice: {}", told.stderr);
    clone.status(0);

    // What runs in the folder stays: only the memory of it goes.
    let hosts = sandbox.path("hosts");
    fs::rename(sandbox.path(".otto/hosts"), &hosts).expect("hosts put aside");
    fs::remove_dir_all(sandbox.path(".otto")).expect("a lost folder");
    fs::create_dir(sandbox.path(".otto")).expect("a folder");
    fs::rename(&hosts, sandbox.path(".otto/hosts")).expect("hosts back");
    let refused = sandbox.otto(&["up", "--yes"]).ends(24).says(BLOG);
    assert_eq!(refused.hint(), "otto state restore");
    sandbox.otto(&["destroy", "--yes"]).ends(24);
    sandbox.line(&refused.hint()).ends(0);
    let status = sandbox.status_of(BLOG, 0);
    assert_eq!((&status["phase"], &status["hosts"][0]["state"]), (&"tested".into(), &"up".into()));
    assert_eq!(get(port, "blog.localhost", "/").status, 200);
    sandbox.otto(&["destroy", "--yes"]).ends(0);
    sandbox.is_clean(&[port]);

    whole_folder(&sandbox);
}

/// All of `.otto` goes at once, while the processes run on in the removed folder.
fn whole_folder(sandbox: &Sandbox) {
    sandbox.otto(&["up", "--yes", BLOG]).ends(0);
    let port = sandbox.port(BLOG, 0);
    fs::remove_dir_all(sandbox.path(".otto")).expect("a lost folder");
    let refused = sandbox.otto(&["up", "--yes", BLOG]).ends(24);
    sandbox.otto(&["status"]).ends(3);
    sandbox.line(&refused.hint()).ends(0);
    sandbox.otto(&["destroy", "--yes"]).ends(0);
    sandbox.is_clean(&[port]);
}

#[test]
fn a_site_and_a_provider_without_folders_can_be_destroyed() {
    let sandbox = Sandbox::new("demo");
    let toy = Toy::add(&sandbox, 2);
    sandbox.otto(&["provision", "--yes", "dev/toy/shelf"]).ends(0);
    fs::remove_dir_all(sandbox.path("sites/shelf")).expect("a removed site");
    let status = sandbox.status(0);
    assert_eq!(status["deployments"][0]["name"], "dev/toy/shelf");
    sandbox.otto(&["destroy", "--yes", "dev/toy/shelf"]).ends(0);
    assert_eq!(toy.log()[4..].len(), 2, "{:?}", toy.log());
    sandbox.is_clean(&[]);

    let toy = Toy::add(&sandbox, 1);
    sandbox.otto(&["provision", "--yes", "dev/toy/shelf"]).ends(0);
    fs::remove_dir_all(sandbox.path("sites/shelf")).expect("a removed site");
    fs::remove_dir_all(sandbox.path("clowd/provision/toy")).expect("a removed provider");
    sandbox.status(0);
    let events = sandbox.otto(&["destroy", "--yes", "--json", "dev/toy/shelf"]).ends(0).events();
    assert_eq!(units(&events, "ok"), ["dev/toy/shelf:destroy"]);
    assert_eq!(toy.log().last().map(String::as_str), Some("-box-1"));
    sandbox.is_clean(&[]);
    sandbox.status(0);
}

#[test]
fn what_is_protected_is_destroyed_by_name_only() {
    let sandbox = Sandbox::new("demo");
    let toy = Toy::add(&sandbox, 1);
    sandbox.otto(&["provision", "--yes", "prod/toy/shelf"]).ends(0);
    let refused = sandbox.otto(&["destroy", "--yes", "prod/toy/shelf"]).ends(40).says("protected");
    assert_eq!(refused.hint(), "otto destroy --yes prod/toy/shelf --confirm prod/toy/shelf");
    sandbox.otto(&["destroy", "--yes", "prod/toy/shelf", "--confirm", "dev/toy/shelf"]).ends(40);
    let unsaid = sandbox.otto(&["destroy", "prod/toy/shelf"]).ends(40);
    assert_eq!(unsaid.hint(), "otto destroy prod/toy/shelf --yes --confirm prod/toy/shelf");
    assert_eq!(toy.log(), ["+box-1", "=box-1"]);
    sandbox.line(&unsaid.hint()).ends(0);
    assert_eq!(toy.log().last().map(String::as_str), Some("-box-1"));
    sandbox.is_clean(&[]);
}
