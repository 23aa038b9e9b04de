//! What went into images, roots, playbooks and content, as one hash each: an unchanged hash is work not to be done.
//!
//! A tree's hash covers every relative path with its kind, the executable bit, the bytes of files and the targets of
//! links (never followed), in the order of the paths. Each file is read once. What tools and editors leave behind is
//! no part of it. A file that cannot be read is an error: a guess would skip work that is needed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use crate::model::site::Build;
use crate::model::{DeploymentSpec, Name, Project, ProviderKind};

/// A tree that cannot be hashed.
#[derive(Debug, thiserror::Error)]
pub enum FingerprintError {
    /// A file or folder cannot be read.
    #[error("`{path}` cannot be read")]
    Unreadable {
        /// Which.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A socket, pipe or device.
    #[error("`{path}` is neither file, folder nor link: remove it from the project")]
    Special {
        /// Which.
        path: Utf8PathBuf,
    },
    /// The project has no such thing.
    #[error("the project has no {what} `{name}`")]
    Unknown {
        /// `provider` or `image`.
        what: &'static str,
        /// Its name.
        name: String,
    },
}

/// Hashes of what a plan looks at; only what was asked for is computed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprints {
    /// By provider and appliance.
    pub appliance: BTreeMap<(Name, Name), String>,
    /// By provider.
    pub root: BTreeMap<Name, String>,
    /// Of `clowd/config`.
    pub config: String,
    /// By site; a site that differs between environments has that of the last one asked for.
    pub content: BTreeMap<Name, String>,
}

impl Fingerprints {
    /// Everything that these deployments depend on.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn of(project: &Project, specs: &[DeploymentSpec]) -> Result<Self, FingerprintError> {
        let mut all = Self { config: config(project)?, ..Self::default() };
        for spec in specs {
            let provider = &spec.id.provider;
            if let Entry::Vacant(place) = all.root.entry(provider.clone()) {
                place.insert(root(project, provider)?);
            }
            for image in spec.appliances() {
                if let Entry::Vacant(place) = all.appliance.entry((provider.clone(), image.clone())) {
                    place.insert(appliance(project, provider, image)?);
                }
            }
            all.content.insert(spec.id.site.clone(), content(spec)?);
        }
        Ok(all)
    }
}

/// What an image is made of: the appliance's folder without the templates of other providers, what is in `images/`
/// for all appliances, and the provider's `base`. Packer's version and packages are the caller's to add.
///
/// # Errors
/// What cannot be read, or is not in the project.
pub fn appliance(project: &Project, provider: &Name, appliance: &Name) -> Result<String, FingerprintError> {
    let found = project.appliances.get(appliance);
    let found = found.ok_or_else(|| FingerprintError::Unknown { what: "image", name: appliance.to_string() })?;
    let spec = project.provider_specs.get(provider);
    let spec = spec.ok_or_else(|| FingerprintError::Unknown { what: "provider", name: provider.to_string() })?;
    let folder = Utf8Path::new(&found.folder);
    let mut hash = Sum::new("appliance");
    hash.add("base", spec.base(appliance).as_bytes());
    let others: Vec<Utf8PathBuf> =
        found.providers.iter().filter(|name| *name != provider).map(|name| folder.join(name.as_str())).collect();
    hash.tree(folder, &others)?;
    if let Some(images) = folder.parent() {
        let appliances: Vec<Utf8PathBuf> =
            project.appliances.values().map(|appliance| Utf8PathBuf::from(&appliance.folder)).collect();
        hash.tree(images, &appliances)?;
    }
    Ok(hash.end())
}

/// A provider's Terraform root (or Vagrantfile) with the shared folders around it.
///
/// # Errors
/// What cannot be read, or is not in the project.
pub fn root(project: &Project, provider: &Name) -> Result<String, FingerprintError> {
    let spec = project.provider_specs.get(provider);
    let spec = spec.ok_or_else(|| FingerprintError::Unknown { what: "provider", name: provider.to_string() })?;
    let folder = Utf8Path::new(&spec.folder);
    let mut hash = Sum::new("root");
    hash.tree(folder, &[])?;
    // Modules and the like: beside the providers, and beside `provision`.
    if let Some(provision) = folder.parent() {
        let providers: Vec<Utf8PathBuf> =
            project.provider_specs.values().map(|provider| Utf8PathBuf::from(&provider.folder)).collect();
        hash.tree(provision, &providers)?;
        if let Some(clowd) = provision.parent() {
            hash.tree(clowd, &[provision.to_owned(), Utf8PathBuf::from(&project.config), clowd.join("prices")])?;
        }
    }
    let vagrantfile = Utf8Path::new(&project.folder).join("Vagrantfile");
    if spec.kind == ProviderKind::Vagrant && vagrantfile.exists() {
        hash.file("Vagrantfile", &vagrantfile)?;
    }
    Ok(hash.end())
}

/// Playbooks and roles; a folder that is not there has a hash of its own.
///
/// # Errors
/// What cannot be read.
pub fn config(project: &Project) -> Result<String, FingerprintError> {
    let mut hash = Sum::new("config");
    let folder = Utf8Path::new(&project.config);
    if folder.exists() {
        hash.tree(folder, &[])?;
    }
    Ok(hash.end())
}

/// The pages of a deployment; without content the hash of nothing.
///
/// # Errors
/// What cannot be read.
pub fn content(spec: &DeploymentSpec) -> Result<String, FingerprintError> {
    let mut hash = Sum::new("content");
    if let Some(folder) = &spec.content {
        hash.tree(Utf8Path::new(folder), &[])?;
    }
    Ok(hash.end())
}

/// What built pages are made of: the command and the site's folder, without what the build writes, what it downloads,
/// and the site's own description.
///
/// # Errors
/// What cannot be read.
pub fn build(build: &Build) -> Result<String, FingerprintError> {
    let folder = Utf8Path::new(&build.folder);
    let mut hash = Sum::new("build");
    build.command.iter().for_each(|word| hash.add("word", word.as_bytes()));
    let without = [build.from.as_str(), "node_modules", "site.yaml"].map(|name| folder.join(name));
    hash.tree(folder, &without)?;
    Ok(hash.end())
}

/// Any folder.
///
/// # Errors
/// What cannot be read.
pub fn tree(folder: &Utf8Path) -> Result<String, FingerprintError> {
    let mut hash = Sum::new("tree");
    hash.tree(folder, &[])?;
    Ok(hash.end())
}

/// What tools and editors leave in folders: no part of a fingerprint, and not embedded either.
pub fn is_left_over(name: &str) -> bool {
    const WHOLE: &[&str] =
        &[".terraform", ".git", ".otto", ".vagrant", "__pycache__", ".DS_Store", "crash.log", "packer_cache"];
    WHOLE.contains(&name)
        || name.contains(".tfstate")
        || name.ends_with('~')
        || name.ends_with(".retry")
        || name.starts_with(".#")
        || (name.starts_with('#') && name.ends_with('#'))
        || (name.starts_with('.') && [".swp", ".swo", ".swx"].iter().any(|end| name.ends_with(end)))
}

/// A hash of parts, each with its length, so that no two lists of parts are alike.
struct Sum(Sha256);

impl Sum {
    fn new(kind: &str) -> Self {
        let mut sum = Self(Sha256::new());
        sum.add("otto", format!("{kind}/1").as_bytes());
        sum
    }

    fn add(&mut self, kind: &str, bytes: &[u8]) {
        self.0.update((kind.len() as u64).to_le_bytes());
        self.0.update(kind.as_bytes());
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn end(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn tree(&mut self, folder: &Utf8Path, without: &[Utf8PathBuf]) -> Result<(), FingerprintError> {
        self.add("tree", b"");
        self.folder(folder, "", without)
    }

    fn folder(&mut self, folder: &Utf8Path, below: &str, without: &[Utf8PathBuf]) -> Result<(), FingerprintError> {
        let unreadable = |source| FingerprintError::Unreadable { path: folder.to_owned(), source };
        let mut entries = Vec::new();
        for entry in folder.read_dir_utf8().map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if !is_left_over(entry.file_name()) && !without.iter().any(|path| path == entry.path()) {
                entries.push((entry.file_name().to_owned(), entry.file_type().map_err(unreadable)?));
            }
        }
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        for (name, kind) in entries {
            let path = folder.join(&name);
            let shown = if below.is_empty() { name } else { format!("{below}/{name}") };
            if kind.is_symlink() {
                let target = path.read_link_utf8();
                let target = target.map_err(|source| FingerprintError::Unreadable { path: path.clone(), source })?;
                self.add("link", shown.as_bytes());
                self.add("to", target.as_str().as_bytes());
            } else if kind.is_dir() {
                self.add("folder", shown.as_bytes());
                self.folder(&path, &shown, without)?;
            } else if kind.is_file() {
                self.file(&shown, &path)?;
            } else {
                return Err(FingerprintError::Special { path });
            }
        }
        Ok(())
    }

    fn file(&mut self, shown: &str, path: &Utf8Path) -> Result<(), FingerprintError> {
        let unreadable = |source| FingerprintError::Unreadable { path: path.to_owned(), source };
        let mut file = fs::File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode();
        let mut inner = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = file.read(&mut buffer).map_err(unreadable)?;
            if count == 0 {
                break;
            }
            inner.update(&buffer[..count]);
        }
        self.add(if mode & 0o100 == 0 { "file" } else { "program" }, shown.as_bytes());
        self.add("bytes", &inner.finalize());
        Ok(())
    }
}
