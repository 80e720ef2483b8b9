//! Collections: named lists of repositories, papers and other collections in a namespace.

mod items;
pub mod store;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::body::JsonBody;
use crate::error::HubError;
use crate::ids::random_id;
use crate::query::Query;
use crate::repos::access::may_write;
use crate::state::App;
use crate::token::Caller;
use store::Collection;

const LONGEST_TITLE: usize = 59;
const LONGEST_DESCRIPTION: usize = 150;
const PAGE: usize = 100;
/// A listing shows only the first items of each collection.
const ITEMS_IN_LIST: usize = 4;
const THEMES: [&str; 6] = ["orange", "blue", "green", "purple", "pink", "indigo"];

/// Namespace and slug in a path.
type SlugPath = Path<(String, String)>;

pub fn routes() -> Router<Arc<App>> {
    let one = "/api/collections/{namespace}/{slug}";
    Router::new()
        .route("/api/collections", get(list).post(create))
        .route(one, get(show).patch(change).delete(remove))
        .route(&format!("{one}/items"), post(items::add))
        .route(
            &format!("{one}/items/{{item}}"),
            delete(items::remove).patch(items::change),
        )
}

#[derive(Debug, Deserialize)]
struct Create {
    title: String,
    namespace: Option<String>,
    description: Option<String>,
    #[serde(default)]
    private: bool,
    item: Option<items::Named>,
}

async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<Create>,
) -> Result<Json<Value>, HubError> {
    let account = caller.require()?;
    let namespace = body.namespace.unwrap_or_else(|| account.name.clone());
    may_write(&account, &namespace)?;
    check_title(&body.title)?;
    check_description(body.description.as_deref())?;
    let same = |known: &Collection| known.namespace() == namespace && known.title == body.title;
    if let Some(known) = app.collections.all().into_iter().find(same) {
        let error = "You already have a collection with this title";
        return Err(HubError::with_body(
            StatusCode::CONFLICT,
            json!({"error": error, "slug": known.slug}),
        ));
    }
    let slug = format!("{namespace}/{}-{}", slug_of(&body.title), random_id());
    let mut made = Collection::new(slug, body.title, body.description, body.private);
    if let Some(item) = body.item {
        items::check(&app, &item, &account.name).await?;
        made.items.push(item.into_item(None));
    }
    app.collections.save(made.clone()).await?;
    Ok(Json(made.view(usize::MAX)))
}

async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    query: Query,
) -> Result<Response, HubError> {
    let account = caller.optional()?.map(|account| account.name);
    let fits = |collection: &Collection| {
        let by = query
            .get("owner")
            .is_none_or(|owner| owner == collection.namespace());
        let words = query.get("q").unwrap_or_default().to_lowercase();
        let holds = query.get("item").is_none_or(|item| collection.holds(item));
        by && holds
            && collection.is_visible_to(account.as_deref())
            && collection.title.to_lowercase().contains(&words)
    };
    let mut found: Vec<Collection> = app.collections.all().into_iter().filter(fits).collect();
    found.sort_by_key(|collection| std::cmp::Reverse(collection.updated));
    let start = query.number("cursor").unwrap_or(0);
    let limit = query.number("limit").unwrap_or(PAGE).clamp(1, PAGE);
    let total = found.len();
    let page: Vec<Value> = found
        .iter()
        .skip(start)
        .take(limit)
        .map(|collection| collection.view(ITEMS_IN_LIST))
        .collect();
    let mut response = Json(page).into_response();
    if start + limit < total {
        let rest = query.without("cursor");
        let next = start + limit;
        let link = format!(
            "<{}/api/collections?{rest}&cursor={next}>; rel=\"next\"",
            app.url
        );
        if let Ok(link) = link.parse() {
            response.headers_mut().insert("link", link);
        }
    }
    Ok(response)
}

async fn show(
    State(app): State<Arc<App>>,
    Path((namespace, slug)): SlugPath,
    caller: Caller,
) -> Result<Json<Value>, HubError> {
    let account = caller.optional()?.map(|account| account.name);
    let found = app.collections.get(&format!("{namespace}/{slug}"));
    let visible = found.filter(|collection| collection.is_visible_to(account.as_deref()));
    let collection = visible.ok_or_else(not_found)?;
    Ok(Json(collection.view(usize::MAX)))
}

#[derive(Debug, Deserialize)]
struct Change {
    title: Option<String>,
    description: Option<String>,
    private: Option<bool>,
    theme: Option<String>,
}

async fn change(
    State(app): State<Arc<App>>,
    Path(path): SlugPath,
    caller: Caller,
    JsonBody(body): JsonBody<Change>,
) -> Result<Json<Value>, HubError> {
    let mut collection = writable(&app, &path, caller)?;
    if let Some(title) = body.title {
        check_title(&title)?;
        collection.title = title;
    }
    if let Some(theme) = body.theme {
        if !THEMES.contains(&theme.as_str()) {
            return Err(HubError::bad_request("Invalid theme"));
        }
        collection.theme = theme;
    }
    check_description(body.description.as_deref())?;
    collection.description = body.description.or(collection.description);
    collection.private = body.private.unwrap_or(collection.private);
    app.collections.save(collection.clone()).await?;
    Ok(Json(json!({"data": collection.view(usize::MAX)})))
}

async fn remove(
    State(app): State<Arc<App>>,
    Path(path): SlugPath,
    caller: Caller,
) -> Result<Json<Value>, HubError> {
    let collection = writable(&app, &path, caller)?;
    app.collections.remove(&collection.slug).await?;
    Ok(Json(json!({"success": true})))
}

/// A collection that the caller may change. Errors: 401, 403, 404.
fn writable(
    app: &App,
    (namespace, slug): &(String, String),
    caller: Caller,
) -> Result<Collection, HubError> {
    let account = caller.require()?;
    let found = app.collections.get(&format!("{namespace}/{slug}"));
    let visible = found.filter(|collection| collection.is_visible_to(Some(&account.name)));
    let collection = visible.ok_or_else(not_found)?;
    may_write(&account, collection.namespace())?;
    Ok(collection)
}

fn not_found() -> HubError {
    HubError::not_found("Collection not found")
}

fn check_title(title: &str) -> Result<(), HubError> {
    if title.trim().is_empty() || title.chars().count() > LONGEST_TITLE {
        return Err(HubError::bad_request(
            "Invalid title: it must have 1 to 59 characters",
        ));
    }
    Ok(())
}

fn check_description(text: Option<&str>) -> Result<(), HubError> {
    if text.is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
        return Err(HubError::bad_request(
            "Invalid description: it may have at most 150 characters",
        ));
    }
    Ok(())
}

/// `My Title!` → `my-title`
fn slug_of(title: &str) -> String {
    let words = title
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

#[cfg(test)]
mod tests {
    #[test]
    fn slugs() {
        assert_eq!(
            super::slug_of("ml-intern-artifacts-2026-11-24-x_1"),
            "ml-intern-artifacts-2026-11-24-x-1"
        );
        assert_eq!(super::slug_of(" Größe! "), "gr-e");
    }
}
