//! `GET /v1/responses`: the owner's responses, paged and filtered.

use super::page;
use crate::app::App;
use crate::surface::auth::Caller;
use crate::surface::refusal::Refusal;
use axum::extract::State;
use axum::response::Response;
use journal::{JournalError, Listing, Phase};
use protocol::{Problem, ResponseId, SessionId};
use std::collections::BTreeMap;

/// A response has no more pairs than this.
const MOST_PAIRS: usize = 16;

pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    query: page::PageQuery,
) -> Result<Response, Refusal> {
    let limit = query.limit;
    let listing = Listing {
        newest_first: query.newest_first,
        after: query.after.as_deref().map(cursor).transpose()?,
        // One more than asked for tells whether there are more.
        ..filters(Listing::newest(caller.account(), limit + 1), &query.others)?
    };
    let mut rows = app.journal.list(&listing).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let mut data = Vec::with_capacity(rows.len());
    for row in &rows {
        match app.journal.object(row).await {
            Ok(object) => data.push(object),
            // Between the list and here.
            Err(JournalError::Deleted) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let data: Vec<_> = data.iter().map(|object| &**object).collect();
    Ok(page::list(&data, |object| object.id.as_str(), has_more))
}

fn filters(mut listing: Listing, query: &BTreeMap<String, String>) -> Result<Listing, Problem> {
    for (name, value) in query {
        let wrong = |why: &str| Problem::invalid("invalid_value", name.clone(), why);
        match name.as_str() {
            "status" => {
                let phases = phases(value).ok_or_else(|| {
                    wrong("`status` must be one of queued, in_progress, completed, failed, cancelled, incomplete.")
                })?;
                listing.phases = Some(phases);
            }
            "session_id" => {
                let session = SessionId::parse(value)
                    .ok_or_else(|| wrong("`session_id` must be the id of a session."))?;
                listing.session = Some(session);
            }
            "metadata" => return Err(wrong("Filter by metadata as `metadata[key]=value`.")),
            name => {
                if let Some(key) = metadata_key(name) {
                    listing.metadata.push((key.to_owned(), value.clone()));
                }
            }
        }
    }
    if listing.metadata.len() > MOST_PAIRS {
        let why = "No response has more than 16 pairs of metadata.";
        return Err(Problem::invalid("invalid_value", "metadata", why));
    }
    Ok(listing)
}

fn metadata_key(name: &str) -> Option<&str> {
    name.strip_prefix("metadata[")?.strip_suffix(']')
}

/// The phases that a status stands for.
fn phases(status: &str) -> Option<Vec<Phase>> {
    Some(match status {
        "queued" => vec![Phase::Queued],
        "in_progress" => vec![Phase::Running],
        "completed" => vec![Phase::Completed],
        "failed" => vec![Phase::Failed],
        "cancelled" => vec![Phase::Cancelled],
        "incomplete" => vec![Phase::AwaitingApproval, Phase::Interrupted],
        _ => return None,
    })
}

fn cursor(after: &str) -> Result<ResponseId, Problem> {
    ResponseId::parse(after).ok_or_else(|| {
        Problem::invalid(
            "invalid_cursor",
            "after",
            "`after` must be the id of a response.",
        )
    })
}
