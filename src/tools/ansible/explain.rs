//! What to do about a failed playbook. Hints only: nothing is decided by what stands here.

use super::parse::Report;

const KNOWN: &[(&[&str], &str)] = &[
    (
        &["host key verification failed", "remote host identification has changed"],
        "a host answers with another key than before: if it was replaced on purpose, `otto up` forgets the old key; else somebody may be in between",
    ),
    (
        &["permission denied (publickey", "permission denied, please try again", "too many authentication failures"],
        "the host refused the login: check `ssh:` (user, identity) in otto.yaml, or load the key into the agent",
    ),
    (
        &[
            "connection timed out",
            "no route to host",
            "connection refused",
            "network is unreachable",
            "could not resolve hostname",
        ],
        "the host was not reached by SSH: check that it is up, its firewall and `ssh.jump`",
    ),
    (
        &["missing sudo password", "incorrect sudo password", "a password is required"],
        "sudo wants a password and nothing can prompt: set ANSIBLE_BECOME_PASSWORD_FILE",
    ),
    (
        &["attempting to decrypt but no vault secrets", "decryption failed"],
        "the playbook uses a vault: set ANSIBLE_VAULT_PASSWORD_FILE",
    ),
    (
        &["couldn't resolve module/action", "could not find or access the collection", "the role '"],
        "a module, role or collection is missing: name it in clowd/config/requirements.yml",
    ),
    (
        &[
            "no such file or directory: 'python",
            "/usr/bin/python: not found",
            "discovered_interpreter",
            "python3: not found",
        ],
        "the host has no Python 3: install it in the image",
    ),
    (
        &["the playbook: "],
        "clowd/config/ has no such playbook: write it, or take the one that `otto init` writes into a new folder",
    ),
    (&["no space left on device"], "a disk is full"),
    (&["is undefined"], "a variable is not set: give it in `vars:` of the site or environment"),
    (&["unsupported locale setting", "ansible requires the locale encoding"], "the machine has no UTF-8 locale"),
    (&["syntax error", "yaml parsing failed"], "the playbook has an error: correct the file and line named above"),
    (
        &["could not get lock /var/lib/dpkg", "could not get lock /var/lib/apt"],
        "the host installs packages by itself just now: run the same command again in a minute",
    ),
];

/// The place that Ansible names for a playbook that it cannot read: `Origin: FILE:3:1` (since 2.19), before that
/// `The error appears to be in 'FILE': line 3, column 1`.
pub fn place(stderr: &str) -> Option<(String, u32)> {
    let found = stderr.lines().find_map(|line| {
        if let Some((_, origin)) = line.split_once("Origin: ") {
            let mut parts = origin.trim().splitn(3, ':');
            return Some((parts.next()?.to_owned(), parts.next()?.parse().ok()?));
        }
        let (file, rest) = line.split_once("error appears to be in '")?.1.split_once("': line ")?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some((file.to_owned(), digits.parse().ok()?))
    });
    found.filter(|(file, _): &(String, u32)| file.starts_with('/'))
}

/// Hints for a failure, most telling first, each at most once.
pub fn hints(report: &Report, stderr: &str) -> Vec<String> {
    let failures = report.failures.iter().map(|failure| failure.msg.to_lowercase());
    let unreachable = report.unreachable.values().map(|msg| msg.to_lowercase());
    crate::tools::said::hints(KNOWN, failures.chain(unreachable).chain([stderr.to_lowercase()]))
}
