//! Who may call, with what, where; and that nothing comes of a refused request.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use support::{Answer, Client, ServeOptions, Server, UNKNOWN, bench, create, refused, stored};

#[tokio::test]
async fn who_calls_decides_what_is_answered() {
    let (sim, server, client) = bench().await;
    let with = |token: &str| Client {
        token: token.to_owned(),
        ..client.clone()
    };
    let task = json!({"input": "Hello."});
    let path = format!("/v1/responses/{UNKNOWN}");
    let bare =
        |method: Method, path: &str| client.http.request(method, format!("{}{path}", server.url));

    for (method, path) in [
        (Method::POST, "/v1/responses".to_owned()),
        (Method::GET, path.clone()),
        (Method::GET, format!("{path}/events")),
        (Method::POST, format!("{path}/cancel")),
        (Method::POST, format!("{path}/approvals")),
    ] {
        refused(bare(method.clone(), &path), 401, "missing_token", None).await;
        for header in [
            "Basic YTpi",
            "Bearer",
            "Bearer ",
            "hf_alice",
            "Bearer\thf_alice",
        ] {
            let request = bare(method.clone(), &path).header("authorization", header);
            refused(request, 401, "missing_token", None).await;
        }
        refused(
            with("hf_invalid").request(method.clone(), &path),
            401,
            "invalid_token",
            None,
        )
        .await;
        let organization = with("hf_org_acme").request(method, &path);
        refused(organization, 401, "organization_token_not_supported", None).await;
    }
    let lower = bare(Method::GET, &path).header("authorization", "bearer hf_alice");
    refused(lower, 404, "response_not_found", None).await;

    let limited = with("hf_noinf_alice");
    refused(
        create(&limited, &task),
        403,
        "inference_provider_permission_required",
        None,
    )
    .await;
    assert_eq!((stored(&server).await, sim.chats().await), (0, 0));

    // Everything but submitting needs no such permission.
    let id = client.submit("Hello.").await;
    client.wait_for(&id, "completed").await;
    assert_eq!(limited.object(&id).await["status"], "completed");
    assert_eq!(limited.log(&id).await, client.log(&id).await);
    let (status, _) = limited
        .post(&format!("/v1/responses/{id}/cancel"), &Value::Null)
        .await;
    assert_eq!(status, 200);
    let approval = limited.request(Method::POST, &format!("/v1/responses/{id}/approvals"));
    refused(
        approval.json(&json!({"approve": true})),
        409,
        "not_awaiting_approval",
        None,
    )
    .await;
}

#[tokio::test]
async fn one_token_is_looked_up_once() {
    let (sim, _server, client) = bench().await;
    let path = format!("/v1/responses/{UNKNOWN}");
    let reads = (0..10).map(|_| client.get(&path));
    for (status, _) in futures_util::future::join_all(reads).await {
        assert_eq!(status, 404);
    }
    assert_eq!(sim.calls("/api/whoami-v2").await.len(), 1);
}

#[tokio::test]
async fn a_platform_that_is_gone_is_said_to_be() {
    let server = Server::against("http://127.0.0.1:1", ServeOptions::default());
    let client = Client::new(&server.url, "hf_alice");
    let answer = refused(
        create(&client, &json!({"input": "Hello."})),
        503,
        "auth_unavailable",
        None,
    )
    .await;
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds));
    for path in ["/healthz", "/readyz", "/api/config/model", "/"] {
        let answer = Answer::to(client.http.get(format!("{}{path}", server.url))).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    assert_eq!(stored(&server).await, 0);
    assert!(!server.logs().contains("hf_alice"), "a token in the log");
}

#[tokio::test]
async fn a_platform_that_stumbles_is_asked_again() {
    let (sim, _server, client) = bench().await;
    sim.fault(&json!({"prefix": "/api/whoami-v2", "status": 500}))
        .await;
    let id = client.submit("Hello.").await;
    client.wait_for(&id, "completed").await;
    // What is known already serves while the platform does not.
    sim.fault(&json!({"prefix": "/api/whoami-v2", "status": 500, "count": 100}))
        .await;
    assert_eq!(client.object(&id).await["status"], "completed");
    let bob = Client {
        token: "hf_bob".into(),
        ..client
    };
    refused(
        create(&bob, &json!({"input": "x"})),
        503,
        "auth_unavailable",
        None,
    )
    .await;
}

#[tokio::test]
async fn requests_that_are_no_requests_are_refused() {
    let (sim, server, client) = bench().await;
    let raw = |kind: &str, body: &str| {
        let request = client
            .request(Method::POST, "/v1/responses")
            .header("content-type", kind);
        request.body(body.to_owned())
    };
    let good = r#"{"input": "x"}"#;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonp",
        "",
    ] {
        refused(raw(kind, good), 415, "unsupported_media_type", None).await;
    }
    for broken in [
        "",
        "{",
        "nonsense",
        "{\"input\": \"x\"} x",
        "\u{feff}{}",
        r#"{"input": "x", "max_cost_usd": 1e999}"#,
    ] {
        refused(
            raw("application/json; charset=utf-8", broken),
            400,
            "invalid_json",
            None,
        )
        .await;
    }
    refused(
        raw("application/json", &"[".repeat(100_000)),
        400,
        "invalid_json",
        None,
    )
    .await;
    let large = format!(r#"{{"input": "{}"}}"#, "x".repeat(16 * 1024 * 1024));
    refused(
        raw("application/json", &large),
        413,
        "request_too_large",
        None,
    )
    .await;
    let pieces = futures_util::stream::iter(
        (0..20).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1024 * 1024])),
    );
    let chunked = client
        .request(Method::POST, "/v1/responses")
        .header("content-type", "application/json");
    refused(
        chunked.body(reqwest::Body::wrap_stream(pieces)),
        413,
        "request_too_large",
        None,
    )
    .await;

    let path = format!("/v1/responses/{UNKNOWN}");
    for (method, path, allow) in [
        (Method::PUT, "/v1/responses".to_owned(), "POST"),
        (Method::PATCH, path.clone(), "GET"),
        (Method::POST, format!("{path}/events"), "GET"),
        (Method::GET, format!("{path}/cancel"), "POST"),
        (Method::GET, format!("{path}/approvals"), "POST"),
        (Method::POST, "/healthz".to_owned(), "GET"),
        (Method::DELETE, "/api/config/model".to_owned(), "GET"),
    ] {
        let answer = refused(
            client.request(method, &path),
            405,
            "method_not_allowed",
            None,
        )
        .await;
        assert!(
            answer.header("allow").unwrap().contains(allow),
            "{path}: {:?}",
            answer.header("allow")
        );
    }
    for path in [
        "/v1/nothing",
        "/v1/responses/",
        "/v2/responses",
        "/favicon.ico",
        "/v1/responses/a/b/c",
    ] {
        refused(client.request(Method::GET, path), 404, "not_found", None).await;
    }
    assert_eq!((stored(&server).await, sim.chats().await), (0, 0));
}

#[tokio::test]
async fn what_is_another_accounts_does_not_exist() {
    let (_sim, server, client) = bench().await;
    let id = client.submit("Hello.").await;
    let before = client.wait_for(&id, "completed").await;
    let bob = Client {
        token: "hf_bob".into(),
        ..client.clone()
    };
    let odd = [
        "x",
        "resp_",
        "resp_ZZ",
        "%FF",
        "..%2f..",
        "resp_0000000000000000000000000000000%00",
    ];
    for (method, tail) in [
        (Method::GET, ""),
        (Method::GET, "?stream=true&starting_after=99999"),
        (Method::GET, "/events"),
        (Method::GET, "/events?starting_after=nonsense"),
        (Method::POST, "/cancel"),
        (Method::POST, "/approvals"),
    ] {
        let ask = |id: &str| bob.request(method.clone(), &format!("/v1/responses/{id}{tail}"));
        let foreign = refused(ask(&id), 404, "response_not_found", None).await;
        let unknown = refused(ask(UNKNOWN), 404, "response_not_found", None).await;
        assert_eq!(foreign.bytes, unknown.bytes);
        for id in odd {
            let answer = refused(ask(id), 404, "response_not_found", None).await;
            assert_eq!(answer.bytes, unknown.bytes);
        }
    }
    let chain = |id: &str| create(&bob, &json!({"input": "x", "previous_response_id": id}));
    let param = Some("previous_response_id");
    let foreign = refused(chain(&id), 404, "previous_response_not_found", param).await;
    let unknown = refused(chain(UNKNOWN), 404, "previous_response_not_found", param).await;
    assert_eq!(foreign.bytes, unknown.bytes);
    assert_eq!(client.object(&id).await, before);
    assert_eq!(stored(&server).await, 1);
}

#[tokio::test]
async fn cursors_that_are_none_are_refused() {
    let (_sim, _server, client) = bench().await;
    let id = client.submit("Hello.").await;
    let last = client.wait_for(&id, "completed").await["last_sequence_number"]
        .as_u64()
        .unwrap();
    let past = (last + 1).to_string();
    for cursor in [
        "-1",
        "1.5",
        "x",
        "0x1",
        "%2B1",
        "",
        "99999999999999999999999",
        &past,
    ] {
        for path in [format!("/{id}/events?"), format!("/{id}?stream=true&")] {
            let path = format!("/v1/responses{path}starting_after={cursor}");
            refused(
                client.request(Method::GET, &path),
                400,
                "invalid_cursor",
                Some("starting_after"),
            )
            .await;
        }
    }
    for (query, param) in [
        ("view=everything", "view"),
        ("view=all&view=openai", "view"),
        ("starting_after=1&starting_after=2", "starting_after"),
    ] {
        for path in [
            format!("/{id}/events?{query}"),
            format!("/{id}?stream=true&{query}"),
        ] {
            let request = client.request(Method::GET, &format!("/v1/responses{path}"));
            let answer = Answer::to(request).await;
            assert_eq!(
                (answer.status, answer.refusal().3.as_deref()),
                (400, Some(param)),
                "{path}"
            );
        }
    }
    for limit in ["0", "1001", "x", "-1"] {
        let request = client.request(
            Method::GET,
            &format!("/v1/responses/{id}/events?limit={limit}"),
        );
        let request = request.header("accept", "application/json");
        refused(request, 400, "invalid_value", Some("limit")).await;
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let (_sim, server, client) = bench().await;
    let ask = |id: Option<&str>, path: &str| {
        let request = client.http.get(format!("{}{path}", server.url));
        Answer::to(match id {
            Some(id) => request.header("x-request-id", id),
            None => request,
        })
    };
    for path in ["/healthz", "/nothing", "/v1/responses/x"] {
        assert_eq!(
            ask(Some("my-id.7"), path).await.header("x-request-id"),
            Some("my-id.7")
        );
        let fresh = ask(None, path).await;
        let other = ask(None, path).await;
        assert_ne!(fresh.header("x-request-id"), other.header("x-request-id"));
        for insane in ["with a blank", "", &"x".repeat(500)] {
            let answer = ask(Some(insane), path).await;
            let id = answer.header("x-request-id").unwrap();
            assert!(id != insane && !id.is_empty() && id.len() < 200);
        }
    }
}
