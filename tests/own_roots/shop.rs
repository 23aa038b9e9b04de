//! The team's own root in a project, with as many sites as a test wants.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::support::Sandbox;

/// The fixture.
fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/own_root")
}

pub(crate) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().expect("its type").is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// A project with the root as provider `shop`, its modules, and nothing else; `backend` is the text of its block.
pub(crate) fn project(name: &str, backend: &str) -> Sandbox {
    let sandbox = Sandbox::new(name);
    for site in ["hello", "blog"] {
        fs::remove_dir_all(sandbox.path("sites").join(site)).expect("a site that is not wanted here");
    }
    copy_tree(&fixture().join("modules"), &sandbox.path("clowd/modules"));
    copy_tree(&fixture().join("root"), &sandbox.path("clowd/provision/shop"));
    sandbox.edit("clowd/provision/shop/main.tf", "BACKEND", backend);
    let port = format!("http_port = {}, machine = machine.name", serve());
    sandbox.edit("clowd/provision/shop/outputs.tf", "machine = machine.name", &port);
    sandbox.write("clowd/provision/shop/provider.yaml", "kind: terraform\nprices: free\n");
    sandbox.edit("otto.yaml", "providers: [local]", "providers: [shop]");
    sandbox
}

pub(crate) fn site(sandbox: &Sandbox, name: &str) {
    let text = format!("domains: [{name}.localhost]\nproviders: [shop]\nroles: {{www: {{count: 1}}}}\n");
    sandbox.write(&format!("sites/{name}/site.yaml"), &text);
}

/// The playbook of the team instead of the project's own.
pub(crate) fn playbook(sandbox: &Sandbox) {
    fs::remove_dir_all(sandbox.path("clowd/config")).expect("the old one");
    copy_tree(&fixture().join("config"), &sandbox.path("clowd/config"));
}

/// Terraform by hand, in the root, as the team did it before.
#[track_caller]
pub(crate) fn by_hand(sandbox: &Sandbox, args: &[&str]) -> String {
    let mut command = Command::new("terraform");
    command.args(args).current_dir(sandbox.path("clowd/provision/shop")).env("TF_IN_AUTOMATION", "1");
    let output = command.env("CHECKPOINT_DISABLE", "1").env_remove("TF_DATA_DIR").output().expect("terraform");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "terraform {args:?}: {said}");
    said
}

/// Pages for `www-1`, played by the test itself; returns the port.
fn serve() -> u16 {
    use std::io::{Read, Write};
    const PAGE: &str = "HTTP/1.1 200 OK\r\nX-Served-By: www-1\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0_u8; 4096]);
            let _ = stream.write_all(PAGE.as_bytes());
        }
    });
    port
}
