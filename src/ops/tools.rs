//! `otto tools`: which tools there are, and installing what is missing.

use super::failure::Result;
use super::toolbox::{agree, install as install_wanted, search, search_for};
use super::world::{Opened, World};
use crate::tools::find::{Origin, Search, Tool, Unfit, find_all};
use crate::tools::install::{Package, Wanted, missing};

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// `Terraform`.
    pub name: String,
    /// `1.11.4`, or what is wrong.
    pub version: String,
    /// The program.
    pub from: String,
    /// The oldest that would do.
    pub needs: String,
    /// It can be used.
    pub usable: bool,
}

const ALL: [Tool; 3] = [Tool::Terraform, Tool::Packer, Tool::Ansible];

/// All tools, and the programs of local images.
pub async fn list(world: &World) -> Vec<Row> {
    let opened = world.open().ok();
    let search = opened.as_ref().map_or_else(|| search(world), |opened| search_for(world, &opened.project));
    let found = find_all(&ALL, &search).await;
    let tools = ALL.iter().zip(found).map(|(tool, found)| match found {
        Ok(found) => Row {
            name: found.tool.title().to_owned(),
            version: found.version.to_string(),
            from: format!("{}{}", found.program.display(), origin(found.origin)),
            needs: needs(&search, found.tool),
            usable: true,
        },
        Err(unfit) => Row {
            name: tool.title().to_owned(),
            version: match unfit {
                Unfit::Missing { .. } => "missing".to_owned(),
                Unfit::TooOld { version, .. } | Unfit::NotPinned { version, .. } => version.to_string(),
                Unfit::Broken { .. } => "broken".to_owned(),
            },
            from: unfit.to_string(),
            needs: needs(&search, *tool),
            usable: false,
        },
    });
    let mut rows: Vec<Row> = tools.collect();
    for package in packages(opened.as_ref()) {
        let (from, usable) = match search.program(&package.program) {
            Some((path, from)) => (format!("{}{}", path.display(), origin(from)), true),
            None => ("neither on PATH nor in otto's cache".to_owned(), false),
        };
        let version = if usable { "" } else { "missing" };
        rows.push(Row {
            name: package.program,
            version: version.to_owned(),
            from,
            needs: "for local images".to_owned(),
            usable,
        });
    }
    rows
}

fn needs(search: &Search, tool: Tool) -> String {
    let pinned = search.pin(tool).map(|range| format!(", pinned {range}")).unwrap_or_default();
    format!(">= {}{pinned}", tool.minimum())
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Path => "",
        Origin::System => " (not on PATH)",
        Origin::Cache => " (otto's own)",
    }
}

/// The programs that the project's local images are made of; nothing outside of a project.
fn packages(opened: Option<&Opened>) -> Vec<Package> {
    let Some(opened) = opened else { return Vec::new() };
    let lists = opened.project.appliances.values().map(|a| camino::Utf8Path::new(&a.folder).join("local/packages"));
    let mut all: Vec<Package> =
        lists.flat_map(|list| Package::read_list(&std::fs::read_to_string(list).unwrap_or_default())).collect();
    all.sort();
    all.dedup();
    all
}

/// Installs what is missing or too old.
///
/// # Errors
/// What could be had in no way.
pub async fn install(world: &World, yes: bool) -> Result<()> {
    let opened = world.open().ok();
    let search = opened.as_ref().map_or_else(|| search(world), |opened| search_for(world, &opened.project));
    let wanted = Wanted { tools: ALL.to_vec(), packages: packages(opened.as_ref()) };
    let mut reasons: Vec<String> =
        find_all(&wanted.tools, &search).await.into_iter().filter_map(|f| f.err().map(|e| e.to_string())).collect();
    let absent: Vec<String> = missing(&wanted.packages, &search).iter().map(|p| p.program.clone()).collect();
    if !absent.is_empty() {
        reasons.push(format!("not on this machine: {}", absent.join(", ")));
    }
    if reasons.is_empty() {
        return Ok(());
    }
    agree(world, yes, &reasons)?;
    install_wanted(world, &wanted, &search).await.map(drop)
}
