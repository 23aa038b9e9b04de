//! Which program a tool is: the first usable one on PATH decides, then what otto installed for itself.

mod capture;
mod remembered;
mod version;

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use futures_util::future::join_all;

use crate::model::Range;

use self::remembered::Remembered;
pub use self::version::Version;
use self::version::ask_version;

pub(super) use self::capture::{Call, Captured, capture};

/// Where services live that an ordinary user's PATH does not show.
const SYSTEM_FOLDERS: [&str; 2] = ["/usr/sbin", "/sbin"];
/// Where programs lie in a tree of unpacked packages.
const PACKAGE_FOLDERS: [&str; 4] = ["usr/bin", "usr/sbin", "bin", "sbin"];

/// A tool that otto drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tool {
    /// Terraform, or OpenTofu where only that is there (or it is preferred).
    Terraform,
    /// OpenTofu and nothing else.
    Tofu,
    /// Packer.
    Packer,
    /// `ansible-playbook`.
    Ansible,
    /// `vagrant`; looked for only where a deployment needs it.
    Vagrant,
}

impl Tool {
    /// The program's file name.
    pub fn program(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::Tofu => "tofu",
            Self::Packer => "packer",
            Self::Ansible => "ansible-playbook",
            Self::Vagrant => "vagrant",
        }
    }

    /// The tool's own name.
    pub fn title(self) -> &'static str {
        match self {
            Self::Terraform => "Terraform",
            Self::Tofu => "OpenTofu",
            Self::Packer => "Packer",
            Self::Ansible => "ansible-core",
            Self::Vagrant => "Vagrant",
        }
    }

    /// The oldest version that otto works with.
    pub fn minimum(self) -> Version {
        match self {
            Self::Terraform => Version(1, 4, 0),
            Self::Tofu | Self::Packer => Version(1, 6, 0),
            Self::Ansible => Version(2, 14, 0),
            Self::Vagrant => Version(2, 2, 0),
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// Where a program was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// On PATH.
    Path,
    /// In a system folder that is not on PATH.
    System,
    /// In otto's own cache folder.
    Cache,
}

/// A tool that is there and new enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is; a search for Terraform may find OpenTofu.
    pub tool: Tool,
    /// Absolute.
    pub program: PathBuf,
    /// As it says itself.
    pub version: Version,
    /// Where it was.
    pub origin: Origin,
    /// Programs that came first and were passed over, with the reason, one a line.
    pub passed_over: Vec<String>,
}

/// Why a tool cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nowhere.
    #[error("{tool} is not installed: `{}` is neither on PATH nor in otto's cache", .tool.program())]
    Missing {
        /// What was looked for.
        tool: Tool,
    },
    /// There, and older than otto works with.
    #[error("{}: {tool} {version} is too old, {minimum} or newer is needed", .program.display())]
    TooOld {
        /// What was looked for.
        tool: Tool,
        /// The one that decided.
        program: PathBuf,
        /// Its version.
        version: Version,
        /// The oldest that would do.
        minimum: Version,
    },
    /// There, and the project asks for another version.
    #[error("{}: {tool} {version} is not what the project pins: `{pin}`", .program.display())]
    NotPinned {
        /// What it is.
        tool: Tool,
        /// The first one found.
        program: PathBuf,
        /// Its version.
        version: Version,
        /// The versions that would do.
        pin: String,
    },
    /// There, and it does not even tell its version.
    #[error("{}: {why}", .program.display())]
    Broken {
        /// What was looked for.
        tool: Tool,
        /// The first one found.
        program: PathBuf,
        /// What happened.
        why: String,
    },
}

/// Where to look.
#[derive(Debug, Clone)]
pub struct Search {
    /// The folders of PATH, in order.
    pub path: Vec<PathBuf>,
    /// otto's cache folder; need not exist.
    pub cache: PathBuf,
    /// OpenTofu before Terraform.
    pub prefer_tofu: bool,
    /// Versions that the project asks for.
    pub pins: Vec<(Tool, Range)>,
    /// States that Terraform wrote are there: OpenTofu is no substitute.
    pub bound: bool,
}

impl Search {
    /// From the text of PATH. Relative and empty entries mean the current folder and are left out.
    pub fn new(path: &OsStr, cache: impl Into<PathBuf>) -> Self {
        let path = std::env::split_paths(path).filter(|folder| folder.is_absolute()).collect();
        Self { path, cache: cache.into(), prefer_tofu: false, pins: Vec::new(), bound: false }
    }

    /// The versions of a tool that the project asks for.
    pub fn pin(&self, tool: Tool) -> Option<&Range> {
        self.pins.iter().find(|(pinned, _)| *pinned == tool).map(|(_, range)| range)
    }

    /// Which of Terraform and OpenTofu may be used, the preferred one first: a project that pins one of them means it.
    pub fn kinds(&self) -> &'static [Tool] {
        match (self.pin(Tool::Terraform).is_some(), self.pin(Tool::Tofu).is_some()) {
            (true, false) => &[Tool::Terraform],
            (false, true) => &[Tool::Tofu],
            _ if self.prefer_tofu => &[Tool::Tofu, Tool::Terraform],
            _ => &[Tool::Terraform, Tool::Tofu],
        }
    }

    /// A program that is no tool, such as `nginx`: PATH, the system's folders, unpacked packages.
    pub fn program(&self, name: &str) -> Option<(PathBuf, Origin)> {
        let on_path = self.on_path(name).next().map(|program| (program, Origin::Path));
        let system = || {
            let found = SYSTEM_FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|p| is_program(p));
            found.map(|program| (program, Origin::System))
        };
        on_path.or_else(system).or_else(|| self.unpacked(name).map(|program| (program, Origin::Cache)))
    }

    /// All programs of this name on PATH, in its order.
    pub(super) fn on_path<'a>(&'a self, name: &'a str) -> impl Iterator<Item = PathBuf> + 'a {
        self.path.iter().map(move |folder| folder.join(name)).filter(|path| is_program(path))
    }

    /// A program of an unpacked package. Nothing counts while packages are half moved into place.
    pub(super) fn unpacked(&self, name: &str) -> Option<PathBuf> {
        if self.packages_unfinished().exists() {
            return None;
        }
        let root = self.packages_root();
        PACKAGE_FOLDERS.iter().map(|folder| root.join(folder).join(name)).find(|path| is_program(path))
    }

    /// Where packages are unpacked.
    pub fn packages_root(&self) -> PathBuf {
        self.cache.join("packages/root")
    }

    /// There while packages are moved into place.
    pub(super) fn packages_unfinished(&self) -> PathBuf {
        self.cache.join("packages/unfinished")
    }

    /// Where vendors' releases are: `tools/<program>-<version>/<program>`.
    pub(super) fn releases(&self) -> PathBuf {
        self.cache.join("tools")
    }

    /// otto's own virtual environment for Ansible.
    pub(super) fn ansible(&self) -> PathBuf {
        self.cache.join("ansible")
    }

    /// There while that environment is being made: it cannot be moved into place, so it is marked instead.
    pub(super) fn ansible_unfinished(&self) -> PathBuf {
        self.cache.join("ansible.unfinished")
    }

    /// Where otto's own cache would have a tool, the newest first.
    fn cached(&self, tool: Tool) -> Vec<PathBuf> {
        if tool == Tool::Ansible {
            let program = self.ansible().join("bin").join(tool.program());
            let finished = !self.ansible_unfinished().exists() && is_program(&program);
            return if finished { vec![program] } else { Vec::new() };
        }
        let prefix = format!("{}-", tool.program());
        let mut releases: Vec<(Version, PathBuf)> = std::fs::read_dir(self.releases())
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                Some((Version::parse(name.strip_prefix(&prefix)?)?, entry.path().join(tool.program())))
            })
            .filter(|(_, program)| is_program(program))
            .collect();
        releases.sort();
        releases.into_iter().rev().map(|(_, program)| program).chain(self.unpacked(tool.program())).collect()
    }
}

/// Finds one tool.
///
/// The first usable program on PATH decides; one that is too old or broken is passed over only for one in otto's own
/// cache. A search for Terraform also takes OpenTofu: [`Found::tool`] says which it is, and whoever has a state that
/// the other one wrote must look at it.
///
/// # Errors
/// None is there, or none will do.
pub async fn find(tool: Tool, search: &Search) -> Result<Found, Unfit> {
    find_all(&[tool], search).await.pop().unwrap_or(Err(Unfit::Missing { tool }))
}

/// Finds several tools at once, in the order given. Versions are remembered in `<cache>/versions.json` as long as the
/// program's file stays the same, so that a second search starts no program at all.
pub async fn find_all(tools: &[Tool], search: &Search) -> Vec<Result<Found, Unfit>> {
    let remembered = Remembered::load(&search.cache);
    let found = join_all(tools.iter().map(|tool| find_one(*tool, search, &remembered))).await;
    remembered.save();
    found
}

async fn find_one(tool: Tool, search: &Search, remembered: &Remembered) -> Result<Found, Unfit> {
    let own = [tool];
    let order: &[Tool] = if tool == Tool::Terraform { search.kinds() } else { &own };
    let mut unfit = None;
    for kind in order {
        match find_exact(*kind, search, remembered).await {
            Ok(found) => return Ok(found),
            Err(Unfit::Missing { .. }) => {}
            Err(other) => unfit = unfit.or(Some(other)),
        }
    }
    Err(unfit.unwrap_or(Unfit::Missing { tool: order[0] }))
}

async fn find_exact(tool: Tool, search: &Search, remembered: &Remembered) -> Result<Found, Unfit> {
    let minimum = tool.minimum();
    let mut unfit: Option<Unfit> = None;
    let mut passed_over = Vec::new();
    let on_path = search.on_path(tool.program()).map(|program| (program, Origin::Path));
    let cached = search.cached(tool).into_iter().map(|program| (program, Origin::Cache));
    for (program, origin) in on_path.chain(cached) {
        // After one that is too old, nothing further down PATH counts: a shell would not take that either.
        if origin == Origin::Path && matches!(unfit, Some(Unfit::TooOld { .. })) {
            continue;
        }
        let problem = match ask_version(tool, &program, remembered).await {
            // A program called `terraform` may be OpenTofu (a link, an alternative): its own word counts.
            Ok((kind, version)) if kind != tool && search.pin(tool).is_some() => Unfit::NotPinned {
                tool: kind,
                program,
                version,
                pin: format!("{} {}", tool.program(), pin(search, tool)),
            },
            Ok((kind, version)) if version >= kind.minimum() && !pinned_out(search, kind, version) => {
                return Ok(Found { tool: kind, program, version, origin, passed_over });
            }
            Ok((kind, version)) if version >= kind.minimum() => {
                Unfit::NotPinned { tool: kind, program, version, pin: pin(search, kind) }
            }
            Ok((_, version)) => Unfit::TooOld { tool, program, version, minimum },
            Err(why) => Unfit::Broken { tool, program, why },
        };
        passed_over.push(problem.to_string());
        // Too old says more than broken: it names what to do.
        if unfit.is_none() || matches!(problem, Unfit::TooOld { .. }) {
            unfit = Some(problem);
        }
    }
    Err(unfit.unwrap_or(Unfit::Missing { tool }))
}

fn pin(search: &Search, tool: Tool) -> String {
    search.pin(tool).map(ToString::to_string).unwrap_or_default()
}

/// The project asks for other versions of it.
fn pinned_out(search: &Search, tool: Tool, version: Version) -> bool {
    search.pin(tool).is_some_and(|range| !range.has((version.0, version.1, version.2)))
}

/// A file that this user may execute.
fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
