//! The schemas in `docs/schema/`: what other people's scripts stand on.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

/// A schema, compiled when it is first used.
pub(crate) struct Schema(LazyLock<Validator>);

pub(crate) static STATUS: Schema = Schema(LazyLock::new(|| load(include_str!("../../docs/schema/status.json"))));
pub(crate) static PLAN: Schema = Schema(LazyLock::new(|| load(include_str!("../../docs/schema/plan.json"))));
pub(crate) static RUNS: Schema = Schema(LazyLock::new(|| load(include_str!("../../docs/schema/runs.json"))));
pub(crate) static SPEND: Schema = Schema(LazyLock::new(|| load(include_str!("../../docs/schema/spend.json"))));
pub(crate) static EVENT: Schema = Schema(LazyLock::new(|| load(include_str!("../../docs/schema/event.json"))));

fn load(text: &str) -> Validator {
    let schema: Value = serde_json::from_str(text).expect("a JSON document");
    assert!(jsonschema::meta::is_valid(&schema), "no valid schema: {schema}");
    jsonschema::options().build(&schema).expect("a schema")
}

impl Schema {
    /// The document is as the schema says.
    #[track_caller]
    pub(crate) fn holds(&self, document: &Value) {
        let problems: Vec<String> =
            self.0.iter_errors(document).map(|e| format!("{} at `{}`", e, e.instance_path())).collect();
        assert!(problems.is_empty(), "{problems:#?}\nin {document:#}");
    }

    pub(crate) fn refuses(&self, document: &Value) -> bool {
        !self.0.is_valid(document)
    }
}
