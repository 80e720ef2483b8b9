//! Where a redirect may take a token.

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{any, get};
use platform::{ErrorKind, RepoKind};
use serde_json::json;

use crate::fake::{Count, platform, serve, token};

fn to(location: String) -> (StatusCode, [(&'static str, String); 1]) {
    (StatusCode::TEMPORARY_REDIRECT, [("location", location)])
}

#[tokio::test]
async fn a_renamed_repository_is_followed_with_the_token() {
    let router = Router::new()
        .route(
            "/api/models/a/old",
            get(|| async { to("/api/models/a/new".into()) }),
        )
        .route(
            "/api/models/a/new",
            get(|headers: HeaderMap| async move {
                assert_eq!(headers["authorization"], "Bearer hf_alice");
                axum::Json(json!({"id":"a/new"}))
            }),
        );
    let fake = serve(router).await;
    let repo = platform(&fake)
        .repo(&token(), RepoKind::Model, "a/old")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(repo.id, "a/new");
}

#[tokio::test]
async fn calls_with_a_token_never_leave_the_origin() {
    let reached = Count::default();
    let counted = reached.clone();
    let other = serve(Router::new().fallback(any(move || async move {
        counted.next();
        axum::Json(json!({"name":"mallory"}))
    })))
    .await;
    let elsewhere = format!("{}/trap", other.url);
    let fake = serve(Router::new().fallback(any(move || async move { to(elsewhere) }))).await;
    let client = platform(&fake);
    let spec = platform::JobSpec {
        image: Some("i".into()),
        ..Default::default()
    };
    for error in [
        client.whoami(&token()).await.err(),
        client.create_job(&token(), "alice", &spec).await.err(),
        client
            .chat(&token(), &crate::chat::request(), "s")
            .await
            .err(),
    ] {
        assert_eq!(error.map(|error| error.kind), Some(ErrorKind::Garbage));
    }
    assert_eq!(reached.get(), 0);
}

#[tokio::test]
async fn the_shared_client_drops_the_token_when_it_leaves_the_origin() {
    let echo =
        |headers: HeaderMap| async move { headers.contains_key("authorization").to_string() };
    let other = serve(Router::new().route("/file", get(echo))).await;
    let elsewhere = format!("{}/file", other.url);
    let router = Router::new()
        .route("/away", get(|| async { to(elsewhere) }))
        .route("/file", get(echo))
        .route("/here", get(|| async { to("/file".into()) }));
    let fake = serve(router).await;
    let client = platform(&fake);
    for (path, carried) in [("/here", "true"), ("/away", "false")] {
        let request = client
            .http()
            .get(format!("{}{path}", fake.url))
            .bearer_auth("hf_alice");
        assert_eq!(
            request.send().await.unwrap().text().await.unwrap(),
            carried,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let fake = serve(Router::new().fallback(any(|| async { to("/round".into()) }))).await;
    let error = platform(&fake).whoami(&token()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Garbage);
}
