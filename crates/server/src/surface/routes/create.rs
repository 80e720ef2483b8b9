//! `POST /v1/responses`: submit a task, in one of three modes.

use super::cursor::StreamQuery;
use super::{object, to_its_end};
use crate::app::App;
use crate::sessions::idempotency::Ticket;
use crate::sessions::turns::Submission;
use crate::surface::auth::Caller;
use crate::surface::body::JsonBody;
use crate::surface::refusal::{self, Refusal};
use crate::surface::stream::{self, Style};
use crate::surface::view::View;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use futures_util::stream as futures_stream;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use journal::Follower;
use protocol::{CreateRequest, ErrorType, Problem, ResponseId};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A synchronous wait longer than this commits to a 200 and sends spaces, so that clients and proxies hold on.
const SPACE_EVERY: Duration = Duration::from_secs(30);
const SPACE: Bytes = Bytes::from_static(b" ");
/// Says that an earlier request has made the response.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    query: StreamQuery,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let request = agent::without_token(CreateRequest::parse(&body)?, &caller.token);
    let view = View::of_sdk_route(query.view.as_deref(), &headers)?;
    if !caller.identity.may_infer {
        return Err(Refusal(inference_permission_required()));
    }
    let ticket = Ticket::of(&headers, caller.account(), &body)?;
    let (is_stream, is_background) = (request.stream, request.background);
    let wait_timeout = request.wait_timeout;
    let submitting = app.clone();
    let submitted =
        to_its_end(async move { submit(&submitting, &caller, request, &ticket).await }).await?;
    let Submitted { id, is_replay } = submitted;
    let mut response = if is_stream {
        let row = app
            .journal
            .response(&id)
            .await?
            .ok_or_else(Problem::response_not_found)?;
        let follower = app.journal.follow(&row, 0).await?;
        let style = Style {
            view,
            with_ids: false,
            with_done: true,
        };
        stream::follow(&app, follower, style)
    } else if !is_background {
        wait(&app, id, wait_timeout).await?
    } else if is_replay {
        object(&app, &id).await?
    } else {
        queued(&app, &id).await?
    };
    if is_replay {
        let yes = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, yes);
    }
    Ok(response)
}

struct Submitted {
    id: ResponseId,
    /// Whether an earlier request has made it.
    is_replay: bool,
}

/// Submits a request, unless it has made a response before.
async fn submit(
    app: &App,
    caller: &Caller,
    request: CreateRequest,
    ticket: &Ticket,
) -> Result<Submitted, Refusal> {
    let replayed = |id| Submitted {
        id,
        is_replay: true,
    };
    let _passage = app.doors.enter(ticket).await;
    if let Some(id) = ticket.made(&app.journal).await? {
        return Ok(replayed(id));
    }
    if app.is_draining() {
        return Err(Refusal(refusal::shutting_down()));
    }
    let submission = Submission {
        claims: vec![ticket.claim()],
        webhook: app.webhooks.receiver(request.webhook.as_ref())?,
        request,
    };
    match app.sessions.submit(caller, &app.models, &submission).await {
        Ok(id) => Ok(Submitted {
            id,
            is_replay: false,
        }),
        // Another process may have been faster, and its turn in the way of this one.
        Err(refusal) => {
            let made = ticket.made(&app.journal).await?;
            made.map(replayed).ok_or(refusal)
        }
    }
}

/// The object as it was submitted: `queued`, with no output, whatever has happened since.
async fn queued(app: &App, id: &ResponseId) -> Result<Response, Refusal> {
    let frames = app.journal.frames(id, 1, 1).await?;
    let event: Option<serde_json::Value> = frames
        .first()
        .and_then(|frame| serde_json::from_slice(&frame.data()).ok());
    match event.and_then(|mut event| event.get_mut("response").map(serde_json::Value::take)) {
        Some(response) => Ok(json(response.to_string().into())),
        None => object(app, id).await,
    }
}

fn json(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// Blocks until the response rests or the time is up.
async fn wait(app: &App, id: ResponseId, most: Duration) -> Result<Response, Refusal> {
    let deadline = Instant::now() + most;
    let row = app
        .journal
        .response(&id)
        .await?
        .ok_or_else(Problem::response_not_found)?;
    let mut follower = app.journal.follow(&row, 0).await?;
    let quiet = deadline.min(Instant::now() + space_every(app));
    let is_over = timeout_at(quiet, rest(&mut follower)).await.is_ok() || quiet == deadline;
    if is_over || app.closing.is_cancelled() {
        return object(app, &id).await;
    }
    Ok(json(spaced_body(app.clone(), id, follower, deadline)))
}

/// How often a long wait shows that it lives: every second keep-alive, at least every 30 s.
fn space_every(app: &App) -> Duration {
    SPACE_EVERY.min(app.keepalive * 2)
}

/// Reads on until the response rests. A journal that fails ends the wait too.
async fn rest(follower: &mut Follower) {
    while let Ok(frames) = follower.next().await {
        if frames.iter().any(|frame| follower.ends_at(frame)) {
            return;
        }
    }
}

struct Wait {
    app: App,
    id: ResponseId,
    follower: Follower,
    deadline: Instant,
    is_over: bool,
}

/// A space at once, as the first quiet time is over, and one after each further, then the object.
fn spaced_body(app: App, id: ResponseId, follower: Follower, deadline: Instant) -> Body {
    let wait = Wait {
        app,
        id,
        follower,
        deadline,
        is_over: false,
    };
    let first = futures_stream::once(std::future::ready(Ok(SPACE)));
    let rest = futures_stream::unfold(wait, |mut wait| async move {
        if wait.is_over {
            return None;
        }
        let next = wait.deadline.min(Instant::now() + space_every(&wait.app));
        let closing = wait.app.closing.clone();
        let rested = tokio::select! {
            rested = timeout_at(next, rest(&mut wait.follower)) => rested.is_ok(),
            () = closing.cancelled() => true,
        };
        if !rested && Instant::now() < wait.deadline {
            return Some((Ok::<_, std::convert::Infallible>(SPACE), wait));
        }
        wait.is_over = true;
        let body = match wait.app.journal.response(&wait.id).await {
            Ok(Some(row)) => wait
                .app
                .journal
                .object(&row)
                .await
                .ok()
                .and_then(|object| serde_json::to_vec(&*object).ok()),
            _ => None,
        };
        Some((
            Ok(Bytes::from(body.unwrap_or_else(|| {
                Problem::internal().body().to_string().into()
            }))),
            wait,
        ))
    });
    Body::from_stream(futures_util::StreamExt::chain(first, rest))
}

fn inference_permission_required() -> Problem {
    let message = "The token lacks the permission to call Inference Providers. Create one with it at \
                   https://huggingface.co/settings/tokens/new?ownUserPermissions=inference.serverless.write&tokenType=fineGrained";
    Problem::new(
        403,
        ErrorType::Permission,
        "inference_provider_permission_required",
        message,
    )
}
