//! What is refused, under which code and naming which field.

use super::*;
use serde_json::json;

fn refusal(body: Value) -> (&'static str, Option<String>) {
    match CreateRequest::parse(&body) {
        Ok(request) => panic!("accepted: {request:?}"),
        Err(problem) => {
            assert!((400..500).contains(&problem.status));
            (problem.code, problem.param)
        }
    }
}

#[test]
fn refusals_name_the_code_and_the_field() {
    let long = "ä".repeat(100_001);
    let pairs: Map<String, Value> = (0..17).map(|i| (i.to_string(), json!("x"))).collect();
    let table = [
        (json!([]), "invalid_json", None),
        (json!({}), "missing_required_parameter", Some("input")),
        (
            json!({"input": null}),
            "missing_required_parameter",
            Some("input"),
        ),
        (json!({"input": 7}), "invalid_type", Some("input")),
        (json!({"input": " \n"}), "empty_input", Some("input")),
        (json!({"input": []}), "empty_input", Some("input")),
        (
            json!({"input": [{"role": "user", "content": ""}]}),
            "empty_input",
            Some("input"),
        ),
        (
            json!({"input": long}),
            "string_above_max_length",
            Some("input"),
        ),
        (
            json!({"input": [{"role": "user", "content": long}]}),
            "string_above_max_length",
            Some("input[0].content"),
        ),
        (
            json!({"input": [{"role": "robot", "content": "x"}]}),
            "invalid_value",
            Some("input[0].role"),
        ),
        (
            json!({"input": [{"role": "assistant", "content": "x"}]}),
            "invalid_value",
            Some("input[0].role"),
        ),
        (
            json!({"input": [{"type": "file", "role": "user"}]}),
            "unsupported_content",
            Some("input[0].type"),
        ),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}),
            "unsupported_content",
            Some("input[0].content[0].type"),
        ),
        (
            json!({"input": "x", "max_cost_usd": 0}),
            "invalid_value",
            Some("max_cost_usd"),
        ),
        (
            json!({"input": "x", "max_cost_usd": 500.01}),
            "invalid_value",
            Some("max_cost_usd"),
        ),
        (
            json!({"input": "x", "max_cost_usd": "5"}),
            "invalid_type",
            Some("max_cost_usd"),
        ),
        (
            json!({"input": "x", "max_cost_usd": true}),
            "invalid_type",
            Some("max_cost_usd"),
        ),
        (
            json!({"input": "x", "wait_timeout_seconds": 0}),
            "invalid_value",
            Some("wait_timeout_seconds"),
        ),
        (
            json!({"input": "x", "wait_timeout_seconds": 0.5}),
            "invalid_value",
            Some("wait_timeout_seconds"),
        ),
        (
            json!({"input": "x", "wait_timeout_seconds": 3601}),
            "invalid_value",
            Some("wait_timeout_seconds"),
        ),
        (
            json!({"input": "x", "background": "yes"}),
            "invalid_type",
            Some("background"),
        ),
        (
            json!({"input": "x", "metadata": {"a": 1}}),
            "invalid_metadata",
            Some("metadata"),
        ),
        (
            json!({"input": "x", "metadata": pairs}),
            "invalid_metadata",
            Some("metadata"),
        ),
        (
            json!({"input": "x", "max_cost": 1}),
            "unknown_parameter",
            Some("max_cost"),
        ),
        (
            json!({"input": "x", "max_cost_us": 1}),
            "unknown_parameter",
            Some("max_cost_us"),
        ),
        (
            json!({"input": "x", "budget_usd": 1}),
            "unknown_parameter",
            Some("budget_usd"),
        ),
        (
            json!({"input": "x", "conversation": "c"}),
            "unsupported_parameter",
            Some("conversation"),
        ),
        (
            json!({"input": "x", "instructions": "i".repeat(20_001)}),
            "string_above_max_length",
            Some("instructions"),
        ),
        (
            json!({"input": "x", "previous_response_id": "nope"}),
            "previous_response_not_found",
            Some("previous_response_id"),
        ),
    ];
    for (body, code, param) in table {
        let shown: String = body.to_string().chars().take(80).collect();
        assert_eq!(refusal(body), (code, param.map(str::to_owned)), "{shown}");
    }
}

#[test]
fn what_is_echoed_can_be_read_back_from_an_event() {
    let nested = |levels| (0..levels).fold(json!(1), |value, _| json!({"a": value}));
    let body = |levels| json!({"input": "x", "text": {"format": nested(levels)}});
    assert_eq!(
        refusal(body(100)),
        ("invalid_value", Some("text".to_owned()))
    );
    let request = CreateRequest::parse(&body(60)).unwrap();
    let response = crate::Response::submitted(
        ResponseId::fresh(),
        crate::SessionId::fresh(),
        &request,
        "m".into(),
        crate::Budget::new(MicroUsd(1), MicroUsd(0), MicroUsd(0)),
        0,
    );
    let event = crate::Event::Created {
        response: Box::new(response),
    };
    let line = event.encode(0).unwrap();
    assert_eq!(serde_json::from_str::<crate::Event>(&line).unwrap(), event);
}

#[test]
fn a_number_that_is_echoed_stays_the_same_number() {
    for step in 0..1000 {
        let temperature = f64::from(step) * 0.001_999_999_999_7;
        let body = json!({"input": "x", "temperature": temperature});
        let request = CreateRequest::parse(&body).unwrap();
        let line = serde_json::to_string(&request.openai).unwrap();
        let again: Map<String, Value> = serde_json::from_str(&line).unwrap();
        assert_eq!(again, request.openai);
    }
}

#[test]
fn null_is_absent_and_unknown_fields_are_ignored() {
    let body = json!({"input": "x", "max_cost_usd": null, "metadata": null, "client_metadata": {"a": 1}, "store": false, "budget_usd": null, "conversation": null});
    let request = CreateRequest::parse(&body).unwrap();
    assert_eq!(request.max_cost, None);
    assert_eq!(request.wait_timeout, Duration::from_secs(900));
    assert_eq!(request.openai["store"], json!(false));
}

#[test]
fn a_wait_may_have_a_fraction() {
    let request = CreateRequest::parse(&json!({"input": "x", "wait_timeout_seconds": 1.5}));
    assert_eq!(request.unwrap().wait_timeout, Duration::from_millis(1500));
}

#[test]
fn every_form_of_message_content_is_read() {
    let body = json!({"input": [
        {"role": "system", "content": "s"},
        {"type": "message", "role": "assistant", "phase": "commentary", "content": [{"type": "output_text", "text": "a"}]},
        {"role": "user", "content": [{"type": "input_text", "text": "u"}, {"type": "input_image", "image_url": "data:image/png;base64,AA"}]},
    ]});
    let request = CreateRequest::parse(&body).unwrap();
    assert_eq!(request.input.len(), 3);
    assert_eq!(request.input[2].text(), "u");
}
