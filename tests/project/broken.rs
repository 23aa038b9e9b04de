//! Broken files: each with the exact place and words.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use super::folder::{Folder, HELLO, LOCAL, OTTO};

/// What is said when one text of the valid site is replaced.
fn site(from: &str, to: &str) -> Vec<String> {
    Folder::new().hello(from, to).problems()
}

fn otto(from: &str, to: &str) -> Vec<String> {
    Folder::new().otto(from, to).problems()
}

fn provider(text: &str) -> Vec<String> {
    Folder::new().write("clowd/provision/local/provider.yaml", text).problems()
}

#[test]
fn sites() {
    let place = "sites/hello/site.yaml";
    for (from, to, line, message) in [
        ("count: 2", "cont: 2", 3, "unknown key `cont`: did you mean `count`?"),
        ("count: 2", "colour: 2", 3, "unknown key `colour`: known: image, count, size, ansible, kind"),
        ("checks:", "chekcs:", 6, "unknown key `chekcs`: did you mean `checks`?"),
        ("count: 2", "count: many", 3, "`roles.www.count` is the text \"many\": expected a whole number from 0 to 200"),
        ("count: 2", "count: \"2\"", 3, "`roles.www.count` is the text \"2\": expected a whole number from 0 to 200"),
        ("count: 2", "count: 201", 3, "`roles.www.count` is the number 201: expected a whole number from 0 to 200"),
        ("count: 2", "count: -1", 3, "`roles.www.count` is the number -1: expected a whole number from 0 to 200"),
        ("count: 2", "count: 1.5", 3, "`roles.www.count` is the number 1.5: expected a whole number from 0 to 200"),
        ("count: 2", "count: [2]", 3, "`roles.www.count` is a list: expected a whole number from 0 to 200"),
        ("count: 2", "count: 199, image: haproxy", 3, "duplicate key `image`: it stands on line 3 already"),
        ("{image: haproxy}", "{image: haproxi}", 4, "unknown image `haproxi`: did you mean `haproxy`?"),
        (
            "{image: haproxy}",
            "{image: base}",
            4,
            "unknown image `base`: `images/base` has no `<provider>/image.pkr.hcl`",
        ),
        ("{image: haproxy}", "{image: haproxy, count: 197}", 2, "`roles` asks for 201 hosts: 200 at most"),
        ("{image: haproxy}", "[haproxy]", 4, "`roles.lb` is a list: expected a map such as `{image: nginx, count: 1}`"),
        (
            "  lb:",
            "  Lb:",
            4,
            "`Lb` is no name: a small letter, then small letters, digits and hyphens, 30 characters at most, no hyphen at the end",
        ),
        (
            "content: html",
            "content: htm",
            5,
            "the content folder `htm` does not exist: make the folder `htm` beside `site.yaml`",
        ),
        (
            "content: html",
            "content: ../..",
            5,
            "the content folder `../..` lies outside of the site's folder: the content is a folder beside `site.yaml`",
        ),
        (
            "content: html",
            "content: .",
            5,
            "the content folder `.` is the site's own folder: the content is a folder beside `site.yaml`",
        ),
        (
            "content: html",
            "content: /etc",
            5,
            "the content folder `/etc` is an absolute path: the content is a folder beside `site.yaml`",
        ),
        (
            "content: html",
            "content: site.yaml",
            5,
            "the content `site.yaml` is no folder: the content is a folder beside `site.yaml`",
        ),
        (
            "content: html",
            "content: {build: make, from: ../out}",
            5,
            "`content.from` is the text \"../out\": expected a folder below the site's own, such as `dist`",
        ),
        (
            "http: /",
            "http: index.html",
            7,
            "`checks[0].http` is the text \"index.html\": expected a path that begins with `/`",
        ),
        ("http: /", "status: 200", 7, "no `checks[0].http`: such as `http: /`"),
        (
            "http: /",
            "http: /, status: 99",
            7,
            "`checks[0].status` is the number 99: expected a whole number from 100 to 599",
        ),
        (
            "http: /",
            "http: /, status: 600",
            7,
            "`checks[0].status` is the number 600: expected a whole number from 100 to 599",
        ),
        (
            "http: /",
            "http: /, domain: hello.localhos",
            7,
            "`hello.localhos` is no domain of this site: did you mean `hello.localhost`?",
        ),
        ("checks:\n", "checks:\n  - {name: home, http: /a}\n", 8, "duplicate check `home`: give each its own `name`"),
        (
            "www.hello.localhost",
            "http://hello.localhost",
            1,
            "`http://hello.localhost` is no domain: write the name alone, without `http://`, port or path",
        ),
        ("www.hello.localhost", "Hello.localhost", 1, "the domain `hello.localhost` is listed twice: remove one"),
        (
            "www.hello.localhost",
            "a_b.localhost",
            1,
            "`a_b.localhost` is no domain: a domain is letters, digits and hyphens with dots between, such as `www.example.org`",
        ),
        (
            "[hello.localhost, www.hello.localhost]",
            "hello.localhost",
            1,
            "`domains` is the text \"hello.localhost\": expected a list such as `[hello.localhost]`",
        ),
        (
            "[hello.localhost, www.hello.localhost]",
            "[]",
            1,
            "`domains` is an empty list: such as `domains: [hello.localhost]`",
        ),
        ("[hello.localhost, www.hello.localhost]", "", 1, "`domains` is empty: such as `domains: [hello.localhost]`"),
        (
            "domains: [hello.localhost, www.hello.localhost]\n",
            "",
            1,
            "no `domains`: such as `domains: [hello.localhost]`",
        ),
        ("vars: {motd: from-site}", "vars: [a]", 8, "`vars` is a list: expected a map of variables"),
        (
            "vars: {motd: from-site}",
            "vars: {a-b: 1}",
            8,
            "`a-b` is no name of a variable: letters, digits and underscores, as Ansible and Terraform want them",
        ),
        ("vars: {motd: from-site}", "providers: [local, gpc]", 8, "unknown provider `gpc`: known: do, local"),
        (
            "vars: {motd: from-site}",
            "providers: [local, local]",
            8,
            "`local` is listed twice in `providers`: remove one",
        ),
        (
            "vars: {motd: from-site}",
            "tls: on",
            8,
            "`tls` is the text \"on\": expected one of `off`, `self-signed`, `files`, `acme`",
        ),
        ("vars: {motd: from-site}", "on: helo", 8, "unknown site `helo`: did you mean `hello`?"),
        (
            "vars: {motd: from-site}",
            "name: hallo",
            8,
            "`name` is `hallo`, but the folder is `sites/hello`: rename the folder, or remove the line",
        ),
        (
            "vars: {motd: from-site}",
            "static: {hosts: [{name: a, role: www, address: 10.0.0.5, port: 0}]}",
            8,
            "`static.hosts[0].port` is the number 0: expected a whole number from 1 to 65535",
        ),
        (
            "vars: {motd: from-site}",
            "static: {hosts: [{name: a, role: www, address: 10.0.0.5, jump: a}]}",
            8,
            "`a` is reached through itself: the first `jump` has to be a host that is reached directly",
        ),
        (
            "vars: {motd: from-site}",
            "static: {hosts: [{name: a, role: www, address: 10.0.0.5}, {name: b, role: lb, address: 10.0.0.5}]}",
            8,
            "`10.0.0.5` is listed twice: one host with the role `clowd` serves pages and spreads requests",
        ),
        ("vars: {motd: from-site}", "on: hello", 8, "`hello` cannot live on itself: name another site"),
        ("{count: 4, size: large}", "{cuont: 4}", 12, "unknown key `cuont`: did you mean `count`?"),
        ("    roles:", "    rolse:", 12, "unknown key `rolse`: did you mean `roles`?"),
        ("vars: {motd: from-site}", "\tvars: {}", 8, "a tab in the indentation: YAML is indented by spaces"),
        (
            "vars: {motd: from-site}",
            "---\nvars: {motd: from-site}",
            8,
            "a second document begins here: one file holds one document",
        ),
    ] {
        let problems = site(from, to);
        assert!(problems.contains(&format!("{place}:{line}: {message}")), "{to}\n{}", problems.join("\n"));
        let expected = 1;
        assert!(
            problems.iter().filter(|p| !p.contains("no effect yet")).count() == expected,
            "{to}\n{}",
            problems.join("\n")
        );
    }
}

#[test]
fn otto_yaml() {
    for (from, to, line, message) in [
        ("project: clowd\n", "", 1, "no `project`: such as `project: clowd`"),
        (
            "project: clowd",
            "project: My Site",
            1,
            "`My Site` is no name: a small letter, then small letters, digits and hyphens, 30 characters at most, no hyphen at the end",
        ),
        ("id: 7f3c9a41d2e8b605\n", "", 1, "no `id`: such as `id: 7f3c9a41d2e8b605`"),
        (
            "id: 7f3c9a41d2e8b605",
            "id: A",
            2,
            "`id` is the text \"A\": expected 4 to 63 small letters, digits and hyphens, as `otto init` writes them",
        ),
        ("[local]", "[locla]", 3, "unknown provider `locla`: did you mean `local`?"),
        ("[local]", "[aws]", 3, "unknown provider `aws`: known: do, local"),
        ("[local]", "local", 3, "`providers` is the text \"local\": expected a list such as `[local]`"),
        ("[local]", "[]", 3, "`providers` is an empty list: such as `providers: [local]`"),
        ("environment: dev", "enviroment: dev", 4, "unknown key `enviroment`: did you mean `environment`?"),
        (
            "ttl: 8h",
            "ttl: 8",
            6,
            "`environments.dev.ttl` is the number 8: expected a span of time such as `8h`, `2d`, `90m` or `1w`",
        ),
        (
            "ttl: 8h",
            "ttl: soon",
            6,
            "`environments.dev.ttl` is the text \"soon\": expected a span of time such as `8h`, `2d`, `90m` or `1w`",
        ),
        (
            "20 USD",
            "20",
            6,
            "`environments.dev.budget.month` is the number 20: expected an amount and a currency such as `20 USD`",
        ),
        ("month: 20 USD", "day: 20 USD", 6, "unknown key `day`: known: month"),
        (
            "protect: true",
            "protect: yes",
            7,
            "`environments.prod.protect` is the text \"yes\": expected `true` or `false`",
        ),
        (
            "  prod:",
            "  Prod:",
            7,
            "`Prod` is no name: a small letter, then small letters, digits and hyphens, 30 characters at most, no hyphen at the end",
        ),
        ("  prod: {protect: true}", "  dev: {protect: true}", 7, "duplicate key `dev`: it stands on line 6 already"),
        ("project: clowd", "ssh: {usr: root}\nproject: clowd", 1, "unknown key `usr`: did you mean `user`?"),
    ] {
        let problems = otto(from, to);
        assert!(problems.contains(&format!("otto.yaml:{line}: {message}")), "{to}\n{}", problems.join("\n"));
    }
}

#[test]
fn providers() {
    let file = "clowd/provision/local/provider.yaml";
    for (text, line, message) in [
        ("prices: free\n", 1, "no `kind`: such as `kind: terraform`"),
        ("kind: teraform\n", 1, "`kind` is the text \"teraform\": expected one of `terraform`, `vagrant`, `static`"),
        ("kind: static\nsizes: [a]\n", 2, "`sizes` is a list: expected a map such as `{small: s-1vcpu-1gb}`"),
        ("kind: static\nimage: {from: ids}\n", 2, "`image.from` is the text \"ids\": expected one of `id`, `file`"),
        (
            "kind: static\nimage: {match: '[^:'}\n",
            2,
            "`image.match` is no regular expression: unclosed character class",
        ),
        (
            "kind: static\ncredentials:\n  - dop_v1_0123-secret\n",
            3,
            "`credentials[0]` is no name of an environment variable: write the variable's name, never the secret itself",
        ),
        ("kind: static\nprobed: maybe\n", 2, "`probed` is the text \"maybe\": expected `true` or `false`"),
        ("kind: static\nregoin: x\n", 2, "unknown key `regoin`: did you mean `region`?"),
    ] {
        let problems = provider(text);
        assert_eq!(problems, [format!("{file}:{line}: {message}")], "{text}");
    }
    let folder = Folder::new();
    std::fs::remove_file(folder.path().join("clowd/provision/local/main.tf")).unwrap();
    assert_eq!(folder.problems(), [format!("{file}: no `*.tf` beside it: kind `terraform` needs a Terraform root")]);
}

#[test]
fn whole_files() {
    for (text, message) in [
        (&b""[..], "sites/hello/site.yaml: the file is empty"),
        (b"# nothing\n", "sites/hello/site.yaml: the file is empty"),
        (b"- a\n", "sites/hello/site.yaml:1: the file is a list: expected keys with values"),
        (b"hello", "sites/hello/site.yaml:1: the file is the text \"hello\": expected keys with values"),
        (b"domains: []\na: \xff\n", "sites/hello/site.yaml:2: not UTF-8: save the file as UTF-8"),
    ] {
        assert_eq!(Folder::new().write("sites/hello/site.yaml", text).problems(), [message]);
    }
    let problems = Folder::new().write("sites/hello/site.yaml", "a: [1\nb: 2\n").problems();
    assert!(problems[0].starts_with("sites/hello/site.yaml:2: not valid YAML, "), "{problems:?}");
    let large = "a: b\n".repeat(300_000);
    let problems = Folder::new().write("sites/hello/site.yaml", large).problems();
    assert_eq!(problems, ["sites/hello/site.yaml: the file is larger than 1 MiB"]);
    let folder = Folder::new();
    std::fs::remove_file(folder.path().join("otto.yaml")).unwrap();
    assert_eq!(folder.problems(), ["otto.yaml: the file cannot be read: No such file or directory (os error 2)"]);
}

#[test]
fn folders() {
    let folder = Folder::new();
    folder.write("sites/My_Site/site.yaml", HELLO).write("sites/late/site.yml", "").write("sites/notes/readme", "");
    let problems = folder.problems();
    assert_eq!(
        problems,
        [
            "sites/My_Site: `My_Site` is no name for a folder here: a small letter, then small letters, digits and \
             hyphens, 30 characters at most, no hyphen at the end",
            "sites/late/site.yml: the file is called `site.yml`: rename it to `site.yaml`",
            "sites/notes: no `site.yaml` in it: the folder is left out: write one, or remove the folder",
        ]
    );
    let folder = Folder::new();
    folder.write("clowd/provision/aws/main.tf", "").otto("[local]", "[aws]");
    assert_eq!(
        folder.problems(),
        [
            "otto.yaml:3: unknown provider `aws`: known: do, local",
            "clowd/provision/aws: no `provider.yaml` in it: it is no provider of this project: \
             write one with `kind: terraform`",
        ]
    );
    let folder = Folder::new();
    std::fs::create_dir(folder.path().as_std_path().join("sites").join(std::ffi::OsStr::from_bytes(b"\xff"))).unwrap();
    let problems = folder.problems();
    assert!(problems.len() == 1 && problems[0].starts_with("sites: an entry cannot be read: "), "{problems:?}");
    let folder = Folder::new();
    folder.write("outside/index.html", "");
    std::fs::remove_dir_all(folder.path().join("sites/hello/html")).unwrap();
    symlink(folder.path().join("outside"), folder.path().join("sites/hello/html")).unwrap();
    let message =
        "the content folder `html` lies outside of the site's folder: the content is a folder beside `site.yaml`";
    assert_eq!(folder.problems(), [format!("sites/hello/site.yaml:5: {message}")]);
}

#[test]
fn duplicate_sites() {
    let folder = Folder::new();
    folder.write("sites/a/site.yaml", "domains: [a.localhost, HELLO.localhost]\nroles: {www: {image: nginx}}\n");
    assert_eq!(
        folder.problems(),
        ["sites/hello/site.yaml:1: duplicate site: the domain `hello.localhost` is that of `a` already: \
          see sites/a/site.yaml:1, and keep it in one of them"]
    );
    // Only in one environment: the line is the override's.
    folder.write("sites/a/site.yaml", "domains: [hello.example.org]\nroles: {www: {image: nginx}}\n");
    assert_eq!(
        folder.problems(),
        ["sites/hello/site.yaml:11: duplicate site: the domain `hello.example.org` is that of `a` already: \
          see sites/a/site.yaml:1, and keep it in one of them"]
    );
    // Never on one provider: no clash.
    folder.write("sites/a/site.yaml", "domains: [hello.localhost]\nproviders: [do]\nroles: {www: {image: nginx}}\n");
    folder.hello("content: html", "providers: [local]");
    folder.good();
    let folder = Folder::new();
    symlink(folder.path().join("sites/hello"), folder.path().join("sites/again")).unwrap();
    assert_eq!(
        folder.problems(),
        ["sites/hello: duplicate site: `sites/hello` and `sites/again` are one folder: remove the link"]
    );
    let folder = Folder::new();
    folder.write("sites/b/site.yaml", "name: hello\ndomains: [b.localhost]\nroles: {www: {image: nginx}}\n");
    assert_eq!(
        folder.problems(),
        [
            "sites/b/site.yaml:1: duplicate site `hello`: `sites/hello` has that name; the name of this one is its folder's"
        ]
    );
    let folder = Folder::new();
    folder.otto("prod: {protect: true}", "dev-a: {}");
    folder.write("sites/a-b/site.yaml", "domains: [x.localhost]\nroles: {www: {image: nginx}}\n");
    folder.write("sites/b/site.yaml", "domains: [y.localhost]\nroles: {www: {image: nginx}}\n");
    folder.hello("  prod:", "  dev-a:");
    assert_eq!(
        folder.problems(),
        ["sites/b/site.yaml: hosts of `b` in `dev-a` and of `a-b` in `dev` would both be called `dev-a-b-www-1`: \
          rename one of the sites"]
    );
}

#[test]
fn all_problems_come_at_once_and_none_twice() {
    let folder = Folder::new();
    folder.otto("ttl: 8h", "ttl: soon");
    folder.hello("count: 2, size: small", "cont: 2");
    folder.write("clowd/provision/local/provider.yaml", format!("{LOCAL}colour: red\n"));
    folder.write("sites/b/site.yaml", "roles:\n  www: {image: ngnx, count: x}\ntypo: 1\n");
    assert_eq!(
        folder.problems(),
        [
            "otto.yaml:6: `environments.dev.ttl` is the text \"soon\": expected a span of time such as `8h`, `2d`, `90m` or `1w`",
            "clowd/provision/local/provider.yaml:6: unknown key `colour`: known: kind, sizes, base, region, workspace, \
             backend_config, credentials, image, prices, probed, keep, ignore_changes",
            "sites/b/site.yaml:1: no `domains`: such as `domains: [hello.localhost]`",
            "sites/b/site.yaml:2: unknown image `ngnx`: did you mean `nginx`?",
            "sites/b/site.yaml:2: `roles.www.count` is the text \"x\": expected a whole number from 0 to 200",
            "sites/b/site.yaml:3: unknown key `typo`: known: domains, roles, content, checks, providers, region, vars, \
             tls, static, on, ttl, budget, environments, name, site",
            "sites/hello/site.yaml:3: unknown key `cont`: did you mean `count`?",
        ]
    );
}

#[test]
fn an_override_of_an_unknown_environment_is_a_warning() {
    let folder = Folder::new();
    folder.hello("  prod:", "  pord:");
    let warnings = folder.good().warnings;
    assert_eq!(
        super::folder::lines(&warnings),
        ["sites/hello/site.yaml:10: `otto.yaml` knows no environment `pord`: did you mean `prod`?"]
    );
    assert!(warnings[0].warning && OTTO.contains("prod"));
}
