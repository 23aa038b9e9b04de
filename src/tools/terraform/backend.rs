//! A root's own backend: which kind, and for `http`, which knows no workspaces, an address for each deployment.

use std::io;

use camino::Utf8Path;

use super::root;

/// Where the name of the deployment goes in an address or a setting.
pub const PLACEHOLDER: &str = "{deployment}";
/// otto's own file in a deployment's copy of the root: files with this ending are merged over the others, in order.
pub const OVERRIDE_FILE: &str = "zz_otto_override.tf";
/// What is given per call instead of in the block.
const ADDRESSES: [&str; 3] = ["address", "lock_address", "unlock_address"];

/// A `backend` block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backend {
    /// `pg`, `http`, `s3`, ..., `cloud`.
    pub kind: String,
    /// Its settings as name and source text.
    pub settings: Vec<(String, String)>,
}

/// The addresses of one deployment's state on an `http` backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Of the state.
    pub state: String,
    /// Of its lock; absent: it is not locked.
    pub lock: Option<String>,
    /// For giving the lock up.
    pub unlock: Option<String>,
}

impl Backend {
    /// The root's block; nothing when its state is a file beside it.
    ///
    /// # Errors
    /// The folder or a file cannot be read.
    pub fn of(dir: &Utf8Path) -> io::Result<Option<Self>> {
        root::backend_block(dir)
    }

    /// Several states at one place are told apart by workspaces.
    pub fn has_workspaces(&self) -> bool {
        self.kind != "http"
    }

    fn setting(&self, name: &str) -> Option<String> {
        let text = &self.settings.iter().find(|(n, _)| n == name)?.1;
        Some(text.trim_matches('"').to_owned()).filter(|value| !value.is_empty() && value != "null")
    }

    /// The addresses of a deployment. Each setting counts that `wanted` (`name=value`) has, else the block, else
    /// `inherited` (by the name of the environment variable). One with [`PLACEHOLDER`] gets the key there, one without
    /// gets it appended, `-KEY`, to the path that is common to all three; nothing is changed for `own`, the root's own state.
    ///
    /// # Errors
    /// What is missing or ambiguous, in words.
    pub fn addresses(
        &self,
        key: &str,
        own: bool,
        wanted: &[String],
        inherited: impl Fn(&str) -> Option<String>,
    ) -> Result<Addresses, String> {
        let given = |name: &str| {
            let flag = wanted.iter().find_map(|w| w.strip_prefix(name)?.strip_prefix('=').map(str::to_owned));
            flag.or_else(|| self.setting(name)).or_else(|| inherited(&format!("TF_HTTP_{}", name.to_uppercase())))
        };
        let base = given("address").ok_or("the `http` backend has no address")?;
        let of = |name: &str| -> Result<Option<String>, String> {
            let Some(text) = given(name) else { return Ok(None) };
            if text.split_once("://").is_some_and(|(_, rest)| rest.split('/').next().unwrap_or("").contains('@')) {
                return Err(format!(
                    "`{name}` of the `http` backend holds a password: use TF_HTTP_USERNAME and TF_HTTP_PASSWORD"
                ));
            }
            if own {
                return Ok(Some(text));
            }
            if text.contains(PLACEHOLDER) {
                return Ok(Some(text.replace(PLACEHOLDER, key)));
            }
            let rest = text.strip_prefix(base.split(['?', '#']).next().unwrap_or(&base).trim_end_matches('/'));
            let rest = rest.filter(|_| !base.contains(PLACEHOLDER)).ok_or_else(|| {
                format!("`{name}` of the `http` backend, `{text}`, does not begin with its address: write {PLACEHOLDER} where the deployment's name goes")
            })?;
            let place = base.split(['?', '#']).next().unwrap_or(&base);
            let mark = if place.ends_with('/') { "/" } else { "-" };
            Ok(Some(format!(
                "{}{mark}{key}{}",
                place.trim_end_matches('/'),
                rest.trim_start_matches(if mark == "/" { "/" } else { "" })
            )))
        };
        let state = of("address")?.unwrap_or_default();
        Ok(Addresses { state, lock: of("lock_address")?, unlock: of("unlock_address")? })
    }

    /// The text of [`OVERRIDE_FILE`]: the block without its addresses, so that they are given per call and one
    /// initialised folder does for all deployments.
    pub fn without_addresses(&self) -> String {
        let kept = self.settings.iter().filter(|(name, _)| !ADDRESSES.contains(&name.as_str()));
        let lines: String = kept.map(|(name, value)| format!("    {name} = {value}\n")).collect();
        format!(
            "# Written by otto: this deployment's addresses are in TF_HTTP_ADDRESS and the like.\nterraform {{\n  backend \"{}\" {{\n{lines}  }}\n}}\n",
            self.kind
        )
    }

    /// What `init` is given: each of `wanted` with the key in its place, for `http` without addresses.
    pub fn init_args(&self, key: &str, wanted: &[String]) -> Vec<String> {
        let address = |text: &&String| {
            self.kind == "http"
                && ADDRESSES.iter().any(|name| text.strip_prefix(name).is_some_and(|r| r.starts_with('=')))
        };
        wanted
            .iter()
            .filter(|text| !address(text))
            .map(|text| format!("-backend-config={}", text.replace(PLACEHOLDER, key)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(settings: &[(&str, &str)]) -> Backend {
        let settings = settings.iter().map(|(n, v)| ((*n).to_owned(), format!("\"{v}\""))).collect();
        Backend { kind: "http".to_owned(), settings }
    }

    #[test]
    fn every_deployment_has_an_address_of_its_own() {
        let none = |_: &str| None;
        let block = http(&[
            ("address", "http://s/state/shop"),
            ("lock_address", "http://s/state/shop/lock"),
            ("lock_method", "POST"),
        ]);
        let found = block.addresses("k", false, &[], none).expect("addresses");
        assert_eq!(
            (found.state.as_str(), found.lock.as_deref(), found.unlock),
            ("http://s/state/shop-k", Some("http://s/state/shop-k/lock"), None)
        );
        let of = |text: &str| http(&[("address", text)]).addresses("k", false, &[], none).expect("addresses").state;
        assert_eq!(of("http://s/state/"), "http://s/state/k");
        assert_eq!(of("http://s/state?a=b"), "http://s/state-k?a=b");
        assert_eq!(of("http://s/{deployment}/state"), "http://s/k/state");
        let own = block.addresses("k", true, &[], none).expect("addresses");
        assert_eq!(own.lock.as_deref(), Some("http://s/state/shop/lock"));
        let wanted = ["address=http://t/{deployment}".to_owned(), "username=u".to_owned()];
        assert!(
            block.addresses("k", false, &wanted, none).expect_err("the lock stays behind").contains("lock_address")
        );
        assert_eq!(block.init_args("k", &wanted), ["-backend-config=username=u"]);
        let env = |name: &str| (name == "TF_HTTP_ADDRESS").then(|| "http://e/x".to_owned());
        assert_eq!(http(&[]).addresses("k", false, &[], env).expect("addresses").state, "http://e/x-k");
        assert!(http(&[]).addresses("k", false, &[], none).is_err());
        assert!(
            http(&[("address", "http://u:p@s/x")])
                .addresses("k", false, &[], none)
                .expect_err("a password")
                .contains("TF_HTTP_PASSWORD")
        );
        assert!(
            block.without_addresses().contains("lock_method = \"POST\"") && !block.without_addresses().contains("shop")
        );
    }
}
