//! Credentials are tried before anything is made or taken down: a plan with a bad token succeeds, an apply does not.

use camino::Utf8Path;

use super::super::call::{Call, call};
use super::super::context::Context;
use super::super::unit_end::{Trouble, UnitEnd};
use super::root::VAR_FILE;
use crate::model::{Provider, UnitId};
use crate::tools::script::interpreted;
use crate::tools::{Invocation, Stop, Unread};

/// A check that says nothing for this long is ended.
const LIMIT_MS: u64 = 60_000;

/// Asks the provider's own `orphans check`, once a run; a provider without one, or without credentials, has nothing to try.
///
/// # Errors
/// The provider does not take them, or cannot be asked.
pub(super) async fn tried(context: &Context, unit: &UnitId, provider: &Provider) -> Result<(), Trouble> {
    if provider.credentials.is_empty() {
        return Ok(());
    }
    // The deployment's own copy comes first: the project may have lost the provider's folder since.
    let copy = unit.deployment().map(|id| context.terraform_folder(id));
    let folders = copy.into_iter().chain([provider.folder.clone().into()]);
    let Some(folder) = folders.into_iter().find(|folder| folder.join("orphans").is_file()) else { return Ok(()) };
    let mut tried = context.tried.lock().await;
    let known = match tried.get(&provider.name) {
        Some(known) => known.clone(),
        None => {
            let found = ask(context, unit, &folder).await?;
            tried.insert(provider.name.clone(), found.clone());
            found
        }
    };
    known.map_err(|why| {
        let (names, line) = (provider.credentials.join(", "), &context.consent.line);
        let hint = format!("see that {names} is right and that the provider can be reached, then: {line}");
        UnitEnd::denied(format!("`{}` cannot be used: {why}", provider.name)).hint(hint).into()
    })
}

/// Why it is not taken, in the last words of `orphans check`.
async fn ask(context: &Context, unit: &UnitId, folder: &Utf8Path) -> Result<Result<(), String>, Trouble> {
    let program = folder.join("orphans");
    let words = interpreted(&program).map_err(Trouble::file(&program))?;
    let args = words[1..].iter().map(String::as_str).chain(["check"]);
    let mut invocation = Invocation::new(&words[0], folder, Stop::Script).args(args).limit_ms(LIMIT_MS);
    if folder.join(VAR_FILE).is_file() {
        invocation = invocation.env("OTTO_VARS", folder.join(VAR_FILE));
    }
    let check = Call { tool: "orphans", step: "orphans-check", main: false, stream: None, invocation, lock: None };
    let called = call(context, unit, check, &mut Unread).await?;
    if called.is_clean() {
        return Ok(Ok(()));
    }
    if called.interrupted {
        return Err(Trouble::Stopped { step: "orphans-check".to_owned() });
    }
    let said = std::fs::read_to_string(called.folder.join("stderr")).unwrap_or_default();
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned());
    Ok(Err(last.unwrap_or_else(|| format!("`orphans check` ended with {}", called.end.describe()))))
}
