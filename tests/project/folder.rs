//! A small valid project in a temporary folder, to be changed by each test.

use std::fs;

use camino::Utf8Path;
use otto::project::{Loaded, Problem, load};
use tempfile::TempDir;

pub(crate) const OTTO: &str = "\
project: clowd
id: 7f3c9a41d2e8b605
providers: [local]
environment: dev
environments:
  dev: {ttl: 8h, budget: {month: 20 USD}, vars: {motd: from-env, level: 1}}
  prod: {protect: true}
";
pub(crate) const HELLO: &str = "\
domains: [hello.localhost, www.hello.localhost]
roles:
  www: {image: nginx, count: 2, size: small}
  lb: {image: haproxy}
content: html
checks:
  - {name: home, http: /, body: hello}
vars: {motd: from-site}
environments:
  prod:
    domains: [hello.example.org]
    roles: {www: {count: 4, size: large}}
";
pub(crate) const LOCAL: &str = "kind: terraform\nprices: free\nprobed: true\nimage: {from: file}\nbase: none\n";
pub(crate) const DO: &str = "\
kind: terraform
sizes: {small: s-1vcpu-1gb}
base: {nginx: debian-12-x64}
region: fra1
workspace: null
credentials: [DIGITALOCEAN_TOKEN]
image: {from: id, match: '[^:]+$'}
prices: do
";

pub(crate) struct Folder(TempDir);

impl Folder {
    /// The valid one.
    pub(crate) fn new() -> Self {
        let folder = Self(TempDir::new().unwrap());
        folder
            .write("otto.yaml", OTTO)
            .write("sites/hello/site.yaml", HELLO)
            .write("sites/hello/html/index.html", "hello")
            .write("clowd/provision/local/provider.yaml", LOCAL)
            .write("clowd/provision/local/main.tf", "")
            .write("clowd/provision/do/provider.yaml", DO)
            .write("clowd/provision/do/main.tf", "")
            .write("clowd/prices/do.yaml", include_str!("../../clowd/prices/do.yaml"))
            .write("clowd/config/site.yml", "- hosts: all\n")
            .write("images/base/setup", "#!/bin/sh\n")
            .write("images/nginx/local/image.pkr.hcl", "")
            .write("images/nginx/do/image.pkr.hcl", "")
            .write("images/haproxy/local/image.pkr.hcl", "");
        folder
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.0.path()).unwrap()
    }

    pub(crate) fn write(&self, file: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// The valid site with one text replaced.
    pub(crate) fn hello(&self, from: &str, to: &str) -> &Self {
        assert!(HELLO.contains(from), "{from}");
        self.write("sites/hello/site.yaml", HELLO.replacen(from, to, 1))
    }

    /// The valid `otto.yaml` with one text replaced.
    pub(crate) fn otto(&self, from: &str, to: &str) -> &Self {
        assert!(OTTO.contains(from), "{from}");
        self.write("otto.yaml", OTTO.replacen(from, to, 1))
    }

    pub(crate) fn load(&self) -> Result<Loaded, Vec<Problem>> {
        load(self.path())
    }

    pub(crate) fn good(&self) -> Loaded {
        self.load().unwrap_or_else(|problems| panic!("{}", lines(&problems).join("\n")))
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        lines(&self.load().expect_err("it is broken"))
    }
}

pub(crate) fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}
