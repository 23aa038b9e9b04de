//! Several sites on one host: one that lives `on` another, and one that names the same machine.

use super::project;
use super::support::hosts::Hosts;
use super::support::http::get;
use super::support::{Sandbox, units};

fn guests(sandbox: &Sandbox) {
    for (name, how) in [
        ("guest", "on: hello"),
        ("third", "roles: {www: {image: nginx}}\nstatic: {hosts: [{name: one, role: www, address: 10.88.0.11}]}"),
    ] {
        sandbox.write(&format!("sites/{name}/html/index.html"), &format!("this is {name}"));
        let checks = format!("checks: [{{http: /, body: this is {name}}}]");
        sandbox.write(
            &format!("sites/{name}/site.yaml"),
            &format!("domains: [{name}.localhost]\n{how}\ncontent: html\n{checks}\n"),
        );
    }
}

#[test]
fn sites_share_machines_and_one_goes() {
    let Some(hosts) = Hosts::start() else { return };
    let sandbox = project(&hosts, "root");
    guests(&sandbox);
    let lonely = hosts.otto(&sandbox, &["up", "--yes", "--provider", "static", "guest"]).ends(30);
    lonely.says("otto up dev/static/hello dev/static/guest");
    let up = ["up", "--yes", "--json", "--provider", "static", "hello", "guest", "third"];
    let events = hosts.otto(&sandbox, &up).ends(0).events();
    assert_eq!(units(&events, "ok").len(), 9);
    let refused = hosts.otto(&sandbox, &["destroy", "--yes", "dev/static/hello"]).ends(40);
    assert_eq!(refused.hint(), "otto destroy dev/static/hello dev/static/guest --yes");
    let hello = hosts.load("10.88.0.10", "hello.localhost", "Hello from otto");
    let third = hosts.load("10.88.0.11", "third.localhost", "this is third");
    hosts.otto(&sandbox, &["destroy", "--yes", "dev/static/guest"]).ends(0);
    hosts.otto(&sandbox, &["up", "--yes", "dev/static/guest"]).ends(0);
    for load in [hello, third] {
        let (asked, failed) = load.stop();
        assert_eq!(failed, 0, "of {asked}");
    }
    hosts.otto(&sandbox, &["destroy", "--yes", "dev/static/third"]).ends(0);
    hosts.otto(&sandbox, &["test", "dev/static/hello", "dev/static/guest"]).ends(0);
    assert!(hosts.get("10.88.0.10", "guest.localhost").contains("this is guest"));
    hosts.otto(&sandbox, &["destroy", "--yes", "dev/static/hello", "dev/static/guest"]).ends(0);
    assert_eq!(hosts.on("web-a", "ls /etc/nginx/sites-enabled"), "default\n");
}

#[test]
fn sites_share_local_hosts_and_one_goes() {
    let sandbox = Sandbox::new("shared");
    guests(&sandbox);
    let events = sandbox.otto(&["up", "--yes", "--json", "hello", "guest", "third"]).ends(0).events();
    let done = units(&events, "ok");
    assert!(done.contains(&"dev/local/guest:test".to_owned()), "{done:?}");
    let port = sandbox.port("dev/local/hello", 0);
    assert_eq!(port, sandbox.port("dev/local/guest", 0), "one balancer, two sites");
    let page = |domain: &str| get(port, domain, "/").body;
    assert!(page("guest.localhost").contains("this is guest") && page("hello.localhost").contains("Hello from otto"));
    let folders = sandbox.otto(&["exec", "--role", "www", "hello", "guest", "--", "pwd; ls bin"]).ends(0);
    assert_eq!(folders.stdout.matches("nginx").count(), 2, "each host once: {}", folders.stdout);
    assert!(folders.stdout.contains("/.otto/hosts/dev_local_hello/www-2"));
    let inside = sandbox.otto(&["ssh", "hello/www-1", "--", "echo $HTTP_PORT; exit 5"]).ends(5);
    assert!(inside.stdout.trim().parse::<u16>().is_ok(), "{}", inside.stdout);
    let refused = sandbox.otto(&["destroy", "--yes", "hello"]).ends(40);
    assert_eq!(refused.hint(), "otto destroy dev/local/hello dev/local/guest --yes");
    sandbox.otto(&["destroy", "--yes", "guest"]).ends(0);
    assert!(page("hello.localhost").contains("Hello from otto") && !page("guest.localhost").contains("this is guest"));
    sandbox.otto(&["test", "hello", "third"]).ends(0);
    sandbox.otto(&["up", "--yes", "guest"]).ends(0);
    sandbox.otto(&["destroy", "--yes"]).ends(0);
    sandbox.is_clean(&[port]);
}
