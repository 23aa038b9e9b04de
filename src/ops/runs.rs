//! `otto runs` and `otto logs`: the journal, read.

use super::failure::{Failure, Kind, Result};
use super::world::{Opened, World, unusable};
use crate::model::status::RunsReport;
use crate::model::{Event, EventKind, RunId, Sink};
use crate::store::{RunMatch, Store};

/// Events read at once.
const PAGE: usize = 1000;

/// The last runs, newest first.
///
/// # Errors
/// An unusable store.
pub fn runs(world: &World, limit: usize) -> Result<RunsReport> {
    let opened = world.open()?;
    let store = world.store_to_read(&opened)?;
    Ok(RunsReport { schema: "otto.runs/1".to_owned(), runs: store.runs(limit).map_err(unusable)? })
}

/// A run by the beginning of its id; the last one when nothing is given.
///
/// # Errors
/// No such run, or several.
pub fn find(store: &Store, prefix: Option<&str>) -> Result<RunId> {
    let Some(prefix) = prefix else {
        let last = store.last_run().map_err(unusable)?;
        return last.map(|r| r.id).ok_or_else(|| Failure::new(Kind::Usage, "there was no run yet").hint("otto up"));
    };
    match store.find_run(prefix).map_err(unusable)? {
        RunMatch::One(run) => Ok(run),
        RunMatch::None => Err(Failure::new(Kind::Usage, format!("no run begins with `{prefix}`")).hint("otto runs")),
        RunMatch::Many(ids) => {
            let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
            Err(Failure::new(Kind::Usage, format!("several runs begin with `{prefix}`: {}", names.join(", "))))
        }
    }
}

/// What `logs` shows.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The beginning of a run's id.
    pub run: Option<String>,
    /// Only units whose id holds this.
    pub unit: Option<String>,
    /// Go on until the run ends.
    pub follow: bool,
}

/// Replays a run's events into the screen; with `follow`, as they come.
///
/// # Errors
/// No such run, an unusable store.
pub async fn replay(world: &World, wanted: &Wanted, screen: &dyn Sink) -> Result<()> {
    let opened = world.open()?;
    let mut store = world.store_to_read(&opened)?;
    let run = find(&store, wanted.run.as_deref())?;
    let mut seen = 0;
    loop {
        let events = store.events(&run, seen, PAGE).map_err(unusable)?;
        let ended = events.iter().any(|e| matches!(e.kind, EventKind::RunEnded { .. }));
        let full = events.len() == PAGE;
        for event in &events {
            seen = event.seq;
            if is_wanted(event, wanted.unit.as_deref()) {
                // A screen never fails.
                let _ = screen.record(event);
            }
        }
        if full {
            continue;
        }
        if ended || !wanted.follow {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        store = world.store_to_read(&opened)?;
    }
}

fn is_wanted(event: &Event, unit: Option<&str>) -> bool {
    match (unit, &event.unit) {
        (Some(wanted), Some(unit)) => unit.to_string().contains(wanted),
        _ => true,
    }
}

/// The folder of a unit's call in a run, for `logs RUN UNIT`.
pub fn folders(opened: &Opened, run: &RunId, unit: &str) -> Vec<camino::Utf8PathBuf> {
    let folder = opened.home.join("runs").join(&run.0);
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    let key = unit.replace(['/', ':'], "_");
    let mut found: Vec<_> = entries
        .map(|e| e.path().to_owned())
        .filter(|p| p.join("stdout").is_file() && p.as_str().replace('.', "_").contains(&key))
        .collect();
    found.sort();
    found
}
