//! What `vagrant ssh-config` prints: how each machine is reached.

/// One machine's entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Vagrant's name of the machine.
    pub name: String,
    /// Where its SSH answers.
    pub address: String,
    /// On which port.
    pub port: Option<u16>,
    /// As whom.
    pub user: Option<String>,
    /// With which private key.
    pub identity: Option<String>,
}

/// Reads the entries; what otto does not need of them is passed over.
pub fn read(text: &str) -> Vec<Entry> {
    let mut all: Vec<Entry> = Vec::new();
    for line in text.lines() {
        let Some((key, value)) = line.trim().split_once([' ', '\t', '=']) else { continue };
        let value = value.trim().trim_matches('"').to_owned();
        if key.eq_ignore_ascii_case("host") {
            all.push(Entry { name: value, ..Entry::default() });
            continue;
        }
        let Some(entry) = all.last_mut() else { continue };
        match key.to_ascii_lowercase().as_str() {
            "hostname" => entry.address = value,
            "port" => entry.port = value.parse().ok(),
            "user" => entry.user = Some(value),
            // The first one counts: Vagrant lists the machine's own key first.
            "identityfile" => drop(entry.identity.get_or_insert(value)),
            _ => {}
        }
    }
    all.retain(|entry| !entry.address.is_empty());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read() {
        let text = "Host www-1\n  HostName 127.0.0.1\n  User vagrant\n  Port 2222\n  UserKnownHostsFile /dev/null\n  \
                    IdentityFile \"/a b/key\"\n  IdentityFile /other\n\nHost lb-1\n  HostName 192.168.121.7\n  Port 22\n\n\
                    Host half\n";
        let all = read(text);
        assert_eq!(all.len(), 2);
        assert_eq!(
            (all[0].name.as_str(), all[0].port, all[0].identity.as_deref()),
            ("www-1", Some(2222), Some("/a b/key"))
        );
        assert_eq!((all[1].address.as_str(), all[1].user.as_deref()), ("192.168.121.7", None));
    }
}
