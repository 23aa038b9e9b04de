//! What outlives a destruction: resources that hold data and were not named, with all that they stand on. Pure.

use std::collections::BTreeSet;

use super::state::State;
use crate::model::Kept;
use crate::model::orphan::holds_data;

/// What a destruction leaves, and what it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaving {
    /// What stays.
    pub kept: Vec<Kept>,
    /// Addresses that go, when not everything does: nothing else may be named to Terraform, which takes with a resource all
    /// that stands on it.
    pub targets: Vec<String>,
    /// Names that mean nothing in this state.
    pub unknown: Vec<String>,
}

/// Decides by the state: `named` are addresses (with or without an index) or ids that go too, `also` further types that hold
/// data.
pub fn leaving(state: &State, named: &[String], also: &[String]) -> Leaving {
    let means = |name: &String, address: &str, id: &str| {
        *name == address || *name == without_index(address) || !id.is_empty() && name == id
    };
    let mut stays: BTreeSet<&str> = BTreeSet::new();
    for object in &state.objects {
        let spared = named.iter().any(|name| means(name, &object.address, &object.id));
        if holds_data(&object.kind, also) && !spared {
            stays.insert(&object.address);
        }
    }
    let data = stays.clone();
    // What they stand on stays as well, and what that stands on.
    loop {
        let under: BTreeSet<&String> =
            state.objects.iter().filter(|o| stays.contains(o.address.as_str())).flat_map(|o| &o.depends).collect();
        let more = state.objects.iter().filter(|o| under.iter().any(|base| **base == unindexed(&o.address)));
        let before = stays.len();
        stays.extend(more.map(|object| object.address.as_str()));
        if stays.len() == before {
            break;
        }
    }
    let known = |name: &&String| state.objects.iter().any(|o| means(name, &o.address, &o.id));
    let mut found =
        Leaving { unknown: named.iter().filter(|name| !known(name)).cloned().collect(), ..Leaving::default() };
    for object in &state.objects {
        if stays.contains(object.address.as_str()) {
            found.kept.push(Kept {
                address: object.address.clone(),
                kind: object.kind.clone(),
                id: object.id.clone(),
                holds_up: !data.contains(object.address.as_str()),
            });
        }
    }
    if !found.kept.is_empty() {
        let goes = state.addresses.union(&state.deposed).filter(|address| !stays.contains(address.as_str()));
        found.targets = goes.cloned().collect();
    }
    found
}

/// `a_b.c` of `a_b.c["x"]`: all instances of one resource.
fn without_index(address: &str) -> &str {
    match address.ends_with(']') {
        true => address.find('[').filter(|_| !address.starts_with("module.")).map_or(address, |at| &address[..at]),
        false => address,
    }
}

/// An address as dependencies are written: without any index.
fn unindexed(address: &str) -> String {
    let (mut out, mut depth, mut quoted, mut escaped) = (String::new(), 0_u32, false, false);
    for c in address.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if depth > 0 => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::terraform::StateFile;

    const STATE: &str = r#"{"version":4,"serial":1,"lineage":"l","resources":[
      {"mode":"managed","type":"do_vpc","name":"net","instances":[{"attributes":{"id":"n1"}}]},
      {"mode":"managed","type":"do_volume","name":"data","instances":[
        {"index_key":"www-1","attributes":{"id":"v1"},"dependencies":["do_vpc.net"]},
        {"index_key":"www-2","attributes":{"id":"v2"},"dependencies":["do_vpc.net"]}]},
      {"mode":"managed","type":"do_droplet","name":"host","instances":[
        {"index_key":"www-1","attributes":{"id":"d1"},"dependencies":["do_volume.data","do_vpc.net"]}]},
      {"mode":"managed","type":"do_volume_attachment","name":"a","instances":[{"attributes":{"id":"a1"},"dependencies":["do_volume.data"]}]}]}"#;

    fn decided(named: &[&str]) -> (Vec<String>, Vec<String>, Vec<String>) {
        let StateFile::Read(state) = StateFile::parse(STATE) else { panic!("a state") };
        let named: Vec<String> = named.iter().map(|n| (*n).to_owned()).collect();
        let found = leaving(&state, &named, &[]);
        (found.kept.into_iter().map(|k| k.address).collect(), found.targets, found.unknown)
    }

    #[test]
    fn data_and_what_it_stands_on_stays() {
        let (kept, targets, _) = decided(&[]);
        assert_eq!(kept, ["do_vpc.net", "do_volume.data[\"www-1\"]", "do_volume.data[\"www-2\"]"]);
        assert_eq!(targets, ["do_droplet.host[\"www-1\"]", "do_volume_attachment.a"]);
    }

    #[test]
    fn what_is_named_goes() {
        assert_eq!(decided(&["do_volume.data"]), (vec![], vec![], vec![]));
        let (kept, targets, unknown) = decided(&["v2", "do_volume.other"]);
        assert_eq!(kept, ["do_vpc.net", "do_volume.data[\"www-1\"]"]);
        assert!(targets.contains(&"do_volume.data[\"www-2\"]".to_owned()));
        assert_eq!(unknown, ["do_volume.other"]);
    }

    #[test]
    fn indices_are_cut_wherever_they_stand() {
        assert_eq!(unindexed("module.m[\"a]b\"].x.y[0]"), "module.m.x.y");
    }
}
