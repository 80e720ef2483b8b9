//! Objects that are not (yet) completed, and refusals.

use super::*;

#[tokio::test]
async fn an_object_fits_at_every_moment() {
    const SLOW: &str = "[[turn]]\nsay = 'slowly'\nrepeat = 2000\ntoken_delay_ms = 20";
    let bench = Bench::start().await;
    let task = json!({"input": scripted("Talk.", SLOW), "background": true});
    let (_, queued) = bench.client.post("/v1/responses", &task).await;
    assert_eq!(queued["status"], "queued");
    bench.check(&queued);
    let id = queued["id"].as_str().unwrap();
    let talking = eventually("a message", || async {
        let object = bench.client.object(id).await;
        (object["output"][0]["status"] == "in_progress").then_some(object)
    })
    .await;
    assert_eq!(talking["status"], "in_progress");
    bench.check(&talking);
    let cancel = format!("/v1/responses/{id}/cancel");
    let (_, cancelling) = bench.client.post(&cancel, &json!({})).await;
    bench.check(&cancelling);
    let cancelled = bench.client.wait_for(id, "cancelled").await;
    assert_eq!(cancelled["output"][0]["status"], "incomplete");
    bench.check(&cancelled);
}

#[tokio::test]
async fn a_failure_is_an_object_too() {
    const BROKEN: &str = "[[turn]]\nsay = 'x'\nfault = { kind = 'status', status = 400, body = '{\"error\": {\"message\": \"no\"}}' }";
    let bench = Bench::start().await;
    let task = json!({"input": scripted("Fail.", BROKEN)});
    let object = bench.ask(task.clone()).await;
    assert_eq!(object["status"], "failed");
    assert!(object["error"].is_object());
    let events = bench.stream(task).await;
    assert_eq!(stream::names(&events).last(), Some(&"failed"));
}

/// A turn that the budget stops before its first model call has nothing in it that the specification does not know.
#[tokio::test]
async fn a_pause_is_an_object_too() {
    let bench = Bench::start().await;
    let object = bench
        .ask(json!({"input": "Hello.", "max_cost_usd": 0.000_001}))
        .await;
    assert_eq!(object["status"], "incomplete");
    assert_eq!(
        object["incomplete_details"],
        json!({"reason": "approval_required"})
    );
    let path = format!(
        "/v1/responses/{}?stream=true&view=openai",
        object["id"].as_str().unwrap()
    );
    let request = bench.client.request(reqwest::Method::GET, &path);
    let events = stream::read(request.send().await.unwrap(), &bench.schemas).await;
    assert_eq!(stream::names(&events).last(), Some(&"incomplete"));
}

/// Tools that the server runs are `mcp_call` items, which OpenAI's clients take for done and the specification does not
/// know: the one place where an object is not of it.
#[tokio::test]
async fn all_but_the_servers_own_calls_is_of_the_specification() {
    const RUN: &str = "[[turn]]\nsay = 'I look.'\n[[turn.call]]\ntool = 'bash'\nargs = { command = 'echo a' }\n[[turn]]\nsay = 'Done.'";
    let bench = Bench::start().await;
    let id = bench.client.submit(&scripted("Look.", RUN)).await;
    let mut object = bench.client.wait_for(&id, "completed").await;
    let faults = bench.schemas.object(&object);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(faults[0].starts_with("/output/1:"), "{faults:#?}");
    let call = object["output"].as_array_mut().unwrap().remove(1);
    assert_eq!(call["type"], "mcp_call");
    bench.check(&object);
}

#[tokio::test]
async fn a_refusal_is_an_error_object() {
    let bench = Bench::start().await;
    let post_as = |media: &str, body: &'static str| {
        let request = bench.client.request(reqwest::Method::POST, "/v1/responses");
        request.header("content-type", media).body(body)
    };
    let post = |body| post_as("application/json", body);
    let get = |path: &str| bench.client.request(reqwest::Method::GET, path);
    let url = format!("{}/v1/responses", bench.client.base);
    let unknown = format!("/v1/responses/{}", support::UNKNOWN);
    for (status, request) in [
        (400, post("{")),
        (400, post(r#"{"input": []}"#)),
        (400, post(r#"{"input": "x", "model": "nobody/nothing"}"#)),
        (400, post(r#"{"input": "x", "stream": "yes"}"#)),
        (
            400,
            post(r#"{"input": [{"type": "item_reference", "id": "msg_1"}]}"#),
        ),
        (
            404,
            post(r#"{"input": "x", "previous_response_id": "resp_0"}"#),
        ),
        (415, post_as("text/plain", "x")),
        (404, get(&unknown)),
        (404, get("/v1/nothing")),
        (
            405,
            bench.client.request(reqwest::Method::PUT, "/v1/responses"),
        ),
        (
            401,
            bench.client.http.post(url).json(&json!({"input": "x"})),
        ),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["content-type"], "application/json");
        let body: Value = answer.json().await.unwrap();
        let faults = bench.schemas.problem(&body);
        assert!(faults.is_empty(), "{faults:#?}\n{body:#}");
    }
}
