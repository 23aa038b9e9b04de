//! `otto doctor`: everything that can be wrong, each with what mends it. Looks only; works with broken project files.
//!
//! `machine` looks at this computer, `tools` at what otto drives, `files` at the project and its store, `hosts` at what
//! exists. Each adds its findings to one list.

mod files;
mod finding;
mod hosts;
mod machine;
mod tools;

pub use finding::{Examination, Finding, State, code};

use super::world::World;

/// Looks at everything.
pub async fn doctor(world: &World) -> Examination {
    let mut found = Vec::new();
    let opened = files::project(world, &mut found);
    machine::look(world, &mut found).await;
    tools::look(world, opened.as_ref(), &mut found).await;
    if let Some(opened) = &opened {
        files::secrets(world, opened, &mut found);
        let records = files::store(world, opened, &mut found);
        hosts::look(opened, &records, &mut found).await;
    }
    Examination { schema: "otto.doctor/1", version: env!("CARGO_PKG_VERSION"), findings: found }
}
