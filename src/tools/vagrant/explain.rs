//! What to do about a failed call. Hints only: nothing is decided by what stands here.

use crate::model::Diagnostic;

/// Fragments of Vagrant's texts, in small letters, and what helps.
const KNOWN: &[(&[&str], &str)] = &[
    (
        &["no usable default provider", "nodefaultprovider"],
        "Vagrant found nothing to make machines with: install VirtualBox, or libvirt and its plugin (on Debian `apt-get install vagrant-libvirt`), or start Docker",
    ),
    (
        &["is reporting that it is not usable", "providernotusable", "reporting it is not installed"],
        "the provider that Vagrant was told to use is not usable here: see VAGRANT_DEFAULT_PROVIDER, or install it",
    ),
    (
        &["error while connecting to libvirt", "failed to connect socket to '/var/run/libvirt"],
        "libvirt does not answer: start libvirtd, and be in the group `libvirt`",
    ),
    (&["cannot connect to the docker daemon"], "Docker is not running"),
    (
        &["pull access denied", "unable to find image", "requires a docker image to run"],
        "Docker has no such image: OTTO_VAGRANT_DOCKER_IMAGE names one with an SSH server, Vagrant's user and its key",
    ),
    (
        &["could not be found or could not be accessed", "boxaddshortnotfound", "box could not be found"],
        "a box is missing: `otto images` builds those of the project; others are `base` of clowd/provision/vagrant/provider.yaml",
    ),
    (
        &["vt-x is not available", "svm is not available", "vt-x is disabled", "kvm module", "could not access kvm"],
        "this machine cannot run virtual machines fast, or something else has taken the processor's extension",
    ),
    (
        &["forwarded port", "port is already allocated", "address already in use"],
        "a port is taken: end what has it, or destroy the other machines",
    ),
    (
        &[
            "name is already taken",
            "already exists with uuid",
            "domain about to create",
            "is already in use by container",
        ],
        "a machine of this name is left from before: `vagrant global-status --prune` and the provider's own list show it; remove it there",
    ),
    (
        &["not within the allowed ranges", "ip address configured for the host-only network"],
        "VirtualBox allows only the networks of /etc/vbox/networks.conf: 192.168.56.0/21 has to be among them",
    ),
    (
        &["another process is already executing an action", "is locked"],
        "another vagrant works on this machine: wait for its end",
    ),
    (
        &["timed out while waiting for the machine to boot"],
        "the machine was made and did not answer by SSH in time: look at its console",
    ),
    (&["no space left on device"], "the disk is full: free space, then `otto resume`"),
];

/// Hints for a failure, most telling first, each at most once.
pub fn hints(errors: &[Diagnostic], output: &str) -> Vec<String> {
    let texts = errors.iter().map(|error| format!("{} {}", error.summary, error.detail).to_lowercase());
    crate::tools::said::hints(KNOWN, texts.chain([output.to_lowercase()]))
}
