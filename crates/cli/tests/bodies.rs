//! Bodies of a submission that are wrong: refused by name, and nothing is created.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use support::{Client, ServeOptions, Server, Sim, create, refused, stored};

/// Status, code, parameter (`-`: none), body.
const REFUSED: &str = r#"
400 invalid_json - []
400 invalid_json - "x"
400 invalid_json - null
400 missing_required_parameter input {}
400 missing_required_parameter input {"input": null}
400 invalid_type input {"input": 7}
400 invalid_type input {"input": {"role": "user", "content": "x"}}
400 empty_input input {"input": " \n\t"}
400 empty_input input {"input": []}
400 empty_input input {"input": [{"role": "user", "content": ""}]}
400 empty_input input {"input": [{"role": "user", "content": []}]}
400 empty_input input {"input": [{"role": "user", "content": "x"}, {"role": "user", "content": [{"type": "input_text", "text": " "}]}]}
400 invalid_type input[0] {"input": ["x"]}
400 invalid_type input[0].content {"input": [{"role": "user", "content": 5}]}
400 invalid_type input[0].content[0] {"input": [{"role": "user", "content": [5]}]}
400 missing_required_parameter input[0].content {"input": [{"role": "user"}]}
400 missing_required_parameter input[0].role {"input": [{"content": "x"}]}
400 missing_required_parameter input[0].content[0].text {"input": [{"role": "user", "content": [{"type": "input_text"}]}]}
400 invalid_value input[0].role {"input": [{"role": "robot", "content": "x"}]}
400 invalid_value input[0].role {"input": [{"role": "assistant", "content": "x"}]}
400 unsupported_content input[0].type {"input": [{"type": "item_reference", "id": "x"}]}
400 unsupported_content input[0].content[0].type {"input": [{"role": "user", "content": [{"type": "input_file"}]}]}
400 invalid_value input[0].content[0].image_url {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "ftp://x"}]}]}
400 invalid_type instructions {"input": "x", "instructions": ["y"]}
400 invalid_value max_cost_usd {"input": "x", "max_cost_usd": 0}
400 invalid_value max_cost_usd {"input": "x", "max_cost_usd": -1}
400 invalid_value max_cost_usd {"input": "x", "max_cost_usd": 500.01}
400 invalid_type max_cost_usd {"input": "x", "max_cost_usd": "5"}
400 invalid_type max_cost_usd {"input": "x", "max_cost_usd": true}
400 invalid_value wait_timeout_seconds {"input": "x", "wait_timeout_seconds": 0}
400 invalid_value wait_timeout_seconds {"input": "x", "wait_timeout_seconds": 3601}
400 invalid_type wait_timeout_seconds {"input": "x", "wait_timeout_seconds": "9"}
400 invalid_type background {"input": "x", "background": "yes"}
400 invalid_type stream {"input": "x", "stream": 1}
400 invalid_metadata metadata {"input": "x", "metadata": []}
400 invalid_metadata metadata {"input": "x", "metadata": {"a": 1}}
400 invalid_value temperature {"input": "x", "temperature": 3}
400 invalid_type max_output_tokens {"input": "x", "max_output_tokens": "many"}
400 unknown_parameter max_cost {"input": "x", "max_cost": 1}
400 unknown_parameter max_cost_us {"input": "x", "max_cost_us": 1}
400 unknown_parameter budget_usd {"input": "x", "budget_usd": 1}
400 unsupported_parameter conversation {"input": "x", "conversation": "c"}
400 unsupported_parameter prompt {"input": "x", "prompt": {"id": "p"}}
400 unsupported_parameter tools[0].type {"input": "x", "tools": [{"type": "web_search"}]}
400 invalid_type model {"input": "x", "model": 7}
400 model_not_found model {"input": "x", "model": "gpt-4"}
400 model_not_found model {"input": "x", "model": ""}
400 invalid_type previous_response_id {"input": "x", "previous_response_id": 7}
404 previous_response_not_found previous_response_id {"input": "x", "previous_response_id": "x"}
404 previous_response_not_found previous_response_id {"input": "x", "previous_response_id": "resp_00000000000000000000000000000000"}
"#;

#[tokio::test]
async fn bodies_that_are_wrong_are_refused_by_name() {
    let sim = Sim::start();
    let server = Server::start(&sim, ServeOptions::default());
    let client = Client::new(&server.url, "hf_alice");
    for row in REFUSED.lines().filter(|row| !row.is_empty()) {
        let [status, code, param, body] = row.splitn(4, ' ').collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        let body: Value = serde_json::from_str(body).unwrap();
        let param = Some(param).filter(|param| *param != "-");
        refused(create(&client, &body), status.parse().unwrap(), code, param).await;
    }
    let near = json!({"input": "x", "model": "kimi-k2"});
    let near = refused(
        create(&client, &near),
        400,
        "model_not_found",
        Some("model"),
    )
    .await;
    assert!(String::from_utf8_lossy(&near.bytes).contains("moonshotai/Kimi-K2.6:novita"));
    assert_eq!((stored(&server).await, sim.chats().await), (0, 0));
}

#[tokio::test]
async fn limits_are_counted_in_characters() {
    let sim = Sim::start();
    let server = Server::start(&sim, ServeOptions::default());
    let client = Client::new(&server.url, "hf_alice");
    let pairs = |count: usize| -> Value {
        (0..count)
            .map(|i| (i.to_string(), json!("x")))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let (long, too_long) = ("ä".repeat(100_000), "ä".repeat(100_001));
    for (body, code, param) in [
        (
            json!({"input": too_long}),
            "string_above_max_length",
            "input",
        ),
        (
            json!({"input": [{"role": "user", "content": too_long}]}),
            "string_above_max_length",
            "input[0].content",
        ),
        (
            json!({"input": "x", "instructions": "i".repeat(20_001)}),
            "string_above_max_length",
            "instructions",
        ),
        (
            json!({"input": "x", "metadata": {"a": "v".repeat(513)}}),
            "invalid_metadata",
            "metadata",
        ),
        (
            json!({"input": "x", "metadata": {"k".repeat(65): "v"}}),
            "invalid_metadata",
            "metadata",
        ),
        (
            json!({"input": "x", "metadata": pairs(17)}),
            "invalid_metadata",
            "metadata",
        ),
    ] {
        refused(create(&client, &body), 400, code, Some(param)).await;
    }
    assert_eq!((stored(&server).await, sim.chats().await), (0, 0));

    let body = json!({
        "input": [{"role": "user", "content": long}, {"role": "user", "content": long}],
        "instructions": "ä".repeat(20_000), "max_cost_usd": 500, "metadata": pairs(16), "model": null, "unknown": {"a": 1},
    });
    let id = client.submit_with(body).await;
    assert_eq!(client.object(&id).await["metadata"], pairs(16));
    client.wait_for(&id, "completed").await;
}
