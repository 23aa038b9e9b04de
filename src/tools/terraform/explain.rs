//! What to do about a failed call. Hints only: nothing is decided by what stands here.

use crate::model::Diagnostic;

/// Fragments of Terraform's and OpenTofu's texts, in small letters, and what helps.
const KNOWN: &[(&[&str], &str)] = &[
    (
        &["error acquiring the state lock", "state already locked", "already locked for workspace"],
        "the state is locked: another terraform works on it; wait for it, or look who holds it (the lock's Who and Created stand above)",
    ),
    (
        &[
            "no valid credential sources",
            "could not find default credentials",
            "unable to authenticate",
            "401 unauthorized",
            "invalid api token",
            "token is required",
            "no credentials",
        ],
        "the provider has no valid credentials: set the environment variables that its provider.yaml names",
    ),
    (
        &["403 forbidden", "accessdenied", "permission denied on resource", "unauthorizedoperation"],
        "the credentials are known, but may not do this: check the rights of the token or account",
    ),
    (
        &[
            "required plugins are not installed",
            "inconsistent dependency lock file",
            "module not installed",
            "backend initialization required",
            "could not load plugin",
            "missing required provider",
        ],
        "what the root needs is not installed: run `otto provision` again, it repeats the initialisation; see TF_CLI_CONFIG_FILE for mirrors",
    ),
    (
        &[
            "failed to query available provider packages",
            "could not retrieve the list of available versions",
            "failed to install provider",
        ],
        "a provider could not be downloaded: check the network, or name a mirror in the file that TF_CLI_CONFIG_FILE points to",
    ),
    (
        &["doesn't match any of the checksums", "checksums previously recorded"],
        "a provider differs from the one in .terraform.lock.hcl: correct the mirror, or remove the entry from the lock file",
    ),
    (&["no space left on device", "disk quota exceeded"], "the disk is full: free space, then `otto resume`"),
    (
        &["failed to save state", "errored.tfstate", "failed to persist state"],
        "the state could not be written: it is kept in errored.tfstate in the deployment's folder; correct the cause, then `otto resume`",
    ),
    (&["saved plan is stale"], "the state has moved since the plan: run the same command again"),
    (
        &["plugin did not respond", "plugin crashed", "plugin exited"],
        "a provider crashed: `otto status` and `otto resume` look for what it made",
    ),
    (
        &["quota exceeded", "limit exceeded", "droplet limit", "too many requests", "rate limit"],
        "the account's limit is reached: ask the provider for more, or wait",
    ),
    (
        &["invalid region", "invalid size", "invalid image", "available in the selected region", "not a valid region"],
        "the provider does not know the region, size or image, or not together: see `region` and `size` in site.yaml, `sizes` in provider.yaml; `otto images --rebuild` builds images anew",
    ),
    (
        &["address already in use"],
        "something else listens on the address: `otto destroy` what is not needed, or end the other process",
    ),
    (
        &["instance cannot be destroyed", "prevent_destroy"],
        "the root itself forbids to destroy this resource (prevent_destroy)",
    ),
    (
        &[
            "no value for required variable",
            "unsupported argument",
            "unsupported block type",
            "invalid reference",
            "reference to undeclared",
            "missing required argument",
            "argument or block definition required",
            "unclosed configuration block",
            "missing name for",
            "invalid block definition",
            "invalid expression",
            "missing newline",
        ],
        "the root has an error: correct the file and line named above",
    ),
    (&["text file busy"], "a provider is installed by two calls at once: run the same command again"),
    (
        &["i/o timeout", "connection refused", "no such host", "tls handshake timeout", "network is unreachable"],
        "the provider's API was not reached: check network and proxy",
    ),
];

/// Hints for a failure, most telling first, each at most once.
pub fn hints(errors: &[Diagnostic], stderr: &str) -> Vec<String> {
    let texts = errors.iter().map(|error| format!("{} {}", error.summary, error.detail).to_lowercase());
    crate::tools::said::hints(KNOWN, texts.chain([stderr.to_lowercase()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_come_once_and_in_the_order_of_the_errors() {
        let errors =
            [Diagnostic::error("Error acquiring the state lock"), Diagnostic::error("No space left on device")];
        let found = hints(&errors, "Error acquiring the state lock");
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("locked") && found[1].contains("disk is full"));
        assert!(hints(&[], "").is_empty());
    }
}
