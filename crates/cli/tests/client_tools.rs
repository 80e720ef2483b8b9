//! Functions that the client runs: offered to the model, handed over as `function_call` items, answered by the next request.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use support::{Client, bench, check_log, scripted};

/// Two functions: `weather` wants days, `note` takes anything.
fn functions() -> Value {
    let parameters = json!({
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    });
    json!([
        {"type": "function", "name": "weather", "description": "The weather.", "parameters": parameters, "strict": false},
        {"type": "function", "name": "note"},
    ])
}

/// Runs a task with the functions to its rest.
async fn run(client: &Client, task: &str, scenario: &str) -> Value {
    let body = json!({"input": scripted(task, scenario), "tools": functions()});
    let id = client.submit_with(body).await;
    client.wait_at_rest(&id).await
}

/// Sends outputs for calls, in the background, and waits for the rest.
async fn answer(client: &Client, previous: &Value, outputs: &[(&str, &str)]) -> Value {
    let input: Vec<Value> = outputs.iter().map(|(id, text)| output(id, text)).collect();
    let body =
        json!({"input": input, "previous_response_id": previous["id"], "tools": functions()});
    let id = client.submit_with(body).await;
    client.wait_at_rest(&id).await
}

fn output(call_id: &str, text: &str) -> Value {
    json!({"type": "function_call_output", "call_id": call_id, "output": text})
}

/// The items that the client is to run.
fn handed_over(object: &Value) -> Vec<&Value> {
    let output = object["output"].as_array().unwrap().iter();
    output
        .filter(|item| item["type"] == "function_call")
        .collect()
}

fn said(object: &Value) -> &str {
    let output = object["output"].as_array().unwrap();
    output.last().unwrap()["content"][0]["text"]
        .as_str()
        .unwrap()
}

fn id(item: &Value) -> &str {
    item["call_id"].as_str().unwrap()
}

/// Two calls under one provider id in different turns, answered in the other order; the model sees both results.
const TWO_CALLS: &str = r#"
[[turn]]
say = "I ask {{tools}}."
[[turn.call]]
tool = "weather"
id = "call_1"
args = { city = "Oslo", days = "3" }
[[turn.call]]
tool = "note"
id = "call_2"
args = { text = "a" }
[[turn]]
say = "Again."
[[turn.call]]
tool = "weather"
id = "call_1"
args = { city = "Rome" }
[[turn]]
say = "{{first}} and {{note}}."
[[turn.capture]]
name = "first"
from = "weather"
regex = "it is (.*)"
[[turn.capture]]
name = "note"
from = "note"
regex = ".*"
"#;

#[tokio::test]
async fn a_round_trip_survives_a_restart_between_the_turns() {
    let (_sim, mut server, client) = bench().await;
    let first = run(&client, "What is the weather?", TWO_CALLS).await;
    assert_eq!(first["status"], "completed", "{first:#}");
    let text = first["output"][0]["content"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("hf_jobs") && text.contains("weather,note"),
        "{text}"
    );
    assert_eq!(first["output"][0]["phase"], "commentary");
    let calls = handed_over(&first);
    assert_eq!(calls.len(), 2);
    assert_eq!(
        (
            &calls[0]["name"],
            &calls[0]["arguments"],
            &calls[0]["status"]
        ),
        (
            &json!("weather"),
            &json!(r#"{"city":"Oslo","days":3}"#),
            &json!("completed")
        )
    );
    assert!(calls[0]["id"].as_str().unwrap().starts_with("fc_"));
    check_log(&client.log(first["id"].as_str().unwrap()).await);

    server.terminate();
    server.restart();
    let client = client.at(&server.url);
    let outputs = [(id(calls[1]), "noted"), (id(calls[0]), "it is cold")];
    let second = answer(&client, &first, &outputs).await;
    assert_eq!(second["status"], "completed", "{second:#}");
    let again = handed_over(&second);
    assert_eq!(again.len(), 1);
    assert_ne!(id(again[0]), id(calls[0]));
    let third = answer(&client, &second, &[(id(again[0]), "it is warm")]).await;
    assert_eq!(third["status"], "completed", "{third:#}");
    assert_eq!(said(&third), "warm and noted.");
}

#[tokio::test]
async fn events_of_a_handed_over_call_add_up() {
    let (_sim, _server, client) = bench().await;
    let body = json!({"input": scripted("Ask.", TWO_CALLS), "tools": functions(), "stream": true});
    let request = client.request(reqwest::Method::POST, "/v1/responses?view=openai");
    let response = request.json(&body).send().await.unwrap();
    let bytes = support::RawStream::new(response).read_to_end().await;
    let events = support::parse_frames(&bytes);
    let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    let at = names
        .iter()
        .position(|name| name.contains("function_call_arguments"))
        .unwrap();
    assert_eq!(
        names[at - 1..at + 3],
        [
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
        ]
    );
    let (added, delta, done) = (&events[at - 1].data, &events[at].data, &events[at + 1].data);
    assert_eq!(
        (&added["item"]["arguments"], &added["item"]["status"]),
        (&json!(""), &json!("in_progress"))
    );
    assert_eq!(
        (&done["name"], &done["arguments"]),
        (&json!("weather"), &delta["delta"])
    );
    assert_eq!(
        events[at + 2].data["item"]["call_id"],
        added["item"]["call_id"]
    );
    assert_eq!(names.last(), Some(&"response.completed"));
}

#[tokio::test]
async fn the_servers_tools_of_a_batch_run_first() {
    const MIXED: &str = r#"
[[turn]]
[[turn.call]]
tool = "weather"
args = { city = "Oslo" }
[[turn.call]]
tool = "bash"
args = { command = "echo from the box" }
[[turn]]
say = "{{box}}; {{sky}}"
[[turn.capture]]
name = "box"
from = "bash"
regex = "from the box"
[[turn.capture]]
name = "sky"
from = "weather"
regex = ".*"
"#;
    let (sim, _server, client) = bench().await;
    let first = run(&client, "Both.", MIXED).await;
    assert_eq!(first["status"], "completed", "{first:#}");
    let box_call = first["output"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["name"] == "bash")
        .unwrap();
    assert_eq!(box_call["status"], "completed");
    assert!(
        box_call["output"]
            .as_str()
            .unwrap()
            .contains("from the box")
    );
    assert_eq!(sim.chats().await, 1);
    let call = handed_over(&first)[0].clone();
    let second = answer(&client, &first, &[(id(&call), "clear")]).await;
    assert_eq!(said(&second), "from the box; clear");
}

#[tokio::test]
async fn a_batch_that_waits_for_an_approval_is_handed_over_all_the_same() {
    const COSTLY: &str = r#"
[[turn]]
[[turn.call]]
tool = "weather"
args = { city = "Oslo" }
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["echo", "job"], hardware_flavor = "a100-large", timeout = "2h" }
[[turn]]
say = "{{sky}} {{job}}"
[[turn.capture]]
name = "sky"
from = "weather"
regex = ".*"
[[turn.capture]]
name = "job"
from = "hf_jobs"
regex = "DENIED|job"
"#;
    for approve in [true, false] {
        let (_sim, mut server, client) = bench().await;
        let paused = run(&client, "Both.", COSTLY).await;
        assert_eq!(paused["status"], "incomplete", "{paused:#}");
        assert_eq!(paused["pending_approval"].as_array().unwrap().len(), 1);
        let call = handed_over(&paused)[0].clone();
        let early =
            json!({"input": [output(id(&call), "x")], "previous_response_id": paused["id"]});
        let (status, problem) = client.post("/v1/responses", &early).await;
        assert_eq!(
            (status, &problem["error"]["code"]),
            (409, &json!("approval_pending"))
        );
        server.kill();
        server.restart();
        let client = client.at(&server.url);
        let response = paused["id"].as_str().unwrap();
        let decision =
            json!({"approve": approve, "new_max_cost_usd": 500, "feedback": "as you like"});
        let (status, object) = client
            .post(&format!("/v1/responses/{response}/approvals"), &decision)
            .await;
        assert_eq!(status, 200, "{object:#}");
        let done = client.wait_for(response, "completed").await;
        assert_eq!(handed_over(&done), vec![&call]);
        let next = answer(&client, &done, &[(id(&call), "clear")]).await;
        assert_eq!(next["status"], "completed", "{next:#}");
        let job = if approve { "job" } else { "DENIED" };
        assert_eq!(said(&next), format!("clear {job}"));
    }
}

#[tokio::test]
async fn what_does_not_fit_is_answered_here() {
    const BROKEN: &str = r#"
[[turn]]
[[turn.call]]
tool = "weather"
raw_args = '{"city": "Os'
[[turn.call]]
tool = "weather"
args = { days = 3 }
[[turn]]
say = "{{why}}"
[[turn.capture]]
name = "why"
from = "weather"
regex = "ERROR: .*"
"#;
    let (_sim, _server, client) = bench().await;
    let object = run(&client, "Ask.", BROKEN).await;
    assert_eq!(object["status"], "completed", "{object:#}");
    assert!(handed_over(&object).is_empty());
    let kinds: Vec<&Value> = object["output"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["status"])
        .collect();
    assert_eq!(kinds, ["failed", "failed", "completed"]);
    assert!(said(&object).contains("city"), "{object:#}");
    check_log(&client.log(object["id"].as_str().unwrap()).await);
}

#[tokio::test]
async fn a_client_that_goes_on_without_an_answer_may() {
    const ASK: &str = "[[turn]]\n[[turn.call]]\ntool = 'note'\n[[turn]]\nsay = '{{seen}}'\n[[turn.capture]]\nname = 'seen'\nregex = '.*'";
    let (_sim, _server, client) = bench().await;
    let first = run(&client, "Ask.", ASK).await;
    let call = handed_over(&first)[0].clone();
    let next = json!({"input": "Never mind.", "previous_response_id": first["id"]});
    let next = client.submit_with(next).await;
    client.wait_for(&next, "completed").await;
    // The call is no longer waited for.
    let late = json!({"input": [output(id(&call), "x")], "previous_response_id": next});
    let (status, problem) = client.post("/v1/responses", &late).await;
    assert_eq!(
        (status, &problem["error"]["param"]),
        (400, &json!("input[0].call_id"))
    );
}

#[tokio::test]
async fn outputs_and_names_that_do_not_fit_are_refused_before_anything_is_made() {
    const ASK: &str = "[[turn]]\n[[turn.call]]\ntool = 'note'";
    let (sim, _server, client) = bench().await;
    let first = run(&client, "Ask.", ASK).await;
    let call = id(handed_over(&first)[0]).to_owned();
    let (chats, previous) = (sim.chats().await, &first["id"]);
    let (_, before) = client.get("/v1/responses").await;
    for (body, param) in [
        (
            json!({"input": [output(&call, "x"), output("call_other", "y")], "previous_response_id": previous}),
            "input[1].call_id",
        ),
        (
            json!({"input": [output(&call, "x"), output(&call, "y")], "previous_response_id": previous}),
            "input[1].call_id",
        ),
        (json!({"input": [output(&call, "x")]}), "input[0].call_id"),
        (
            json!({"input": "x", "tools": [{"type": "function", "name": "bash"}]}),
            "tools[0].name",
        ),
        (
            json!({"input": "x", "tool_choice": {"type": "function", "name": "nobody"}}),
            "tool_choice",
        ),
    ] {
        let (status, problem) = client.post("/v1/responses", &body).await;
        let told = (&problem["error"]["code"], &problem["error"]["param"]);
        assert_eq!(
            (status, told),
            (400, (&json!("invalid_value"), &json!(param))),
            "{body}"
        );
    }
    let (_, after) = client.get("/v1/responses").await;
    assert_eq!((after, sim.chats().await), (before, chats));
    // The call is still waited for.
    let second = answer(&client, &first, &[(&call, "noted")]).await;
    assert_eq!(second["status"], "completed", "{second:#}");
}

#[tokio::test]
async fn a_client_that_takes_one_call_at_a_time_gets_one() {
    let (_sim, _server, client) = bench().await;
    let body = json!({"input": scripted("Ask.", TWO_CALLS), "tools": functions(), "parallel_tool_calls": false});
    let id = client.submit_with(body).await;
    let first = client.wait_for(&id, "completed").await;
    let calls = handed_over(&first);
    assert_eq!(calls.len(), 1, "{first:#}");
    assert_eq!(calls[0]["name"], "weather");
    let call = calls[0]["call_id"].as_str().unwrap();
    // The other call was never made, so one output is all that is waited for.
    let second = answer(&client, &first, &[(call, "warm")]).await;
    assert_eq!(second["status"], "completed", "{second:#}");
    check_log(&client.log(&id).await);
}
