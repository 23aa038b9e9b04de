//! The schemas themselves: strict enough that a change of the contract is noticed.

use serde_json::{Value, json};

use super::support::schema::{EVENT, PLAN, RUNS, STATUS};

fn event(kind: &Value) -> Value {
    let mut event =
        json!({"schema": "otto.event/1", "at": "2026-11-21T06:25:31.399Z", "run": "20261121-062531-a3f9", "seq": 1});
    let (Some(event_map), Some(kind)) = (event.as_object_mut(), kind.as_object()) else { panic!("objects") };
    event_map.extend(kind.clone());
    event
}

#[test]
fn unknown_fields_and_words_are_refused() {
    let note = json!({"type": "note", "unit": "dev/local/hello:config", "text": "x", "warning": false});
    EVENT.holds(&event(&note));
    for (field, value) in [
        ("type", json!("remark")),
        ("colour", json!("red")),
        ("seq", json!(0)),
        ("unit", json!("dev/local/hello:dance")),
        ("warning", json!("no")),
        ("at", json!("yesterday")),
        ("schema", json!("otto.event/2")),
    ] {
        let mut other = event(&note);
        other[field] = value;
        assert!(EVENT.refuses(&other), "{other}");
    }
    let stopping = json!({"type": "stopping", "level": 1, "why": "SIGINT"});
    EVENT.holds(&event(&stopping));
    let mut of_unit = event(&stopping);
    of_unit["unit"] = json!("dev/local/hello:config");
    assert!(EVENT.refuses(&of_unit));
    for end in
        [json!({"how": "exited", "code": 0}), json!({"how": "unknown"}), json!({"how": "not_started", "why": "x"})]
    {
        EVENT.holds(&event(
            &json!({"type": "ended", "unit": "local/nginx:images", "step": "build", "end": end, "took_ms": 3}),
        ));
    }

    let plan = json!({"schema": "otto.plan/1", "units": []});
    PLAN.holds(&plan);
    let runs = json!({"schema": "otto.runs/1", "runs": []});
    RUNS.holds(&runs);
    let status = json!({"schema": "otto.status/1", "at": "2026-11-21T06:25:31Z", "deployments": [], "orphans": []});
    STATUS.holds(&status);
    for (schema, mut document) in [(&PLAN, plan), (&RUNS, runs), (&STATUS, status)] {
        document["more"] = json!(1);
        assert!(schema.refuses(&document), "{document}");
        assert!(schema.refuses(&json!({})));
    }
}
