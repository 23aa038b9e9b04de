//! OpenSSH: the files of a deployment, logins, and what its words mean.
//!
//! `.otto/ssh/<deployment>/{config,known_hosts}`: new host keys are accepted once, a changed one is an error.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::ssh::Access;
use crate::model::{DeploymentId, Host, Ssh};
use crate::process::leash::leashed;
use crate::process::{capture, disk};

/// How long one login may take.
const LOGIN: Duration = Duration::from_secs(30);

/// The folder of a deployment's `ssh_config` and host keys.
pub fn folder(home: &Utf8Path, id: &DeploymentId) -> Utf8PathBuf {
    home.join("ssh").join(id.key())
}

/// How a deployment's hosts are reached, from files that may not be written yet. A site on another one's hosts has
/// that one's files.
pub fn access(home: &Utf8Path, carrier: &DeploymentId, ssh: &Ssh) -> Access {
    let folder = folder(home, carrier);
    Access {
        ssh: ssh.clone(),
        config: folder.join("config").into_string(),
        known_hosts: folder.join("known_hosts").into_string(),
    }
}

/// Writes the deployment's `ssh_config`, if it is not as it should be.
///
/// # Errors
/// The folder or file cannot be written.
pub fn write(access: &Access, hosts: &[Host]) -> io::Result<()> {
    let config = Utf8Path::new(&access.config);
    let text = access.text(hosts);
    if std::fs::read_to_string(config).is_ok_and(|there| there == text) {
        return Ok(());
    }
    if let Some(folder) = config.parent() {
        std::fs::create_dir_all(folder)?;
    }
    disk::write_atomic(config, text.as_bytes(), 0o600)
}

/// The beginning of every call of ssh: it ends with otto.
pub fn program(exe: &Utf8Path) -> Vec<String> {
    leashed(exe, "ssh")
}

/// As a shell says that a program cannot be run; what is run on the host never ends so.
const NO_PROGRAM: i32 = 127;

/// Whether a host lets us in.
///
/// # Errors
/// Why it does not.
pub async fn login(exe: &Utf8Path, access: &Access, host: &Host, hosts: &[Host]) -> Result<(), Refusal> {
    let mut argv = program(exe);
    argv.extend(access.options(host, hosts, true));
    argv.extend([host.address.clone(), "true".to_owned()]);
    let args: Vec<&str> = argv[1..].iter().map(String::as_str).collect();
    let answer = capture(Utf8Path::new(&argv[0]), &args, &BTreeMap::new(), LOGIN).await;
    match answer {
        Ok(answer) if answer.code == 0 => Ok(()),
        Ok(answer) if answer.code == NO_PROGRAM => Err(Refusal {
            what: "there is no program `ssh` on this machine".to_owned(),
            hints: vec!["install OpenSSH's client, on Debian `apt-get install openssh-client`".to_owned()],
            lasting: true,
        }),
        Ok(answer) => Err(Refusal::read(&answer.stderr, &answer.stdout)),
        Err(error) => Err(Refusal { what: error.to_string(), hints: Vec::new(), lasting: false }),
    }
}

/// Why a host does not let us in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// One line.
    pub what: String,
    /// What to do.
    pub hints: Vec<String>,
    /// Waiting will not help. A guess from ssh's words: nothing but the length of the wait depends on it.
    pub lasting: bool,
}

impl Refusal {
    /// From what ssh said.
    pub fn read(stderr: &str, stdout: &str) -> Self {
        let lines: Vec<&str> = stderr.lines().chain(stdout.lines()).map(str::trim).filter(|l| !l.is_empty()).collect();
        let last = lines.last().copied().unwrap_or("ssh ended and said nothing").to_owned();
        if lines.iter().any(|line| line.contains("HOST IDENTIFICATION HAS CHANGED")) {
            return Self::changed_key(&lines);
        }
        let with = |words: &[&str]| lines.iter().find(|line| words.iter().any(|w| line.contains(w))).copied();
        if let Some(line) = with(&["UNPROTECTED PRIVATE KEY FILE", "bad permissions", "are too open"]) {
            let hint = "chmod 600 the key's file: ssh does not use one that others can read".to_owned();
            return Self { what: line.trim_matches(['@', ' ']).to_owned(), hints: vec![hint], lasting: true };
        }
        if let Some(line) = with(&["Permission denied (", "Too many authentication failures"]) {
            let hint =
                "check `ssh:` (user, identity) in otto.yaml and the host's entry, or load the key into the agent";
            return Self { what: line.to_owned(), hints: vec![hint.to_owned()], lasting: true };
        }
        if let Some(line) =
            with(&["Could not resolve hostname", "Bad configuration option", "Host key verification failed"])
        {
            return Self { what: line.to_owned(), hints: Vec::new(), lasting: true };
        }
        let hint =
            "is it up, does an SSH server listen there, and is the way there open? `ssh: {wait: 5m}` waits longer";
        Self { what: last, hints: vec![hint.to_owned()], lasting: false }
    }

    /// `Offending ED25519 key in FILE:LINE`, and which host it is about.
    fn changed_key(lines: &[&str]) -> Self {
        let offending = lines.iter().find(|line| line.starts_with("Offending"));
        let place = offending.and_then(|line| line.split_once(" key in ")).map(|(_, place)| place.trim());
        let about = lines.iter().find_map(|line| line.strip_prefix("Host key for ")?.split(" has changed").next());
        let now =
            lines.iter().position(|line| line.contains("sent by the remote host is")).and_then(|at| lines.get(at + 1));
        let (place, about) = (place.unwrap_or("known_hosts"), about.unwrap_or("the host"));
        let file = place.rsplit_once(':').map_or(place, |(file, _)| file);
        let now = now.map(|key| format!(", and now shows {}", key.trim_end_matches('.'))).unwrap_or_default();
        Self {
            what: format!("the host key of {about} has changed: another one stands in {place}{now}"),
            hints: vec![
                format!("was it set up anew on purpose? Forget the old key: ssh-keygen -f '{file}' -R '{about}'"),
                "if not, somebody may be in between: nothing was sent to it; compare the key on its own console"
                    .to_owned(),
            ],
            lasting: true,
        }
    }
}

/// Forgets the keys of hosts that were made anew.
///
/// # Errors
/// The file cannot be read or written.
pub fn forget(access: &Access, hosts: &[&Host]) -> io::Result<()> {
    let file = Utf8Path::new(&access.known_hosts);
    let text = match std::fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    let name = |host: &Host| match host.port.unwrap_or(22) {
        22 => host.address.clone(),
        port => format!("[{}]:{port}", host.address),
    };
    let names: Vec<String> = hosts.iter().map(|host| name(host)).collect();
    let kept: String = text
        .split_inclusive('\n')
        .filter(|line| !line.split([' ', ',']).take(2).any(|word| names.iter().any(|name| name == word)))
        .collect();
    if kept == text { Ok(()) } else { disk::write_atomic(file, kept.as_bytes(), 0o600) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGED: &str = "@@@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@@@\nIT IS POSSIBLE\n\
        The fingerprint for the ED25519 key sent by the remote host is\nSHA256:abc.\nPlease contact your system administrator.\n\
        Add correct host key in /o/known_hosts to get rid of this message.\nOffending ED25519 key in /o/known_hosts:3\n\
        Host key for [10.0.0.5]:2222 has changed and you have requested strict checking.\nHost key verification failed.\n";

    #[test]
    fn a_changed_key_is_explained() {
        let refusal = Refusal::read(CHANGED, "");
        assert!(refusal.lasting);
        assert_eq!(
            refusal.what,
            "the host key of [10.0.0.5]:2222 has changed: another one stands in /o/known_hosts:3, and now shows SHA256:abc"
        );
        assert!(refusal.hints[0].ends_with("ssh-keygen -f '/o/known_hosts' -R '[10.0.0.5]:2222'"), "{refusal:?}");
    }

    #[test]
    fn what_may_pass_is_waited_for() {
        for (words, lasting) in [
            ("ssh: connect to host 10.0.0.5 port 22: Connection refused\n", false),
            ("root@10.0.0.5: Permission denied (publickey).\n", true),
            ("", false),
        ] {
            assert_eq!(Refusal::read(words, "").lasting, lasting, "{words}");
        }
    }
}
