//! The published schemas and the parsers accept the same requests; what the types write fits their schemas.

#![allow(clippy::unwrap_used)]

use jsonschema::Validator;
use protocol::{
    ApprovalRequest, Budget, CancelRequest, CreateRequest, Event, MicroUsd, Problem, Response,
    ResponseId, SessionId, schemas,
};
use serde_json::{Value, json};

/// Values that one field after the other is given: of every type, and around every limit.
fn values() -> Vec<Value> {
    let text = |length: usize| json!("ä".repeat(length));
    let pairs = |count: usize, key: usize, value: usize| {
        let pairs = (0..count).map(|i| (format!("{i:0key$}"), text(value)));
        Value::Object(pairs.collect())
    };
    let mut values = vec![
        json!(null),
        json!(true),
        json!([]),
        json!({}),
        json!([null]),
        json!([{}]),
        json!(["a", 1]),
        json!(["a", "b"]),
        json!({"a": 1}),
        json!({"a": null}),
        json!({"type": "function", "name": "f"}),
        json!({"tool_names": ["a"]}),
        json!({"tool_names": [1]}),
        json!({"tool_names": null}),
        json!({"url": "https://x"}),
        json!({"url": "ftp://x"}),
        json!({"url": "https://x", "events": []}),
        json!({"url": "https://x", "events": ["response.completed"]}),
        json!({"url": "https://x", "events": ["response.llm_call"]}),
        json!({"x y": "a"}),
        json!({"x-y": "a\n"}),
        json!({"x-y": "a"}),
    ];
    let words = [
        "",
        "x",
        " ",
        "auto",
        "disabled",
        "none",
        "required",
        "user",
        "robot",
        "message",
        "function",
        "mcp",
        "ml-intern",
        "a b",
        "a-b_C9",
        "input_text",
        "input_image",
        "function_call_output",
        "https://x/y",
        "http://x/y",
        "data:image/png;base64,AA",
        "data:text/plain,",
    ];
    values.extend(words.map(|word| json!(word)));
    let numbers = [
        -1.0, 0.0, 1e-9, 0.5, 1.0, 1.5, 2.0, 2.1, 20.0, 21.0, 500.0, 500.01, 3600.0, 3601.0, 1e12,
    ];
    values.extend(numbers.map(|number| json!(number)));
    let lengths = [
        32, 33, 64, 65, 256, 257, 10_000, 10_001, 20_000, 20_001, 100_000, 100_001,
    ];
    values.extend(lengths.map(text));
    values.extend([33, 65].map(|length| json!("a".repeat(length))));
    let url = |length: usize| json!(format!("https://{}", "a".repeat(length - 8)));
    values.extend([2000, 2001].map(url));
    values.extend(
        [(16, 64, 512), (17, 1, 1), (1, 65, 1), (1, 1, 513)].map(|(n, k, v)| pairs(n, k, v)),
    );
    let tools = |count: usize| {
        let tool = |i| json!({"type": "function", "name": format!("f{i}")});
        Value::Array((0..count).map(tool).collect())
    };
    values.extend([1, 128, 129].map(tools));
    values
}

/// Requests in which one place after the other is replaced.
fn replaced(base: &Value) -> Vec<Value> {
    let mut places = Vec::new();
    pointers(base, String::new(), &mut places);
    let mut bodies = vec![base.clone()];
    for place in &places {
        for value in values() {
            let mut body = base.clone();
            *body.pointer_mut(place).unwrap() = value;
            bodies.push(body);
        }
        let (parent, name) = place.rsplit_once('/').unwrap();
        let mut body = base.clone();
        if let Some(Value::Object(fields)) = body.pointer_mut(parent) {
            fields.remove(name);
            bodies.push(body);
        }
    }
    bodies
}

fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                found.push(format!("{at}/{name}"));
                pointers(value, format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                found.push(format!("{at}/{index}"));
                pointers(value, format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn validator(name: &str) -> Validator {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{name}"),
        "components": {"schemas": schemas()},
    });
    jsonschema::validator_for(&schema).unwrap()
}

/// Rules that the schema tells in words only.
fn is_beyond_schemas(problem: &Problem) -> bool {
    let param = problem.param.as_deref().unwrap_or_default();
    match problem.code {
        "empty_input" => param == "input",
        "invalid_value" => {
            problem.message.starts_with("The last input item")
                || problem.message.contains("another tool of the request")
        }
        // The id's shape is right in no schema: whatever names nothing is a 404.
        "previous_response_not_found" => true,
        _ => false,
    }
}

fn agree(
    schema: &str,
    base: &Value,
    parse: impl Fn(&Value) -> Result<(), Problem>,
) -> (usize, usize) {
    let validator = validator(schema);
    let (mut accepted, mut refused) = (0, 0);
    for body in replaced(base) {
        let fits = validator.is_valid(&body);
        let shown: String = body.to_string().chars().take(1500).collect();
        match parse(&body) {
            Ok(()) => {
                assert!(fits, "accepted, but the schema refuses it: {shown}");
                accepted += 1;
            }
            Err(problem) if fits => {
                assert!(
                    is_beyond_schemas(&problem),
                    "{problem}, but the schema accepts it: {shown}"
                );
            }
            Err(_) => refused += 1,
        }
    }
    (accepted, refused)
}

#[test]
fn a_create_request_is_what_its_schema_says() {
    let base = json!({
        "input": [
            {"type": "message", "role": "system", "content": "s"},
            {"role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "https://x/y.png"}]},
            {"type": "function_call_output", "call_id": "c", "output": "o"},
            {"role": "user", "content": "b"},
        ],
        "model": "m", "background": false, "stream": false, "fork": false,
        "previous_response_id": ResponseId::fresh(),
        "max_cost_usd": 1.0, "instructions": "i", "wait_timeout_seconds": 1, "metadata": {"a": "b"},
        "tools": [
            {"type": "function", "name": "f", "description": "d", "parameters": {}, "strict": true},
            {"type": "mcp", "server_label": "l", "server_url": "https://x", "headers": {"x-a": "b"}, "allowed_tools": ["t"], "authorization": "z"},
        ],
        "webhook": {"url": "https://x", "events": ["response.completed"]},
        "temperature": 1.0, "top_p": 1.0, "max_output_tokens": 5, "max_tool_calls": 5, "reasoning": {}, "truncation": "auto",
        "text": {}, "parallel_tool_calls": true, "prompt_cache_key": "k", "safety_identifier": "s", "service_tier": "default",
        "store": true, "user": "u", "include": ["a"], "tool_choice": "auto", "top_logprobs": 0,
        "conversation": null, "prompt": null,
    });
    let known = validator("CreateRequest");
    assert!(known.is_valid(&base));
    let all = schemas();
    let named = all["CreateRequest"]["properties"].as_object().unwrap();
    assert!(
        named.keys().eq(sorted(&base).iter()),
        "the base request gives every field"
    );
    let (accepted, refused) = agree("CreateRequest", &base, |body| {
        CreateRequest::parse(body).map(drop)
    });
    assert!(accepted > 300 && refused > 1000, "{accepted} {refused}");
    let task = json!({"input": "x"});
    agree("CreateRequest", &task, |body| {
        CreateRequest::parse(body).map(drop)
    });
    for fork in [
        json!({"input": "x", "fork": true}),
        json!({"input": "x", "fork": true, "previous_response_id": null}),
        json!({"input": "x", "fork": null}),
    ] {
        assert_eq!(
            known.is_valid(&fork),
            CreateRequest::parse(&fork).is_ok(),
            "{fork}"
        );
    }
}

fn sorted(object: &Value) -> Vec<String> {
    let mut names: Vec<String> = object.as_object().unwrap().keys().cloned().collect();
    names.sort();
    names
}

#[test]
fn decisions_are_what_their_schemas_say() {
    let approval = json!({"approve": true, "new_max_cost_usd": 1.0, "feedback": "f"});
    let (accepted, refused) = agree("ApprovalRequest", &approval, |body| {
        ApprovalRequest::parse(body).map(drop)
    });
    assert!(accepted > 20 && refused > 50, "{accepted} {refused}");
    for body in values() {
        let fits = validator("CancelRequest").is_valid(&body);
        assert_eq!(fits, CancelRequest::parse(&body).is_ok(), "{body}");
    }
    agree("CancelRequest", &json!({"stop_jobs": true}), |body| {
        CancelRequest::parse(body).map(drop)
    });
}

#[test]
fn what_is_written_fits_its_schema_and_leaves_no_field_out() {
    let request = CreateRequest::parse(&json!({"input": "x", "metadata": {"a": "b"}})).unwrap();
    let budget = Budget::new(MicroUsd(5_000_000), MicroUsd(1), MicroUsd(0));
    let response = Response::submitted(
        ResponseId::fresh(),
        SessionId::fresh(),
        &request,
        "m".into(),
        budget,
        7,
    );
    let object = serde_json::to_value(&response).unwrap();
    validator("Response").validate(&object).unwrap();
    let all = schemas();
    let own = all["Response"]["allOf"].as_array().unwrap();
    let mut told: Vec<String> = sorted(&all["Echo"]["properties"]);
    told.extend(
        own.iter()
            .filter_map(|part| part.get("properties"))
            .flat_map(sorted),
    );
    told.sort();
    assert_eq!(told, sorted(&object));
    let event = Event::Created {
        response: Box::new(response),
    };
    let line: Value = serde_json::from_str(&event.encode(0).unwrap()).unwrap();
    validator("Event").validate(&line).unwrap();
    let problem = Problem::invalid("invalid_value", "a", "b").body();
    validator("Error").validate(&problem).unwrap();
}
