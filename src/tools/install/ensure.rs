//! Everything that a run needs, at once: tools in parallel with each other and with the packages.

use futures_util::future::join_all;

use crate::net::Client;

use super::super::find::{Found, Search, Tool, Unfit, find, find_all};
use super::event::{InstallError, InstallEvent, Reporter, State, Steps};
use super::lock::CacheLock;
use super::packages::{Package, Provided, Queue, administrator, provide, unpack};
use super::releases::{Release, pinned};
use super::{ansible, vendor};

/// What a run needs.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Tools.
    pub tools: Vec<Tool>,
    /// Programs for images.
    pub packages: Vec<Package>,
}

/// What there is for it.
#[derive(Debug, Clone)]
pub struct Ready {
    /// In the order wanted.
    pub tools: Vec<Found>,
    /// None were wanted: empty.
    pub packages: Provided,
}

/// Finds or installs everything that is wanted, all at once.
///
/// # Errors
/// One for each thing that could be had in no way.
pub async fn ensure(
    wanted: &Wanted,
    search: &Search,
    client: &Client,
    report: &mut (dyn FnMut(InstallEvent) + Send),
) -> Result<Ready, Vec<InstallError>> {
    let (reporter, queue) = (Reporter::new(report), Queue::default());
    let found = find_all(&wanted.tools, search).await;
    let installing = wanted.tools.iter().zip(found).map(|(tool, found)| {
        let (reporter, queue) = (&reporter, &queue);
        async move {
            match found {
                Ok(found) => Ok(found),
                Err(unfit) => install_missing(*tool, unfit, (search, queue), client, reporter).await,
            }
        }
    });
    let (tools, packages) = tokio::join!(join_all(installing), provide(&wanted.packages, search, &queue, &reporter));
    let mut errors = Vec::new();
    let mut ready = Vec::new();
    for tool in tools {
        match tool {
            Ok(found) => ready.push(found),
            Err(error) => errors.push(error),
        }
    }
    match packages {
        Ok(packages) if errors.is_empty() => Ok(Ready { tools: ready, packages }),
        Ok(_) => Err(errors),
        Err(error) => {
            errors.push(error);
            Err(errors)
        }
    }
}

/// Finds or installs one tool.
///
/// # Errors
/// It is not there, and there is no way to get it.
pub async fn install(
    tool: Tool,
    search: &Search,
    client: &Client,
    report: &mut (dyn FnMut(InstallEvent) + Send),
) -> Result<Found, InstallError> {
    match find(tool, search).await {
        Ok(found) => Ok(found),
        Err(unfit) => install_missing(tool, unfit, (search, &Queue::default()), client, &Reporter::new(report)).await,
    }
}

async fn install_missing(
    tool: Tool,
    unfit: Unfit,
    (search, queue): (&Search, &Queue),
    client: &Client,
    reporter: &Reporter<'_>,
) -> Result<Found, InstallError> {
    let steps = reporter.on(tool.title());
    if !matches!(unfit, Unfit::Missing { .. }) {
        steps.pass_over("on this machine", unfit.to_string());
    }
    let kind = if tool == Tool::Terraform && search.prefer_tofu { Tool::Tofu } else { tool };
    let name = kind.program();
    let lock = CacheLock::take(&search.cache, name, &steps).await;
    let lock = lock.map_err(|why| steps.fail("otto's cache", why, None))?;
    // Another otto may have done it meanwhile.
    if let Ok(found) = find(tool, search).await {
        return Ok(found);
    }
    if kind == Tool::Ansible {
        ansible::make(search, queue, &lock, &steps).await?;
        return find(tool, search).await.map_err(|unfit| unusable(&steps, &unfit, search, tool));
    }
    if let Some(release) = pinned(kind)
        && from_vendor(client, &release, search, &lock, &steps).await
    {
        match find(tool, search).await {
            Ok(found) => return Ok(found),
            Err(unfit) => steps.pass_over("vendor release", unfit.to_string()),
        }
    }
    if kind == Tool::Packer {
        unpack(&[&Package::named("packer")], search, queue, &steps).await?;
        return find(tool, search).await.map_err(|unfit| unusable(&steps, &unfit, search, tool));
    }
    Err(steps.give_up(by_hand(tool, search)))
}

async fn from_vendor(client: &Client, release: &Release, search: &Search, lock: &CacheLock, steps: &Steps<'_>) -> bool {
    let step = format!("vendor release {}", release.version);
    steps.tell(&step, State::Begun);
    match vendor::fetch(client, release, search, lock).await {
        Ok(_) => {
            steps.tell(&step, State::Done);
            true
        }
        Err(why) => {
            steps.pass_over(&step, why);
            false
        }
    }
}

/// Installed, and still not usable.
fn unusable(steps: &Steps<'_>, unfit: &Unfit, search: &Search, tool: Tool) -> InstallError {
    steps.fail("what was installed", unfit.to_string(), by_hand(tool, search))
}

fn by_hand(tool: Tool, search: &Search) -> Option<String> {
    match tool {
        Tool::Terraform | Tool::Tofu => {
            let release = pinned(tool).map(|release| format!(" (for example {})", release.url)).unwrap_or_default();
            Some(format!("put `{}` {} or newer on PATH{release}", tool.program(), tool.minimum()))
        }
        Tool::Packer => administrator(search, &["packer"]),
        Tool::Ansible => administrator(search, &["ansible-core"]),
    }
}
