//! Nobody is disturbed: clones side by side, a foreign program on the wanted port, folders with strange names.

use std::net::TcpListener;

use sha2::{Digest, Sha256};

use super::support::http::get;
use super::support::{Sandbox, files, units};

const BLOG: &str = "dev/local/blog";

/// The port that the boot of a host tries first: see `clowd/provision/local/boot`.
fn wanted_port(sandbox: &Sandbox) -> u16 {
    let folder = sandbox.path(".otto/hosts/dev_local_blog");
    let hash = Sha256::digest(format!("entry\n{}\n0\n", folder.display()));
    let first = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) >> 4;
    20000 + u16::try_from(first % 10000).expect("below 10000")
}

#[test]
fn clones_and_strangers_live_side_by_side() {
    let one = Sandbox::new("it's \"one\" & more");
    let two = one.clone_as("two");
    let page = "sites/blog/html/index.html";
    two.edit(page, "Notes", "Notes of the second clone");
    let wanted = wanted_port(&one);
    let stranger = TcpListener::bind(("127.0.0.1", wanted));
    let runs = [&one, &two].map(|sandbox| sandbox.start(["up", "--yes", BLOG]));
    runs.into_iter().for_each(|run| drop(run.wait().ends(0)));
    let ports = [one.port(BLOG, 0), two.port(BLOG, 0)];
    // Held by this test, or by somebody else already: either way it was not to be had.
    assert_ne!(ports[0], wanted);
    assert_ne!(ports[0], ports[1]);
    drop(stranger);
    let bodies = ports.map(|port| get(port, "blog.localhost", "/").body);
    assert_eq!(bodies.map(|body| body.contains("second clone")), [false, true]);
    let events = one.otto(&["up", "--yes", "--json", BLOG]).ends(0).events();
    assert_eq!(units(&events, "ok"), ["dev/local/blog:test"], "the same place, nothing to do");
    let home = one.folder.with_file_name("home");
    assert_eq!(files(&home), Vec::<std::path::PathBuf>::new(), "nobody writes into the home folder");
    one.otto(&["destroy", "--yes"]).ends(0);
    one.is_clean(&[ports[0]]);
    two.status(0);
    assert!(get(ports[1], "blog.localhost", "/").body.contains("second clone"));
    two.otto(&["destroy", "--yes"]).ends(0);
    two.is_clean(&ports);
}
