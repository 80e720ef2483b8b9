//! Deleting: an id that was is as unknown as one that never was, and the session keeps its money.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use journal::{Entry, Journal, Lease, NewResponse};
use protocol::{Budget, CreateRequest, Event, MicroUsd, Response, ResponseId, SessionId, Status};
use serde_json::{Value, json};
use support::{Client, ServeOptions, Server, Sim, bench, eventually, micro, scripted};

async fn delete(client: &Client, id: &str) -> (u16, Value) {
    let request = client.request(reqwest::Method::DELETE, &format!("/v1/responses/{id}"));
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or(Value::Null))
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_default()
}

async fn completed(client: &Client, body: Value) -> String {
    let id = client.submit_with(body).await;
    client.wait_for(&id, "completed").await;
    id
}

#[tokio::test]
async fn a_deleted_response_never_was() {
    let (_sim, server, client) = bench().await;
    let secret = "unmistakable words";
    let body = json!({"input": secret, "metadata": {"run": "a"}});
    let id = completed(&client, body).await;
    let bob = Client {
        token: "hf_bob".into(),
        ..client.clone()
    };
    assert_eq!(delete(&bob, &id).await.0, 404);
    let (status, answer) = delete(&client, &id).await;
    assert_eq!(status, 200);
    assert_eq!(
        answer,
        json!({"id": id, "object": "response", "deleted": true})
    );
    let never = ResponseId::fresh();
    for (method, rest) in [
        ("GET", ""),
        ("GET", "?stream=true"),
        ("GET", "/events"),
        ("GET", "/input_items"),
        ("POST", "/cancel"),
        ("POST", "/approvals"),
        ("DELETE", ""),
    ] {
        let ask = async |id: &str| {
            let path = format!("/v1/responses/{id}{rest}");
            let request = client.request(method.parse().unwrap(), &path);
            let response = request
                .json(&json!({"approve": true}))
                .send()
                .await
                .unwrap();
            (response.status(), response.text().await.unwrap())
        };
        let gone = ask(&id).await;
        assert_eq!(gone.0, 404, "{method} {rest}");
        assert_eq!(gone, ask(never.as_str()).await, "{method} {rest}");
    }
    let next = json!({"input": "And?", "previous_response_id": id});
    let (status, refusal) = client.post("/v1/responses", &next).await;
    assert_eq!(
        (status, code(&refusal)),
        (404, "previous_response_not_found")
    );
    for query in ["", "?metadata[run]=a"] {
        let (_, page) = client.get(&format!("/v1/responses{query}")).await;
        assert_eq!(page["data"], json!([]));
    }
    for file in std::fs::read_dir(server.folder()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = String::from_utf8_lossy(&bytes).contains(secret);
            assert!(!found, "{}", path.display());
        }
    }
}

#[tokio::test]
async fn only_what_has_ended_is_deleted() {
    let (_sim, _server, client) = bench().await;
    let slow = scripted("Slow.", "[[turn]]\nsay = \"late\"\ndelay_ms = 20000");
    let running = client.submit(&slow).await;
    let paused = client
        .submit_with(json!({"input": "Hello.", "max_cost_usd": 0.000_001}))
        .await;
    client.wait_for(&paused, "incomplete").await;
    for id in [&running, &paused] {
        let (status, refusal) = delete(&client, id).await;
        assert_eq!((status, code(&refusal)), (409, "response_active"));
        client
            .post(&format!("/v1/responses/{id}/cancel"), &Value::Null)
            .await;
        client.wait_for(id, "cancelled").await;
        assert_eq!(delete(&client, id).await.0, 200);
    }
}

/// Says these words for a known price; the tokens of the prompt are as many as the prompt is long.
fn costly(words: &str) -> String {
    scripted(words, "[[turn]]\nsay = \"Noted.\"")
}

fn spent(object: &Value) -> i64 {
    micro(&object["budget"]["spent_usd"])
}

fn prompt(object: &Value) -> u64 {
    object["usage"]["input_tokens"].as_u64().unwrap()
}

#[tokio::test]
async fn the_session_goes_on_with_its_money_and_without_the_words() {
    let (_sim, mut server, client) = bench().await;
    let next = async |client: &Client, previous: &str, words: &str| {
        let body = json!({"input": costly(words), "previous_response_id": previous});
        let id = completed(client, body).await;
        client.object(&id).await
    };
    let long = "word ".repeat(16_000);
    let a = completed(&client, json!({"input": costly(&long), "max_cost_usd": 3})).await;
    let b = next(&client, &a, "Second.").await;
    let c = next(&client, b["id"].as_str().unwrap(), "Third.").await;
    // The session is warm: what it has in memory forgets, too.
    assert_eq!(delete(&client, &a).await.0, 200);
    let d = next(&client, b["id"].as_str().unwrap(), "Fourth.").await;
    assert!(
        prompt(&d) + 15_000 < prompt(&c),
        "{} {}",
        prompt(&d),
        prompt(&c)
    );
    assert!(spent(&c) > 0 && spent(&d) > spent(&c));
    assert_eq!(a_session(&d), a_session(&c));
    assert_eq!(
        (&d["model"], &d["max_cost_usd"]),
        (&c["model"], &json!(3.0))
    );
    // The newest goes; the session is cold.
    server.kill();
    server.restart();
    let client = client.at(&server.url);
    assert_eq!(delete(&client, d["id"].as_str().unwrap()).await.0, 200);
    let e = next(&client, b["id"].as_str().unwrap(), "Fifth.").await;
    assert!(spent(&e) > spent(&d));
    assert_eq!(e["session_id"], c["session_id"]);
    let listed = format!("/v1/responses?session_id={}", a_session(&c));
    let (_, page) = client.get(&listed).await;
    assert_eq!(page["data"].as_array().unwrap().len(), 3);
}

fn a_session(object: &Value) -> &str {
    object["session_id"].as_str().unwrap()
}

/// A turn that runs while something before it is deleted goes on; what comes after it does not see the words.
#[tokio::test]
async fn a_running_turn_is_not_disturbed_by_a_deletion_before_it() {
    let (_sim, _server, client) = bench().await;
    let long = "word ".repeat(16_000);
    let a = completed(&client, json!({"input": costly(&long)})).await;
    let slow = scripted("Slow.", "[[turn]]\nsay = \"late\"\ndelay_ms = 1500");
    let b = client
        .submit_with(json!({"input": slow, "previous_response_id": a}))
        .await;
    assert_eq!(delete(&client, &a).await.0, 200);
    let b = client.wait_for(&b, "completed").await;
    let after = json!({"input": costly("After."), "previous_response_id": b["id"]});
    let c = completed(&client, after).await;
    let c = client.object(&c).await;
    assert!(
        prompt(&c) + 15_000 < prompt(&b),
        "{} {}",
        prompt(&c),
        prompt(&b)
    );
    assert!(spent(&c) > spent(&b));
}

/// The cap is a guarantee: what a deleted turn has started outside still counts, and is still known.
#[tokio::test]
async fn what_runs_outside_outlives_the_turn_that_started_it() {
    let (_sim, mut server, client) = bench().await;
    let first = completed(&client, json!({"input": "Hello.", "max_cost_usd": 2})).await;
    let job = "[[turn]]\n[[turn.call]]\ntool = \"hf_jobs\"\n\
               args = { operation = \"run\", command = [\"sleep\", \"120\"], timeout = \"30m\" }";
    let body = json!({"input": scripted("Train.", job), "previous_response_id": first});
    let training = client.submit_with(body).await;
    let mut events = client.events(&training, None).await;
    let made = events.read_until(|event| event.name == "response.artifact.created");
    let artifact = made.await.unwrap().data["artifact"].clone();
    client
        .post(&format!("/v1/responses/{training}/cancel"), &Value::Null)
        .await;
    let cancelled = client.wait_for(&training, "cancelled").await;
    let reserved = |object: &Value| micro(&object["budget"]["reserved_usd"]);
    assert!(reserved(&cancelled) > 0);
    let session = format!("/v1/sessions/{}", a_session(&cancelled));
    assert_eq!(delete(&client, &training).await.0, 200);
    for is_cold in [false, true] {
        if is_cold {
            server.kill();
            server.restart();
        }
        let client = client.at(&server.url);
        let (status, object) = client.get(&session).await;
        assert_eq!(status, 200, "{object}");
        assert_eq!(reserved(&object), reserved(&cancelled), "{object:#}");
        assert_eq!(object["resources"][0]["id"], artifact["id"], "{object:#}");
    }
    let client = client.at(&server.url);
    let next = json!({"input": "And?", "previous_response_id": first, "background": true});
    let (status, queued) = client.post("/v1/responses", &next).await;
    assert_eq!(status, 200);
    assert_eq!(reserved(&queued), reserved(&cancelled));
}

/// What a restart has paused does not come back to life because what came after it is gone.
#[tokio::test]
async fn what_was_passed_over_stays_so_and_a_fork_has_what_was_spent() {
    let (_sim, mut server, client) = bench().await;
    let slow = scripted("Slow.", "[[turn]]\nsay = \"late\"\ndelay_ms = 60000");
    let paused = client.submit(&slow).await;
    let mut events = client.events(&paused, None).await;
    events
        .read_until(|event| event.name == "response.in_progress")
        .await
        .unwrap();
    server.kill();
    server.restart();
    let client = client.at(&server.url);
    client.wait_for(&paused, "incomplete").await;
    let body = |words: &str, previous: &str| json!({"input": costly(words), "previous_response_id": previous});
    let second = completed(&client, body("Second.", &paused)).await;
    let second = client.object(&second).await;
    let third = completed(&client, body("Third.", second["id"].as_str().unwrap())).await;
    assert_eq!(delete(&client, second["id"].as_str().unwrap()).await.0, 200);
    let third = client.object(&third).await;
    let mut fork = body("Fork.", third["id"].as_str().unwrap());
    fork["fork"] = json!(true);
    let fork = completed(&client, fork).await;
    assert!(spent(&client.object(&fork).await) > spent(&third));
    assert_eq!(delete(&client, third["id"].as_str().unwrap()).await.0, 200);
    let resume = format!("/v1/responses/{paused}/resume");
    let (status, refusal) = client.post(&resume, &Value::Null).await;
    assert_eq!((status, code(&refusal)), (409, "not_awaiting_resume"));
    let next = completed(&client, body("Fourth.", &paused)).await;
    assert!(spent(&client.object(&next).await) > spent(&third));
}

/// Writes a response as it was on another day.
async fn write(journal: &Journal, created_at: u64, status: Status) -> String {
    let (id, session) = (ResponseId::fresh(), SessionId::fresh());
    let request = CreateRequest::parse(&json!({"input": "x"})).unwrap();
    let budget = Budget::new(MicroUsd(1), MicroUsd(0), MicroUsd(0));
    let response = Response::submitted(
        id.clone(),
        session.clone(),
        &request,
        "m".into(),
        budget,
        created_at,
    );
    let ended = response.snapshot(1, |response| response.status = status);
    let last = match status {
        Status::Completed => Event::Completed { response: ended },
        _ => Event::Incomplete { response: ended },
    };
    let created = Event::Created {
        response: Box::new(response),
    };
    let new = NewResponse {
        owner: "alice".into(),
        created_at,
        opens_session: true,
        ..NewResponse::default()
    };
    let entries = [Entry::new(0, created), Entry::new(1, last)];
    let lease = Lease::first(session);
    journal.create(&lease, &id, new, &entries).await.unwrap();
    id.as_str().to_owned()
}

#[tokio::test]
async fn what_is_older_than_the_retention_goes() {
    let sim = Sim::start();
    let options = ServeOptions {
        env: vec![("ML_INTERN_RETENTION_DAYS".into(), "2".into())],
        ..ServeOptions::default()
    };
    let mut server = Server::start(&sim, options);
    server.terminate();
    let url = format!("sqlite:{}", server.folder().join("journal.db").display());
    let journal = Journal::open(&url).await.unwrap();
    let now = jiff::Timestamp::now().as_second() as u64;
    let (day, mut old) = (24 * 3600, Vec::new());
    for age in [3, 30] {
        old.push(write(&journal, now - age * day, Status::Completed).await);
    }
    let paused = write(&journal, now - 3 * day, Status::Incomplete).await;
    let young = write(&journal, now - day, Status::Completed).await;
    server.restart();
    let client = Client::new(&server.url, "hf_alice");
    for id in old {
        eventually("an old response to go", || async {
            let (status, _) = client.get(&format!("/v1/responses/{id}")).await;
            (status == 404).then_some(())
        })
        .await;
        let row = journal.response(&ResponseId::parse(&id).unwrap()).await;
        assert_eq!(row.unwrap(), None);
    }
    for id in [paused, young] {
        client.object(&id).await;
    }
}
