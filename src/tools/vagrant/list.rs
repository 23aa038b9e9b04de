//! The host list that otto writes and the Vagrantfile reads: the one topology, as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Addresses of a host-only network that every one of Vagrant's providers lets us have: 192.168.56.0/21.
const FIRST_NET: u32 = 56;
const NETS: u32 = 8;
/// The first and the last host of a net; .1 is the machine that Vagrant runs on.
const FIRST_HOST: u32 = 10;
const HOSTS: u32 = 240;

/// The document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostList {
    /// Before the names of machines where they share one namespace (libvirt, Docker): no other clone has the same.
    pub prefix: String,
    /// The site's hosts.
    pub hosts: Vec<Listed>,
}

/// One machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its name, Vagrant's as well.
    pub name: String,
    /// `www`, `lb`, ...
    pub role: String,
    /// The name of a box, or the absolute path of one.
    pub image: String,
    /// `<cpus>x<MB>`.
    pub size: String,
    /// On the private network of the deployment.
    pub address: String,
}

impl HostList {
    /// Reads a list.
    ///
    /// # Errors
    /// It is none, with the reason.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// As the Vagrantfile reads it.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a host list is plain data");
        text.push('\n');
        text
    }

    /// Names in order.
    pub fn names(&self) -> Vec<String> {
        self.hosts.iter().map(|host| host.name.clone()).collect()
    }
}

/// Gives each name an address on one network, the same as before where it had one. `seed` (of the deployment and its folder)
/// decides on the network, so that deployments and clones rarely meet.
pub fn addresses(names: &[String], before: &BTreeMap<String, String>, seed: u32) -> BTreeMap<String, String> {
    let kept = names.iter().filter_map(|name| Some((name.clone(), before.get(name)?.clone())));
    let mut all: BTreeMap<String, String> = kept.collect();
    let net = before
        .values()
        .find_map(|address| address.rsplit_once('.').map(|(net, _)| net.to_owned()))
        .unwrap_or_else(|| format!("192.168.{}", FIRST_NET + seed % NETS));
    // In one network of 240, two deployments begin at different places.
    let start = seed / NETS % HOSTS;
    for name in names {
        if all.contains_key(name) {
            continue;
        }
        let free = (0..HOSTS).map(|n| format!("{net}.{}", FIRST_HOST + (start + n) % HOSTS));
        let taken = |address: &String| {
            all.values().any(|other| other == address)
                || before.iter().any(|(other, theirs)| other != name && theirs == address)
        };
        if let Some(address) = free.into_iter().find(|address| !taken(address)) {
            all.insert(name.clone(), address);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_and_do_not_meet() {
        let names: Vec<String> = ["lb-1", "www-1", "www-2"].map(str::to_owned).to_vec();
        let first = addresses(&names[..2], &BTreeMap::new(), 8 * 239 + 3);
        assert_eq!(first["lb-1"], "192.168.59.249");
        assert_eq!(first["www-1"], "192.168.59.10");
        let second = addresses(&names, &first, 77);
        assert_eq!((&second["lb-1"], &second["www-1"]), (&first["lb-1"], &first["www-1"]));
        assert!(second["www-2"].starts_with("192.168.59.") && !first.values().any(|a| *a == second["www-2"]));
    }

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let list = HostList {
            prefix: "otto_1_".into(),
            hosts: vec![Listed { name: "www-1".into(), size: "1x512".into(), ..Listed::default() }],
        };
        assert_eq!(HostList::read(&list.text()), Ok(list));
        assert!(HostList::read("[").is_err());
    }
}
