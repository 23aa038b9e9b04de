//! `ssh:` of `otto.yaml`, and its paths as files: `~` and relative ones made absolute.

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::{Project, Ssh};

use super::machines;
use super::quantity;
use super::read::{Field, Reading};

const KEYS: &[&str] = &["user", "identity", "public_keys", "jump", "wait"];

/// Reads the settings.
pub(super) fn read(reading: &mut Reading, field: &Field<'_>) -> Ssh {
    let mut ssh = Ssh::default();
    let Some(fields) = reading.map(field, "a map such as `{user: root, identity: ~/.ssh/id}`") else { return ssh };
    reading.only(&fields, KEYS);
    let mut word =
        |key: &str| fields.get(key).and_then(|inner| reading.parsed(&inner, "a text without blanks", machines::word));
    (ssh.user, ssh.jump) = (word("user"), word("jump"));
    if let Some(inner) = fields.get("identity") {
        ssh.identity = reading.text(&inner, "the path of a private key");
    }
    if let Some(keys) = fields.get("public_keys") {
        let items = reading.list(&keys, "a list such as `[~/.ssh/id.pub]`").unwrap_or_default();
        ssh.public_keys = items.iter().filter_map(|key| reading.text(key, "the path of a public key")).collect();
    }
    if let Some(inner) = fields.get("wait") {
        let expected = "a span of time such as `2m`";
        ssh.wait_s = reading.parsed(&inner, expected, quantity::seconds).unwrap_or(ssh.wait_s);
    }
    ssh
}

/// Makes the paths of keys absolute: `~` is the person's home, everything else is relative to the project.
pub fn settle(project: &mut Project, home: Option<&Utf8Path>) {
    let folder = Utf8PathBuf::from(&project.folder);
    let absolute = |path: &mut String| *path = resolved(path, &folder, home);
    project.ssh.identity.iter_mut().for_each(absolute);
    project.ssh.public_keys.iter_mut().filter(|key| !key.contains(' ')).for_each(absolute);
    let shapes = project.sites.values_mut().flat_map(|site| {
        let over = site.environments.values_mut();
        std::iter::once(&mut site.base).chain(over)
    });
    shapes.flat_map(|shape| &mut shape.machines).filter_map(|machine| machine.identity.as_mut()).for_each(absolute);
}

fn resolved(path: &str, folder: &Utf8Path, home: Option<&Utf8Path>) -> String {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest).into_string(),
        _ => folder.join(path).into_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_the_persons_or_the_projects() {
        let home = Some(Utf8Path::new("/home/me"));
        for (path, absolute) in [("~/.ssh/id", "/home/me/.ssh/id"), ("keys/id", "/p/keys/id"), ("/k/id", "/k/id")] {
            assert_eq!(resolved(path, "/p".into(), home), absolute);
        }
    }
}
