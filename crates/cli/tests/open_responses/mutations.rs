//! The check of the check: what breaks a rule is found, key by key.

use super::*;

/// Keys of the response object that the specification wants, without those that may be null.
const NEVER_NULL: [&str; 19] = [
    "id",
    "object",
    "created_at",
    "status",
    "model",
    "output",
    "tools",
    "tool_choice",
    "truncation",
    "parallel_tool_calls",
    "text",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "temperature",
    "store",
    "background",
    "service_tier",
];
const PERHAPS_NULL: [&str; 12] = [
    "completed_at",
    "incomplete_details",
    "previous_response_id",
    "instructions",
    "error",
    "reasoning",
    "usage",
    "max_output_tokens",
    "max_tool_calls",
    "safety_identifier",
    "prompt_cache_key",
    "metadata",
];

/// Every way to drop one key, to make one value null, and to make it of another type, with the place in words.
fn mutations(value: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let Value::Object(fields) = value else {
        return all;
    };
    for (key, field) in fields {
        let mut dropped = value.clone();
        dropped.as_object_mut().unwrap().remove(key);
        all.push((format!("{key} dropped"), dropped));
        let odd = json!([[null]]);
        for (what, other) in [("null", Value::Null), ("odd", odd)] {
            let mut changed = value.clone();
            changed[key] = other;
            all.push((format!("{key} {what}"), changed));
        }
        let inner = field
            .as_array()
            .and_then(|items| items.first())
            .unwrap_or(field);
        for (place, mutation) in mutations(inner) {
            let mut changed = value.clone();
            match &mut changed[key] {
                Value::Array(items) => items[0] = mutation,
                other => *other = mutation,
            }
            all.push((format!("{key}.{place}"), changed));
        }
    }
    all
}

/// A whole answer: text, a function's call, and reasoning.
async fn events(bench: &Bench) -> Vec<Value> {
    const SCRIPT: &str = "[[turn]]\nthink = 'Hm.'\nsay = 'I ask.'\n[[turn.call]]\ntool = 'note'";
    let tools = json!([{"type": "function", "name": "note"}]);
    let body = json!({"input": scripted("Ask.", SCRIPT), "tools": tools});
    bench.stream(body).await
}

#[tokio::test]
async fn an_object_with_a_key_less_or_a_wrong_null_is_found() {
    let bench = Bench::start().await;
    let events = events(&bench).await;
    let object = &events.last().unwrap()["response"];
    let found: Vec<String> = mutations(object)
        .into_iter()
        .filter(|(_, mutation)| !bench.schemas.object(mutation).is_empty())
        .map(|(place, _)| place)
        .collect();
    let is_found = |place: &str| found.iter().any(|found| found == place);
    for key in NEVER_NULL {
        for what in ["dropped", "null", "odd"] {
            assert!(is_found(&format!("{key} {what}")), "{key} {what}");
        }
    }
    for key in PERHAPS_NULL {
        assert!(is_found(&format!("{key} dropped")), "{key}");
        assert!(!is_found(&format!("{key} null")), "{key}");
    }
    for place in [
        "usage.total_tokens dropped",
        "usage.input_tokens_details.cached_tokens null",
        "usage.output_tokens_details dropped",
        "text.format null",
        "reasoning.effort dropped",
        "tools.parameters dropped",
        "output.id dropped",
        "output.summary null",
        "output.summary.text dropped",
    ] {
        assert!(is_found(place), "{place}");
    }
}

#[tokio::test]
async fn items_of_other_kinds_and_states_are_found() {
    let bench = Bench::start().await;
    let events = events(&bench).await;
    let object = &events.last().unwrap()["response"];
    for (pointer, other) in [
        ("/output/1/status", json!("failed")),
        ("/output/1/role", json!("critic")),
        ("/output/1/phase", Value::Null),
        ("/output/1/type", json!("shell_call")),
        ("/output/1/content/0/annotations", Value::Null),
        ("/output/1/content/0/type", json!("output_html")),
        ("/output/2/status", json!("calling")),
        ("/output/2/arguments", json!({})),
        ("/output/2/call_id", Value::Null),
    ] {
        let mut changed = object.clone();
        *changed.pointer_mut(pointer).unwrap() = other;
        assert!(!bench.schemas.object(&changed).is_empty(), "{pointer}");
    }
}

#[tokio::test]
async fn an_event_with_a_key_less_or_an_unknown_name_is_found() {
    // The accumulators of the specification's own kind of client want these; `logprobs` and a call's `name` are OpenAI's.
    const BEYOND: [&str; 2] = ["logprobs", "name"];
    let bench = Bench::start().await;
    let events = events(&bench).await;
    let mut kinds = std::collections::BTreeSet::new();
    for event in &events {
        kinds.insert(event["type"].as_str().unwrap());
        for key in event.as_object().unwrap().keys() {
            let mut less = event.clone();
            less.as_object_mut().unwrap().remove(key);
            let is_found = !bench.schemas.event(&less).is_empty();
            assert_eq!(is_found, !BEYOND.contains(&key.as_str()), "{key}: {event}");
            let mut odd = event.clone();
            odd[key] = json!({"a": []});
            assert!(
                key == "name" || !bench.schemas.event(&odd).is_empty(),
                "{key}: {event}"
            );
        }
        let mut renamed = event.clone();
        renamed["type"] = json!("response.llm_call");
        assert!(!bench.schemas.event(&renamed).is_empty());
    }
    assert!(kinds.len() >= 16, "{kinds:?}");
}
