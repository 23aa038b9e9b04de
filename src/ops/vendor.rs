//! What vendors say themselves: this month's bill, and today's prices. A provider's folder answers, by its executable
//! `bill`; nothing of a vendor is in the program.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{Failure, Kind, Result};
use super::observe::regions;
use super::secrets;
use super::sweep::Vars;
use super::world::{Opened, World, unusable};
use crate::model::prices::PriceRow;
use crate::model::spend::Actual;
use crate::model::{Money, PriceTable, Project, Provider};
use crate::process::{capture, disk};
use crate::tools::script::interpreted;

/// A vendor that does not answer by then is not waited for.
const LIMIT: Duration = Duration::from_secs(120);

/// What became of one table.
#[derive(Debug, Default)]
pub struct Refreshed {
    /// `clowd/prices/do.yaml`.
    pub file: String,
    /// Rows with another price: what they are for, the old one, the new one.
    pub changed: Vec<(String, Money, Money)>,
    /// Rows that are new.
    pub added: Vec<String>,
    /// Rows that the vendor named with the price they had.
    pub same: usize,
    /// Rows that the vendor did not name: they stay, with their old date.
    pub kept: usize,
}

/// `bill month`.
#[derive(Deserialize)]
struct Month {
    month: String,
    currency: String,
    at: Option<String>,
}

/// A line of `bill prices`.
#[derive(Deserialize)]
struct Offered {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, rename = "match")]
    matches: BTreeMap<String, String>,
    amount: Money,
    unit: String,
    #[serde(default)]
    month: Option<Money>,
    source: String,
}

/// Asks every priced provider that is used here (named in otto.yaml, or in the ledger) what this month came to so far.
///
/// # Errors
/// Wrong project files, an unusable store. A vendor that does not answer is told in its entry.
pub async fn actual(world: &World) -> Result<Vec<Actual>> {
    let opened = world.open()?;
    let rows = world.store_to_read(&opened)?.ledger(None).map_err(unusable)?;
    let used = |provider: &&Provider| {
        let billed = provider.prices.is_some() && !provider.is_free();
        let in_ledger = || rows.iter().any(|row| *row.owner.provider() == provider.name);
        billed && (opened.project.providers.contains(&provider.name) || in_ledger())
    };
    let mut all = Vec::new();
    for provider in opened.project.provider_specs.values().filter(used) {
        let asked = ask(world, &opened, provider, "month").await;
        let read = asked.and_then(|text| {
            let found: Month = serde_json::from_str(text.trim()).map_err(|error| format!("`bill month`: {error}"))?;
            let month: Money = found.month.parse().map_err(|error| format!("`bill month`: {error}"))?;
            Ok((month, found))
        });
        let name = provider.name.to_string();
        all.push(match read {
            Ok((month, found)) => {
                Actual { provider: name, currency: found.currency, month: Some(month), at: found.at, why: None }
            }
            Err(why) => Actual { provider: name, currency: "USD".to_owned(), month: None, at: None, why: Some(why) },
        });
    }
    Ok(all)
}

/// Brings the price tables of providers (of all that can be asked, where none is named) to what their vendors say.
///
/// # Errors
/// Nobody to ask, a vendor that does not answer, a table that cannot be written. Tables written before stay written.
pub async fn update(world: &World, only: Option<&str>) -> Result<Vec<Refreshed>> {
    let opened = world.open()?;
    let mut meant: Vec<&Provider> = opened.project.provider_specs.values().collect();
    match only {
        Some(only) => meant.retain(|provider| provider.name.as_str() == only),
        None => meant.retain(|provider| program(provider).is_file()),
    }
    if only.is_none() {
        for provider in &meant {
            if let Some(name) = world.missing(&opened, provider).next() {
                (world.say)(&format!(
                    "left out: {}, because the environment variable {name} is not set",
                    provider.name
                ));
            }
        }
        meant.retain(|provider| world.missing(&opened, provider).next().is_none());
    }
    if meant.is_empty() {
        let what = match only {
            Some(name) => format!("no provider `{name}`"),
            None => "nobody can be asked for prices".to_owned(),
        };
        let failure = Failure::new(Kind::Usage, what);
        return Err(failure.because("asked is the executable `bill` in a provider's folder, with its credentials"));
    }
    let mut all = Vec::new();
    for provider in meant {
        let Some(table) = opened.project.price_table(&provider.name) else {
            let what = format!("`{}` has no price table", provider.name);
            return Err(Failure::new(Kind::Usage, what).hint("prices: NAME in its provider.yaml"));
        };
        let failed = |why: String| Failure::new(Kind::Failed, format!("{}: {why}", provider.name));
        let text = ask(world, &opened, provider, "prices").await.map_err(failed)?;
        all.push(refresh(world, &opened, table, &text).map_err(failed)?);
    }
    Ok(all)
}

fn program(provider: &Provider) -> Utf8PathBuf {
    Utf8Path::new(&provider.folder).join("bill")
}

/// What `bill` is told: where hosts may run, and which sizes the project and its price table know. A vendor has thousands.
fn variables(project: &Project, provider: &Provider) -> Value {
    let mut sizes: BTreeSet<&str> = provider.sizes.values().map(String::as_str).collect();
    if let Some(table) = project.price_table(&provider.name) {
        let is_host = |row: &&PriceRow| table.host.first().is_some_and(|host| host.kind == row.kind);
        sizes.extend(table.rows.iter().filter(is_host).filter_map(|row| row.matches.get("size")).map(String::as_str));
    }
    let sizes: Vec<&str> = sizes.into_iter().filter(|size| !size.contains('*')).collect();
    json!({"region": provider.region, "regions": regions(project, provider), "sizes": sizes})
}

/// What the provider's `bill` prints; its errors with secrets taken out.
async fn ask(world: &World, opened: &Opened, provider: &Provider, word: &str) -> std::result::Result<String, String> {
    let program = program(provider);
    if !program.is_file() {
        return Err(format!("clowd/provision/{} has no executable `bill`", provider.name));
    }
    if let Some(name) = world.missing(opened, provider).next() {
        return Err(format!("the environment variable {name} is not set"));
    }
    let secrets = secrets::gather(world, opened).map_err(|failure| failure.what)?;
    let mut env: BTreeMap<String, String> =
        secrets.env().iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect();
    let vars = Vars::write(opened, provider, &variables(&opened.project, provider))?;
    env.insert("OTTO_VARS".to_owned(), vars.0.to_string());
    let mut words = interpreted(&program).map_err(|error| format!("{program}: {error}"))?;
    words.push(word.to_owned());
    let args: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    let answer = capture(Utf8Path::new(&words[0]), &args, &env, LIMIT).await.map_err(|error| error.to_string())?;
    if answer.code == 0 {
        return Ok(answer.stdout);
    }
    let said = answer.stderr.trim().lines().last().unwrap_or("it said nothing").to_owned();
    Err(secrets.text(&said).into_owned())
}

/// Writes what a vendor offers into its table. Rows are single lines, and only lines of rows are touched: comments and
/// order stay. A row that is not offered any more stays as well.
fn refresh(
    world: &World,
    opened: &Opened,
    table: &PriceTable,
    offered: &str,
) -> std::result::Result<Refreshed, String> {
    let path = Utf8Path::new(&opened.project.folder).join(&table.file);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let today = world.clock.now().to_string()[..10].to_owned();
    let mut done = Refreshed { file: table.file.clone(), ..Refreshed::default() };
    let mut named = 0;
    for line in offered.lines().filter(|line| !line.trim().is_empty()) {
        let one: Offered =
            serde_json::from_str(line).map_err(|error| format!("`bill prices` printed no row: {error}"))?;
        if !matches!(one.unit.as_str(), "hour" | "month" | "gb_month") || one.amount.is_negative() {
            return Err(format!("`bill prices` printed a row that is no price: {line}"));
        }
        let what = std::iter::once(&one.kind).chain(one.matches.values()).cloned().collect::<Vec<_>>().join(" ");
        let known = table.rows.iter().find(|row| row.kind == one.kind && row.matches == one.matches);
        let like = known.or_else(|| table.rows.iter().find(|row| row.kind == one.kind));
        let written = written(&one, like, &today);
        match known {
            Some(row) => {
                named += 1;
                let slot = lines.get_mut(row.line as usize - 1).filter(|line| is_row(line));
                let slot = slot.ok_or_else(|| format!("{}:{} is no row on one line", table.file, row.line))?;
                *slot = written;
                if row.price.amount == one.amount && row.price.month == one.month {
                    done.same += 1;
                } else {
                    done.changed.push((what, row.price.amount, one.amount));
                }
            }
            None => {
                lines.push(written);
                done.added.push(what);
            }
        }
    }
    if named == 0 && done.added.is_empty() {
        return Err("`bill prices` offered nothing: the table stays as it is".to_owned());
    }
    done.kept = table.rows.len() - named;
    disk::write_atomic(&path, format!("{}\n", lines.join("\n")).as_bytes(), 0o644)
        .map_err(|error| format!("{path}: {error}"))?;
    if let Err(problems) = crate::project::load(Utf8Path::new(&opened.project.folder)) {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        disk::write_atomic(&path, text.as_bytes(), 0o644).map_err(|error| format!("{path}: {error}"))?;
        return Err(format!("what was offered makes no table, and it stays as it was: {first}"));
    }
    Ok(done)
}

fn is_row(line: &str) -> bool {
    line.trim_start().starts_with("- {") && line.trim_end().ends_with('}')
}

/// A row as it stands in a table.
fn written(one: &Offered, like: Option<&PriceRow>, today: &str) -> String {
    let quoted = |text: &str| serde_json::Value::String(text.to_owned()).to_string();
    let mut parts = vec![format!("type: {}", quoted_if_needed(&one.kind))];
    if !one.matches.is_empty() {
        let matches: Vec<String> =
            one.matches.iter().map(|(key, value)| format!("{key}: {}", quoted_if_needed(value))).collect();
        parts.push(format!("match: {{{}}}", matches.join(", ")));
    }
    parts.push(format!("amount: {}", one.amount));
    parts.push(format!("unit: {}", one.unit));
    parts.extend(one.month.map(|month| format!("month: {month}")));
    parts.extend(
        like.map(|row| row.price.rule.name.as_str())
            .filter(|name| *name != "second")
            .map(|name| format!("rule: {name}")),
    );
    parts.push(format!("source: {}", quoted(&one.source)));
    parts.push(format!("as_of: {today}"));
    format!("  - {{{}}}", parts.join(", "))
}

fn quoted_if_needed(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if plain { text.to_owned() } else { serde_json::Value::String(text.to_owned()).to_string() }
}
