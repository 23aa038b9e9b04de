//! How long spend takes: `cargo bench --bench spend`. A state of 10,000 resources is read and priced (goal: 150 ms), a
//! ledger of 100,000 intervals is read and becomes a bill (goal: 100 ms); beside it the whole of `otto spend`, from the start of
//! the process, the examination of a store of 15 MB and the bars of thirty days included.
//!
//! `cargo bench --bench spend -- --terraform [PROGRAM]` also has Terraform show a state of 10,000 `terraform_data` as JSON
//! (it needs no provider's plugin for that type) and reads the same file, for comparison.

#![allow(clippy::print_stdout)]

use std::process::Command;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use otto::model::{PriceTable, Resource, Subject, Timestamp};
use otto::services::spend::{self, bill};
use otto::store::Store;
use otto::tools::terraform::billed;
use serde_json::{Value, json};

const RESOURCES: usize = 10_000;
const INTERVALS: usize = 100_000;

/// The median of so many calls.
fn median(times: usize, mut call: impl FnMut()) -> Duration {
    let mut all: Vec<Duration> = (0..times)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed()
        })
        .collect();
    all.sort();
    all[times / 2]
}

fn root() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn table() -> PriceTable {
    let loaded = otto::project::load(root()).unwrap_or_else(|problems| panic!("{problems:?}"));
    loaded.project.prices["do"].clone()
}

/// Droplets with all the attributes that they have, from a recorded one.
fn droplets() -> String {
    let text = std::fs::read_to_string(root().join("tests/data/states/do.json")).expect("a state");
    let mut state: Value = serde_json::from_str(&text).expect("JSON");
    let one = state["resources"][0]["instances"][0].clone();
    let instances = (0..RESOURCES).map(|n| {
        let mut copy = one.clone();
        copy["index_key"] = json!(format!("www-{n}"));
        copy["attributes"]["id"] = json!(n.to_string());
        copy
    });
    state["resources"][0]["instances"] = instances.collect();
    serde_json::to_string_pretty(&state).expect("JSON")
}

fn priced(table: &PriceTable, text: &str) -> Vec<Resource> {
    let found = billed::read(text, |kind| spend::reading::wanted(Some(table), kind)).expect("a state");
    spend::resources(Some(table), "do", &found)
}

/// A year of deployments that come and go, up to today: intervals of some hours to some weeks, a few hundred open.
fn ledger(home: &Utf8PathBuf, table: &PriceTable, now: Timestamp) -> Store {
    let store = Store::open(home, "0.1.0").expect("a store");
    let template = priced(table, &droplets()).swap_remove(0);
    let conn = rusqlite::Connection::open(home.join("otto.db")).expect("the file");
    let begin = now.0 - 31_536_000_000;
    let owner: Subject = "prod/do/site-0".parse().expect("an owner");
    store.ledger_enter(&owner, &[template], Timestamp(begin)).expect("entered");
    conn.execute_batch("BEGIN").expect("begins");
    let mut insert = conn
        .prepare(
            r#"INSERT INTO ledger (deployment, address, provider_id, kind, size, region, "from", "to", quantity, price, v, doc)
               SELECT ?1, ?2, ?3, kind, size, region, ?4, ?5, quantity, price, v, doc FROM ledger WHERE n = 1"#,
        )
        .expect("a statement");
    for n in 1..INTERVALS as i64 {
        let from = begin + (n * 7_919_003) % 31_536_000_000;
        let length = 3_600_000 * (1 + (n * 37) % 900);
        let to = (n % 300 != 0).then_some((from + length).min(now.0));
        let address = format!("digitalocean_droplet.host[\"www-{n}\"]");
        insert
            .execute(rusqlite::params![format!("prod/do/site-{}", n % 50), address, n.to_string(), from, to])
            .expect("a row");
    }
    conn.execute_batch("COMMIT").expect("commits");
    store
}

fn main() {
    let table = table();
    let text = droplets();
    let took = median(9, || assert_eq!(priced(&table, &text).len(), RESOURCES + 2));
    println!("{RESOURCES} resources, {} kB: read and priced in {} ms", text.len() / 1000, took.as_millis());

    let folder = tempfile::tempdir().expect("a folder");
    let home = Utf8PathBuf::from_path_buf(folder.path().join(".otto")).expect("UTF-8");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
    let now = Timestamp(i64::try_from(now.as_millis()).expect("today"));
    let store = ledger(&home, &table, now);
    let read = median(5, || assert_eq!(store.ledger(None).expect("rows").len(), INTERVALS));
    let rows = store.ledger(None).expect("rows");
    let computed = median(5, || assert_eq!(bill(&rows, None, now).lines.len(), INTERVALS));
    drop(store);
    let spend = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_otto"))
            .arg("spend")
            .args(args)
            .current_dir(root())
            .env("OTTO_DIR", &home)
            .output()
            .expect("otto");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout.len()
    };
    let whole = median(9, || assert!(spend(&[]) > 1000));
    let json = median(3, || assert!(spend(&["--json"]) > INTERVALS * 100));
    println!(
        "{INTERVALS} intervals: read in {} ms, billed in {} ms, together {} ms; `otto spend` {} ms, with every row as JSON {} ms",
        read.as_millis(),
        computed.as_millis(),
        (read + computed).as_millis(),
        whole.as_millis(),
        json.as_millis()
    );
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|arg| arg == "--terraform") {
        compare(args.get(at + 1).filter(|arg| !arg.starts_with('-')).map_or("terraform", String::as_str), &table);
    }
}

/// The same file shown by Terraform and read by otto.
fn compare(program: &str, table: &PriceTable) {
    let folder = tempfile::tempdir().expect("a folder");
    let instances: Vec<Value> = (0..RESOURCES)
        .map(|n| {
            let value =
                json!({"name": format!("www-{n}"), "size": "s-1vcpu-1gb", "region": "fra1", "price_hourly": 0.00893});
            let kind =
                json!(["object", {"name": "string", "size": "string", "region": "string", "price_hourly": "number"}]);
            let (input, output) = (json!({"value": value, "type": kind}), json!({"value": value, "type": kind}));
            json!({"index_key": format!("www-{n}"), "schema_version": 0,
                   "attributes": {"id": n.to_string(), "input": input, "output": output, "triggers_replace": null}})
        })
        .collect();
    let provider = "provider[\"terraform.io/builtin/terraform\"]";
    let state = json!({"version": 4, "terraform_version": "1.4.0", "serial": 1, "lineage": "5eed", "outputs": {}, "resources": [
        {"mode": "managed", "type": "terraform_data", "name": "host", "provider": provider, "instances": instances}]});
    let text = serde_json::to_string_pretty(&state).expect("JSON");
    let path = folder.path().join("terraform.tfstate");
    std::fs::write(&path, &text).expect("a state");
    let shown = median(3, || {
        let output =
            Command::new(program).args(["show", "-json", "terraform.tfstate"]).current_dir(folder.path()).output();
        let output = output.expect("terraform");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.len() > RESOURCES * 50);
    });
    // As if the type were billed: all its attributes that a table asks for are kept.
    let read = median(9, || {
        let text = std::fs::read_to_string(&path).expect("the state");
        let found = billed::read(&text, |_| Some(vec!["id", "input"])).expect("a state");
        assert_eq!(spend::resources(Some(table), "do", &found).len(), 0);
        assert_eq!(found.len(), RESOURCES);
    });
    let times = shown.as_secs_f64() / read.as_secs_f64();
    println!(
        "{RESOURCES} terraform_data, {} kB: `{program} show -json` {} ms, otto {} ms: {times:.0} times as fast",
        text.len() / 1000,
        shown.as_millis(),
        read.as_millis()
    );
}
