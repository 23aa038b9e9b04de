//! A made-up provider, added by a folder: hosts are lines in a file, and how long they take is up to the test.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;

use super::Sandbox;

/// The provider in a project.
pub(crate) struct Toy {
    gate: PathBuf,
    made: PathBuf,
}

impl Toy {
    /// Adds provider `toy`, which never needs an image, and the site `shelf` for it, with so many hosts that serve
    /// nothing.
    pub(crate) fn add(sandbox: &Sandbox, count: usize) -> Self {
        Self::with(sandbox, "box", count, 0)
    }

    /// The same with one web server, played by the test itself, and a playbook that does nothing.
    pub(crate) fn serving(sandbox: &Sandbox) -> Self {
        sandbox.write("clowd/config/site.yml", PLAYBOOK);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut asked = [0_u8; 4096];
                let _ = stream.read(&mut asked);
                let _ = stream.write_all(PAGE.as_bytes());
            }
        });
        Self::with(sandbox, "www", 1, port)
    }

    fn with(sandbox: &Sandbox, role: &str, count: usize, port: u16) -> Self {
        let place = sandbox.folder.parent().expect("a parent").join("toys");
        fs::create_dir_all(&place).expect("a folder");
        let toy = Self { gate: place.join("gate"), made: place.join("made") };
        let words = [("GATE", &toy.gate), ("MADE", &toy.made)];
        let root =
            words.iter().fold(ROOT.to_owned(), |text, (word, path)| text.replace(word, &path.display().to_string()));
        sandbox.write("clowd/provision/toy/provider.yaml", "kind: terraform\nprices: free\n");
        sandbox.write("clowd/provision/toy/main.tf", &root.replace("PORT", &port.to_string()));
        sandbox.write(
            "sites/shelf/site.yaml",
            &format!("domains: [shelf.localhost]\nproviders: [toy]\nroles: {{{role}: {{count: {count}}}}}\n"),
        );
        toy
    }

    /// From now on hosts are not finished until the gate is opened.
    pub(crate) fn close(&self) {
        fs::write(&self.gate, "").expect("a gate");
    }

    pub(crate) fn open(&self) {
        fs::remove_file(&self.gate).expect("an open gate");
    }

    /// What was made and removed, in order.
    pub(crate) fn log(&self) -> Vec<String> {
        fs::read_to_string(&self.made).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

const PLAYBOOK: &str = "- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.debug: {msg: hello}\n";

const PAGE: &str = "HTTP/1.1 200 OK\r\nX-Served-By: www-1\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";

/// `+name` is written when a host begins, `=name` when it is there, `-name` when it goes.
const ROOT: &str = r#"
variable "hosts" {
  type = list(object({ name = string, role = string, image = string, size = string }))
}

resource "terraform_data" "toy" {
  for_each = toset([for host in var.hosts : host.name])
  input    = each.key

  provisioner "local-exec" {
    interpreter = ["/bin/sh", "-c"]
    command     = "echo +$NAME >>'MADE'; while [ -e 'GATE' ]; do sleep 0.05; done; echo =$NAME >>'MADE'"
    environment = { NAME = self.output }
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["/bin/sh", "-c"]
    command     = "echo -$NAME >>'MADE'"
    environment = { NAME = self.output }
  }
}

output "hosts" {
  value = [for host in var.hosts : {
    name = host.name, role = host.role, address = "127.0.0.1", connection = "local", vars = { http_port = PORT }
  }]
}
"#;
