//! Calls of Terraform and OpenTofu: typed wishes in, argv and environment out. Nothing here is run.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::tools::invocation::{Invocation, Stop};

/// How long a call waits for somebody else's lock: the default of 0 s makes every collision a failure.
const LOCK_TIMEOUT: &str = "-lock-timeout=5m";

/// Never inherited: they would change what otto asked for (`TF_DATA_DIR` included: otto says it, or it is the folder's).
const REMOVED: &[&str] = &["TF_CLI_ARGS*", "TF_WORKSPACE", "TF_LOG*", "TF_DATA_DIR"];

/// Terraform or OpenTofu in the folder of one deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terraform {
    /// The executable.
    pub program: Utf8PathBuf,
    /// It is OpenTofu.
    pub tofu: bool,
    /// Major, minor, patch; decides which flags are known.
    pub version: (u32, u32, u32),
    /// The deployment's folder, absolute: working folder, state, lock file.
    pub dir: Utf8PathBuf,
    /// The shared, initialised data folder; `<dir>/.terraform` when absent.
    pub data_dir: Option<Utf8PathBuf>,
    /// For roots with a backend of their own.
    pub workspace: Option<String>,
    /// What `init` is told of the backend beside the root's own block (`-backend-config=`).
    pub init_args: Vec<String>,
    /// JSON variables, absolute path; given to plan, apply and destroy.
    pub var_file: Option<Utf8PathBuf>,
    /// More variables (addresses of an `http` backend, say), none of them secret: a call is stored as it is.
    pub env: BTreeMap<String, String>,
}

/// What a plan or an apply is narrowed to, and what a person passed through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// Addresses made anew (`-replace=`).
    pub replace: Vec<String>,
    /// Only these addresses and what they need (`-target=`).
    pub target: Vec<String>,
    /// What stood behind `--` on otto's command line, as it is.
    pub passthrough: Vec<String>,
}

impl Extra {
    /// Replaces these addresses.
    pub fn replace(addresses: &[String]) -> Self {
        Self { replace: addresses.to_vec(), ..Self::default() }
    }

    /// Limits the call to these addresses.
    pub fn target(addresses: &[String]) -> Self {
        Self { target: addresses.to_vec(), ..Self::default() }
    }

    /// Passes arguments on.
    pub fn passthrough(args: &[String]) -> Self {
        Self { passthrough: args.to_vec(), ..Self::default() }
    }

    fn args(&self) -> impl Iterator<Item = String> + '_ {
        let replace = self.replace.iter().map(|a| format!("-replace={a}"));
        let target = self.target.iter().map(|a| format!("-target={a}"));
        replace.chain(target).chain(self.passthrough.iter().cloned())
    }
}

/// What a plan is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Goal {
    /// Make what is declared.
    #[default]
    Create,
    /// Take all of it down.
    Destroy,
    /// Only compare the state with what is there.
    RefreshOnly,
}

impl Terraform {
    /// One that works in a folder of its own, without variables, workspace or shared data folder.
    pub fn plain(program: &Utf8Path, name: &str, version: (u32, u32, u32), dir: &Utf8Path) -> Self {
        Self {
            program: program.to_owned(),
            tofu: name == "tofu",
            version,
            dir: dir.to_owned(),
            data_dir: None,
            workspace: None,
            init_args: Vec::new(),
            var_file: None,
            env: BTreeMap::new(),
        }
    }

    /// Installs what the root needs into the data folder. Its output is an event stream where the version has one
    /// (Terraform 1.9, OpenTofu 1.8), else text.
    pub fn init(&self) -> Invocation {
        let json = self.version >= if self.tofu { (1, 8, 0) } else { (1, 9, 0) };
        let mut call = self.call("init", Stop::TerraformRead).args(json.then_some("-json"));
        // It is made once for all deployments, and refuses a workspace that is still to be made.
        call.env.remove("TF_WORKSPACE");
        call.args(["-input=false", "-no-color", LOCK_TIMEOUT]).args(self.init_args.iter().cloned())
    }

    /// A plan, saved to `out` where one is given. Exit code 2 says that there are changes; the stream says which.
    pub fn plan(&self, goal: Goal, out: Option<&Utf8Path>, extra: &Extra) -> Invocation {
        let goal = match goal {
            Goal::Create => None,
            Goal::Destroy => Some("-destroy"),
            Goal::RefreshOnly => Some("-refresh-only"),
        };
        self.call("plan", Stop::TerraformRead)
            .args(["-json", "-input=false", LOCK_TIMEOUT, "-detailed-exitcode"])
            .args(goal)
            .args(out.map(|path| format!("-out={path}")))
            .args(self.variables())
            .args(extra.args())
    }

    /// Plans and applies in one call.
    pub fn apply_new(&self, extra: &Extra) -> Invocation {
        self.changing("apply").args(self.variables()).args(extra.args())
    }

    /// Applies a saved plan: it holds its variables itself.
    pub fn apply_saved(&self, plan: &Utf8Path) -> Invocation {
        self.changing("apply").args([plan.to_string()])
    }

    /// Plans and takes down in one call.
    pub fn destroy(&self, extra: &Extra) -> Invocation {
        self.changing("destroy").args(self.variables()).args(extra.args())
    }

    /// A saved plan, or the state, as one JSON document. **Secrets are in clear in it.**
    pub fn show_json(&self, plan: Option<&Utf8Path>) -> Invocation {
        self.call("show", Stop::TerraformRead).args(["-json"]).args(plan.map(Utf8Path::to_string)).secret_output()
    }

    /// All outputs as one JSON document, sensitive ones in clear: needed only where `hosts` is sensitive.
    pub fn output_json(&self) -> Invocation {
        self.call("output", Stop::TerraformRead).args(["-json"]).secret_output()
    }

    /// The state to stdout, from whichever backend. A workspace that is not there yet is made by this (`pg` refuses two
    /// that are made at once, whatever the lock's timeout: the caller serialises and repeats).
    pub fn state_pull(&self) -> Invocation {
        self.call("state", Stop::TerraformRead).args(["pull"]).secret_output()
    }

    /// Puts a state file (an `errored.tfstate`, say) into the backend.
    pub fn state_push(&self, file: &Utf8Path) -> Invocation {
        self.call("state", Stop::Terraform).args(["push", LOCK_TIMEOUT]).args([file.to_string()])
    }

    /// Removes a workspace whose state is empty. It is run without `TF_WORKSPACE`: the current one cannot be removed.
    pub fn workspace_delete(&self, name: &str) -> Invocation {
        let mut call = self.call("workspace", Stop::Terraform).args(["delete", "-no-color", LOCK_TIMEOUT, name]);
        call.env.remove("TF_WORKSPACE");
        call
    }

    fn changing(&self, verb: &str) -> Invocation {
        self.call(verb, Stop::Terraform).args(["-json", "-auto-approve", "-input=false", LOCK_TIMEOUT])
    }

    fn variables(&self) -> Option<String> {
        self.var_file.as_ref().map(|path| format!("-var-file={path}"))
    }

    fn call(&self, verb: &str, stop: Stop) -> Invocation {
        let mut call = Invocation::new(&self.program, &self.dir, stop).args([verb]);
        call.env = self.env.clone();
        call.env_remove = REMOVED.iter().map(|name| (*name).to_owned()).collect();
        call = call.env("TF_IN_AUTOMATION", "1").env("TF_INPUT", "0").env("CHECKPOINT_DISABLE", "1").short_lived_go();
        if let Some(dir) = &self.data_dir {
            call = call.env("TF_DATA_DIR", dir.as_str());
        }
        if let Some(workspace) = &self.workspace {
            call = call.env("TF_WORKSPACE", workspace);
        }
        call
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terraform() -> Terraform {
        Terraform {
            program: "/bin/terraform".into(),
            tofu: false,
            version: (1, 11, 4),
            dir: "/p/d".into(),
            data_dir: Some("/c/data".into()),
            workspace: Some("dev_do_hello".into()),
            init_args: Vec::new(),
            var_file: Some("/p/d/otto.tfvars.json".into()),
            env: BTreeMap::new(),
        }
    }

    #[test]
    fn calls_are_spelled_as_meant() {
        let tf = terraform();
        let extra = Extra {
            replace: vec!["a.b[\"c\"]".into()],
            target: vec!["a.d".into()],
            passthrough: vec!["-parallelism=3".into()],
        };
        let shown = [
            tf.init(),
            tf.plan(Goal::Create, Some("/p/d/plan".into()), &Extra::default()),
            tf.plan(Goal::RefreshOnly, None, &Extra::default()),
            tf.plan(Goal::Destroy, None, &Extra::target(&["a.d".into()])),
            tf.apply_new(&extra),
            tf.apply_saved("/p/d/plan".into()),
            tf.destroy(&Extra::default()),
            tf.show_json(Some("/p/d/plan".into())),
            tf.output_json(),
            tf.state_pull(),
            tf.state_push("errored.tfstate".into()),
            tf.workspace_delete("dev_do_hello"),
        ]
        .map(|call| call.shown())
        .join("\n");
        insta::assert_snapshot!(shown, @r#"
        /bin/terraform init -json -input=false -no-color -lock-timeout=5m
        /bin/terraform plan -json -input=false -lock-timeout=5m -detailed-exitcode -out=/p/d/plan -var-file=/p/d/otto.tfvars.json
        /bin/terraform plan -json -input=false -lock-timeout=5m -detailed-exitcode -refresh-only -var-file=/p/d/otto.tfvars.json
        /bin/terraform plan -json -input=false -lock-timeout=5m -detailed-exitcode -destroy -var-file=/p/d/otto.tfvars.json -target=a.d
        /bin/terraform apply -json -auto-approve -input=false -lock-timeout=5m -var-file=/p/d/otto.tfvars.json '-replace=a.b["c"]' -target=a.d -parallelism=3
        /bin/terraform apply -json -auto-approve -input=false -lock-timeout=5m /p/d/plan
        /bin/terraform destroy -json -auto-approve -input=false -lock-timeout=5m -var-file=/p/d/otto.tfvars.json
        /bin/terraform show -json /p/d/plan
        /bin/terraform output -json
        /bin/terraform state pull
        /bin/terraform state push -lock-timeout=5m errored.tfstate
        /bin/terraform workspace delete -no-color -lock-timeout=5m dev_do_hello
        "#);
    }

    #[test]
    fn the_environment_is_ottos_and_the_users_settings_stay() {
        let call = terraform().apply_new(&Extra::default());
        insta::assert_snapshot!(format!("{:?}\n{:?}", call.env, call.env_remove), @r#"
        {"CHECKPOINT_DISABLE": "1", "TF_DATA_DIR": "/c/data", "TF_INPUT": "0", "TF_IN_AUTOMATION": "1", "TF_WORKSPACE": "dev_do_hello"}
        ["TF_CLI_ARGS*", "TF_WORKSPACE", "TF_LOG*", "TF_DATA_DIR"]
        "#);
        assert!(call.removals(["TF_CLI_CONFIG_FILE", "TF_VAR_token", "TF_PLUGIN_CACHE_DIR"]).is_empty());
        assert_eq!(call.removals(["TF_LOG_PATH", "TF_CLI_ARGS_apply"]), ["TF_LOG_PATH", "TF_CLI_ARGS_apply"]);
        assert_eq!(call.stop, Stop::Terraform);
        assert!(!terraform().workspace_delete("x").env.contains_key("TF_WORKSPACE"));
        assert!(!terraform().init().env.contains_key("TF_WORKSPACE"));
    }

    #[test]
    fn old_versions_have_no_json_init() {
        let old = Terraform { version: (1, 4, 6), ..terraform() };
        assert!(!old.init().args.contains(&"-json".to_owned()));
        assert!(Terraform { tofu: true, version: (1, 8, 0), ..old }.init().args.contains(&"-json".to_owned()));
    }
}
