//! Destroy where Vagrant made the hosts: `destroy -f`, and its `status` has to say that none is left.

use std::fs;

use super::super::call::{Call, call};
use super::super::context::Context;
use super::super::unit_end::{Trouble, UnitEnd};
use super::{destroy, vagrant, vagrant_list};
use crate::model::name::counted;
use crate::model::{Deployment, DeploymentId, Phase, UnitId};
use crate::tools::vagrant::list::Listed;
use crate::tools::vagrant::{Stream, Vagrant};

/// Takes all machines of a deployment down.
pub(super) async fn run(
    context: &Context,
    unit: &UnitId,
    id: &DeploymentId,
    mut record: Deployment,
) -> Result<UnitEnd, Trouble> {
    let tool = vagrant::tool(context, id)?;
    destroy::begin(context, unit, &mut record)?;
    let mut summary = "no machine was made".to_owned();
    if list_there(context, unit, id, &record, &tool)? {
        let names = vagrant::look(context, unit, &tool, "status").await?.existing();
        if !names.is_empty() {
            take_down(context, unit, id, &tool, names.len()).await?;
        }
        summary = format!("{} destroyed", counted(names.len() as u64, "machine"));
    }
    for folder in [tool.dir.clone(), crate::tools::ssh::folder(&context.home, id)] {
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(Trouble::file(&folder))?;
        }
    }
    record.hosts.clear();
    record.endpoint = None;
    record.phase = Phase::Destroyed;
    record.dirty = None;
    record.provision_hash = None;
    record.config_hash = None;
    context.remember(unit, record)?;
    (context.after_apply)(id);
    Ok(UnitEnd::ok(summary, true))
}

/// All that are there, and looks whether they went.
async fn take_down(
    context: &Context,
    unit: &UnitId,
    id: &DeploymentId,
    tool: &Vagrant,
    count: usize,
) -> Result<(), Trouble> {
    let mut stream = Stream::new(count);
    let invocation = tool.destroy(&[], &context.requests.passthrough);
    let down = Call { tool: "vagrant", step: "destroy", main: true, stream: None, invocation, lock: None };
    let called = call(context, unit, down, &mut stream).await?;
    let report = stream.report();
    (context.after_apply)(id);
    let again = format!("otto destroy {id} --yes");
    if !called.is_clean() || !report.errors.is_empty() {
        return Err(vagrant::failed(&called, &report, "destroy", true).hint(again).into());
    }
    let left = vagrant::look(context, unit, tool, "verify").await?.existing();
    if left.is_empty() {
        return Ok(());
    }
    let what = format!("after the destruction Vagrant still knows {}", left.join(", "));
    Err(UnitEnd::failed(what, true).hint(again).into())
}

/// Whether there is a list to take down; one that someone cleaned up is written again from the record, which is enough for
/// Vagrant to say that it knows none of these machines any more.
fn list_there(
    context: &Context,
    unit: &UnitId,
    id: &DeploymentId,
    record: &Deployment,
    tool: &Vagrant,
) -> Result<bool, Trouble> {
    let gone = !Vagrant::list(&tool.dir).is_file();
    if gone && record.hosts.is_empty() {
        return Ok(false);
    }
    if gone {
        let what = format!("{} is gone: what Vagrant may have left shows `vagrant global-status`", tool.dir);
        context.note(unit, what, true)?;
        let hosts = record.hosts.iter().map(|host| Listed {
            name: host.name.clone(),
            role: host.role.clone(),
            image: host.image.clone().unwrap_or_else(|| "none".to_owned()),
            ..Listed::default()
        });
        fs::create_dir_all(&tool.dir).map_err(Trouble::file(&tool.dir))?;
        vagrant_list::write_list(&tool.dir, &vagrant_list::again(context, id, hosts.collect()))?;
    }
    if gone || !Vagrant::vagrantfile(&tool.dir).is_file() {
        vagrant_list::copy_vagrantfile(context, &context.target(id)?.provider.folder, &tool.dir)?;
    }
    Ok(true)
}
