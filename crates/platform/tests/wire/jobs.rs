//! Creating, listing and cancelling jobs.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use platform::{ErrorKind, Job, JobFilter, JobSpec, PlatformError, Stage};
use serde_json::{Value, json};

use crate::fake::{Act, Count, Fake, bounded, platform, scripted, send, serve, token};

pub fn job(id: &str, stage: &str, labels: &Value) -> Value {
    json!({"id":id,"flavor":"cpu-basic","labels":labels,"owner":{"id":"u","name":"alice","type":"user"},
        "status":{"stage":stage,"message":null}})
}

fn labels() -> Value {
    json!({"ml-intern-call":"c1","ml-intern-response":"r1"})
}

fn spec(labels: &Value) -> JobSpec {
    JobSpec {
        image: Some("python:3.12".into()),
        command: vec!["true".into()],
        flavor: "cpu-basic".into(),
        timeout_seconds: 60,
        labels: serde_json::from_value(labels.clone()).unwrap(),
        ..JobSpec::default()
    }
}

/// A jobs service whose n-th creation gets the n-th answer, and which lists what it is told to.
struct Jobs {
    fake: Fake,
    posts: Count,
    lists: Count,
}

async fn jobs(
    create: impl Fn(usize) -> Response + Clone + Send + Sync + 'static,
    listed: Value,
) -> Jobs {
    let (posts, lists) = (Count::default(), Count::default());
    let (counted_posts, counted_lists) = (posts.clone(), lists.clone());
    let create = move || {
        let response = create(counted_posts.next());
        async move { response }
    };
    let list = move |RawQuery(query): RawQuery| {
        counted_lists.next();
        let query = query.unwrap_or_default();
        assert!(
            query.contains("label=ml-intern-call%3Dc1")
                && query.contains("label=ml-intern-response%3Dr1"),
            "{query}"
        );
        async move { axum::Json(listed) }
    };
    let fake = serve(Router::new().route("/api/jobs/alice", post(create).get(list))).await;
    Jobs { fake, posts, lists }
}

async fn created(jobs: &Jobs, labels: &Value) -> Result<Job, PlatformError> {
    bounded(platform(&jobs.fake).create_job(&token(), "alice", &spec(labels))).await
}

fn failed() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

fn made() -> Response {
    axum::Json(job("j1", "SCHEDULING", &labels())).into_response()
}

fn cut() -> Response {
    scripted("application/json", [send("{\"id\":"), Act::Cut])
}

#[tokio::test]
async fn a_job_is_created_with_one_request() {
    let jobs = jobs(|_| made(), json!([])).await;
    let job = created(&jobs, &labels()).await.unwrap();
    assert_eq!((job.id.as_str(), &job.stage), ("j1", &Stage::Scheduling));
    assert_eq!(
        platform(&jobs.fake).job_url(&job),
        format!("{}/jobs/alice/j1", jobs.fake.url)
    );
    assert_eq!((jobs.posts.get(), jobs.lists.get()), (1, 0));
}

#[tokio::test]
async fn a_refusal_is_final() {
    let table = [
        (400, ErrorKind::BadRequest),
        (402, ErrorKind::Billing),
        (403, ErrorKind::Permission),
        (429, ErrorKind::RateLimited),
    ];
    for (status, kind) in table {
        let jobs = jobs(
            move |_| StatusCode::from_u16(status).unwrap().into_response(),
            json!([]),
        )
        .await;
        assert_eq!(created(&jobs, &labels()).await.unwrap_err().kind, kind);
        assert_eq!((jobs.posts.get(), jobs.lists.get()), (1, 0));
    }
}

#[tokio::test]
async fn a_job_in_doubt_is_adopted_when_it_is_there() {
    let other = json!({"ml-intern-call":"c2","ml-intern-response":"r1"});
    for answer in [failed, cut] {
        let listed = json!([
            job("other", "RUNNING", &other),
            job("j7", "RUNNING", &labels())
        ]);
        let jobs = jobs(move |_| answer(), listed).await;
        assert_eq!(created(&jobs, &labels()).await.unwrap().id, "j7");
        assert_eq!(jobs.posts.get(), 1);
    }
}

#[tokio::test]
async fn after_a_server_error_an_absent_job_is_created_once_more() {
    let jobs = jobs(|n| if n == 0 { failed() } else { made() }, json!([])).await;
    assert_eq!(created(&jobs, &labels()).await.unwrap().id, "j1");
    assert_eq!(jobs.posts.get(), 2);
}

#[tokio::test]
async fn a_lasting_server_error_is_not_repeated_further() {
    let jobs = jobs(|_| failed(), json!([])).await;
    assert_eq!(
        created(&jobs, &labels()).await.unwrap_err().kind,
        ErrorKind::Unavailable
    );
    assert_eq!(jobs.posts.get(), 2);
}

#[tokio::test]
async fn after_a_broken_connection_nothing_is_sent_again() {
    let jobs = jobs(|_| cut(), json!([])).await;
    assert_eq!(
        created(&jobs, &labels()).await.unwrap_err().kind,
        ErrorKind::Unavailable
    );
    assert_eq!(jobs.posts.get(), 1);
    assert!(jobs.lists.get() >= 1);
}

#[tokio::test]
async fn without_both_labels_doubt_is_an_error() {
    let jobs = jobs(|_| failed(), json!([])).await;
    assert!(
        created(&jobs, &json!({"ml-intern-call":"c1"}))
            .await
            .is_err()
    );
    assert_eq!((jobs.posts.get(), jobs.lists.get()), (1, 0));
}

#[tokio::test]
async fn a_spec_without_an_image_and_a_strange_namespace_send_nothing() {
    let jobs = jobs(|_| made(), json!([])).await;
    let client = platform(&jobs.fake);
    let empty = client
        .create_job(&token(), "alice", &JobSpec::default())
        .await
        .unwrap_err();
    let strange = client
        .create_job(&token(), "../x", &spec(&labels()))
        .await
        .unwrap_err();
    assert_eq!(
        (empty.kind, strange.kind),
        (ErrorKind::BadRequest, ErrorKind::BadRequest)
    );
    assert_eq!(jobs.posts.get(), 0);
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    async fn list(
        State(queries): State<Arc<Mutex<Vec<String>>>>,
        RawQuery(query): RawQuery,
    ) -> Response {
        let query = query.unwrap_or_default();
        queries.lock().unwrap().push(query.clone());
        let none = json!({});
        if query.contains("cursor=2") {
            return axum::Json(json!([
                job("c", "RUNNING", &none),
                job("d", "RUNNING", &none)
            ]))
            .into_response();
        }
        let link = [("link", "</api/jobs/alice?cursor=2>; rel=\"next\"")];
        (
            link,
            axum::Json(json!([
                job("a", "RUNNING", &none),
                7,
                job("b", "ERROR", &none)
            ])),
        )
            .into_response()
    }
    let queries = Arc::new(Mutex::new(Vec::new()));
    let fake = serve(
        Router::new()
            .route("/api/jobs/alice", get(list))
            .with_state(queries.clone()),
    )
    .await;
    let filter = JobFilter {
        stages: vec![Stage::Running, Stage::Updating],
        limit: Some(2),
        ..JobFilter::default()
    };
    let found = platform(&fake)
        .jobs(&token(), "alice", filter)
        .await
        .unwrap();
    assert_eq!(
        found.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(),
        ["a", "c"]
    );
    assert_eq!(
        *queries.lock().unwrap(),
        ["stage=RUNNING&stage=UPDATING&limit=2", "cursor=2"]
    );
}

#[tokio::test]
async fn cancelling_a_job_that_has_ended_returns_it() {
    let cancel = |Path(id): Path<String>| async move {
        match id.as_str() {
            "live" => axum::Json(job("live", "CANCELED", &json!({}))).into_response(),
            _ => (
                StatusCode::CONFLICT,
                axum::Json(json!({"error":"cannot cancel"})),
            )
                .into_response(),
        }
    };
    let look = |Path(id): Path<String>| async move {
        let stage = if id == "over" { "COMPLETED" } else { "RUNNING" };
        axum::Json(job(&id, stage, &json!({})))
    };
    let router = Router::new()
        .route("/api/jobs/alice/{id}/cancel", post(cancel))
        .route("/api/jobs/alice/{id}", get(look));
    let fake = serve(router).await;
    let client = platform(&fake);
    assert_eq!(
        client
            .cancel_job(&token(), "alice", "live")
            .await
            .unwrap()
            .stage,
        Stage::Canceled
    );
    assert_eq!(
        client
            .cancel_job(&token(), "alice", "over")
            .await
            .unwrap()
            .stage,
        Stage::Completed
    );
    let stuck = client
        .cancel_job(&token(), "alice", "stuck")
        .await
        .unwrap_err();
    assert_eq!(
        (stuck.kind, stuck.message.as_str()),
        (ErrorKind::Conflict, "cannot cancel")
    );
}
