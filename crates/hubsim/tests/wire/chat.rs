//! Scripted models over the router's protocol.

use serde_json::{Value, json};

use crate::bench::Bench;

const MODEL: &str = "moonshotai/Kimi-K2.6:novita";

fn task(script: &str) -> Value {
    json!([{"role": "user", "content": format!("do it\n```scenario\n{script}\n```")}])
}

fn body(messages: Value, stream: bool) -> Value {
    json!({"model": MODEL, "messages": messages, "stream": stream, "stream_options": {"include_usage": true}})
}

/// The `data:` payloads of a stream that ended well.
async fn stream(bench: &Bench, messages: Value) -> Vec<Value> {
    let answer = bench
        .post("/v1/chat/completions", "hf_alice", body(messages, true))
        .await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let text = answer.text().await.unwrap();
    let mut payloads: Vec<&str> = text
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "))
        .collect();
    assert_eq!(payloads.pop(), Some("[DONE]"));
    payloads
        .iter()
        .map(|payload| serde_json::from_str(payload).unwrap())
        .collect()
}

#[tokio::test]
async fn a_script_plays_turn_by_turn() {
    let bench = Bench::new().await;
    let script = "[[turn]]\nthink = 'hm'\nsay = 'on it, {{whoami}}'\n[[turn.call]]\ntool = 'bash'\nid = 'c1'\n\
        args = { command = 'ls' }\n[[turn]]\nsay = 'found {{file}}'\nusage = { prompt = 7, completion = 3 }\n\
        [[turn.capture]]\nname = 'file'\nfrom = 'bash'\nregex = '(\\w+)\\.txt'";
    let mut messages = task(script);
    let first = stream(&bench, messages.clone()).await;
    let call = &first
        .iter()
        .find_map(|c| c["choices"][0]["delta"].get("tool_calls"))
        .unwrap()[0];
    assert_eq!(call["function"]["name"], "bash");
    let list = messages.as_array_mut().unwrap();
    let function = json!({"name": "bash", "arguments": "{}"});
    list.push(json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": function}]}));
    list.push(json!({"role": "tool", "tool_call_id": "c1", "content": "a notes.txt b"}));
    let second = bench.post("/v1/chat/completions", "hf_alice", body(messages, false));
    let second: Value = second.await.json().await.unwrap();
    assert_eq!(second["choices"][0]["message"]["content"], "found notes");
    assert_eq!(second["usage"]["total_tokens"], 10);
}

#[tokio::test]
async fn a_folder_of_scenarios_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let file = "name='x'\n[match]\ncontains_any=['bake']\n[[turn]]\nsay='baking'\ntoken_delay_ms=0";
    std::fs::write(folder.path().join("x.toml"), file).unwrap();
    let bench = Bench::with(Some(folder.path().to_owned()), None).await;
    let said = async |text: &str| {
        let messages = json!([{"role": "user", "content": text}]);
        let answer = bench.post("/v1/chat/completions", "hf_alice", body(messages, false));
        let answer: Value = answer.await.json().await.unwrap();
        answer["choices"][0]["message"]["content"].to_string()
    };
    assert_eq!(said("Bake a cake").await, "\"baking\"");
    assert!(said("sing").await.contains("sing"));
}

#[tokio::test]
async fn tokens_decide_who_may_ask() {
    let bench = Bench::new().await;
    let messages = json!([{"role": "user", "content": "hi"}]);
    for (token, status) in [
        ("hf_read_a", 200),
        ("hf_fine_a", 200),
        ("hf_broke_a", 402),
        ("hf_noinf_a", 403),
        ("hf_invalid", 401),
        ("", 401),
    ] {
        let answer = bench.post("/v1/chat/completions", token, body(messages.clone(), false));
        assert_eq!(answer.await.status(), status, "{token}");
    }
}

#[tokio::test]
async fn bad_requests_are_refused() {
    let bench = Bench::new().await;
    let unknown = json!({"model": "no/body", "messages": [{"role": "user", "content": "hi"}]});
    let answer = bench.post("/v1/chat/completions", "hf_a", unknown).await;
    assert_eq!(answer.status(), 400);
    let error: Value = answer.json().await.unwrap();
    assert_eq!(error["error"]["code"], "model_not_supported");
    let long = json!([{"role": "user", "content": "x".repeat(1_100_000)}]);
    let answer = bench.post("/v1/chat/completions", "hf_a", body(long, true));
    let text = answer.await.text().await.unwrap();
    assert!(text.contains("The prompt is too long"), "{text}");
}

#[tokio::test]
async fn a_status_fault_strikes_as_often_as_told() {
    let bench = Bench::new().await;
    let script =
        "[[turn]]\nsay='ok'\n[turn.fault]\nkind='status'\nstatus=429\nretry_after=7\ntimes=2";
    let ask = || bench.post("/v1/chat/completions", "hf_a", body(task(script), true));
    for _ in 0..2 {
        let answer = ask().await;
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()["retry-after"], "7");
    }
    assert_eq!(ask().await.status(), 200);
}

#[tokio::test]
async fn broken_streams_are_broken_in_their_way() {
    let bench = Bench::new().await;
    let ask = async |kind: &str| {
        let script =
            format!("[[turn]]\nsay='a b c d e f'\ntoken_delay_ms=0\n[turn.fault]\nkind='{kind}'");
        let mut answer = bench
            .post("/v1/chat/completions", "hf_a", body(task(&script), true))
            .await;
        let mut text = String::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) => text.push_str(&String::from_utf8_lossy(&chunk)),
                Ok(None) => return (text, true),
                Err(_) => return (text, false),
            }
        }
    };
    let (text, whole) = ask("cut").await;
    assert!(
        !whole && text.contains("\"b \"") && !text.contains("[DONE]"),
        "{text}"
    );
    let (text, whole) = ask("garbage").await;
    assert!(whole && text.contains("<html>"), "{text}");
    let (text, whole) = ask("error_event").await;
    assert!(whole && text.contains("data: {\"error\""), "{text}");
    let (text, whole) = ask("empty").await;
    assert!(
        whole && text.contains("[DONE]") && !text.contains("\"a \""),
        "{text}"
    );
}

#[tokio::test]
async fn the_catalogue_has_prices() {
    let bench = Bench::new().await;
    let list = bench.get_json("/v1/models", "").await;
    let models = list["data"].as_array().unwrap();
    assert_eq!(models.len(), 6);
    let opus = models
        .iter()
        .find(|model| model["id"] == "anthropic/claude-opus-4.8");
    let offer = &opus.unwrap()["providers"][0];
    assert_eq!(offer["provider"], "fal-ai");
    assert_eq!(offer["pricing"]["output"], 25.0);
}
