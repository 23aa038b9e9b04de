//! The tools that otto drives, and the Python that Ansible needs.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::super::toolbox::{search, search_for};
use super::super::world::{Opened, World};
use super::finding::Finding;
use crate::process::capture;
use crate::tools::find::{Origin, Search, Tool, Unfit, find_all};
use crate::tools::install::{Package, can_install, missing};

const ALL: [Tool; 3] = [Tool::Terraform, Tool::Packer, Tool::Ansible];
const INSTALL: &str = "otto tools install --yes";
/// What ansible-core 2.14 asks of the machine that it runs on.
const PYTHON: (u32, u32) = (3, 9);

pub(super) async fn look(world: &World, opened: Option<&Opened>, found: &mut Vec<Finding>) {
    let search = opened.map_or_else(|| search(world), |opened| search_for(world, &opened.project));
    let mut ansible = false;
    for (tool, result) in ALL.iter().zip(find_all(&ALL, &search).await) {
        match result {
            Ok(one) => {
                ansible |= *tool == Tool::Ansible;
                let own = if one.origin == Origin::Cache { ", otto's own" } else { "" };
                let what = format!("{} {} ({}{own})", one.tool, one.version, one.program.display());
                found.push(Finding::ok("tools", what.clone()));
                for passed in one.passed_over {
                    let fix = "update it, or take it off PATH";
                    found.push(Finding::warn("tools", format!("{passed}; otto uses {what}"), fix));
                }
            }
            Err(unfit) => {
                let fix = mend(&unfit, *tool, &search, opened);
                found.push(Finding::fail("tools", unfit.to_string(), fix));
            }
        }
    }
    python(&search, ansible, found).await;
    if let Some(opened) = opened {
        packages(opened, &search, found);
    }
}

fn mend(unfit: &Unfit, tool: Tool, search: &Search, opened: Option<&Opened>) -> String {
    if can_install(tool, search) {
        return INSTALL.to_owned();
    }
    let kind = if tool == Tool::Terraform { search.kinds()[0] } else { tool };
    let word = if kind == Tool::Tofu { "opentofu" } else { kind.program().trim_end_matches("-playbook") };
    let place = opened.and_then(|opened| opened.origins.get(&format!("project.tools.{word}")));
    match (unfit, search.pin(kind), place) {
        (_, Some(range), Some(place)) => {
            format!("put {kind} {range} first on PATH, or change `tools.{word}` ({place})")
        }
        _ => INSTALL.to_owned(),
    }
}

/// Ansible is Python: without one there is no Ansible to be made.
async fn python(search: &Search, ansible: bool, found: &mut Vec<Finding>) {
    let fix = format!("apt-get install python3 python3-venv && {INSTALL}  # or your system's way");
    let at = search.program("python3").and_then(|(path, _)| Utf8PathBuf::from_path_buf(path).ok());
    let Some(program) = at else {
        let what = "python3 is not on PATH";
        found.push(if ansible {
            Finding::warn("python", format!("{what}: otto could not make its Ansible again"), fix)
        } else {
            Finding::fail("python", format!("{what}: Ansible needs it"), fix)
        });
        return;
    };
    let ask = ["-c", "import sys, venv, ensurepip; print(sys.version_info[0], sys.version_info[1])"];
    let answer = capture(&program, &ask, &BTreeMap::new(), Duration::from_secs(20)).await;
    let text = match answer {
        Ok(answer) if answer.code == 0 => answer.stdout,
        Ok(answer) => {
            let why = answer.stderr.lines().last().unwrap_or("it says nothing").to_owned();
            found.push(Finding::warn("python", format!("{program} cannot make an environment: {why}"), fix));
            return;
        }
        Err(error) => {
            found.push(Finding::fail("python", error.to_string(), fix));
            return;
        }
    };
    let mut numbers = text.split_whitespace().map(|n| n.parse().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let what = format!("Python {}.{} ({program})", version.0, version.1);
    found.push(if version < PYTHON {
        Finding::fail("python", format!("{what} is too old, {}.{} or newer is needed", PYTHON.0, PYTHON.1), fix)
    } else {
        Finding::ok("python", what)
    });
}

/// The programs that local images are made of.
fn packages(opened: &Opened, search: &Search, found: &mut Vec<Finding>) {
    let lists = opened.project.appliances.values().map(|a| camino::Utf8Path::new(&a.folder).join("local/packages"));
    let mut wanted: Vec<Package> =
        lists.flat_map(|list| Package::read_list(&std::fs::read_to_string(list).unwrap_or_default())).collect();
    wanted.sort();
    wanted.dedup();
    let absent: Vec<String> = missing(&wanted, search).iter().map(|package| package.program.clone()).collect();
    if absent.is_empty() {
        return;
    }
    let what = format!("for local images are missing: {}", absent.join(", "));
    found.push(Finding::warn("images", what, INSTALL));
}
