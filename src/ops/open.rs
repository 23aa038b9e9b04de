//! `otto open`: where a site is, and a browser there.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::choose;
use super::failure::{Failure, Kind, Result};
use super::toolbox;
use super::world::{World, unusable};
use crate::process::capture;
use crate::project::Selection;

/// Programs that hand a URL to the person's browser.
const OPENERS: [&str; 2] = ["xdg-open", "open"];

/// The URLs of the sites that are meant, those with a name of theirs on this machine first.
///
/// # Errors
/// Wrong project files, or nothing that could be visited.
pub fn urls(world: &World, selection: &Selection) -> Result<Vec<String>> {
    let opened = world.open()?;
    let store = world.store_to_read(&opened)?;
    let mut records = store.deployments().map_err(unusable)?;
    if *selection != Selection::default() {
        let meant = choose::existing(&opened.project, selection, &records)?;
        records.retain(|record| meant.contains(&record.id));
    }
    let mut all = Vec::new();
    for record in records.iter().filter(|record| record.phase.exists()) {
        let Some(endpoint) = &record.endpoint else { continue };
        let local = endpoint.strip_prefix("http://127.0.0.1");
        let named = record.spec.domains.iter().find(|domain| domain.ends_with(".localhost"));
        all.push(match (local, named) {
            (Some(rest), Some(domain)) => format!("http://{domain}{rest}"),
            _ => endpoint.clone(),
        });
    }
    if all.is_empty() {
        return Err(Failure::new(Kind::Usage, "no site is up that could be visited").hint("otto up"));
    }
    Ok(all)
}

/// Opens a URL in the browser; whether there is a program that does.
pub async fn browse(world: &World, url: &str) -> bool {
    let search = toolbox::search(world);
    let program = OPENERS.iter().find_map(|name| search.program(name));
    let Some(program) = program.and_then(|(path, _)| Utf8PathBuf::from_path_buf(path).ok()) else { return false };
    capture(&program, &[url], &BTreeMap::new(), Duration::from_secs(10)).await.is_ok_and(|answer| answer.code == 0)
}
