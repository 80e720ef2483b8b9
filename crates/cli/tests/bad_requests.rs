//! Bad input, as a table: whatever comes in, the right refusal goes out, nothing comes of it, and the server lives on.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "bad_requests/addresses.rs"]
mod addresses;
#[path = "bad_requests/create.rs"]
mod create;
#[path = "bad_requests/row.rs"]
mod row;
mod support;
#[path = "bad_requests/wire.rs"]
mod wire;

use futures_util::StreamExt;
use row::Row;
use serde_json::json;
use support::{Client, bench};
use wire::Then;

/// Requests at a time; some are of 16 MiB.
const AT_ONCE: usize = 16;
/// The rule that this table is measured by.
const AT_LEAST: usize = 300;

/// A response of the account that the table's requests come from: it waits for a decision, and goes on waiting.
async fn paused(client: &Client) -> serde_json::Value {
    let id = client
        .submit_with(json!({"input": "Hello.", "max_cost_usd": 0.000_001}))
        .await;
    client.wait_for(&id, "incomplete").await
}

fn table(id: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for bodies in [create::JSON, create::INPUT, create::FIELDS, create::TOOLS] {
        rows.extend(row::bodies("POST /v1/responses", bodies, id));
    }
    let decide = "POST /v1/responses/{id}/approvals";
    rows.extend(row::bodies(decide, addresses::DECISIONS, id));
    for requests in [
        addresses::HEADERS,
        addresses::FRAMES,
        addresses::PATHS,
        addresses::QUERIES,
    ] {
        rows.extend(row::requests(requests, id));
    }
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_refused_by_name_and_nothing_comes_of_it() {
    let (sim, server, client) = bench().await;
    let before = paused(&client).await;
    let rows = table(before["id"].as_str().unwrap());
    assert!(rows.len() >= AT_LEAST, "{} rows", rows.len());

    let halves = row::requests(addresses::HALVES, before["id"].as_str().unwrap());
    let halves = halves.iter().map(|row| (row, Then::HangsUp));
    let all = rows.iter().map(|row| (row, Then::Waits)).chain(halves);
    let wrong: Vec<String> = futures_util::stream::iter(all)
        .map(|(row, then)| check(&server.url, row, then))
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready)
        .collect()
        .await;
    let of = rows.len();
    assert!(
        wrong.is_empty(),
        "{} of {of}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    eprintln!("{of} bad requests were refused");

    let (_, list) = client.get("/v1/responses").await;
    assert_eq!(
        list["data"],
        json!([before]),
        "something was created or changed"
    );
    let id = before["id"].as_str().unwrap();
    assert_eq!(client.object(id).await, before);
    assert_eq!(sim.chats().await, 0);
    assert!(sim.jobs().await.is_empty());
    let logs = server.logs();
    assert!(!logs.contains("panicked"), "{logs}");
    let id = client.submit("Hello.").await;
    client.wait_for(&id, "completed").await;
}

/// What is wrong with the answer to one row.
async fn check(server: &str, row: &Row, then: Then) -> Option<String> {
    let wanted = (row.status, row.code.clone(), row.param.clone());
    let name: String = row.name.chars().take(200).collect();
    let refusal = match wire::exchange(server, &row.request, then).await {
        Ok(reply) => reply.refusal(),
        Err(error) => Err(error),
    };
    match refusal {
        Ok(refusal) if refusal == wanted => None,
        Err(error) if then == Then::HangsUp && error == wire::SILENCE => None,
        Ok(other) => Some(format!("- {name}\n  got {other:?}")),
        Err(error) => Some(format!(
            "- {name}\n  {}",
            error.chars().take(600).collect::<String>()
        )),
    }
}

/// What is no HTTP never reaches a route: it is refused and the connection closes. No answer at all is fine too.
#[tokio::test]
async fn what_is_no_http_is_no_harm() {
    let (sim, server, client) = bench().await;
    let long = |count: usize| "x".repeat(count);
    let many: String = (0..500).map(|n| format!("x-{n}: y\r\n")).collect();
    let post = "POST /v1/responses HTTP/1.1\r\nhost: x\r\nauthorization: Bearer hf_alice\r\n";
    for (name, request) in [
        ("nothing", String::new()),
        ("nonsense", "nonsense\r\n\r\n".into()),
        ("a blank line", "\r\n\r\n\r\n".into()),
        ("bytes", "\u{0}\u{1}\u{2}\u{3}\r\n\r\n".into()),
        ("TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}".into()),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into()),
        ("HTTP/9.9", "GET / HTTP/9.9\r\nhost: x\r\n\r\n".into()),
        ("no version", "GET /\r\n\r\n".into()),
        (
            "a blank in the path",
            "GET /v1/ responses HTTP/1.1\r\nhost: x\r\n\r\n".into(),
        ),
        (
            "NUL in the path",
            "GET /v1/\u{0} HTTP/1.1\r\nhost: x\r\n\r\n".into(),
        ),
        (
            "a long path",
            format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", long(70_000)),
        ),
        (
            "a huge path",
            format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", long(2_000_000)),
        ),
        (
            "a huge header",
            format!(
                "GET / HTTP/1.1\r\nhost: x\r\nx-a: {}\r\n\r\n",
                long(2_000_000)
            ),
        ),
        (
            "a huge name",
            format!("GET / HTTP/1.1\r\n{}: y\r\n\r\n", long(100_000)),
        ),
        (
            "many headers",
            format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n"),
        ),
        (
            "NUL in a header",
            format!("{post}x-a: \u{0}\r\ncontent-length: 0\r\n\r\n"),
        ),
        (
            "a folded header",
            format!("{post}x-a: b\r\n c: d\r\ncontent-length: 0\r\n\r\n"),
        ),
        (
            "a header without a colon",
            format!("{post}content-length\r\n\r\n"),
        ),
        (
            "a blank before the colon",
            format!("{post}content-length : 14\r\n\r\n{{\"input\": \"x\"}}"),
        ),
        (
            "a negative length",
            format!("{post}content-length: -1\r\n\r\n"),
        ),
        (
            "a plus",
            format!("{post}content-length: +14\r\n\r\n{{\"input\": \"x\"}}"),
        ),
        (
            "a length in words",
            format!("{post}content-length: ten\r\n\r\n"),
        ),
        (
            "a huge length",
            format!("{post}content-length: 99999999999999999999\r\n\r\n"),
        ),
        (
            "two lengths",
            format!("{post}content-length: 14\r\ncontent-length: 15\r\n\r\n{{\"input\": \"x\"}}"),
        ),
        (
            "two lengths in one",
            format!("{post}content-length: 14, 15\r\n\r\n{{\"input\": \"x\"}}"),
        ),
        (
            "an unknown coding",
            format!("{post}transfer-encoding: gzip\r\n\r\n{{\"input\": \"x\"}}"),
        ),
        (
            "chunks that are not last",
            format!("{post}transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
        ),
        ("half a head", post.into()),
        (
            "CONNECT",
            "CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".into(),
        ),
        (
            "bare line feeds",
            "GET /nothing HTTP/1.1\nhost: x\nconnection: close\n\n".into(),
        ),
    ] {
        match wire::exchange(&server.url, request.as_bytes(), Then::HangsUp).await {
            Ok(reply) => assert!(
                (400..500).contains(&reply.status) || reply.status == 505,
                "{name}: {reply:?}"
            ),
            Err(error) => assert!(!error.contains("in time"), "{name}: {error}"),
        }
    }
    let (_, list) = client.get("/v1/responses").await;
    assert_eq!((list["data"].clone(), sim.chats().await), (json!([]), 0));
    assert!(!server.logs().contains("panicked"));
}
