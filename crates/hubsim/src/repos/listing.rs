//! `GET /api/{models,datasets,spaces}`: search and list.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::Value;

use super::info;
use super::kind::RepoKind;
use super::repo::Repo;
use crate::error::HubError;
use crate::query::Query;
use crate::state::App;
use crate::token::Caller;

const PAGE: usize = 100;

pub async fn list(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    caller: Caller,
    query: Query,
) -> Result<Response, HubError> {
    let account = caller.optional()?.map(|account| account.name);
    let mut found = Vec::new();
    for repo in app.repos.of_kind(kind) {
        let repo = repo.read().await;
        if !fits(&repo, account.as_deref(), &query) {
            continue;
        }
        let mut view = info::describe(&app.repos, &repo, repo.head()).await;
        if query.flag("full") || query.all("expand").any(|field| field == "siblings") {
            view["siblings"] = info::siblings(repo.head(), false);
        }
        if has_tags(&view, &query) {
            found.push(view);
        }
    }
    sort(&mut found, query.get("sort").unwrap_or("trendingScore"));
    let start = query.number("cursor").unwrap_or(0);
    let limit = query.number("limit").unwrap_or(PAGE).clamp(1, 1000);
    let total = found.len();
    let page: Vec<Value> = found.into_iter().skip(start).take(limit).collect();
    let mut response = Json(page).into_response();
    if start + limit < total {
        let rest = query.without("cursor");
        let link = format!(
            "<{}/api/{}?{rest}&cursor={}>; rel=\"next\"",
            app.url,
            kind.plural(),
            start + limit
        );
        if let Ok(link) = link.parse() {
            response.headers_mut().insert("link", link);
        }
    }
    Ok(response)
}

fn fits(repo: &Repo, account: Option<&str>, query: &Query) -> bool {
    let visible = !repo.private || account == Some(repo.namespace());
    let by = query
        .get("author")
        .is_none_or(|author| author == repo.namespace());
    let named = |text: &str| repo.id.to_lowercase().contains(&text.to_lowercase());
    visible && by && query.get("search").is_none_or(named)
}

/// `filter` may be repeated; a model must have all of the tags.
fn has_tags(view: &Value, query: &Query) -> bool {
    let tags = view["tags"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    query
        .all("filter")
        .all(|wanted| tags.iter().any(|tag| tag == wanted))
}

/// Newest first for times; what is never counted here (likes, downloads, trends) sorts by change too.
fn sort(found: &mut [Value], by: &str) {
    let key = if by == "createdAt" {
        "createdAt"
    } else {
        "lastModified"
    };
    found.sort_by(|a, b| b[key].as_str().cmp(&a[key].as_str()));
}
