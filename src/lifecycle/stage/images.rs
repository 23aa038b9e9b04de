//! Images: one golden image of an appliance for a provider, by Packer.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use super::super::call::{Call, Called, call};
use super::super::context::{Context, Program};
use super::super::unit_end::{Trouble, UnitEnd, outcome_of};
use crate::model::project::ImageFrom;
use crate::model::{EventKind, Image, Name, Provider, UnitId};
use crate::process::{Lock, disk};
use crate::tools::packer::args::Packer;
use crate::tools::packer::explain;
use crate::tools::packer::manifest;
use crate::tools::packer::parse::{Report, Stream};
use crate::tools::packer::template::{declared_variables, needs_plugins};

/// After half a day no build is at work any more.
const BUILDER_LIVES_S: i64 = 12 * 3600;

/// Builds an image into a fresh folder and puts it into the index.
pub(super) async fn run(
    context: &Context,
    unit: &UnitId,
    provider: &Name,
    appliance: &Name,
) -> Result<UnitEnd, Trouble> {
    let packer: &Program =
        context.tools.packer.as_ref().ok_or_else(|| UnitEnd::failed("no Packer was found", false))?;
    let spec =
        context.providers.get(provider).ok_or_else(|| UnitEnd::failed(format!("no provider `{provider}`"), false))?;
    super::credentials::tried(context, unit, spec).await?;
    let hash = context.prints.images.get(&(provider.clone(), appliance.clone())).cloned().unwrap_or_default();
    let short = hash.get(..12).unwrap_or("unhashed");
    let mut name = format!("{appliance}-{short}");
    let place = context.home.join("images").join(provider.as_str());
    let rebuild = context.rebuild.contains(&(provider.clone(), appliance.clone()));
    let path = context.home.join("locks").join(format!("image_{provider}_{appliance}"));
    let lock = Lock::wait(&path, &context.holder).await.map_err(|e| UnitEnd::failed(e.to_string(), false))?;
    if rebuild {
        // Hosts were born with the one that is there, and may be again: a new one of the same inputs has a name of its own.
        let numbered = (2_u32..).map(|n| format!("{appliance}-{short}-{n}"));
        let mut free = std::iter::once(name.clone()).chain(numbered).filter(|name| !place.join(name).exists());
        name = free.next().unwrap_or(name);
    }
    let output = place.join(&name);
    // Another otto may have built it while this one waited, or an earlier one before it was killed.
    if !rebuild && let Ok(found) = reference(&output, spec) {
        remember(context, unit, (spec, appliance, &hash), &output, &found).await?;
        return Ok(UnitEnd::ok(format!("{name} was built meanwhile"), true));
    }
    // A build that was interrupted leaves parts; the manifest appends. Both go before a new one begins.
    if output.exists() {
        fs::remove_dir_all(&output).map_err(Trouble::file(&output))?;
    }
    fs::create_dir_all(&output).map_err(Trouble::file(&output))?;
    let template = context.appliances.get(appliance).map(|folder| folder.join(provider.as_str()));
    let template = template.ok_or_else(|| UnitEnd::failed(format!("no appliance `{appliance}`"), false))?;
    let var_file = output.join("otto.json");
    let variables = variables(context, spec, appliance, (&name, &output), &template)?;
    disk::write_atomic(&var_file, variables.to_string().as_bytes(), 0o600).map_err(Trouble::file(&var_file))?;
    let call_of = Packer {
        program: packer.path.clone(),
        version: packer.numbers(),
        cwd: template.clone(),
        template,
        var_file,
        env: BTreeMap::new(),
    };
    plugins(context, unit, &call_of).await?;
    let invocation = call_of
        .build(&context.requests.passthrough)
        .env("OTTO_PACKAGES", context.tools.packages.as_str())
        .env("OTTO_BIN", context.exe.as_str());
    let mut stream = Stream::new();
    let called = call(
        context,
        unit,
        Call { tool: "packer", step: "build", main: true, stream: None, invocation, lock: Some(&lock) },
        &mut stream,
    )
    .await?;
    let report = stream.report();
    if !called.is_clean() || !report.errors.is_empty() {
        let _ = fs::remove_dir_all(&output);
        return failed(context, unit, &called, &report);
    }
    let reference = reference(&output, spec)?;
    let size = remember(context, unit, (spec, appliance, &hash), &output, &reference).await?;
    let weight = size.map(|bytes| format!(", {:.1} MB", bytes as f64 / 1e6)).unwrap_or_default();
    Ok(UnitEnd::ok(format!("built {name}{weight}"), true))
}

/// What a template is told, as far as it declares it. The tags are the builder's and, where a cloud can tag one, the image's:
/// a machine that an interrupted build left is found by them, by a store or, after half a day, without.
fn variables(
    context: &Context,
    provider: &Provider,
    appliance: &Name,
    (name, output): (&str, &Utf8Path),
    template: &Utf8Path,
) -> Result<Value, Trouble> {
    let tags = json!({
        "otto:project": context.project,
        "otto:store": context.store,
        "otto:run": context.recorder.run(),
        "otto:image": name,
        "otto:expires": context.now().plus_seconds(BUILDER_LIVES_S).seconds().to_string(),
    });
    let all = json!({
        "run": context.recorder.run(),
        "output_dir": output,
        "name": name,
        "base": provider.base(appliance),
        "region": provider.region,
        "regions": context.prints.regions.get(&provider.name).cloned().unwrap_or_default(),
        "size": provider.size("small"),
        "tags": tags,
    });
    let declared = declared_variables(template).map_err(Trouble::file(template))?;
    let Value::Object(mut all) = all else { return Ok(all) };
    // Where nobody named one, the template's own default counts.
    all.retain(|key, value| declared.contains(key) && !(key == "region" && *value == json!("")));
    Ok(Value::Object(all))
}

/// Sees to it that the plugins are there, one template after the other: they are installed into one folder.
async fn plugins(context: &Context, unit: &UnitId, packer: &Packer) -> Result<(), Trouble> {
    let Some(invocation) = packer.init().filter(|_| needs_plugins(&packer.template)) else { return Ok(()) };
    let _one_at_a_time = context.initialising.lock().await;
    let mut stream = Stream::new();
    let init = Call { tool: "packer", step: "init", main: false, stream: None, invocation, lock: None };
    let called = call(context, unit, init, &mut stream).await?;
    if called.is_clean() {
        return Ok(());
    }
    let why = last_line(&called.folder).unwrap_or_else(|| called.end.describe());
    let end =
        UnitEnd { outcome: outcome_of(&called), ..UnitEnd::failed(format!("`packer init` failed: {why}"), false) };
    Err(end.hint("install the plugins that `plugins.pkr.hcl` names: packer init, with a network").into())
}

/// A build that did not come to its end.
fn failed(context: &Context, unit: &UnitId, called: &Called, report: &Report) -> Result<UnitEnd, Trouble> {
    let why = report.errors.first().map(|d| d.summary.clone()).or_else(|| last_line(&called.folder));
    let summary = match why {
        _ if called.interrupted => "the build was interrupted".to_owned(),
        Some(why) => format!("the build failed: {why}"),
        None => format!("the build ended with {}", called.end.describe()),
    };
    // What only the whole output tells to be an error: a template that could not be read.
    for mut diagnostic in report.errors.iter().filter(|_| called.errors.is_empty()).cloned() {
        diagnostic.file = diagnostic.file.map(|file| context.source(unit, &file));
        context.record(unit, EventKind::Diagnostic { diagnostic })?;
    }
    let mut end = UnitEnd { outcome: outcome_of(called), ..UnitEnd::failed(summary, false) };
    end.hints = explain::hints(&report.errors, "");
    Ok(end)
}

/// Into the ledger and the index, in this order: what is not in the index yet is found again by its manifest, and entered.
/// Returns its size in bytes where it is a file.
async fn remember(
    context: &Context,
    unit: &UnitId,
    (provider, appliance, hash): (&Provider, &Name, &str),
    output: &Utf8Path,
    reference: &str,
) -> Result<Option<u64>, Trouble> {
    let size = fs::metadata(reference).ok().map(|m| m.len());
    let image = Image {
        provider: provider.name.clone(),
        appliance: appliance.clone(),
        hash: hash.to_owned(),
        reference: reference.to_owned(),
        size,
        run: context.recorder.run().clone(),
        built_at: context.now(),
    };
    super::billing::enter_image(context, unit, (provider, appliance), output, reference).await?;
    context.remember_image(unit, image)?;
    Ok(size)
}

/// What hosts boot, out of Packer's manifest: never out of its words or its exit code alone.
fn reference(output: &Utf8Path, provider: &Provider) -> Result<String, Trouble> {
    let path = output.join("manifest.json");
    let failed = |what: String| {
        UnitEnd::failed(what, false).hint(
            "the template needs the post-processor `manifest` with `output = \"${var.output_dir}/manifest.json\"`",
        )
    };
    let text = fs::read_to_string(&path).map_err(|e| failed(format!("{path}: {e}")))?;
    let artifacts = manifest::read(&text, output).map_err(|e| failed(format!("{path}: {e}")))?;
    let artifact = artifacts.first().ok_or_else(|| failed(format!("{path} lists no artifact")))?;
    let raw = match provider.image_from {
        ImageFrom::Id => artifact.artifact_id.clone(),
        ImageFrom::File => {
            let (file, size) = artifact.files.first().ok_or_else(|| failed(format!("{path} names no file")))?;
            if !fs::metadata(file).is_ok_and(|m| m.is_file() && (*size == 0 || m.len() == *size)) {
                return Err(
                    failed(format!("{file}: Packer names it as its artifact, and it is not there as built")).into()
                );
            }
            file.to_string()
        }
    };
    let Some(pattern) = provider.image_match.as_deref() else { return Ok(raw) };
    // The pattern was checked when the project was read.
    let found = regex::Regex::new(pattern).ok().and_then(|regex| regex.find(&raw).map(|m| m.as_str().to_owned()));
    found.ok_or_else(|| failed(format!("`{raw}` does not match `{pattern}` of `provider.yaml`")).into())
}

fn last_line(folder: &Utf8PathBuf) -> Option<String> {
    let text = fs::read_to_string(folder.join("stderr")).ok()?;
    text.lines().rev().find(|l| !l.trim().is_empty()).map(str::to_owned)
}
