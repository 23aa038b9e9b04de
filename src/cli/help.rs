//! `otto help TOPIC`: what is no command and needs a page all the same.

use crate::ops::exit;
use crate::project::vars::DECLARED;

/// Topics with their texts.
pub(super) fn topic(name: &str) -> Option<String> {
    match name {
        "exit-codes" => Some(exit_codes()),
        "environment" => Some(environment()),
        "providers" => Some(PROVIDERS.to_owned()),
        "json" => Some(JSON.to_owned()),
        _ => None,
    }
}

/// Names of all topics.
pub(super) const TOPICS: &[&str] = &["exit-codes", "environment", "providers", "json"];

fn exit_codes() -> String {
    let mut text = String::from(
        "Exit codes. `status` and `test` answer as Nagios plugins: 0 ok, 1 warning, 2 critical, 3 unknown.\n\n",
    );
    for (code, meaning) in exit::ALL {
        text.push_str(&format!("{code:>4}  {meaning}\n"));
    }
    text
}

fn environment() -> String {
    let width = DECLARED.iter().map(|v| v.name.len()).max().unwrap_or(0);
    let mut text = String::from("Environment variables that otto reads.\n\n");
    for var in DECLARED {
        text.push_str(&format!("{:width$}  {} [default: {}]\n", var.name, var.doc, var.default));
    }
    text
}

const PROVIDERS: &str = "\
Where hosts run. A provider is a folder in clowd/provision, named by `--provider`, CLOWD_PROVIDERS, or `providers` in otto.yaml.

  local      real nginx and haproxy in folders of this machine: no account, no container, no root
  another    a Terraform root of your own with a provider.yaml beside it: `otto add provider NAME` writes one to fill in

  otto up --provider local           on one
  otto up --provider \"do, gcp\"      on several, as separate deployments
  otto plan --provider mycloud       what would be made there

What a provider needs is in its provider.yaml: environment variables with credentials are checked before anything runs.
The keys of that file, and what otto passes to the root and expects of it: docs/project-files.md.
";

const JSON: &str = "\
JSON for scripts. Verbs that read print one document; verbs that run units print one event a line.
The schemas lie in docs/schema of the repository; fields are only ever added.

  otto status --json    otto.status/1
  otto plan --json      otto.plan/1
  otto spend --json     otto.spend/1
  otto drift --json     otto.drift/1
  otto reap --json      otto.reap/1
  otto runs --json      otto.runs/1
  otto explain --json   otto.explain/1
  otto doctor --json    otto.doctor/1
  otto site show --json otto.site/1
  otto exec --json      otto.exec/1, a line of output or an exit code of one host a line
  otto up --json        otto.event/1, a line an event, `seq` without gaps, the last one is `run_ended`
";
