//! What to do about a failed build. Hints only: nothing is decided by what stands here.

use crate::model::Diagnostic;

const KNOWN: &[(&[&str], &str)] = &[
    (
        &[
            "api_token for auth must be specified",
            "no valid credential sources",
            "could not find default credentials",
            "401",
            "unable to authenticate you",
        ],
        "the builder has no valid credentials: set the environment variables that the provider's provider.yaml names",
    ),
    (
        &["unknown source type", "missing plugins", "did you run packer init", "not expected here", "plugin not found"],
        "this Packer lacks a plugin of the template: name it in plugins.pkr.hcl, or use a Packer that has it inside",
    ),
    (&["unsupported packer core version"], "the template asks for another version of Packer (required_version)"),
    (
        &["403 api rate limit exceeded", "api rate limit"],
        "the plugin download is limited: set PACKER_GITHUB_API_TOKEN, or install the plugins by hand",
    ),
    (&["no space left on device"], "the disk is full: free space, then run the same command again"),
    (
        &["permission denied", "exit status: 126"],
        "a script may not be executed: call it through its interpreter in the template",
    ),
    (
        &["timeout waiting for ssh", "ssh: handshake failed"],
        "the machine being built did not let Packer in: check ssh_username, network and firewall",
    ),
    (&["cannot connect to the docker daemon"], "Docker is not running"),
    (
        &["unset variable", "undefined variable", "unsupported attribute"],
        "the template uses a variable that is not set: correct the file and line named above",
    ),
    (
        &["block definition", "unclosed configuration block", "invalid expression", "missing newline"],
        "the template has an error: correct the file and line named above",
    ),
    (
        &["script exited with non-zero exit status"],
        "a script of the template failed: its own words stand in the log, above this",
    ),
];

/// Hints for a failure, most telling first, each at most once.
pub fn hints(errors: &[Diagnostic], output: &str) -> Vec<String> {
    let texts = errors.iter().map(|error| format!("{} {}", error.summary, error.detail).to_lowercase());
    crate::tools::said::hints(KNOWN, texts.chain([output.to_lowercase()]))
}
