//! Lists: an account's responses by any filter, and a response's input.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use journal::{Entry, Journal, Lease, NewResponse};
use protocol::{Budget, CreateRequest, Event, MicroUsd, Response, ResponseId, SessionId, Status};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{Client, ServeOptions, Server, Sim, bench, scripted};

fn ids(page: &Value) -> Vec<&str> {
    let data = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
    data.iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect()
}

async fn page(client: &Client, query: &str) -> Value {
    let (status, page) = client.get(&format!("/v1/responses?{query}")).await;
    assert_eq!(status, 200, "{page}");
    page
}

#[tokio::test]
async fn responses_are_found_by_every_filter() {
    let (_sim, _server, client) = bench().await;
    let make = async |metadata: Value, more: Value| {
        let mut body = json!({"input": "Hello.", "metadata": metadata});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        let id = client.submit_with(body).await;
        client.wait_at_rest(&id).await;
        id
    };
    let a = make(json!({"run": "one two", "x": "1"}), json!({})).await;
    let b = make(
        json!({"run": "one two", "x": "2"}),
        json!({"previous_response_id": a}),
    )
    .await;
    let c = make(
        json!({"run": "é&=", "x": "1"}),
        json!({"max_cost_usd": 0.000_001}),
    )
    .await;
    let session = client.object(&a).await["session_id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (query, found) in [
        ("", vec![&c, &b, &a]),
        ("order=asc", vec![&a, &b, &c]),
        ("metadata[run]=one+two", vec![&b, &a]),
        ("metadata%5Brun%5D=one%20two&metadata[x]=1", vec![&a]),
        ("metadata[run]=%C3%A9%26%3D", vec![&c]),
        ("metadata[run]=two", vec![]),
        ("metadata[nothing]=", vec![]),
        ("status=completed", vec![&b, &a]),
        ("status=incomplete", vec![&c]),
        ("status=failed", vec![]),
        (&format!("session_id={session}"), vec![&b, &a]),
        (
            &format!("session_id={session}&status=completed&metadata[x]=2"),
            vec![&b],
        ),
        (&format!("after={c}&limit=1"), vec![&b]),
        (&format!("after={a}&order=asc"), vec![&b, &c]),
        (&format!("session_id={}", SessionId::fresh()), vec![]),
    ] {
        let page = page(&client, query).await;
        assert_eq!(ids(&page), found, "{query}");
        assert_eq!(
            page["first_id"].as_str(),
            found.first().map(|id| id.as_str())
        );
        assert_eq!(page["last_id"].as_str(), found.last().map(|id| id.as_str()));
    }
    let first = page(&client, "limit=2").await;
    assert_eq!(
        (&first["object"], &first["has_more"]),
        (&json!("list"), &json!(true))
    );
    assert_eq!(first["data"][0], client.object(&c).await);
    assert_eq!(page(&client, "limit=3").await["has_more"], false);
    let bob = Client {
        token: "hf_bob".into(),
        ..client.clone()
    };
    assert!(ids(&page(&bob, "metadata[run]=one+two").await).is_empty());
    for (query, param) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("order=up", "order"),
        ("status=done", "status"),
        ("status=completed&status=failed", "status"),
        ("session_id=mine", "session_id"),
        ("metadata=a", "metadata"),
        ("metadata[a]=1&metadata[a]=2", "metadata[a]"),
    ] {
        let (status, refusal) = client.get(&format!("/v1/responses?{query}")).await;
        assert_eq!(status, 400, "{query}: {refusal}");
        assert_eq!(refusal["error"]["code"], "invalid_value", "{query}");
        assert_eq!(refusal["error"]["param"], param, "{query}");
    }
    let (status, refusal) = client.get("/v1/responses?after=x").await;
    assert_eq!(
        (status, &refusal["error"]["code"]),
        (400, &json!("invalid_cursor"))
    );
}

#[tokio::test]
async fn input_items_are_what_was_submitted() {
    let (_sim, _server, client) = bench().await;
    let task = scripted("Now.", "[[turn]]\nsay = \"Yes.\"");
    let id = client
        .submit_with(json!({"input": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "input_text", "text": "Hello."}, {"type": "input_image", "image_url": "data:image/png;base64,AA"}]},
            {"role": "assistant", "content": "Hi."},
            {"role": "user", "content": task},
        ]}))
        .await;
    let path = format!("/v1/responses/{id}/input_items");
    let (status, all) = client.get(&format!("{path}?order=asc")).await;
    assert_eq!(status, 200);
    assert_eq!(
        (&all["object"], &all["has_more"]),
        (&json!("list"), &json!(false))
    );
    let data = all["data"].as_array().unwrap();
    let roles: Vec<&str> = data
        .iter()
        .map(|item| item["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["developer", "user", "assistant", "user"]);
    assert!(
        ids(&all)
            .iter()
            .all(|id| id.starts_with("msg_") && id.len() == 36)
    );
    assert_eq!(data[0]["type"], "message");
    assert_eq!(
        data[0]["content"],
        json!([{"type": "input_text", "text": "Be brief."}])
    );
    assert_eq!(
        data[1]["content"][1]["image_url"],
        "data:image/png;base64,AA"
    );
    assert_eq!(data[2]["content"][0]["type"], "output_text");
    assert_eq!(data[3]["content"][0]["text"], task);
    // Newest first, in pages that meet, with the same ids each time.
    let mut paged = Vec::new();
    let mut after = String::new();
    loop {
        let (_, page) = client.get(&format!("{path}?limit=3{after}")).await;
        paged.extend(ids(&page).into_iter().map(str::to_owned));
        after = format!("&after={}", page["last_id"].as_str().unwrap());
        if page["has_more"] == false {
            break;
        }
    }
    paged.reverse();
    assert_eq!(paged, ids(&all));
    let (status, refusal) = client.get(&format!("{path}?after=msg_1")).await;
    assert_eq!(
        (status, &refusal["error"]["code"]),
        (400, &json!("invalid_cursor"))
    );
    let bob = Client {
        token: "hf_bob".into(),
        ..client.clone()
    };
    let (status, refusal) = bob.get(&path).await;
    assert_eq!(
        (status, &refusal["error"]["code"]),
        (404, &json!("response_not_found"))
    );
}

/// One finished response.
async fn write(journal: &Journal, index: usize) {
    let (id, session) = (ResponseId::fresh(), SessionId::fresh());
    let (half, number) = ((index % 2).to_string(), index.to_string());
    let metadata = json!({"half": half, "number": number});
    let request = CreateRequest::parse(&json!({"input": "x", "metadata": metadata})).unwrap();
    let budget = Budget::new(MicroUsd(1), MicroUsd(0), MicroUsd(0));
    let response =
        Response::submitted(id.clone(), session.clone(), &request, "m".into(), budget, 1);
    let ended = response.snapshot(1, |response| response.status = Status::Completed);
    let entries = [
        Entry::new(
            0,
            Event::Created {
                response: Box::new(response),
            },
        ),
        Entry::new(1, Event::Completed { response: ended }),
    ];
    let new = NewResponse {
        owner: "alice".into(),
        created_at: 1,
        opens_session: true,
        metadata: vec![("half".into(), half), ("number".into(), number)],
        ..NewResponse::default()
    };
    journal
        .create(&Lease::first(session), &id, new, &entries)
        .await
        .unwrap();
}

#[tokio::test]
async fn ten_thousand_responses_are_listed_as_fast_as_ten() {
    let sim = Sim::start();
    let mut server = Server::start(&sim, ServeOptions::default());
    server.terminate();
    let url = format!("sqlite:{}", server.folder().join("journal.db").display());
    let journal = Journal::open(&url).await.unwrap();
    let writers = (0..250).map(|writer| {
        let journal = journal.clone();
        async move {
            for index in 0..40 {
                write(&journal, writer * 40 + index).await;
            }
        }
    });
    futures_util::future::join_all(writers).await;
    drop(journal);
    let begun = Instant::now();
    server.restart();
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    let client = Client::new(&server.url, "hf_alice");
    page(&client, "limit=1").await;
    for query in [
        "limit=20",
        "limit=20&order=asc",
        "limit=20&status=failed",
        "limit=20&metadata[half]=1",
        "limit=20&metadata[half]=1&metadata[number]=77",
        "limit=20&metadata[number]=78&metadata[half]=1",
    ] {
        // The machine is shared: the best of three.
        let mut fastest = Duration::MAX;
        for _ in 0..3 {
            let begun = Instant::now();
            page(&client, query).await;
            fastest = fastest.min(begun.elapsed());
        }
        assert!(fastest < Duration::from_millis(250), "{query}: {fastest:?}");
    }
    let found = page(&client, "metadata[half]=1&metadata[number]=77").await;
    assert_eq!(found["data"][0]["metadata"]["number"], "77");
    assert_eq!(ids(&found).len(), 1);
}
