//! Hub reads: identity, repositories, retries and bounds.

use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use platform::{AccountKind, Deadlines, ErrorKind, Identity, PlatformError, RepoKind};
use serde_json::json;

use crate::fake::{Count, bounded, platform, platform_with, quick, serve, token};

/// Asks who the token belongs to; the n-th request gets the n-th answer. Also gives the number of
/// requests.
async fn whoami(
    deadlines: Deadlines,
    answer: impl Fn(usize) -> Response + Clone + Send + Sync + 'static,
) -> (Result<Identity, PlatformError>, usize) {
    let count = Count::default();
    let counted = count.clone();
    let handler = move || {
        let response = answer(counted.next());
        async move { response }
    };
    let fake = serve(Router::new().route("/api/whoami-v2", get(handler))).await;
    let result = bounded(platform_with(&fake, deadlines).whoami(&token())).await;
    (result, count.get())
}

fn alice() -> Response {
    axum::Json(json!({"type":"user","name":"alice","auth":{"accessToken":{"role":"write"}}}))
        .into_response()
}

#[tokio::test]
async fn an_account_is_found_by_its_token() {
    let handler = |headers: HeaderMap| async move {
        assert_eq!(headers["authorization"], "Bearer hf_alice");
        alice()
    };
    let fake = serve(Router::new().route("/api/whoami-v2", get(handler))).await;
    let who = platform(&fake).whoami(&token()).await.unwrap();
    assert_eq!(
        (who.name.as_str(), who.kind, who.may_run_jobs),
        ("alice", AccountKind::User, true)
    );
}

#[tokio::test]
async fn a_refusal_is_not_retried() {
    let refused = |_| {
        let body = json!({"error":"Invalid credentials in Authorization header"});
        (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response()
    };
    let (result, requests) = whoami(quick(), refused).await;
    assert_eq!((result.unwrap_err().kind, requests), (ErrorKind::Auth, 1));
}

#[tokio::test]
async fn a_passing_failure_is_retried_twice() {
    let down = || StatusCode::SERVICE_UNAVAILABLE.into_response();
    let (result, requests) = whoami(quick(), move |n| if n < 2 { down() } else { alice() }).await;
    assert_eq!((result.unwrap().name.as_str(), requests), ("alice", 3));
    let (result, requests) = whoami(quick(), move |_| down()).await;
    assert_eq!(
        (result.unwrap_err().kind, requests),
        (ErrorKind::Unavailable, 3)
    );
}

#[tokio::test]
async fn a_short_wish_to_wait_is_granted_and_a_long_one_handed_on() {
    let limited = |seconds: &'static str| {
        (StatusCode::TOO_MANY_REQUESTS, [("retry-after", seconds)]).into_response()
    };
    let began = Instant::now();
    let (result, requests) = whoami(
        quick(),
        move |n| if n == 0 { limited("1") } else { alice() },
    )
    .await;
    assert!(result.is_ok() && requests == 2 && began.elapsed() >= Duration::from_secs(1));

    let (result, requests) = whoami(quick(), move |_| limited("60")).await;
    let error = result.unwrap_err();
    assert_eq!(
        (error.kind, error.retry_after),
        (ErrorKind::RateLimited, Some(Duration::from_secs(60)))
    );
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn answers_of_the_wrong_size_or_shape_are_garbage() {
    let cases: [fn(usize) -> Response; 4] = [
        |_| "x".repeat(9 * 1024 * 1024).into_response(),
        |_| "<html>".into_response(),
        |_| "[]".into_response(),
        |_| "{\"type\":\"user\"}".into_response(),
    ];
    for case in cases {
        let (result, requests) = whoami(quick(), case).await;
        assert_eq!(
            (result.unwrap_err().kind, requests),
            (ErrorKind::Garbage, 1)
        );
    }
}

#[tokio::test]
async fn a_huge_error_answer_is_cut_short() {
    let huge = |_| (StatusCode::FORBIDDEN, "no ".repeat(1_000_000)).into_response();
    let (result, _) = whoami(quick(), huge).await;
    let error = result.unwrap_err();
    assert_eq!(
        (error.kind, error.message.chars().count()),
        (ErrorKind::Permission, 500)
    );
}

#[tokio::test]
async fn a_hub_that_hangs_runs_into_the_deadline() {
    let fake =
        serve(Router::new().fallback(get(|| async { std::future::pending::<()>().await }))).await;
    let deadlines = Deadlines {
        call: Duration::from_millis(100),
        ..quick()
    };
    let error = bounded(platform_with(&fake, deadlines).whoami(&token()))
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.status), (ErrorKind::Unavailable, None));
}

#[tokio::test]
async fn a_repository_is_found_or_not() {
    let found = || async {
        axum::Json(
            json!({"id":"alice/d","sha":"abc","private":true,"createdAt":"2026-11-23T19:03:06.548Z",
            "lastModified":"not a time","siblings":[{"rfilename":"README.md"},{}]}),
        )
    };
    let hidden = || async {
        (
            StatusCode::UNAUTHORIZED,
            [("x-error-code", "RepoNotFound")],
            axum::Json(json!({"error":"Repository not found"})),
        )
    };
    let gated = || async { (StatusCode::FORBIDDEN, [("x-error-code", "GatedRepo")], "") };
    let router = Router::new()
        .route("/api/datasets/alice/d", get(found))
        .route("/api/models/alice/hidden", get(hidden))
        .route("/api/spaces/alice/gated", get(gated));
    let fake = serve(router).await;
    let client = platform(&fake);
    let repo = client
        .repo(&token(), RepoKind::Dataset, "alice/d")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (repo.sha.as_deref(), repo.private, repo.last_modified),
        (Some("abc"), true, None)
    );
    assert_eq!(
        repo.created_at.unwrap().to_string(),
        "2026-11-23T19:03:06.548Z"
    );
    assert_eq!(repo.files, ["README.md"]);
    assert_eq!(
        client.repo(&token(), RepoKind::Model, "alice/hidden").await,
        Ok(None)
    );
    assert_eq!(
        client.repo(&token(), RepoKind::Model, "alice/none").await,
        Ok(None)
    );
    let gated = client
        .repo(&token(), RepoKind::Space, "alice/gated")
        .await
        .unwrap_err();
    assert_eq!(gated.kind, ErrorKind::Permission);
    let evil = client
        .repo(&token(), RepoKind::Model, "../whoami-v2?x")
        .await
        .unwrap_err();
    assert_eq!((evil.kind, evil.status), (ErrorKind::BadRequest, None));
    assert_eq!(
        client.repo_url(RepoKind::Dataset, "alice/d"),
        format!("{}/datasets/alice/d", fake.url)
    );
}
