//! What version a program is: its own words, asked for once and then remembered.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::Tool;
use super::capture::{Call, capture};
use super::remembered::Remembered;

/// How long a program may take to tell its version.
const LIMIT: Duration = Duration::from_secs(60);

/// Major, minor, patch. What follows (`-rc1`, `+ent`) does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// Reads `1.11.4`, `v1.6.6`, `2.19.14rc1`, `1.4`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('v');
        let mut parts = text.splitn(3, '.');
        let number = |part: Option<&str>| -> Option<u32> {
            let part = part?;
            let digits = part.find(|c: char| !c.is_ascii_digit()).map_or(part, |end| &part[..end]);
            digits.parse().ok()
        };
        let major = number(parts.next())?;
        let minor = number(parts.next())?;
        Some(Self(major, minor, number(parts.next()).unwrap_or(0)))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// What a program says it is. Remembered answers start nothing.
pub(super) async fn ask_version(
    tool: Tool,
    program: &Path,
    remembered: &Remembered,
) -> Result<(Tool, Version), String> {
    if is_dictionary_packer(tool, program) {
        return Err("is a password dictionary tool of the same name, not Packer".to_owned());
    }
    if let Some(known) = remembered.get(tool, program) {
        return Ok(known);
    }
    // Terraform's and OpenTofu's JSON have the same key `terraform_version`: only the human line tells them apart.
    // `vagrant version` asks the network.
    let argument = if matches!(tool, Tool::Ansible | Tool::Vagrant) { "--version" } else { "version" };
    let call = Call::new(program, [argument]).limit(LIMIT).env("CHECKPOINT_DISABLE", "1");
    // An unknown program may write where it stands; the version managers of Terraform must stand in the project.
    let scratch = if tool == Tool::Packer { Some(Scratch::new()?) } else { None };
    let call = scratch.iter().fold(call, |call, scratch| call.folder(&scratch.0));
    let answer = capture(call).await;
    let text = answer.stdout_text();
    if !answer.end.is_zero() {
        return Err(format!("`{argument}`: {}", answer.describe()));
    }
    let (kind, version) = read_version(tool, &text).ok_or_else(|| {
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("nothing");
        format!("is not {tool}: `{argument}` printed `{}`", first.chars().take(80).collect::<String>())
    })?;
    remembered.put(tool, program, kind, version);
    Ok((kind, version))
}

/// The version in what a tool prints about itself.
fn read_version(tool: Tool, text: &str) -> Option<(Tool, Version)> {
    let after = |prefix: &str| text.lines().find_map(|line| Version::parse(line.trim().strip_prefix(prefix)?));
    match tool {
        Tool::Terraform | Tool::Tofu => after("OpenTofu v")
            .map(|version| (Tool::Tofu, version))
            .or_else(|| after("Terraform v").map(|version| (Tool::Terraform, version))),
        Tool::Packer => after("Packer v").map(|version| (tool, version)),
        // `ansible-playbook [core 2.19.14]`; before 2.11 `ansible-playbook 2.9.27`.
        Tool::Vagrant => after("Vagrant ").map(|version| (tool, version)),
        Tool::Ansible => after("ansible-playbook [core ").or_else(|| after("ansible-playbook ")).map(|v| (tool, v)),
    }
}

/// On some systems `packer` is a link to cracklib's: it would build a dictionary.
fn is_dictionary_packer(tool: Tool, program: &Path) -> bool {
    tool == Tool::Packer
        && program
            .canonicalize()
            .is_ok_and(|real| real.file_name().is_some_and(|name| name.to_string_lossy().contains("cracklib")))
}

/// A folder of its own for one call, removed with all that is in it.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> Result<Self, String> {
        let base = std::env::temp_dir();
        for attempt in 0..100 {
            let folder = base.join(format!("otto-version-{}-{attempt}", std::process::id()));
            match std::fs::create_dir(&folder) {
                Ok(()) => return Ok(Self(folder)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(format!("{}: {error}", folder.display())),
            }
        }
        Err(format!("{}: no free folder name", base.display()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        assert_eq!(Version::parse("v1.11.4"), Some(Version(1, 11, 4)));
        assert_eq!(Version::parse("2.19.0rc2]"), Some(Version(2, 19, 0)));
        assert_eq!(Version::parse("1.4"), Some(Version(1, 4, 0)));
        assert_eq!(Version::parse("one.two"), None);
        assert!(Version(1, 10, 0) > Version(1, 9, 8));
    }

    #[test]
    fn tools_are_told_by_their_own_words() {
        let terraform = "Terraform v1.11.4\non linux_amd64\n\nYour version of Terraform is out of date!";
        assert_eq!(read_version(Tool::Terraform, terraform), Some((Tool::Terraform, Version(1, 11, 4))));
        let tofu = "OpenTofu v1.12.6\non linux_amd64\n";
        assert_eq!(read_version(Tool::Terraform, tofu), Some((Tool::Tofu, Version(1, 12, 6))));
        assert_eq!(read_version(Tool::Packer, "Packer v1.6.6\n"), Some((Tool::Packer, Version(1, 6, 6))));
        assert_eq!(read_version(Tool::Packer, "Usage: packer dbname\n"), None);
        let ansible = |text| read_version(Tool::Ansible, text).map(|(_, version)| version);
        assert_eq!(ansible("ansible-playbook [core 2.19.14]\n  config file = None"), Some(Version(2, 19, 14)));
        assert_eq!(ansible("ansible-playbook 2.9.27\n"), Some(Version(2, 9, 27)));
    }
}
