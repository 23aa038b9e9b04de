//! The handles to the world, made once in main, and the opening of project and store.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

use super::failure::{Failure, Kind, Result};
use crate::lifecycle::stop::{StopWatch, Stopper};
use crate::model::{Ask, Clock, Plan, Project, Provider, Sink};
use crate::process::disk;
use crate::project::dotenv::EnvVar;
use crate::project::{self, Loaded, Origins, Problem, Values, Vars};
use crate::store::{self, Store, StoreError};

/// Free bytes below which nothing is started.
pub(super) const FLOOR: u64 = 64 << 20;
/// Bytes kept back, so that a disk that fills leaves room to end cleanly.
pub(super) const RESERVE: u64 = 8 << 20;

/// What operations touch beside their arguments.
pub struct World {
    /// The environment, read once.
    pub vars: Vars,
    /// The current folder.
    pub cwd: Utf8PathBuf,
    /// otto itself.
    pub exe: Utf8PathBuf,
    /// `--project`.
    pub project: Option<Utf8PathBuf>,
    /// The command line as typed.
    pub argv: Vec<String>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who watches a run.
    pub screen: Arc<dyn Sink>,
    /// The person.
    pub ask: Arc<dyn Ask>,
    /// Shows a plan before a question.
    pub show_plan: Arc<dyn Fn(&Plan) + Send + Sync>,
    /// Warnings that were shown: files are read more than once in a command.
    pub warned: Mutex<BTreeSet<String>>,
    /// Shows a line for people.
    pub say: Arc<dyn Fn(&str) + Send + Sync>,
    /// Asks a run to stop.
    pub stopper: Stopper,
    /// Tells a run to stop.
    pub stop: StopWatch,
}

/// A project with its folder of state.
pub struct Opened {
    /// The project.
    pub project: Project,
    /// Where its values come from.
    pub origins: Origins,
    /// The values as they are written.
    pub values: Values,
    /// Variables for the tools out of the project's `env_files`.
    pub env: Vec<EnvVar>,
    /// Its `.otto`.
    pub home: Utf8PathBuf,
}

impl World {
    /// Reads the project's files.
    ///
    /// # Errors
    /// All their problems at once.
    pub fn open(&self) -> Result<Opened> {
        self.opened(project::load)
    }

    /// Reads the project's files but those of its sites: what exists can be told without them, and when they are wrong.
    ///
    /// # Errors
    /// As [`World::open`].
    pub fn open_frame(&self) -> Result<Opened> {
        self.opened(project::load_frame)
    }

    fn opened(&self, load: fn(&Utf8Path) -> std::result::Result<Loaded, Vec<Problem>>) -> Result<Opened> {
        let start = self.project.clone().or_else(|| self.vars.project().map(Utf8Path::to_owned));
        let folder = match start {
            Some(folder) => self.cwd.join(folder),
            None => project::find(&self.cwd).map_err(|e| {
                Failure::new(Kind::Project, e.to_string()).hint("otto init").hint("otto --project DIR up")
            })?,
        };
        let loaded = load(&folder).map_err(|problems| problems_found(&problems))?;
        for warning in &loaded.warnings {
            self.warn(&warning.to_string());
        }
        if let Some(url) = self.vars.unusable_state() {
            let scheme = url.split(':').next().unwrap_or_default();
            let what = format!("OTTO_STATE begins with `{scheme}:`, and this otto knows `file:/FOLDER`");
            return Err(Failure::new(Kind::Store, what).hint("export OTTO_STATE=file:/a/folder/that/stays"));
        }
        let home = self.vars.state_folder(&folder);
        let mut project = loaded.project;
        project::settle(&mut project, self.vars.get("HOME").map(Utf8Path::new));
        Ok(Opened { project, origins: loaded.origins, values: loaded.values, env: loaded.env, home })
    }

    /// The credentials of a provider that neither the environment nor the project's files with variables hold.
    pub(super) fn missing<'p>(&self, opened: &Opened, provider: &'p Provider) -> impl Iterator<Item = &'p String> {
        provider.credentials.iter().filter(|name| !self.is_given(opened, name))
    }

    /// Whether the environment or one of the project's files with variables has a variable.
    pub(super) fn is_given(&self, opened: &Opened, name: &str) -> bool {
        self.vars.is_set(name) || opened.env.iter().any(|var| var.name == *name)
    }

    /// Shows a warning, each one once.
    pub fn warn(&self, text: &str) {
        if self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned()) {
            (self.say)(&format!("warning: {text}"));
        }
    }

    /// Where copies of states go: `$XDG_STATE_HOME/otto`.
    pub fn state_home(&self) -> Utf8PathBuf {
        self.vars.copies_folder().unwrap_or_else(|| self.cwd.join(".otto-state"))
    }

    /// Where tools and downloads live, once per user: `$XDG_CACHE_HOME/otto`.
    pub fn cache(&self) -> Utf8PathBuf {
        self.vars.cache_folder().unwrap_or_else(|| self.cwd.join(".otto-cache"))
    }

    /// This machine's name.
    pub fn host(&self) -> String {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }

    /// `user@machine`.
    pub fn owner(&self) -> String {
        format!("{}@{}", self.vars.get("USER").unwrap_or("unknown"), self.host())
    }

    /// Opens the store for a verb that changes things.
    ///
    /// # Errors
    /// A disk without room, a store that cannot be used, or an empty one where a copy says that something exists.
    pub fn store(&self, opened: &Opened) -> Result<Store> {
        self.store_adopting(opened, &[])
    }

    /// The same for taking over `adopted`: what a copy knows and is taken over now is not forgotten.
    ///
    /// # Errors
    /// As [`World::store`].
    pub(super) fn store_adopting(&self, opened: &Opened, adopted: &[String]) -> Result<Store> {
        let home = &opened.home;
        private_folder(home).map_err(|e| store_failure(home, &e))?;
        let free = disk::free(home).map_err(|e| store_failure(home, &e))?;
        if free < FLOOR {
            let what = format!(
                "{} MB are free on the disk of {home}, {} MB are needed to start anything",
                free >> 20,
                FLOOR >> 20
            );
            return Err(Failure::new(Kind::Store, what).hint("free some space, then the same command again"));
        }
        self.refuse_forgetting(opened, adopted)?;
        disk::Reserve::at(home.join("reserve")).make(RESERVE >> 20).map_err(|e| store_failure(home, &e))?;
        Store::open(home, env!("CARGO_PKG_VERSION")).map_err(unusable)
    }

    /// Opens the store for a verb that only reads: works on a full or read-only disk.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub fn store_to_read(&self, opened: &Opened) -> Result<Store> {
        self.refuse_forgetting(opened, &[])?;
        Store::open_read_only(&opened.home).map_err(unusable)
    }

    /// An empty store is no reason to start empty: a copy may know what exists.
    fn refuse_forgetting(&self, opened: &Opened, adopted: &[String]) -> Result<()> {
        if opened.home.join("otto.db").exists() {
            return Ok(());
        }
        let copies = store::list_copies(&self.state_home(), &opened.project.id).map_err(unusable)?;
        let folder = Utf8Path::new(&opened.project.folder);
        // What a copy names is the `.otto` folder itself.
        let Some(copy) = store::should_refuse_empty(&copies, &opened.home, folder, store::store_id_at) else {
            let newest = |n: usize| !copies[..n].iter().any(|newer| newer.store_id == copies[n].store_id);
            for (_, other) in copies.iter().enumerate().filter(|(n, copy)| newest(*n) && !copy.exists.is_empty()) {
                let what = other.exists.join(", ");
                (self.say)(&format!("note: another clone of this project, `{}`, has {what}", other.project_folder));
            }
            return Ok(());
        };
        if copy.exists.iter().all(|name| adopted.contains(name)) {
            return Ok(());
        }
        let what = format!(
            "`{}` holds no store, and the copy of {} says that {} exists",
            opened.home,
            copy.at,
            copy.exists.join(", ")
        );
        let failure = Failure::new(Kind::Store, what).because("starting empty would forget it, bill and all");
        // What is the only one there is can also be taken over from where its state is.
        let only = copy.exists.first().filter(|_| copy.exists.len() == 1);
        let failure = match only {
            Some(name) => {
                failure.because(format!("with its state at hand, `otto state adopt {name}` takes it over as well"))
            }
            None => failure,
        };
        Err(failure.hint("otto state restore"))
    }
}

/// All problems of the project's files.
pub(super) fn problems_found(problems: &[project::Problem]) -> Failure {
    let count = problems.iter().filter(|p| !p.warning).count();
    let what = if count == 1 {
        "the project's files have a problem".to_owned()
    } else {
        format!("the project's files have {count} problems")
    };
    let mut failure = Failure::new(Kind::Project, what);
    let told = |p: &project::Problem| if p.warning { format!("warning: {p}") } else { p.to_string() };
    failure.causes = problems.iter().map(told).collect();
    failure
}

/// A store that cannot be used.
pub(super) fn unusable(error: StoreError) -> Failure {
    let hint = match &error {
        StoreError::Damaged { .. } => "otto state restore",
        StoreError::Newer { .. } => "use the otto that wrote it, or a newer one",
        StoreError::Full { .. } => "free some space, then the same command again",
        StoreError::Io { .. } => "make it writable, or let OTTO_DIR and XDG_STATE_HOME name folders that are",
        _ => "otto state show",
    };
    let failure = Failure::new(Kind::Store, error.to_string());
    let failure = if matches!(error, StoreError::Damaged { .. }) { failure.hint("otto doctor") } else { failure };
    failure.hint(hint)
}

fn store_failure(home: &Utf8Path, error: &std::io::Error) -> Failure {
    Failure::new(Kind::Store, format!("`{home}` cannot be used: {error}"))
        .hint("make it writable, or set OTTO_DIR to a folder that is")
}

/// Made 0700: it holds states, logs and keys.
pub(super) fn private_folder(home: &Utf8Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(home)
}
