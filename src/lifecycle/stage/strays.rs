//! Before anything is made or taken down: what an interrupted run may have left, and what another store may have made.
//!
//! A killed Terraform leaves things that its state does not hold (looked for by tags, removed), things that the state holds
//! as if they were finished (made anew), and now and then a state cut to nothing (its backup is put back).

use std::fs;

use camino::Utf8Path;

use super::super::call::{Call, call};
use super::super::context::Context;
use super::super::unit_end::{Trouble, UnitEnd};
use super::sweep;
use crate::model::{Deployment, DeploymentId, Dirty, Orphan, Phase, UnitId};
use crate::process::disk;
use crate::tools::terraform::{Report, State, StateFile, Stream, Terraform};

/// The state's file in a deployment's folder.
const STATE_FILE: &str = "terraform.tfstate";

/// What a call of Terraform that did not end well leaves open, added to what was open before it.
pub(in crate::lifecycle) fn left_open(earlier: Option<&Dirty>, report: &Report) -> (Vec<String>, Vec<String>) {
    let mut in_flight = earlier.map(|d| d.in_flight.clone()).unwrap_or_default();
    // What was made counts, too: Terraform writes its state now and then and at its end, not after each resource.
    in_flight.extend(report.in_flight.iter().chain(&report.made).cloned());
    let mut unfinished = earlier.map(|d| d.unfinished.clone()).unwrap_or_default();
    unfinished.retain(|address| !report.made.contains(address));
    unfinished.extend(report.unfinished.iter().cloned());
    for list in [&mut in_flight, &mut unfinished] {
        list.sort();
        list.dedup();
    }
    (in_flight, unfinished)
}

/// Looks before an apply; returns the addresses that have to be made anew.
///
/// # Errors
/// Something may exist that nobody can look for, or is another store's.
pub(super) async fn before_apply(
    context: &Context,
    unit: &UnitId,
    record: &Deployment,
    is_new: bool,
    terraform: &Terraform,
) -> Result<Vec<String>, Trouble> {
    let id = &record.id;
    if is_new {
        let Some(found) = sweep::list(context, unit, id, "list").await? else { return Ok(Vec::new()) };
        if let Some(first) = found.foreign.first() {
            let what =
                format!("`{}` ({}) carries the name of {id} and was made by another store", first.name, first.id);
            return Err(UnitEnd::failed(what, false)
                .hint("destroy it where it was made, or give this site or environment another name")
                .into());
        }
        if !found.ours.is_empty() {
            // What its last destruction left behind is in the state, and is used again.
            let state = state(context, unit, record, &terraform.dir, record.state.as_ref().map(|_| terraform)).await?;
            sweep::remove(context, unit, id, &adrift(found.ours, &state, &[])).await?;
        }
        return Ok(Vec::new());
    }
    let Some(dirty) = record.dirty.as_ref() else { return Ok(Vec::new()) };
    if dirty.in_flight.is_empty() && !matches!(record.phase, Phase::Partial | Phase::Destroying) {
        return Ok(Vec::new());
    }
    let state = state(context, unit, record, &terraform.dir, record.state.as_ref().map(|_| terraform)).await?;
    match sweep::list(context, unit, id, "list").await? {
        Some(found) => {
            sweep::remove(context, unit, id, &adrift(found.ours, &state, &dirty.unfinished)).await?;
        }
        None => nobody_can_look(context, id, dirty, &state)?,
    }
    // A state that holds such a resource as healthy proves nothing: the provisioner that made it, or was taking it down,
    // was killed.
    let unproven = |a: &&String| state.addresses.contains(*a) && !state.tainted.contains(*a);
    Ok(dirty.unfinished.iter().filter(unproven).cloned().collect())
}

/// Looks before a destruction: what can be swept by tags is swept after it, the rest must be in the state.
///
/// # Errors
/// Something may exist that nobody can look for.
pub(super) async fn before_destroy(
    context: &Context,
    unit: &UnitId,
    record: &Deployment,
    folder: &Utf8Path,
    remote: Option<&Terraform>,
) -> Result<State, Trouble> {
    let state = state(context, unit, record, folder, remote).await?;
    if sweep::can_be_asked(context, &record.id) || context.consent.ignore_in_flight {
        return Ok(state);
    }
    if let Some(dirty) = &record.dirty {
        nobody_can_look(context, &record.id, dirty, &state)?;
    }
    if !record.hosts.is_empty() && state.lineage.is_empty() {
        let names: Vec<&str> = record.hosts.iter().map(|h| h.name.as_str()).collect();
        let what = format!("the state in {folder} is gone, and {} may still be there", names.join(", "));
        let hint = format!("or remove them at the provider, then {} --ignore-in-flight", context.consent.line);
        return Err(UnitEnd::failed(what, false).hint("otto state restore").hint(hint).into());
    }
    Ok(state)
}

/// Those of what was found that nothing finished in the state is. Tainted and unfinished resources do not count: they are
/// going to be replaced, and it is not sure that a destroy provisioner runs for what their interrupted creation made.
pub(super) fn adrift(found: Vec<Orphan>, state: &State, unfinished: &[String]) -> Vec<Orphan> {
    let finished = || state.healthy.iter().filter(|(address, _)| !unfinished.contains(address));
    let known = |word: &str| !word.is_empty() && finished().any(|(_, leaves)| leaves.contains(word));
    // Two may have one name, so the id decides; the name only for a provider whose ids are not those of the state.
    let by_id = found.iter().any(|orphan| state.knows(&orphan.id));
    found.into_iter().filter(|orphan| !known(if by_id { &orphan.id } else { &orphan.name })).collect()
}

/// Without an `orphans` executable only a person can tell whether these exist.
fn nobody_can_look(context: &Context, id: &DeploymentId, dirty: &Dirty, state: &State) -> Result<(), Trouble> {
    let lost: Vec<&str> =
        dirty.in_flight.iter().map(String::as_str).filter(|a| !state.addresses.contains(*a)).collect();
    if lost.is_empty() || context.consent.ignore_in_flight {
        return Ok(());
    }
    let what = format!(
        "{} may exist though the state does not hold it, and `{}` has no `orphans` to look for it",
        lost.join(", "),
        id.provider
    );
    let hint = format!("look for it at the provider, remove it, then {} --ignore-in-flight", context.consent.line);
    Err(UnitEnd::failed(what, false).hint(hint).into())
}

/// What Terraform knows of a deployment, from its file or (`remote`) its backend; a file that was cut off is mended first.
async fn state(
    context: &Context,
    unit: &UnitId,
    record: &Deployment,
    folder: &Utf8Path,
    remote: Option<&Terraform>,
) -> Result<State, Trouble> {
    let file = folder.join(STATE_FILE);
    let found = if let Some(terraform) = remote {
        pulled(context, unit, terraform, "state").await?
    } else {
        if record.dirty.is_some() && mend(&file)? {
            context.note(unit, "the interrupted run left an empty state: the one before it was put back", true)?;
        }
        StateFile::read(&file)
    };
    match found {
        StateFile::Read(state) => Ok(state),
        // It knows nothing: all that is found is adrift.
        StateFile::Missing | StateFile::Empty => Ok(State::default()),
        StateFile::Unreadable { why } => {
            Err(UnitEnd::failed(format!("{file}: {why}"), false).hint("otto state restore").into())
        }
    }
}

/// The state as the backend has it.
///
/// # Errors
/// The backend does not answer.
pub(super) async fn pulled(
    context: &Context,
    unit: &UnitId,
    terraform: &Terraform,
    step: &str,
) -> Result<StateFile, Trouble> {
    pulled_text(context, unit, terraform, step).await.map(|text| StateFile::parse(&text))
}

/// The same as text.
///
/// # Errors
/// The backend does not answer.
pub(super) async fn pulled_text(
    context: &Context,
    unit: &UnitId,
    terraform: &Terraform,
    step: &str,
) -> Result<String, Trouble> {
    let (name, invocation) = (super::terraform::program_name(context), terraform.state_pull());
    let pull = Call { tool: &name, step, main: false, stream: None, invocation, lock: None };
    let mut stream = Stream::new();
    let called = call(context, unit, pull, &mut stream).await?;
    context.secrets.learn_outputs(&called.folder.join("stdout"));
    let text = called.taken()?;
    if called.is_clean() {
        return Ok(text);
    }
    Err(super::terraform::tool_failed(&called, &stream.report(), "state pull", false).into())
}

/// Terraform truncates its state before it writes it. Killed in between, it leaves 0 bytes, and beside it the backup that
/// it made of the state before this apply: nearer to the truth than nothing, and what is missing in it is found by its tags.
fn mend(file: &Utf8Path) -> Result<bool, Trouble> {
    if StateFile::read(file) != StateFile::Empty {
        return Ok(false);
    }
    let backup = file.with_extension("tfstate.backup");
    if StateFile::read(&backup).state().is_none_or(State::is_empty) {
        return Ok(false);
    }
    let text = fs::read(&backup).map_err(Trouble::file(&backup))?;
    disk::write_atomic(file, &text, 0o600).map_err(Trouble::file(file))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"l","outputs":{},"resources":[
      {"mode":"managed","type":"a","name":"b","instances":[{"attributes":{"id":"x"}}]}]}"#;

    #[test]
    fn a_state_cut_to_nothing_gets_its_backup_back_and_no_other_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = Utf8Path::from_path(folder.path()).expect("UTF-8").join(STATE_FILE);
        let backup = file.with_extension("tfstate.backup");
        fs::write(&backup, ONE).expect("written");
        assert!(!mend(&file).expect("no state, nothing to mend"));
        fs::write(&file, "").expect("written");
        assert!(mend(&file).expect("mended"));
        assert!(StateFile::read(&file).state().is_some_and(|s| s.addresses.contains("a.b")));
        assert!(!mend(&file).expect("whole"));
    }

    #[test]
    fn a_namesake_of_what_the_state_holds_is_adrift_and_so_is_what_was_never_finished() {
        let StateFile::Read(state) = StateFile::parse(
            r#"{"version":4,"serial":1,"lineage":"l","resources":[{"mode":"managed","type":"a","name":"b","instances":[
            {"index_key":"www-1","attributes":{"id":"x1"}},{"index_key":"www-2","attributes":{"id":"x2"}}]}]}"#,
        ) else {
            panic!("a state")
        };
        let orphans = |ids: &[(&str, &str)]| -> Vec<Orphan> {
            let line = |(id, name): &(&str, &str)| serde_json::json!({ "id": id, "name": name });
            ids.iter().map(|one| serde_json::from_value(line(one)).expect("an orphan")).collect()
        };
        let ids = |found: Vec<Orphan>| found.into_iter().map(|o| o.id).collect::<Vec<_>>();
        let found = || orphans(&[("x1", "www-1"), ("y1", "www-1"), ("x2", "www-2")]);
        assert_eq!(ids(adrift(found(), &state, &[])), ["y1"]);
        assert_eq!(ids(adrift(found(), &state, &["a.b[\"www-2\"]".to_owned()])), ["y1", "x2"]);
        let other_ids = orphans(&[("arn:1", "www-1"), ("arn:3", "www-3")]);
        assert_eq!(ids(adrift(other_ids, &state, &[])), ["arn:3"]);
        assert_eq!(ids(adrift(found(), &State::default(), &[])), ["x1", "y1", "x2"]);
    }

    #[test]
    fn what_is_open_adds_up_and_what_was_made_since_is_finished() {
        let earlier = Dirty {
            reason: String::new(),
            repair: String::new(),
            in_flight: vec!["a".into()],
            unfinished: vec!["a".into(), "b".into()],
        };
        let report = Report {
            in_flight: vec!["c".into()],
            unfinished: vec!["c".into()],
            made: vec!["a".into()],
            ..Report::default()
        };
        let (in_flight, unfinished) = left_open(Some(&earlier), &report);
        assert_eq!((in_flight, unfinished), (vec!["a".into(), "c".into()], vec!["b".to_owned(), "c".to_owned()]));
    }
}
