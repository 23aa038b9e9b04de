//! `otto drift`: what changed outside of otto. The work is a run like any other; what it finds is kept in the store.

use super::conduct::{Report, Request, conduct};
use super::failure::Result;
use super::world::{World, unusable};
use crate::lifecycle::Verb;
use crate::model::Stage;
use crate::model::status::DriftReport;
use crate::project::Selection;

/// Compares what is meant with what is there; everything that exists when nothing is named.
///
/// # Errors
/// Whatever keeps a run from beginning.
pub async fn drift(world: &World, mut request: Request) -> Result<Report> {
    if request.selection == Selection::default() {
        let opened = world.open()?;
        let records = world.store_to_read(&opened)?.deployments().map_err(unusable)?;
        let names: Vec<String> = records.iter().filter(|r| r.phase.exists()).map(|r| r.id.to_string()).collect();
        if names.is_empty() {
            return Ok(Report::default());
        }
        request.selection = Selection { deployments: names, ..Selection::default() };
    }
    request.verb = Verb::Only(Stage::Drift);
    conduct(world, request).await
}

/// The document of `--json`.
pub fn document(report: &Report) -> DriftReport {
    DriftReport { schema: "otto.drift/1".to_owned(), deployments: report.drifts.clone() }
}
