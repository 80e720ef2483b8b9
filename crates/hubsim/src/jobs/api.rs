//! The handlers of `/api/jobs/…`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};

use super::job::Job;
use super::spec::Spec;
use super::{owner, run, view};
use crate::body::JsonBody;
use crate::error::HubError;
use crate::query::Query;
use crate::state::App;
use crate::token::Caller;

const PAGE: usize = 100;
const CANCEL_WAIT: Duration = Duration::from_secs(5);

type Address = Path<(String, String)>;

pub async fn create(
    State(app): State<Arc<App>>,
    Path(namespace): Path<String>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    let account = caller.require()?;
    owner::check(&account, &namespace)?;
    let spec = Spec::parse(&body)?;
    if account.is_broke {
        return Err(HubError::new(
            StatusCode::PAYMENT_REQUIRED,
            "Pre-paid credit balance is insufficient - add more credits to your account to use Jobs.",
        ));
    }
    let job = app.jobs.add(account, spec)?;
    app.jobs.tasks.spawn(run::run(app.clone(), job.clone()));
    Ok(Json(view::describe(&job, &app.url)))
}

pub async fn list(
    State(app): State<Arc<App>>,
    Path(namespace): Path<String>,
    caller: Caller,
    query: Query,
) -> Result<Response, HubError> {
    owner::check(&caller.require()?, &namespace)?;
    let jobs = matching(&app, &namespace, &query);
    let cursor = query.get("cursor");
    let start = cursor.map_or(0, |id| {
        jobs.iter()
            .position(|job| job.id == id)
            .map_or(jobs.len(), |at| at + 1)
    });
    let limit = query.number("limit").unwrap_or(PAGE).clamp(1, PAGE);
    let page: Vec<&Arc<Job>> = jobs.iter().skip(start).take(limit).collect();
    let shown: Vec<Value> = page
        .iter()
        .map(|job| view::describe(job, &app.url))
        .collect();
    let mut response = Json(shown).into_response();
    if let Some(last) = page.last().filter(|_| start + limit < jobs.len()) {
        let rest = query.without("cursor");
        let link = format!(
            "<{}/api/jobs/{namespace}?{rest}&cursor={}>; rel=\"next\"",
            app.url, last.id
        );
        if let Ok(link) = link.parse() {
            response.headers_mut().insert("link", link);
        }
    }
    Ok(response)
}

pub async fn count(
    State(app): State<Arc<App>>,
    Path(namespace): Path<String>,
    caller: Caller,
    query: Query,
) -> Result<Json<Value>, HubError> {
    owner::check(&caller.require()?, &namespace)?;
    Ok(Json(
        json!({"count": matching(&app, &namespace, &query).len()}),
    ))
}

/// The jobs that hold every label and are in one of the stages, newest first.
fn matching(app: &App, namespace: &str, query: &Query) -> Vec<Arc<Job>> {
    let mut jobs = app.jobs.of(namespace);
    jobs.retain(|job| {
        let stage = job.status().stage.as_str();
        let mut stages = query.all("stage").peekable();
        let in_stage =
            stages.peek().is_none() || stages.any(|wanted| wanted.eq_ignore_ascii_case(stage));
        in_stage && query.all("label").all(|label| job.has_label(label))
    });
    jobs
}

/// Errors: 401, 403, 404.
fn find(app: &App, caller: Caller, namespace: &str, id: &str) -> Result<Arc<Job>, HubError> {
    owner::check(&caller.require()?, namespace)?;
    let job = app.jobs.get(id).filter(|job| job.owner.name == namespace);
    job.ok_or_else(|| HubError::not_found("Job not found"))
}

pub async fn inspect(
    State(app): State<Arc<App>>,
    Path((namespace, id)): Address,
    caller: Caller,
) -> Result<Json<Value>, HubError> {
    let job = find(&app, caller, &namespace, &id)?;
    Ok(Json(view::describe(&job, &app.url)))
}

pub async fn logs(
    State(app): State<Arc<App>>,
    Path((namespace, id)): Address,
    caller: Caller,
    query: Query,
) -> Result<Response, HubError> {
    let job = find(&app, caller, &namespace, &id)?;
    let events = job.log.clone().follow(query.number("tail")).await?;
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}

pub async fn cancel(
    State(app): State<Arc<App>>,
    Path((namespace, id)): Address,
    caller: Caller,
) -> Result<Json<Value>, HubError> {
    let job = find(&app, caller, &namespace, &id)?;
    job.cancel.cancel();
    if tokio::time::timeout(CANCEL_WAIT, job.finished())
        .await
        .is_err()
    {
        tracing::warn!(job = job.id, "job is slow to end");
    }
    Ok(Json(view::describe(&job, &app.url)))
}

#[derive(Debug, Deserialize)]
pub struct Labels {
    labels: BTreeMap<String, String>,
}

pub async fn relabel(
    State(app): State<Arc<App>>,
    Path((namespace, id)): Address,
    caller: Caller,
    JsonBody(body): JsonBody<Labels>,
) -> Result<Json<Value>, HubError> {
    let job = find(&app, caller, &namespace, &id)?;
    job.relabel(body.labels);
    Ok(Json(view::describe(&job, &app.url)))
}

/// `GET /__sim/jobs`: the jobs of all accounts, newest first.
pub async fn list_all(State(app): State<Arc<App>>) -> Json<Value> {
    let jobs = app.jobs.all();
    Json(
        jobs.iter()
            .map(|job| view::describe(job, &app.url))
            .collect(),
    )
}
