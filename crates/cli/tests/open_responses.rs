//! Open Responses: what its specification lets a client ask, asked with requests of our own, and every answer, every
//! event and every final object held against its rules (`open_responses/schema.rs`).

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "open_responses/events.rs"]
mod events;
#[path = "open_responses/items.rs"]
mod items;
#[path = "open_responses/mutations.rs"]
mod mutations;
#[path = "open_responses/schema.rs"]
mod schema;
#[path = "open_responses/states.rs"]
mod states;
#[path = "open_responses/stream.rs"]
mod stream;
mod support;

use schema::Schemas;
use serde_json::{Value, json};
use support::{Client, Server, Sim, bench, eventually, scripted};

/// The server, a client, and the rules.
struct Bench {
    schemas: Schemas,
    client: Client,
    _server: Server,
    _sim: Sim,
}

impl Bench {
    async fn start() -> Self {
        let (_sim, _server, client) = bench().await;
        let schemas = Schemas::new();
        Self {
            schemas,
            client,
            _server,
            _sim,
        }
    }

    /// Holds an object against the rules.
    fn check(&self, object: &Value) {
        let faults = self.schemas.object(object);
        assert!(faults.is_empty(), "{faults:#?}\n{object:#}");
    }

    /// Asks and waits for the answer.
    async fn ask(&self, body: Value) -> Value {
        let (status, object) = self.client.post("/v1/responses", &body).await;
        assert_eq!(status, 200, "{object:#}");
        self.check(&object);
        let stored = self.client.object(object["id"].as_str().unwrap()).await;
        assert_eq!(stored, object);
        object
    }

    /// Asks for a stream, reads it to its end, and gives its events.
    async fn stream(&self, mut body: Value) -> Vec<Value> {
        body["stream"] = json!(true);
        let request = self.client.request(reqwest::Method::POST, "/v1/responses");
        let response = request.json(&body).send().await.unwrap();
        stream::read(response, &self.schemas).await
    }

    /// The same in both ways: the answers must not differ but by what two runs of one task differ in.
    async fn both(&self, body: &Value) -> Value {
        let object = self.ask(body.clone()).await;
        let events = self.stream(body.clone()).await;
        let last = &events.last().unwrap()["response"];
        for key in ["status", "model", "usage", "tools", "instructions", "text"] {
            assert_eq!(last[key], object[key], "{key}");
        }
        assert_eq!(said(last), said(&object));
        object
    }
}

fn says(task: &str, words: &str) -> String {
    scripted(task, &format!("[[turn]]\nsay = {}", json!(words)))
}

fn message(role: &str, content: Value) -> Value {
    json!({"type": "message", "role": role, "content": content})
}

/// The texts of the messages, in order.
fn said(object: &Value) -> Vec<&str> {
    let items = object["output"].as_array().unwrap().iter();
    let parts = items.filter_map(|item| item["content"][0]["text"].as_str());
    parts.collect()
}

fn tokens(object: &Value) -> u64 {
    object["usage"]["input_tokens"].as_u64().unwrap()
}

#[tokio::test]
async fn a_task_is_answered() {
    let bench = Bench::start().await;
    let task = says("Name a planet.", "Saturn has rings.");
    for input in [
        json!(task),
        json!([{"role": "user", "content": task}]),
        json!([message("user", json!(task))]),
        json!([message(
            "user",
            json!([{"type": "input_text", "text": task}])
        )]),
    ] {
        let object = bench.both(&json!({"input": input})).await;
        assert_eq!(object["status"], "completed");
        assert_eq!(said(&object), ["Saturn has rings."]);
        assert_eq!(object["output"][0]["phase"], "final_answer");
    }
}

#[tokio::test]
async fn an_answer_is_streamed() {
    let bench = Bench::start().await;
    let script =
        "[[turn]]\nthink = 'They want letters.'\nsay = 'a b '\nrepeat = 50\ntoken_delay_ms = 10";
    let body = json!({"input": [message("user", json!(scripted("List letters.", script)))]});
    let events = bench.stream(body).await;
    let mut names = stream::names(&events);
    assert_eq!(names.last(), Some(&"completed"));
    assert_eq!(events[0]["response"]["output"], json!([]));
    let deltas = names.iter().filter(|name| **name == "output_text.delta");
    assert!(deltas.count() > 1, "it comes in pieces: {names:?}");
    names.dedup();
    names.retain(|name| !["created", "queued", "in_progress"].contains(name));
    assert_eq!(
        names,
        [
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "completed",
        ]
    );
    let response = &events.last().unwrap()["response"];
    bench.check(response);
    assert_eq!(
        *response,
        bench.client.object(response["id"].as_str().unwrap()).await
    );
    assert!(said(response)[0].starts_with("a b a b "));
}

/// What stands before the task reaches the model: the prompt grows by it.
#[tokio::test]
async fn what_stands_before_the_task_is_told_to_the_model() {
    let bench = Bench::start().await;
    let task = message("user", json!(says("And now?", "Understood.")));
    let bare = bench.ask(json!({"input": [task]})).await;
    let long = "Always think of the sea. ".repeat(100);
    let part = |kind: &str| json!([{"type": kind, "text": long}]);
    let mut phased = message("assistant", part("output_text"));
    phased["phase"] = json!("commentary");
    for before in [
        json!([message("system", json!(long))]),
        json!([message("developer", part("input_text"))]),
        json!([
            message("user", json!(long)),
            message("assistant", json!("I will."))
        ]),
        json!([
            message("user", json!("Hi.")),
            message("assistant", part("output_text"))
        ]),
        json!([message("assistant", json!("One moment.")), phased]),
    ] {
        let mut input = before.as_array().unwrap().clone();
        input.push(task.clone());
        let object = bench.both(&json!({"input": input})).await;
        assert_eq!(said(&object), ["Understood."]);
        let more = tokens(&object) - tokens(&bare);
        assert!(more as usize >= long.len() / 4, "{more}: {before}");
    }
    let object = bench
        .both(&json!({"input": [task], "instructions": long}))
        .await;
    assert_eq!(object["instructions"], long);
    assert!(tokens(&object) - tokens(&bare) >= long.len() as u64 / 4);
}

#[tokio::test]
async fn a_conversation_goes_on_from_a_response() {
    let bench = Bench::start().await;
    let first = bench
        .ask(json!({"input": says("I am Ada.", "Hello Ada.")}))
        .await;
    let body = json!({"input": says("Who am I?", "Ada."), "previous_response_id": first["id"]});
    let events = bench.stream(body).await;
    let second = &events.last().unwrap()["response"];
    bench.check(second);
    assert_eq!(second["previous_response_id"], first["id"]);
    assert_eq!(said(second), ["Ada."]);
}

#[tokio::test]
async fn an_image_is_taken() {
    let bench = Bench::start().await;
    let pixel = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let text = json!({"type": "input_text", "text": says("What is it?", "A pixel.")});
    for image in [
        json!({"type": "input_image", "image_url": pixel}),
        json!({"type": "input_image", "image_url": pixel, "detail": "low"}),
        json!({"type": "input_image", "image_url": "https://example.com/a.png", "detail": null}),
    ] {
        let input = json!([message("user", json!([text, image]))]);
        let object = bench.both(&json!({"input": input})).await;
        assert_eq!(said(&object), ["A pixel."]);
    }
}

#[tokio::test]
async fn a_function_is_called_and_its_output_taken() {
    const ASK: &str = r#"
[[turn]]
say = "I look."
[[turn.call]]
tool = "tide"
args = { harbour = "Hull" }
[[turn]]
say = "High water at {{time}}."
[[turn.capture]]
name = "time"
from = "tide"
regex = ".*"
"#;
    let bench = Bench::start().await;
    let tide = json!({
        "type": "function", "name": "tide", "description": "When the tide is in.",
        "parameters": {"type": "object", "properties": {"harbour": {"type": "string"}}, "required": ["harbour"]},
    });
    let input = json!([message("user", json!(scripted("When may I sail?", ASK)))]);
    let body = json!({"input": input, "tools": [tide], "tool_choice": "auto"});
    let asked = bench.ask(body.clone()).await;
    assert_eq!(asked["tools"][0]["name"], "tide");
    let events = bench.stream(body).await;
    let names = stream::names(&events);
    assert!(
        names.contains(&"function_call_arguments.delta"),
        "{names:?}"
    );
    assert!(names.contains(&"function_call_arguments.done"), "{names:?}");
    for first in [&asked, &events.last().unwrap()["response"]] {
        let call = &first["output"][1];
        assert_eq!(
            (&call["type"], &call["name"]),
            (&json!("function_call"), &json!("tide"))
        );
        let output =
            json!({"type": "function_call_output", "call_id": call["call_id"], "output": "06:40"});
        let next = json!({"input": [output], "previous_response_id": first["id"], "tools": [tide]});
        let events = bench.stream(next).await;
        assert_eq!(
            said(&events.last().unwrap()["response"]),
            ["High water at 06:40."]
        );
    }
}
