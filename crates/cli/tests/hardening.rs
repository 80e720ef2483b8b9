//! Hostile and clumsy connections, and how much one account may ask.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use reqwest::Method;
use serde_json::Value;
use std::time::{Duration, Instant};
use support::{Answer, Client, ServeOptions, Server, Sim, bench};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

fn address(url: &str) -> &str {
    url.strip_prefix("http://").unwrap()
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset after the answer is no news.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends bytes on a connection of their own and reads until the server closes it.
async fn raw(url: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address(url)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    timeout(Duration::from_secs(30), read_all(&mut stream))
        .await
        .unwrap()
}

/// Checks the envelope of a raw answer.
fn assert_refused(answer: &str, status: u16, code: &str) {
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{answer}"));
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert!(head.to_lowercase().contains("x-request-id: "), "{head}");
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"));
    let error = body["error"].as_object().unwrap();
    assert_eq!(error["code"], code);
    assert_eq!(error["type"], "invalid_request_error");
    assert_eq!(error.len(), 4);
}

#[tokio::test]
async fn half_open_connections_keep_nobody_out_and_are_closed() {
    let (_sim, server, alice) = bench().await;
    let began = Instant::now();
    let mut slow = Vec::new();
    for n in 0..200 {
        let mut stream = TcpStream::connect(address(&server.url)).await.unwrap();
        let piece: &[u8] = match n % 4 {
            0 => b"",
            1 => b"G",
            2 => b"GET /healthz HTTP/1.1\r\nhost: x\r\n",
            // One request is served, the next one never comes.
            _ => b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /he",
        };
        stream.write_all(piece).await.unwrap();
        slow.push(tokio::spawn(async move {
            // A byte now and then does not help.
            let drip = tokio::time::sleep(Duration::from_secs(5));
            tokio::pin!(drip);
            let mut answer = [0; 4096];
            let mut has_dripped = n % 4 < 2;
            loop {
                tokio::select! {
                    read = stream.read(&mut answer) => match read {
                        Ok(0) | Err(_) => return,
                        Ok(_) => {}
                    },
                    () = &mut drip, if !has_dripped => {
                        has_dripped = true;
                        let _ = stream.write_all(b"a").await;
                    }
                }
            }
        }));
    }
    // Others are served as if nothing were.
    let asked = Instant::now();
    let id = alice.submit("Hello.").await;
    alice.wait_for(&id, "completed").await;
    assert!(
        asked.elapsed() < Duration::from_secs(8),
        "{:?}",
        asked.elapsed()
    );
    for stream in slow {
        timeout(Duration::from_secs(30), stream)
            .await
            .unwrap()
            .unwrap();
    }
    let took = began.elapsed();
    assert!(
        took > Duration::from_secs(8) && took < Duration::from_secs(28),
        "{took:?}"
    );
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_with_an_envelope() {
    let (_sim, server, _) = bench().await;
    let url = &server.url;
    let request = |target: &str, headers: &str| {
        format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
    };
    let big = |size: usize| format!("x-big: {}\r\n", "a".repeat(size));
    let many = |count: usize| {
        (0..count)
            .map(|n| format!("x-{n}: 1\r\n"))
            .collect::<String>()
    };
    for headers in [big(70 * 1024), big(300 * 1024), many(120), many(300)] {
        let answer = raw(url, &request("/healthz", &headers)).await;
        assert_refused(&answer, 431, "headers_too_large");
    }
    let target = |size: usize| format!("/{}", "a".repeat(size));
    for size in [20_000, 70_000] {
        let answer = raw(url, &request(&target(size), "")).await;
        assert_refused(&answer, 414, "uri_too_long");
    }
    for nonsense in [
        "NONSENSE\r\n\r\n",
        "GET / HTTP/1.1\r\nbad header\r\n\r\n",
        "\u{0}\u{1}\u{2}\r\n\r\n",
    ] {
        assert_refused(&raw(url, nonsense).await, 400, "malformed_request");
    }
    let fits = request("/healthz", &format!("{}{}", big(60 * 1024), many(90)));
    assert!(raw(url, &fits).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn other_methods_are_answered_sanely() {
    let (_sim, server, alice) = bench().await;
    let ask = async |method: &str, path: &str| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Answer::to(alice.request(method, path)).await
    };
    for path in [
        "/healthz",
        "/readyz",
        "/",
        "/v1/models",
        "/v1/responses",
        "/metrics",
    ] {
        let head = ask("HEAD", path).await;
        assert_eq!((head.status, head.bytes.len()), (200, 0), "{path}");
        assert!(head.header("x-request-id").is_some());
    }
    for (method, path, allow) in [
        ("OPTIONS", "/v1/responses", "POST,GET,HEAD"),
        ("OPTIONS", "/healthz", "GET,HEAD"),
        ("PUT", "/v1/sessions/x", "GET,HEAD,DELETE"),
        ("BREW", "/v1/models", "GET,HEAD"),
    ] {
        let answer = ask(method, path).await;
        let (status, _, code, _) = answer.refusal();
        assert_eq!((status, code.as_str()), (405, "method_not_allowed"));
        let mut allowed: Vec<&str> = answer
            .header("allow")
            .unwrap()
            .split(',')
            .map(str::trim)
            .collect();
        let mut wanted: Vec<&str> = allow.split(',').collect();
        allowed.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(allowed, wanted, "{method} {path}");
    }
    assert!(!server.logs().contains("panicked"));
}

#[tokio::test]
async fn an_account_that_asks_too_much_is_told_when_to_come_back() {
    let sim = Sim::start();
    let options = ServeOptions {
        env: vec![("ML_INTERN_REQUESTS_PER_MINUTE".into(), "20".into())],
        ..ServeOptions::default()
    };
    let server = Server::start(&sim, options);
    let alice = Client::new(&server.url, "hf_alice");
    let ask =
        async |client: &Client| Answer::to(client.request(Method::GET, "/v1/responses")).await;
    let mut before = 20;
    let refused = loop {
        let answer = ask(&alice).await;
        assert_eq!(answer.header("x-ratelimit-limit-requests"), Some("20"));
        let remaining: u32 = answer
            .header("x-ratelimit-remaining-requests")
            .unwrap()
            .parse()
            .unwrap();
        let reset = answer.header("x-ratelimit-reset-requests").unwrap();
        let reset: f64 = reset.strip_suffix('s').unwrap().parse().unwrap();
        assert!(
            (reset - f64::from(20 - remaining) * 3.0).abs() < 0.01,
            "{reset}"
        );
        if answer.status == 429 {
            break answer;
        }
        assert_eq!(answer.status, 200);
        assert!(
            remaining < before || before == 0,
            "{remaining} after {before}"
        );
        before = remaining;
    };
    let (_, kind, code, _) = refused.refusal();
    assert_eq!(
        (kind.as_str(), code.as_str()),
        ("rate_limit_error", "rate_limit_exceeded")
    );
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3).contains(&wait), "{wait}");
    // The same account under another token is the same account; others are not touched, and what needs no token is free.
    assert_eq!(
        ask(&Client::new(&server.url, "hf_pro_alice")).await.status,
        429
    );
    assert_eq!(ask(&Client::new(&server.url, "hf_bob")).await.status, 200);
    let free = Answer::to(alice.request(Method::GET, "/v1/models")).await;
    assert_eq!(
        (free.status, free.header("x-ratelimit-limit-requests")),
        (200, None)
    );
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(ask(&alice).await.status, 200, "the promise is kept");
}
