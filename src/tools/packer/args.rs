//! Calls of Packer, for the versions that read a file and for those that read a folder.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::tools::invocation::{Invocation, Stop};

/// The first version with plugins of its own: it has `init` and takes the whole folder.
const WITH_PLUGINS: (u32, u32, u32) = (1, 7, 0);

/// Packer on one template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packer {
    /// The executable.
    pub program: Utf8PathBuf,
    /// Major, minor, patch.
    pub version: (u32, u32, u32),
    /// The folder with `image.pkr.hcl` and possibly `plugins.pkr.hcl`, absolute.
    pub template: Utf8PathBuf,
    /// JSON variables, absolute: names that the template does not declare are passed over in this form only.
    pub var_file: Utf8PathBuf,
    /// Working folder: relative paths that the template writes to start here.
    pub cwd: Utf8PathBuf,
    /// More variables, none of them secret: a call is stored as it is.
    pub env: BTreeMap<String, String>,
}

impl Packer {
    /// Builds the template. What stood behind `--` follows otto's own flags.
    pub fn build(&self, passthrough: &[String]) -> Invocation {
        self.call("build")
            .args(["-machine-readable", "-color=false", "-on-error=cleanup"])
            .args([format!("-var-file={}", self.var_file)])
            .args(passthrough.iter().cloned())
            .args([self.target()])
    }

    /// Installs the plugins that `plugins.pkr.hcl` names; nothing where the version has all of them inside. Without
    /// network it succeeds when all are there.
    pub fn init(&self) -> Option<Invocation> {
        (self.version >= WITH_PLUGINS).then(|| self.call("init").args([self.target()]))
    }

    /// Checks the template without building it.
    pub fn validate(&self) -> Invocation {
        self.call("validate").args(["-machine-readable"]).args([format!("-var-file={}", self.var_file), self.target()])
    }

    /// What is given as the template: 1.6 refuses `required_plugins`, so it gets the one file.
    fn target(&self) -> String {
        if self.version >= WITH_PLUGINS {
            self.template.to_string()
        } else {
            self.template.join("image.pkr.hcl").into_string()
        }
    }

    fn call(&self, verb: &str) -> Invocation {
        let mut call = Invocation::new(&self.program, &self.cwd, Stop::Packer).args([verb]);
        call.env = self.env.clone();
        call.env_remove = ["PACKER_LOG", "PACKER_LOG_PATH"].map(str::to_owned).to_vec();
        call.env("CHECKPOINT_DISABLE", "1").env("PACKER_NO_COLOR", "1").short_lived_go()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_packer_gets_the_file_and_new_packer_the_folder() {
        let new = Packer {
            program: "/bin/packer".into(),
            version: (1, 16, 0),
            template: "/p/images/nginx/do".into(),
            var_file: "/r/vars.json".into(),
            cwd: "/r".into(),
            env: BTreeMap::new(),
        };
        let old = Packer { version: (1, 6, 6), ..new.clone() };
        assert_eq!(old.init(), None);
        let shown =
            [new.init().expect("it has init"), new.build(&["-only=a.*".into()]), old.build(&[]), old.validate()];
        insta::assert_snapshot!(shown.map(|call| call.shown()).join("\n"), @r#"
        /bin/packer init /p/images/nginx/do
        /bin/packer build -machine-readable -color=false -on-error=cleanup -var-file=/r/vars.json '-only=a.*' /p/images/nginx/do
        /bin/packer build -machine-readable -color=false -on-error=cleanup -var-file=/r/vars.json /p/images/nginx/do/image.pkr.hcl
        /bin/packer validate -machine-readable -var-file=/r/vars.json /p/images/nginx/do/image.pkr.hcl
        "#);
        insta::assert_snapshot!(format!("{:?} {:?}", old.build(&[]).env, old.build(&[]).env_remove), @r#"{"CHECKPOINT_DISABLE": "1", "PACKER_NO_COLOR": "1"} ["PACKER_LOG", "PACKER_LOG_PATH"]"#);
    }
}
