//! What a valid project means.

use otto::model::{DeploymentId, Name};
use otto::project::{Origin, find};

use super::folder::{Folder, HELLO, OTTO, lines};

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn id(text: &str) -> DeploymentId {
    text.parse().unwrap()
}

#[test]
fn every_value_arrives() {
    let loaded = Folder::new().good();
    let project = &loaded.project;
    assert_eq!(loaded.warnings, []);
    assert_eq!((project.name.as_str(), project.id.as_str()), ("clowd", "7f3c9a41d2e8b605"));
    assert_eq!(project.environments[&name("dev")].ttl_s, Some(28_800));
    assert_eq!(project.environments[&name("dev")].budget, Some(("20".into(), "USD".into())));
    assert!(project.environments[&name("prod")].protect);
    let dev = project.wanted(&id("dev/local/hello")).unwrap();
    assert_eq!(dev.domains, ["hello.localhost", "www.hello.localhost"]);
    let names: Vec<String> = dev.host_names().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["lb-1", "www-1", "www-2"]);
    assert_eq!(dev.roles[&name("lb")].size, "small");
    assert!(dev.content.as_ref().unwrap().ends_with("sites/hello/html"));
    assert_eq!((dev.checks[0].status, dev.checks[0].body.as_deref()), (200, Some("hello")));
    assert_eq!(serde_json::to_string(&dev.vars).unwrap(), r#"{"motd":"from-site","level":1}"#);
    let prod = project.wanted(&id("prod/do/hello")).unwrap();
    assert_eq!((prod.region.as_str(), prod.protect, prod.ttl_s), ("fra1", true, None));
    assert_eq!(prod.domains, ["hello.example.org"]);
    let www = &prod.roles[&name("www")];
    assert_eq!((www.count, www.size.as_str(), www.image.as_ref().unwrap().as_str()), (4, "large", "nginx"));
    assert_eq!((prod.checks.len(), prod.roles.len()), (1, 2));
    let cloud = &project.provider_specs[&name("do")];
    assert_eq!((cloud.base(&name("nginx")), cloud.base(&name("haproxy"))), ("debian-12-x64".into(), String::new()));
    assert_eq!((cloud.size("small"), cloud.size("big")), ("s-1vcpu-1gb".into(), "big".into()));
    assert_eq!((cloud.image_match.as_deref(), cloud.workspace.as_deref()), (Some("[^:]+$"), None));
    assert!(project.provider_specs[&name("local")].probed && !cloud.probed);
    let providers: Vec<&str> = project.appliances[&name("nginx")].providers.iter().map(Name::as_str).collect();
    assert_eq!(providers, ["do", "local"]);
    assert!(!project.appliances.contains_key(&name("base")));
}

#[test]
fn every_value_has_its_origin() {
    let loaded = Folder::new().good();
    let origin = |key: &str| loaded.origins.get(key).map(Origin::to_string).unwrap_or_default();
    assert_eq!(origin("sites.hello.roles.www.count"), "sites/hello/site.yaml:3");
    assert_eq!(origin("sites.hello.environments.prod.roles.www.count"), "sites/hello/site.yaml:12");
    assert_eq!(origin("sites.hello.roles.lb.count"), "default");
    assert_eq!(origin("project.environments.dev.ttl"), "otto.yaml:6");
    assert_eq!(origin("providers.do.region"), "clowd/provision/do/provider.yaml:4");
    assert!(!loaded.origins.0.contains_key("sites.hello.environments.prod.content"));
}

#[test]
fn the_project_is_found_from_below() {
    let folder = Folder::new();
    let found = find(&folder.path().join("sites/hello/html")).unwrap();
    assert_eq!(found, folder.path());
    let outside = tempfile::TempDir::new().unwrap();
    let error = find(outside.path().try_into().unwrap()).unwrap_err().to_string();
    assert!(error.starts_with("no `otto.yaml` in `"), "{error}");
    assert!(error.ends_with("or in a folder above it: run `otto init`, or name the folder with `--project`"));
}

#[test]
fn an_environment_can_take_away_and_restrict() {
    let folder = Folder::new();
    folder.otto("prod: {protect: true}", "prod: {protect: true, providers: [do]}");
    folder.hello("roles: {www: {count: 4, size: large}}", "roles: {lb: null, www: {count: 1}}");
    let project = folder.good().project;
    assert!(project.wanted(&id("prod/local/hello")).is_none());
    let prod = project.wanted(&id("prod/do/hello")).unwrap();
    assert_eq!(prod.host_names().len(), 1);
    assert!(project.wanted(&id("dev/local/hello")).is_some());
}

#[test]
fn anchors_and_every_later_key_are_accepted() {
    let folder = Folder::new();
    folder.write(
        "otto.yaml",
        format!("{OTTO}ssh: {{user: root, identity: ~/.ssh/id, public_keys: [~/.ssh/id.pub], jump: null}}\n"),
    );
    folder.write("sites/hello/site.yaml", format!("{HELLO}tls: self-signed\nname: hello\n"));
    folder.write("sites/other/site.yaml", "domains: [other.localhost]\non: hello\nvars: &v {a: [1, {b: 2.5}]}\n");
    folder.write(
        "sites/third/site.yaml",
        "domains: [third.localhost]\ntls: off\nroles:\n  www: &r {image: nginx}\n  lb:\n    <<: *r\n    image: haproxy\n",
    );
    folder.write(
        "sites/fourth/site.yaml",
        "domains: [4th.localhost]\nstatic: {hosts: [{name: web-a, role: www, address: 10.0.0.5, user: root, port: 22, identity: ~/.ssh/id, jump: bastion}]}\n",
    );
    let loaded = folder.good();
    assert_eq!(lines(&loaded.warnings), Vec::<String>::new());
    let fourth = &loaded.project.sites[&name("fourth")].base.machines[0];
    assert_eq!((fourth.port, fourth.jump.as_deref()), (Some(22), Some("bastion")));
    let rider = loaded.project.wanted(&id("dev/local/other")).unwrap();
    assert_eq!(
        (rider.host_names().len(), rider.appliances().len()),
        (3, 0),
        "the hosts of hello, and none of its images"
    );
    assert_eq!(loaded.project.wanted(&id("dev/local/fourth")), None, "it has machines and no roles");
    let third = &loaded.project.sites[&name("third")].base;
    assert_eq!(third.roles[&name("lb")].image, Some(name("haproxy")));
    assert_eq!(third.roles[&name("www")].image, Some(name("nginx")));
}

#[test]
fn a_site_with_machines_is_for_a_static_provider() {
    let folder = Folder::new();
    folder.write("clowd/provision/static/provider.yaml", "kind: static\n");
    folder.write(
        "sites/own/site.yaml",
        "domains: [own.localhost]\nstatic:\n  hosts:\n    - {name: web-b, role: www, address: 10.0.0.6, jump: lb-a}\n    \
         - {name: lb-a, role: lb, address: 10.0.0.5}\n",
    );
    let loaded = folder.good();
    let spec = loaded.project.wanted(&id("dev/static/own")).unwrap();
    let names: Vec<String> = spec.host_names().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["web-b", "lb-a"]);
    let told = lines(&loaded.check(&id("dev/static/hello"))).join("\n");
    assert!(told.contains("its `site.yaml` names no machines: `static: {hosts: "), "{told}");
    let told = lines(&loaded.check(&id("dev/local/own"))).join("\n");
    assert!(told.contains("its `site.yaml` has no `roles`"), "{told}");
}

#[test]
fn rules_look_at_site_and_provider_together() {
    let folder = Folder::new();
    assert_eq!(folder.good().check(&id("dev/local/hello")), []);
    folder.hello("  lb: {image: haproxy}\n", "");
    folder.write("images/nginx/do/image.pkr.hcl", "");
    let loaded = folder.good();
    assert_eq!(
        lines(&loaded.check(&id("dev/local/hello"))),
        ["sites/hello/site.yaml:3: 2 hosts serve pages on `dev/local/hello` and no role `lb` spreads requests: \
          add a role `lb`, or set the count to 1"]
    );
    let cloud = loaded.check(&id("prod/do/hello"));
    assert_eq!((cloud.len(), cloud[0].warning, cloud[0].line), (1, true, Some(11)));
    folder
        .hello("image: nginx, count: 2", "count: 1")
        .write("sites/b/site.yaml", "domains: [b.localhost]\nroles: {lb: {image: haproxy}}\n");
    let loaded = folder.good();
    assert_eq!(
        lines(&loaded.check(&id("dev/local/hello"))),
        ["sites/hello/site.yaml:3: role `www` names no image, and `local` has no stock image: such as `image: nginx`"]
    );
    assert_eq!(
        lines(&loaded.check(&id("dev/do/b"))),
        [
            "sites/b/site.yaml:2: no host of `dev/do/b` serves pages: the role that does is called `www` (or `clowd`)",
            "sites/b/site.yaml:2: image `haproxy` cannot be built for `do`: write `images/haproxy/do/image.pkr.hcl`",
        ]
    );
    assert_eq!(lines(&loaded.check(&id("dev/gpc/b"))), ["unknown provider `gpc`: known: do, local"]);
}
