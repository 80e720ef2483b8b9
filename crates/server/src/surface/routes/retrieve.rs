//! `GET /v1/responses/{id}`: the object, or the OpenAI-shaped stream.

use super::cursor::{self, StreamQuery};
use super::{Id, object, owned};
use crate::app::App;
use crate::surface::auth::Caller;
use crate::surface::refusal::Refusal;
use crate::surface::stream::{self, Style};
use crate::surface::view::View;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};

pub(crate) async fn retrieve(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    query: StreamQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let row = owned(&app, &caller, &id).await?;
    let wants_stream = query.wants_stream()?;
    let view = View::of_sdk_route(query.view.as_deref(), &headers)?;
    if !wants_stream {
        cursor::from_query(&query, &row)?;
        return object(&app, &row.id).await;
    }
    let cursor = cursor::from_request(&headers, &query, &row)?;
    let style = Style {
        view,
        with_ids: false,
        with_done: true,
    };
    if row.phase.is_terminal() && cursor.next > row.head {
        return Ok(match cursor.is_last_event_id {
            true => StatusCode::NO_CONTENT.into_response(),
            false => stream::empty(&app, style),
        });
    }
    Ok(stream::follow(
        &app,
        app.journal.follow(&row, cursor.next).await?,
        style,
    ))
}
