//! Calls of Vagrant in the folder of one deployment: typed wishes in, argv and environment out. Nothing here is run.

use camino::{Utf8Path, Utf8PathBuf};

use crate::tools::invocation::{Invocation, Stop};

/// Never inherited: they would change which machines a call is about, or what it prints.
const REMOVED: &[&str] = &["VAGRANT_LOG", "VAGRANT_VAGRANTFILE", "VAGRANT_DEBUG*", "VAGRANT_FORCE_COLOR"];
/// A question that is not answered for this long is given up: it only reads.
const READ_MS: u64 = 300_000;

/// Vagrant on the machines of one deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vagrant {
    /// The executable.
    pub program: Utf8PathBuf,
    /// The deployment's folder, absolute: a copy of the Vagrantfile, the host list, what Vagrant remembers.
    pub dir: Utf8PathBuf,
}

impl Vagrant {
    /// The copy of the Vagrantfile.
    pub fn vagrantfile(dir: &Utf8Path) -> Utf8PathBuf {
        dir.join("Vagrantfile")
    }

    /// The host list that the Vagrantfile reads.
    pub fn list(dir: &Utf8Path) -> Utf8PathBuf {
        dir.join("hosts.json")
    }

    /// Makes and starts machines, those named or all of the list. What stood behind `--` follows otto's own flags.
    pub fn up(&self, names: &[String], passthrough: &[String]) -> Invocation {
        self.call(&["up"], Stop::Vagrant)
            .args(["--machine-readable", "--no-provision"])
            .args(passthrough.iter().cloned())
            .args(names.iter().cloned())
    }

    /// Takes machines down, those named or all of the list; without `-f` it would ask.
    pub fn destroy(&self, names: &[String], passthrough: &[String]) -> Invocation {
        self.call(&["destroy"], Stop::Vagrant)
            .args(["-f", "--machine-readable"])
            .args(passthrough.iter().cloned())
            .args(names.iter().cloned())
    }

    /// What is there.
    pub fn status(&self) -> Invocation {
        self.call(&["status"], Stop::Script).args(["--machine-readable"]).limit_ms(READ_MS)
    }

    /// How machines are reached, as text of an `ssh_config`.
    pub fn ssh_config(&self, names: &[String]) -> Invocation {
        self.call(&["ssh-config"], Stop::Script).args(names.iter().cloned()).limit_ms(READ_MS)
    }

    /// Checks the Vagrantfile with its list.
    pub fn validate(&self) -> Invocation {
        self.call(&["validate"], Stop::Script).args(["--machine-readable"]).limit_ms(READ_MS)
    }

    /// The boxes that are there.
    pub fn box_list(&self) -> Invocation {
        self.call(&["box", "list"], Stop::Script).args(["--machine-readable"]).limit_ms(READ_MS)
    }

    /// Adds a box from a file under a name.
    pub fn box_add(&self, name: &str, file: &Utf8Path) -> Invocation {
        self.call(&["box", "add"], Stop::Script).args(["--machine-readable", "--force", "--name", name, file.as_str()])
    }

    fn call(&self, verb: &[&str], stop: Stop) -> Invocation {
        let mut call = Invocation::new(&self.program, &self.dir, stop).args(verb.iter().copied());
        call.env_remove = REMOVED.iter().map(|name| (*name).to_owned()).collect();
        call.env("VAGRANT_CWD", self.dir.as_str())
            .env("VAGRANT_DOTFILE_PATH", self.dir.join("state"))
            .env("OTTO_VAGRANT_HOSTS", Self::list(&self.dir))
            .env("VAGRANT_CHECKPOINT_DISABLE", "1")
            .env("VAGRANT_BOX_UPDATE_CHECK_DISABLE", "1")
            .env("VAGRANT_NO_COLOR", "1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_deployment_has_its_own_folder_and_nothing_asks() {
        let vagrant = Vagrant { program: "/bin/vagrant".into(), dir: "/p/.otto/vagrant/k".into() };
        let names = ["www-1".to_owned()];
        let calls = [
            vagrant.up(&[], &["--provider=docker".to_owned()]),
            vagrant.destroy(&names, &[]),
            vagrant.status(),
            vagrant.ssh_config(&names),
            vagrant.box_add("otto/nginx-1", "/b/nginx-1.box".into()),
        ];
        insta::assert_snapshot!(calls.map(|call| call.shown()).join("\n"), @r"
        /bin/vagrant up --machine-readable --no-provision --provider=docker
        /bin/vagrant destroy -f --machine-readable www-1
        /bin/vagrant status --machine-readable
        /bin/vagrant ssh-config www-1
        /bin/vagrant box add --machine-readable --force --name otto/nginx-1 /b/nginx-1.box
        ");
        let env = vagrant.status().env;
        assert_eq!(env["VAGRANT_CWD"], "/p/.otto/vagrant/k");
        assert_eq!(env["VAGRANT_DOTFILE_PATH"], "/p/.otto/vagrant/k/state");
    }
}
