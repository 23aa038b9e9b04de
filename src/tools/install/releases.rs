//! The vendors' releases that otto fetches: versions and sha256 sums, pinned here and nowhere else.
//!
//! To move to another version, take the sums of the four archives from the vendor's own `SHA256SUMS`.

use super::super::find::{Tool, Version};

/// One archive of a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The program inside.
    pub tool: Tool,
    /// Which version.
    pub version: Version,
    /// A zip archive.
    pub url: String,
    /// Of the archive, 64 hexadecimal digits.
    pub sha256: String,
}

/// A tool's version and its sums for the systems in [`SYSTEMS`]; an empty one: not offered.
struct Pin {
    tool: Tool,
    version: Version,
    sums: [&'static str; 4],
}

/// As vendors name them: system and processor.
const SYSTEMS: [&str; 4] = ["linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64"];

const PINS: [Pin; 3] = [
    Pin {
        tool: Tool::Terraform,
        version: Version(1, 11, 4),
        sums: [
            "1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc",
            "a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633",
            "a56d5002b9f7647291faccc3dd1a70350e60fb61e4c45037629508b8fdc2575b",
            "867e0808fa971217043e25b7a792b10720c79b1546f8a68479b74f138be73e18",
        ],
    },
    Pin {
        tool: Tool::Tofu,
        version: Version(1, 8, 5),
        sums: [
            "e2951ba6be8ae9427aabbd5c6f243855e8b526cb2ae6bc33a05dae22d7e82632",
            "",
            "cb6d1b949691e50bed6c9cc17aefc999cf27e52200521efa9f107ce3ee08260f",
            "c77e545ab847c0d6acd322c010f457e1a30448476945c04074a48882c4b86dfe",
        ],
    },
    Pin {
        tool: Tool::Packer,
        version: Version(1, 14, 2),
        sums: [
            "cfefdea4ac580eba7b254ef34d25b756d4961741004e3e701a1476594d13e64a",
            "370002d15b07c0dc47dd0d188cdea8e6746606f6fcc3b4de48d02496d71d74ee",
            "7ed73a8affcfa81b664b1d47db4eacd43e8038ecf2ae576b40880a64d1c80ba1",
            "b053c01272f87fe669c642dfac167b0b48cfb5c119e2e946d90ef92c2407f746",
        ],
    },
];

/// What pip is asked for.
pub(super) const ANSIBLE: &str = "ansible-core>=2.14,<3";

/// The release of a tool for this machine; none for Ansible (Python's package index has it) and unknown systems.
pub fn pinned(tool: Tool) -> Option<Release> {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    pinned_for(tool, &format!("{system}_{processor}"))
}

fn pinned_for(tool: Tool, system: &str) -> Option<Release> {
    let pin = PINS.iter().find(|pin| pin.tool == tool)?;
    let index = SYSTEMS.iter().position(|known| *known == system)?;
    let sha256 = pin.sums[index];
    if sha256.is_empty() {
        return None;
    }
    let (version, program) = (pin.version, tool.program());
    let archive = format!("{program}_{version}_{system}.zip");
    let url = match tool {
        Tool::Tofu => format!("https://github.com/opentofu/opentofu/releases/download/v{version}/{archive}"),
        _ => format!("https://releases.hashicorp.com/{program}/{version}/{archive}"),
    };
    Some(Release { tool, version, url, sha256: sha256.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_is_whole_and_new_enough() {
        for pin in &PINS {
            assert!(pin.version >= pin.tool.minimum(), "{}", pin.tool);
            for sum in pin.sums.iter().filter(|sum| !sum.is_empty()) {
                assert!(sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_hexdigit()), "{}: {sum}", pin.tool);
            }
        }
    }

    #[test]
    fn urls_name_version_and_system() {
        let url = |tool, system| pinned_for(tool, system).map(|release| release.url);
        let packer = url(Tool::Packer, "linux_arm64").expect("a release");
        assert!(packer.ends_with("/packer/1.14.2/packer_1.14.2_linux_arm64.zip"), "{packer}");
        assert!(url(Tool::Tofu, "linux_amd64").expect("a release").contains("/v1.8.5/tofu_1.8.5_linux_amd64.zip"));
        assert_eq!(url(Tool::Ansible, "linux_amd64"), None);
        assert_eq!(url(Tool::Packer, "plan9_mips"), None);
    }
}
