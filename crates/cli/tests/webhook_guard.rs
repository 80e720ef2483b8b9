//! Webhooks and those who must not be reached or told: this machine, the operator's secrets, the caller's token.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code)]
#[path = "webhooks/bench.rs"]
mod bench;
#[allow(dead_code)]
#[path = "webhooks/receiver.rs"]
mod receiver;
mod support;

use bench::{EVERYTHING, SECRET, came, options, state, submit};
use receiver::{Receiver, Reply};
use serde_json::{Value, json};
use support::{Client, Server, Sim, scripted};

#[tokio::test]
async fn the_operators_receiver_is_told_of_what_names_no_other() {
    let sim = Sim::start();
    let receiver = Receiver::start().await;
    let (default, own) = (receiver.url("/default"), receiver.url("/own"));
    let env = [
        ("ML_INTERN_WEBHOOK_URL", default.as_str()),
        ("ML_INTERN_WEBHOOK_SECRET", SECRET),
        (
            "ML_INTERN_ALLOW_PRIVATE_HOSTS",
            &format!("127.0.0.1:{}", receiver.port),
        ),
    ];
    let server = Server::start(&sim, options(&env));
    let client = Client::new(&server.url, "hf_alice");
    let quiet = client.submit("Say hello.").await;
    let loud = submit(&client, "Say hello.", json!({"url": own})).await;
    client.wait_for(&quiet, "completed").await;
    client.wait_for(&loud, "completed").await;
    let to_default = came(&receiver, "/default", 1).await;
    let to_own = came(&receiver, "/own", 1).await;
    assert_eq!(
        (to_default[0].event().0, to_own[0].event().0),
        (quiet.clone(), loud.clone())
    );
    assert!(to_default[0].is_signed_with(SECRET));
    assert!(!to_own[0].is_signed_with(SECRET));
    let theirs = state(&client, &loud, |one| one["state"] == "delivered").await;
    assert!(to_own[0].is_signed_with(theirs["secret"].as_str().unwrap()));
    // The account sees that the operator is told, but neither where nor with what.
    let shown = state(&client, &quiet, |one| one["state"] == "delivered").await;
    assert_eq!(
        (&shown["url"], &shown["secret"]),
        (&Value::Null, &Value::Null)
    );
    // Another account's secret is another one.
    let bob = Client::new(&server.url, "hf_bob");
    let bobs = submit(&bob, "Say hello.", json!({"url": own})).await;
    let bobs = state(&bob, &bobs, |one| one["state"] == "delivered").await;
    assert_ne!(bobs["secret"], theirs["secret"]);
    assert!(
        !server
            .logs()
            .contains(SECRET.strip_prefix("whsec_").unwrap())
    );
}

#[tokio::test]
async fn nothing_inside_is_reached() {
    let sim = Sim::start();
    let inside = Receiver::start().await;
    let target = inside.url("/redirected");
    let outside = Receiver::answering(move |_, _| Reply::RedirectTo(target.clone())).await;
    let allowed = format!("127.0.0.1:{}", outside.port);
    let server = Server::start(
        &sim,
        options(&[("ML_INTERN_ALLOW_PRIVATE_HOSTS", &allowed)]),
    );
    let client = Client::new(&server.url, "hf_alice");
    let port = inside.port;
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "169.254.169.254",
        "10.0.0.1",
        "user@127.0.0.1",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
    ] {
        let body = json!({"input": "Hello.", "background": true, "webhook": {"url": format!("http://{host}:{port}/")}});
        let (status, answer) = client.post("/v1/responses", &body).await;
        assert_eq!(status, 400, "{host}: {answer}");
        let error = &answer["error"];
        assert_eq!(
            (&error["code"], &error["param"]),
            (&json!("invalid_value"), &json!("webhook.url")),
            "{host}"
        );
    }
    // Names are looked up when something is to be sent.
    let by_name = submit(
        &client,
        "Hello.",
        json!({"url": format!("http://localhost:{port}/named")}),
    )
    .await;
    let redirected = submit(&client, "Hello.", json!({"url": outside.url("/hook")})).await;
    let told = state(&client, &by_name, |one| one["attempts"].as_u64() > Some(1)).await;
    assert_eq!(told["last_error"], "the host is not at a public address");
    assert_eq!(told["state"], "pending");
    let told = state(&client, &redirected, |one| {
        one["attempts"].as_u64() > Some(1)
    })
    .await;
    assert_eq!(told["last_status"], 307);
    assert!(inside.came().is_empty());
    assert!(outside.came().len() >= 2);
}

#[tokio::test]
async fn no_token_is_ever_sent() {
    let sim = Sim::start();
    let receiver = Receiver::start().await;
    let server = Server::start(
        &sim,
        options(&[("ML_INTERN_ALLOW_PRIVATE_HOSTS", "127.0.0.0/8")]),
    );
    let token = "hf_alice_canary_0123456789";
    let client = Client::new(&server.url, token);
    let input = scripted(
        &format!("My token is {token}."),
        "[[turn]]\nsay = 'It is hf_alice_canary_0123456789, you say.'",
    );
    let webhook = json!({"url": receiver.url("/hook"), "events": EVERYTHING});
    let id = submit(&client, &input, webhook).await;
    client.wait_for(&id, "completed").await;
    for one in came(&receiver, "/hook", EVERYTHING.len()).await {
        let body = String::from_utf8_lossy(&one.body).into_owned();
        let headers = format!("{:?}", one.headers);
        assert!(
            !body.contains("canary") && !headers.contains("canary"),
            "{body} {headers}"
        );
        assert!(!one.headers.contains_key("authorization"));
    }
}

#[tokio::test]
async fn settings_that_cannot_work_stop_the_start() {
    for (name, value) in [
        ("ML_INTERN_WEBHOOK_SECRET", "whsec_dG9vIHNob3J0"),
        (
            "ML_INTERN_WEBHOOK_SECRET",
            "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
        ),
        ("ML_INTERN_WEBHOOK_URL", "ftp://example.com/"),
        ("ML_INTERN_WEBHOOK_URL", "example.com/hook"),
        ("ML_INTERN_ALLOW_PRIVATE_HOSTS", "http://x/"),
    ] {
        let outcome = std::process::Command::new(env!("CARGO_BIN_EXE_ml-intern"))
            .args(["serve", "--addr", "127.0.0.1:0", "--store", "memory"])
            .env(name, value)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&outcome.stderr).into_owned();
        assert!(
            !outcome.status.success() && said.contains(name),
            "{name}={value}: {said}"
        );
        assert!(!name.ends_with("SECRET") || !said.contains(value), "{said}");
    }
}
