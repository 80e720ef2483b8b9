//! Metrics, the list of models, and readiness.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{Answer, Client, ServeOptions, Server, Sim, bench, eventually, scripted};

async fn metrics(client: &Client) -> String {
    let url = format!("{}/metrics", client.base);
    let answer = Answer::to(client.http.get(url)).await;
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type").unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    String::from_utf8(answer.bytes).unwrap()
}

/// The value of one sample.
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find(|line| {
        line.strip_prefix(sample)
            .is_some_and(|rest| rest.starts_with(' '))
    });
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("no {sample} in\n{text}"))
}

const WORK: &str = r#"
[[turn]]
say = "I begin."
usage = { prompt = 1000, completion = 50, cached = 10 }
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["echo", "job"], timeout = "10m" }
[[turn.call]]
tool = "read"
args = { path = "missing" }
[[turn.call]]
tool = "made_up_by_the_model"
args = { }
[[turn]]
say = "Done."
usage = { prompt = 2000, completion = 5, cached = 0 }
"#;

#[tokio::test]
async fn metrics_follow_the_work_and_name_nobody() {
    let (_sim, _server, alice) = bench().await;
    let id = alice.submit(&scripted("Work.", WORK)).await;
    let done = alice.wait_for(&id, "completed").await;
    let paused = json!({"input": "Hello.", "max_cost_usd": 0.000_001});
    let paused = alice.submit_with(paused).await;
    alice.wait_for(&paused, "incomplete").await;
    let busy = alice
        .submit(&scripted("Wait.", "[[turn]]\nsay='x'\ndelay_ms=60000"))
        .await;
    let stream = alice.events(&busy, None).await;
    alice.wait_for(&busy, "in_progress").await;
    alice.get("/no/such/route").await;
    let text = metrics(&alice).await;
    let model = done["model"].as_str().unwrap();
    let is =
        |sample: &str, wanted: f64| assert_eq!(value(&text, sample), wanted, "{sample}\n{text}");
    is("ml_intern_sessions_live", 3.0);
    is("ml_intern_turns_running", 1.0);
    is("ml_intern_streams_open", 1.0);
    is("ml_intern_turns_ended_total{status=\"completed\"}", 1.0);
    is("ml_intern_pauses_total{reason=\"approval_required\"}", 1.0);
    is("ml_intern_resources_started_total{kind=\"job\"}", 1.0);
    is(
        "ml_intern_tool_calls_total{tool=\"hf_jobs\",outcome=\"completed\"}",
        1.0,
    );
    is(
        "ml_intern_tool_calls_total{tool=\"read\",outcome=\"failed\"}",
        1.0,
    );
    is(
        "ml_intern_tool_calls_total{tool=\"unknown\",outcome=\"failed\"}",
        1.0,
    );
    is(
        &format!("ml_intern_model_calls_total{{model=\"{model}\"}}"),
        2.0,
    );
    is(
        &format!("ml_intern_model_tokens_total{{model=\"{model}\",kind=\"input\"}}"),
        3000.0,
    );
    let inference = done["usage"]["cost_by_kind"]["inference"].as_f64().unwrap();
    let cost = value(
        &text,
        &format!("ml_intern_model_cost_usd_total{{model=\"{model}\"}}"),
    );
    assert!((cost - inference).abs() < 1e-9, "{cost} {inference}");
    is(
        "ml_intern_http_requests_total{route=\"/v1/responses\",method=\"POST\",status=\"200\"}",
        3.0,
    );
    is(
        "ml_intern_http_requests_total{route=\"other\",method=\"GET\",status=\"404\"}",
        1.0,
    );
    assert!(value(&text, "ml_intern_events_appended_total") > 20.0);
    assert!(value(&text, "process_start_time_seconds") > 1.7e9);
    assert!(text.contains("ml_intern_build_info{version="));
    assert!(text.ends_with("# EOF\n"));
    for secret in [
        "alice",
        "hf_alice",
        id.as_str(),
        "sess_",
        "made_up_by_the_model",
    ] {
        assert!(!text.contains(secret), "{secret} in\n{text}");
    }
    drop(stream);
    alice
        .post(&format!("/v1/responses/{busy}/cancel"), &Value::Null)
        .await;
    eventually("stream and turn to be gone", || async {
        let text = metrics(&alice).await;
        let gone = value(&text, "ml_intern_turns_running") == 0.0
            && value(&text, "ml_intern_streams_open") == 0.0;
        gone.then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_models_are_listed_twice_and_the_default_follows_the_caller() {
    let (_sim, server, alice) = bench().await;
    let anonymous = Client::new(&server.url, "");
    let read = async |path: &str| -> Value {
        let answer = Answer::to(anonymous.http.get(format!("{}{path}", anonymous.base))).await;
        assert_eq!(answer.status, 200);
        serde_json::from_slice(&answer.bytes).unwrap()
    };
    let config = read("/api/config/model").await;
    let openai = read("/v1/models").await;
    assert_eq!(openai["object"], "list");
    let (available, data) = (
        config["available"].as_array().unwrap(),
        openai["data"].as_array().unwrap(),
    );
    assert_eq!(available.len(), data.len());
    for (ours, theirs) in available.iter().zip(data) {
        assert_eq!(ours["id"], theirs["id"]);
        assert_eq!(theirs["object"], "model");
        assert!(theirs["created"].is_u64() && theirs["owned_by"].is_string());
        assert!(ours["label"].is_string() && ours["provider"].is_string());
        assert!(ours["recommended"].is_boolean());
    }
    let default_for = |plan: &str| {
        let of = |model: &&Value| model["default_for"] == plan;
        available.iter().find(of).unwrap().clone()
    };
    let free = default_for("free");
    assert!(free["context_length"].as_u64() > Some(1000));
    assert!(free["pricing"]["input_usd_per_million_tokens"].as_f64() > Some(0.0));
    assert_eq!(config["current"], free["id"]);
    let (_, as_free) = alice.get("/api/config/model").await;
    assert_eq!(as_free["current"], free["id"]);
    let pro = Client::new(&server.url, "hf_pro_paula");
    let (_, as_pro) = pro.get("/api/config/model").await;
    assert_eq!(as_pro["current"], default_for("pro")["id"]);
    let (_, as_nobody) = Client::new(&server.url, "hf_invalid")
        .get("/api/config/model")
        .await;
    assert_eq!(as_nobody["current"], free["id"]);
}

/// A router and a Hub that hang do not make the list hang.
#[tokio::test]
async fn the_list_of_models_waits_for_nobody() {
    let sim = Sim::start();
    for prefix in ["/v1/models", "/api/whoami-v2"] {
        sim.fault(&json!({"prefix": prefix, "delay_ms": 30_000, "count": 100}))
            .await;
    }
    let server = Server::start(&sim, ServeOptions::default());
    let alice = Client::new(&server.url, "hf_pro_alice");
    for _ in 0..2 {
        let asked = Instant::now();
        let (status, config) = alice.get("/api/config/model").await;
        assert!(
            asked.elapsed() < Duration::from_secs(3),
            "{:?}",
            asked.elapsed()
        );
        assert_eq!(status, 200);
        assert!(config["available"][0]["pricing"].is_object(), "{config}");
    }
}
