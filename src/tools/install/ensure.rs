//! Everything that a run needs, at once: tools in parallel with each other and with the packages.

use futures_util::future::join_all;

use crate::net::Client;

use super::super::find::{Found, Search, Tool, Unfit, Version, find, find_all};
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
    let kind = if tool == Tool::Terraform { search.kinds()[0] } else { tool };
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
    for release in offered(kind, search, &pinned) {
        if !from_vendor(client, &release, search, &lock, &steps).await {
            continue;
        }
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

/// The releases to try, the best first: OpenTofu stands in where Terraform's vendor cannot be reached, unless the
/// project pins Terraform or has states of it.
fn offered(kind: Tool, search: &Search, pinned: &dyn Fn(Tool) -> Option<Release>) -> Vec<Release> {
    let mut kinds = vec![kind];
    if kind == Tool::Terraform && !search.bound {
        kinds.extend(search.kinds().iter().filter(|other| **other != kind));
    }
    let fits = |release: &Release| {
        let Version(major, minor, patch) = release.version;
        search.pin(release.tool).is_none_or(|range| range.has((major, minor, patch)))
    };
    kinds.into_iter().filter_map(pinned).filter(fits).collect()
}

/// Whether what is unfit can be had: `install` would not come to another version than the one that is pinned.
pub fn can_install(tool: Tool, search: &Search) -> bool {
    match tool {
        Tool::Terraform | Tool::Tofu => !offered(search.kinds()[0], search, &pinned).is_empty(),
        Tool::Packer => search.pin(tool).is_none() || !offered(tool, search, &pinned).is_empty(),
        Tool::Ansible => search.pin(tool).is_none(),
        Tool::Vagrant => false,
    }
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
        Tool::Vagrant => administrator(search, &["vagrant"]),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;
    use crate::model::Range;

    fn of(pins: &[(Tool, &str)], bound: bool) -> Vec<Tool> {
        let mut search = Search::new(OsStr::new(""), "/nowhere");
        search.pins = pins.iter().map(|(tool, range)| (*tool, Range::parse(range).expect("a range"))).collect();
        search.bound = bound;
        let release = |tool| {
            let version = if tool == Tool::Tofu { Version(1, 8, 5) } else { Version(1, 11, 4) };
            Some(Release { tool, version, url: String::new(), sha256: String::new() })
        };
        offered(search.kinds()[0], &search, &release).into_iter().map(|release| release.tool).collect()
    }

    #[test]
    fn opentofu_stands_in_unless_that_is_forbidden() {
        assert_eq!(of(&[], false), [Tool::Terraform, Tool::Tofu]);
        assert_eq!(of(&[], true), [Tool::Terraform]);
        assert_eq!(of(&[(Tool::Terraform, ">=1.5")], false), [Tool::Terraform]);
        assert_eq!(of(&[(Tool::Terraform, ">=2")], false), []);
        assert_eq!(of(&[(Tool::Tofu, ">=1.6")], false), [Tool::Tofu]);
        assert_eq!(of(&[(Tool::Tofu, ">=1.6"), (Tool::Terraform, ">=2")], false), [Tool::Tofu]);
    }
}
