//! What a request wishes of the model: which tools it may or must call, how many, and images for those that see.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use support::{bench, scripted};

fn said(object: &Value) -> &str {
    let output = object["output"].as_array().unwrap();
    output.last().unwrap()["content"][0]["text"]
        .as_str()
        .unwrap()
}

#[tokio::test]
async fn wishes_about_calls_reach_the_model() {
    const SAY: &str = "[[turn]]\nsay = 'wish:{{tool_choice}}'";
    let (_sim, _server, client) = bench().await;
    for (choice, told) in [
        (json!("none"), "none"),
        (json!("auto"), "auto"),
        (json!("required"), "required"),
        (json!({"type": "function", "name": "weather"}), "weather"),
    ] {
        let body = json!({"input": scripted("Say.", SAY), "tools": [{"type": "function", "name": "weather"}], "tool_choice": choice});
        let id = client.submit_with(body).await;
        let object = client.wait_for(&id, "completed").await;
        assert_eq!(said(&object), format!("wish:{told}"));
        assert_eq!(object["tool_choice"], choice);
    }
}

#[tokio::test]
async fn no_more_tools_run_than_the_caller_allows() {
    const MANY: &str = r#"
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "echo one" }
[[turn.call]]
tool = "bash"
args = { command = "echo two" }
[[turn]]
say = "Done."
"#;
    let (_sim, _server, client) = bench().await;
    let id = client
        .submit_with(json!({"input": scripted("Go.", MANY), "max_tool_calls": 1}))
        .await;
    let object = client.wait_for(&id, "completed").await;
    let statuses: Vec<&Value> = object["output"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["status"])
        .collect();
    assert_eq!(statuses, ["completed", "failed", "completed"], "{object:#}");
}

/// An image goes to a model that sees; another gets a note in its place.
#[tokio::test]
async fn images_are_for_models_that_see() {
    const SAY: &str = "[[turn]]\nsay = 'I see {{images}}.'";
    let (_sim, _server, client) = bench().await;
    let (_, models) = client.get("/api/config/model").await;
    let ids = models["available"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["id"].clone());
    let mut seen = Vec::new();
    for model in ids {
        let image =
            json!({"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="});
        let text = json!({"type": "input_text", "text": scripted("Look.", SAY)});
        let input = json!([{"role": "user", "content": [image, text]}]);
        let id = client
            .submit_with(json!({"input": input, "model": model}))
            .await;
        let object = client.wait_for(&id, "completed").await;
        seen.push(said(&object).to_owned());
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen, ["I see 0.", "I see 1."]);
}

#[tokio::test]
async fn the_form_of_the_answer_reaches_the_model() {
    const SAY: &str = "[[turn]]\nsay = 'form:{{format}}'";
    let (_sim, _server, client) = bench().await;
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let named = json!({"type": "json_schema", "name": "a", "schema": schema, "strict": true});
    let told = json!({"type": "json_schema", "json_schema": {"name": "a", "schema": schema, "strict": true}});
    for (format, told) in [
        (json!({"type": "text"}), Value::Null),
        (
            json!({"type": "json_object"}),
            json!({"type": "json_object"}),
        ),
        (named, told),
    ] {
        let body =
            json!({"input": scripted("Say.", SAY), "text": {"format": format, "verbosity": null}});
        let id = client.submit_with(body).await;
        let object = client.wait_for(&id, "completed").await;
        let form = said(&object).strip_prefix("form:").unwrap();
        let form: Value = serde_json::from_str(form).unwrap_or_default();
        assert_eq!(form, told);
        assert_eq!(object["text"], json!({"format": format}));
    }
}
