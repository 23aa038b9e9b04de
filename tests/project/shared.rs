//! What sites share, environments by pattern, pinned tools, files with variables.

use otto::model::{DeploymentId, Name};
use otto::project::{Origin, Selection, load, select};

use super::folder::{Folder, lines};

fn id(text: &str) -> DeploymentId {
    text.parse().unwrap()
}

#[test]
fn what_all_sites_share_lies_below_each() {
    let folder = Folder::new();
    let shared =
        "vars: {motd: shared, level: 3}\nchecks:\n  - {name: home, http: /}\nenvironments:\n  prod: {region: ams3}\n";
    folder.write("sites/_defaults.yaml", shared);
    folder.write("sites/plain/site.yaml", "domains: [plain.localhost]\nroles:\n  www: {image: nginx}\n");
    let loaded = folder.good();
    let plain = loaded.project.wanted(&id("prod/do/plain")).unwrap();
    assert_eq!((plain.region.as_str(), plain.checks[0].name.as_str()), ("ams3", "home"));
    assert_eq!(serde_json::to_string(&plain.vars).unwrap(), r#"{"motd":"shared","level":3}"#);
    let hello = loaded.project.wanted(&id("dev/local/hello")).unwrap();
    assert_eq!((hello.checks[0].body.as_deref(), hello.vars["motd"].as_str()), (Some("hello"), Some("from-site")));
    let origin = |key: &str| loaded.origins.get(key).map(Origin::to_string).unwrap_or_default();
    assert_eq!(origin("sites.plain.vars.level"), "sites/_defaults.yaml:1");
    assert_eq!(origin("sites.hello.vars.motd"), "sites/hello/site.yaml:8");
    assert_eq!(loaded.values.0["sites.hello.vars.level"], "3");
    folder.write("sites/_defaults.yaml", format!("{shared}tls: never\ncolour: red\n"));
    assert_eq!(
        lines(&load(folder.path()).unwrap_err())
            .iter()
            .map(|line| line.split(": known").next().unwrap())
            .collect::<Vec<_>>(),
        [
            "sites/_defaults.yaml:6: `tls` is the text \"never\": expected one of `off`, `self-signed`, `files`, `acme`",
            "sites/_defaults.yaml:7: unknown key `colour`",
        ]
    );
}

#[test]
fn environments_are_known_by_pattern() {
    let folder = Folder::new();
    let environments =
        "prod: {protect: true}\n  \"pr-*\": {ttl: 2d, providers: [local]}\n  pr-7: {ttl: 1h}\n  \"pr-1*\": {ttl: 3d}";
    folder.otto("prod: {protect: true}", environments);
    folder.hello("environments:\n", "environments:\n  \"pr-*\": {roles: {www: {count: 1}}}\n");
    let loaded = folder.good();
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let spec = |name: &str| loaded.project.wanted(&id(name)).unwrap();
    assert_eq!(spec("pr-42/local/hello").ttl_s, Some(172_800));
    assert_eq!(spec("pr-12/local/hello").ttl_s, Some(259_200));
    assert_eq!(spec("pr-7/local/hello").ttl_s, Some(3_600));
    assert_eq!(spec("pr-7/local/hello").roles[&"www".parse::<Name>().unwrap()].count, 1);
    assert!(loaded.project.wanted(&id("pr-42/do/hello")).is_none());
    let chosen = |environment: &str| {
        let selection = Selection { environment: Some(environment.to_owned()), ..Selection::default() };
        select(&loaded.project, &selection)
    };
    assert_eq!(chosen("pr-42").unwrap(), [id("pr-42/local/hello")]);
    assert!(chosen("px-42").unwrap_err().to_string().contains("unknown environment `px-42`"));
}

#[test]
fn pins_and_files_with_variables_are_checked() {
    let folder = Folder::new();
    let more = "prod: {protect: true}\ntools: {terraform: \">=1.5, <2\", packer: 1.14}\nenv_files: [.env, more.env]";
    folder.otto("prod: {protect: true}", more);
    folder.write(".env", "A=one\nB=two\n").write("more.env", "B=three\n");
    let loaded = folder.good();
    assert!(loaded.project.tools["terraform"].has((1, 11, 4)) && !loaded.project.tools["packer"].has((1, 13, 0)));
    let env: Vec<(&str, &str)> = loaded.env.iter().map(|var| (var.name.as_str(), var.value.reveal())).collect();
    assert_eq!(env, [("A", "one"), ("B", "three")]);
    assert!(
        lines(&loaded.warnings)[0].starts_with(".env: others may read the secrets in it (mode 0644): chmod 600 .env")
    );
    folder.write(".env", "A=one\nhunter2\n");
    folder.otto("prod: {protect: true}", &more.replace(">=1.5", "=>1.5"));
    let told = lines(&load(folder.path()).unwrap_err());
    assert!(told[0].starts_with("otto.yaml:8: `tools.terraform` is the text \"=>1.5, <2\""), "{told:?}");
    assert!(told[1].starts_with(".env:2: no `=` in the line") && !told.join("").contains("hunter2"), "{told:?}");
}

#[test]
fn content_can_be_built_and_roles_are_known() {
    let folder = Folder::new();
    folder.hello("content: html", "content: {build: \"sh build.sh 'a b'\", from: dist}");
    folder.hello("content: html", "content: {build: \"sh build.sh 'a b'\", from: dist}");
    let spec = folder.good().project.wanted(&id("dev/local/hello")).unwrap();
    let build = spec.build.unwrap();
    assert_eq!(build.command, ["sh", "build.sh", "a b"]);
    assert!(spec.content.unwrap().ends_with("sites/hello/dist"));
    folder.write("clowd/config/roles/banner/tasks/main.yml", "[]\n");
    folder.hello("size: small}", "size: small, ansible: [banner, some.far.role]}");
    let spec = folder.good().project.wanted(&id("dev/local/hello")).unwrap();
    assert_eq!(spec.roles[&"www".parse::<Name>().unwrap()].ansible, ["banner", "some.far.role"]);
    folder.hello("size: small}", "size: small, ansible: [baner]}");
    let told = lines(&load(folder.path()).unwrap_err());
    assert_eq!(told, ["sites/hello/site.yaml:3: unknown role `baner`: did you mean `banner`?"]);
}
