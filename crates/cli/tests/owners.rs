//! What is another account's, deleted, unknown or no id at all is the same nothing: the same bytes on every route.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use support::{Client, UNKNOWN, bench};

/// A route of a response: method, what follows the id, headers, body.
type Route = (
    Method,
    &'static str,
    &'static [(&'static str, &'static str)],
    Option<&'static str>,
);

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

fn routes() -> Vec<Route> {
    let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
    vec![
        (get.clone(), "", &[], None),
        (get.clone(), "?stream=true", &[], None),
        (get.clone(), "?stream=true&starting_after=99999", &[], None),
        (
            get.clone(),
            "?stream=true",
            &[("x-stainless-lang", "python")],
            None,
        ),
        (get.clone(), "/events", &[], None),
        (
            get.clone(),
            "/events?starting_after=nonsense&view=nothing",
            &[],
            None,
        ),
        (get.clone(), "/events", &[("last-event-id", "0")], None),
        (
            get.clone(),
            "/events?limit=0",
            &[("accept", "application/json")],
            None,
        ),
        (get.clone(), "/input_items", &[], None),
        (get, "/input_items?limit=5&order=asc", &[], None),
        (post.clone(), "/cancel", &[], None),
        (
            post.clone(),
            "/cancel",
            JSON,
            Some(r#"{"stop_jobs": true}"#),
        ),
        (
            post.clone(),
            "/approvals",
            JSON,
            Some(r#"{"approve": true}"#),
        ),
        (post.clone(), "/approvals", JSON, Some("{}")),
        (
            post.clone(),
            "/approvals",
            JSON,
            Some(r#"{"approve": true, "new_max_cost_usd": 0}"#),
        ),
        (post.clone(), "/resume", &[], None),
        (post, "/resume", JSON, Some("{}")),
        (delete, "", &[], None),
    ]
}

/// Everything that a client can tell two answers apart by, but for the time and the request.
async fn answer(
    client: &Client,
    route: &Route,
    path: &str,
) -> (u16, Vec<(String, String)>, String) {
    let (method, tail, headers, body) = route;
    let mut request = client.request(method.clone(), &format!("{path}{tail}"));
    for (name, value) in *headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.body(*body);
    }
    let response = request.send().await.unwrap();
    let is_told =
        |name: &str| name != "date" && name != "x-request-id" && !name.starts_with("x-ratelimit-");
    let mut headers: Vec<(String, String)> = response
        .headers()
        .iter()
        .filter(|(name, _)| is_told(name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (
        response.status().as_u16(),
        headers,
        response.text().await.unwrap(),
    )
}

fn id_of(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

/// A response that ran and was deleted.
async fn deleted(client: &Client) -> String {
    let id = client.submit("Hello.").await;
    client.wait_for(&id, "completed").await;
    let request = client.request(Method::DELETE, &format!("/v1/responses/{id}"));
    assert_eq!(request.send().await.unwrap().status(), 200);
    id
}

fn as_account(client: &Client, name: &str) -> Client {
    Client {
        token: format!("hf_{name}"),
        ..client.clone()
    }
}

const MALFORMED: [&str; 9] = [
    "x",
    "resp_",
    "resp_ZZ",
    "%FF",
    "%00",
    "..%2f..",
    "resp_0000000000000000000000000000000%00",
    "sess_00000000000000000000000000000000",
    "%F0%9F%8E%88",
];

#[tokio::test]
async fn another_accounts_responses_are_as_unknown_as_those_that_never_were() {
    let (_sim, _server, alice) = bench().await;
    let bob = as_account(&alice, "bob");
    let finished = alice.submit("Hello.").await;
    let finished = alice.wait_for(&finished, "completed").await;
    let waiting = alice
        .submit_with(json!({"input": "Hello.", "max_cost_usd": 0.000_001}))
        .await;
    let waiting = alice.wait_for(&waiting, "incomplete").await;
    let mut ids = vec![id_of(&finished), id_of(&waiting)];
    ids.extend([deleted(&alice).await, deleted(&bob).await]);
    ids.extend(MALFORMED.map(str::to_owned));

    for route in routes() {
        let path = |id: &str| format!("/v1/responses/{id}");
        let unknown = answer(&bob, &route, &path(UNKNOWN)).await;
        // A body that no route would take may be refused before the id is looked at.
        assert!([400, 404].contains(&unknown.0), "{route:?}: {unknown:?}");
        for id in &ids {
            assert_eq!(
                answer(&bob, &route, &path(id)).await,
                unknown,
                "{route:?} {id}"
            );
        }
        // What its owner has deleted is gone for him too.
        assert_eq!(
            answer(&alice, &route, &path(&ids[2])).await,
            unknown,
            "{route:?}"
        );
    }
    for before in [&finished, &waiting] {
        assert_eq!(alice.object(&id_of(before)).await, *before);
    }
}

#[tokio::test]
async fn another_accounts_sessions_are_as_unknown_as_those_that_never_were() {
    let (_sim, _server, alice) = bench().await;
    let bob = as_account(&alice, "bob");
    let id = alice.submit("Hello.").await;
    let session = alice.wait_for(&id, "completed").await["session_id"].clone();
    let path = |id: &str| format!("/v1/sessions/{id}");
    let before = alice.get(&path(session.as_str().unwrap())).await;
    assert_eq!(before.0, 200);
    for method in [Method::GET, Method::DELETE] {
        let route: Route = (method, "", &[], None);
        let unknown = answer(&bob, &route, &path("sess_00000000000000000000000000000000")).await;
        assert_eq!(unknown.0, 404);
        for id in [session.as_str().unwrap(), &id, UNKNOWN]
            .iter()
            .chain(&MALFORMED)
        {
            assert_eq!(
                answer(&bob, &route, &path(id)).await,
                unknown,
                "{route:?} {id}"
            );
        }
    }
    assert_eq!(alice.get(&path(session.as_str().unwrap())).await, before);
}

#[tokio::test]
async fn nothing_of_another_account_is_chained_on_or_listed() {
    let (sim, _server, alice) = bench().await;
    let bob = as_account(&alice, "bob");
    let body = json!({"input": "Hello.", "metadata": {"project": "secret"}});
    let id = alice.submit_with(body).await;
    let done = alice.wait_for(&id, "completed").await;
    let gone = deleted(&bob).await;
    let chats = sim.chats().await;

    for fork in [false, true] {
        let chain = |id: &str| {
            let body = json!({"input": "Go on.", "previous_response_id": id, "fork": fork});
            let bob = bob.clone();
            async move { bob.post("/v1/responses", &body).await }
        };
        let unknown = chain(UNKNOWN).await;
        assert_eq!(
            (unknown.0, &unknown.1["error"]["code"]),
            (404, &json!("previous_response_not_found"))
        );
        for other in [id.as_str(), &gone, "x", "resp_", "\u{0}"] {
            assert_eq!(chain(other).await, unknown, "{other}");
        }
    }
    assert_eq!(sim.chats().await, chats);

    let session = done["session_id"].as_str().unwrap();
    let never = "sess_00000000000000000000000000000000";
    let list = |query: String| {
        let bob = bob.clone();
        async move { bob.get(&format!("/v1/responses?{query}")).await }
    };
    for (mine, unknown) in [
        (
            format!("session_id={session}"),
            format!("session_id={never}"),
        ),
        (format!("after={id}"), format!("after={UNKNOWN}")),
        (
            format!("after={id}&order=asc"),
            format!("after={UNKNOWN}&order=asc"),
        ),
        (
            format!("session_id={session}&status=completed"),
            format!("session_id={never}&status=completed"),
        ),
        (
            "metadata[project]=secret".into(),
            "metadata[project]=nothing".into(),
        ),
    ] {
        assert_eq!(list(mine.clone()).await, list(unknown).await, "{mine}");
    }
    assert_eq!(list(String::new()).await.1["data"], json!([]));
    let (_, mine) = alice
        .get(&format!("/v1/responses?session_id={session}"))
        .await;
    assert_eq!(mine["data"], json!([done]));
}
