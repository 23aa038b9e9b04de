//! A built image in the image index.

use serde::{Deserialize, Serialize};

use super::name::Name;
use super::time::Timestamp;
use super::unit::RunId;

/// One built artifact of an appliance for a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// For which provider.
    pub provider: Name,
    /// Which kind.
    pub appliance: Name,
    /// Hash of everything that went in: template, files, variables, Packer's version, packages.
    pub hash: String,
    /// What hosts boot: an absolute path, or the provider's id.
    pub reference: String,
    /// Bytes, where it is a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Which run built it.
    pub run: RunId,
    /// When.
    pub built_at: Timestamp,
}
