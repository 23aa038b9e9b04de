//! Copies of states and store outside the project: what remembers when `.otto` is gone.
//!
//! A run with many applies does not copy everything after each: the first is copied at once, later ones within
//! [`PAUSE`], by a thread of their own, and the end of the run always.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

use super::world::{Opened, World};
use crate::model::DeploymentId;
use crate::store::{self, Store};

/// At most so long is what was made without a copy, while a run goes on; and at most so often is one made.
const PAUSE: Duration = Duration::from_secs(2);

/// Makes the copies of one run.
pub(super) struct Copies {
    work: Arc<Work>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Work {
    state_home: Utf8PathBuf,
    project: String,
    folder: String,
    home: Utf8PathBuf,
    store: Arc<Store>,
    say: Arc<dyn Fn(&str) + Send + Sync>,
    due: Mutex<Due>,
    wake: Condvar,
}

/// What is to be done.
#[derive(Default)]
struct Due {
    /// Something was made since the last copy began.
    pending: bool,
    /// When the last copy was done.
    last: Option<Instant>,
    closing: bool,
}

impl Copies {
    /// For a run over this project.
    pub(super) fn new(world: &World, opened: &Opened, store: &Arc<Store>) -> Arc<Self> {
        let work = Work {
            state_home: world.state_home(),
            project: opened.project.id.clone(),
            folder: opened.project.folder.clone(),
            home: opened.home.clone(),
            store: store.clone(),
            say: world.say.clone(),
            due: Mutex::default(),
            wake: Condvar::new(),
        };
        Arc::new(Self { work: Arc::new(work), thread: Mutex::new(None) })
    }

    /// After an apply or a destruction: a copy is made soon.
    pub(super) fn soon(&self) {
        self.work.due().pending = true;
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            let work = self.work.clone();
            *thread = std::thread::Builder::new().name("copies".to_owned()).spawn(move || work.attend()).ok();
        }
        if thread.is_none() {
            drop(thread);
            return self.now();
        }
        self.work.wake.notify_all();
    }

    /// A copy of everything as it is now.
    pub(super) fn now(&self) {
        self.work.due().pending = false;
        self.work.copy();
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        self.work.due().closing = true;
        self.work.wake.notify_all();
        if let Some(thread) = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

impl Work {
    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies what is pending when its time has come; what is pending at the end at once.
    fn attend(&self) {
        let mut due = self.due();
        loop {
            let rest = due.last.map_or(Duration::ZERO, |last| PAUSE.saturating_sub(last.elapsed()));
            if due.pending && (rest.is_zero() || due.closing) {
                due.pending = false;
                drop(due);
                self.copy();
                due = self.due();
                due.last = Some(Instant::now());
            } else if due.closing {
                return;
            } else if due.pending {
                due = self.wake.wait_timeout(due, rest).unwrap_or_else(PoisonError::into_inner).0;
            } else {
                due = self.wake.wait(due).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// A copy that fails is said, not fatal: what was made is in the store.
    fn copy(&self) {
        let files = states(&self.home);
        let folder = Utf8Path::new(&self.folder);
        if let Err(error) = store::save_copy(&self.store, &self.state_home, &self.project, folder, &files) {
            (self.say)(&format!("warning: no copy of the state was made: {error}"));
        }
    }
}

/// Key and path of every deployment's local state, and (as `KEY.errored`) of one that its backend did not take.
fn states(home: &Utf8Path) -> Vec<(String, Utf8PathBuf)> {
    let entries = home.join("terraform").read_dir_utf8().into_iter().flatten().flatten();
    let found = entries.filter(|e| DeploymentId::from_key(e.file_name()).is_ok());
    let both = found.flat_map(|e| {
        let (key, folder) = (e.file_name().to_owned(), e.path().to_owned());
        [(key.clone(), folder.join("terraform.tfstate")), (format!("{key}.errored"), folder.join("errored.tfstate"))]
    });
    both.filter(|(_, path)| path.is_file()).collect()
}
