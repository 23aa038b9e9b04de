//! The pages of a site that are built: its own command, once for what lies in its folder, kept below `.otto/content`.
//!
//! It comes before anything is made, so that a build that fails changes nothing.

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::call::{Call, call};
use super::super::context::Context;
use super::super::unit_end::{Trouble, UnitEnd, outcome_of};
use crate::model::{DeploymentSpec, Diagnostic, EventKind, UnitId};
use crate::tools::{Invocation, Reader, Said, Stop, one_line};

/// Half an hour.
const LIMIT_MS: u64 = 30 * 60 * 1000;
/// Lines of a failed build that are shown.
const TOLD: usize = 20;
/// Builds of a site that are kept.
const KEPT: usize = 5;

/// Every line is what is happening.
struct Lines;

impl Reader for Lines {
    fn line(&mut self, line: &str) -> Vec<Said> {
        let what = one_line(line);
        if what.is_empty() { Vec::new() } else { vec![Said::Progress { done: 0, total: 0, what }] }
    }
}

/// Sees to it that the content folder of a deployment is there.
///
/// # Errors
/// A build that does not end well, or leaves nothing behind.
pub(super) async fn ensure(context: &Context, unit: &UnitId, spec: &DeploymentSpec) -> Result<(), Trouble> {
    let (Some(build), Some(content)) = (&spec.build, &spec.content) else { return Ok(()) };
    let content = Utf8Path::new(content);
    let _one_at_a_time = context.building.lock().await;
    if content.is_dir() {
        return Ok(());
    }
    let shown = build.command.join(" ");
    let folder = Utf8Path::new(&build.folder);
    let program = match build.command[0].as_str() {
        path if path.contains('/') => folder.join(path),
        name => name.into(),
    };
    let invocation =
        Invocation::new(program, folder, Stop::Script).args(build.command[1..].iter().cloned()).limit_ms(LIMIT_MS);
    let made = Call { tool: "build", step: "build", main: false, stream: None, invocation, lock: None };
    let called = call(context, unit, made, &mut Lines).await?;
    if !called.is_clean() {
        let detail = last_lines(&called.folder);
        let diagnostic = Diagnostic { detail, ..Diagnostic::error(format!("`{shown}` {}", called.end.describe())) };
        context.record(unit, EventKind::Diagnostic { diagnostic })?;
        let how = if called.interrupted { "was interrupted".to_owned() } else { called.end.describe() };
        let what = format!("the content was not built: `{shown}` in sites/{} {how}", spec.id.site);
        let end = UnitEnd { outcome: outcome_of(&called), ..UnitEnd::failed(what, false) };
        return Err(end.hint(format!("see {}", context.shown(&called.folder.join("stderr")))).into());
    }
    let built = folder.join(&build.from);
    if built.read_dir_utf8().map_or(true, |mut entries| entries.next().is_none()) {
        let what = format!("`{shown}` left nothing in sites/{}/{}", spec.id.site, build.from);
        return Err(UnitEnd::failed(what, false).hint("let `content.from` name the folder that it writes").into());
    }
    keep(&built, content).map_err(Trouble::file(content))?;
    Ok(())
}

/// Copies what was built to where it stays, all of it or nothing.
fn keep(built: &Utf8Path, content: &Utf8Path) -> io::Result<()> {
    let part = content.with_extension("part");
    if part.exists() {
        fs::remove_dir_all(&part)?;
    }
    copy(built, &part)?;
    fs::rename(&part, content)?;
    let Some(all) = content.parent() else { return Ok(()) };
    let mut others: Vec<(std::time::SystemTime, Utf8PathBuf)> = all
        .read_dir_utf8()?
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path().to_owned())))
        .filter(|(_, path)| path != content)
        .collect();
    others.sort();
    let old = others.len().saturating_sub(KEPT - 1);
    others.iter().take(old).try_for_each(|(_, path)| fs::remove_dir_all(path))
}

/// Links are followed: pages are files.
fn copy(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in from.read_dir_utf8()? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn last_lines(folder: &Utf8Path) -> String {
    let mut all = Vec::new();
    for name in ["stdout", "stderr"] {
        let text = fs::read(folder.join(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let from = lines.len().saturating_sub(TOLD);
        all.extend(lines[from..].iter().map(|line| (*line).to_owned()));
    }
    all.join("\n")
}
