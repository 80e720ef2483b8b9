//! Collections: found by title over pages, made once, filled.

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use platform::{CollectionItem, RepoKind};
use serde_json::json;
use std::collections::HashMap;

use crate::fake::{bounded, platform, serve, token};

const SLUG: &str = "alice/wanted-0123456789abcdef01234567";

/// Two pages; the wanted one is on the second.
fn list() -> Router {
    let handler = |Query(query): Query<HashMap<String, String>>| async move {
        assert_eq!(query["owner"], "alice");
        match query.get("cursor") {
            None => {
                let link = "</api/collections?owner=alice&cursor=1>; rel=\"next\"";
                let page = json!([{"slug": "alice/other-1", "title": "wanted too", "items": []}, {"strange": 1}]);
                ([("link", link)], Json(page)).into_response()
            }
            Some(_) => {
                Json(json!([{"slug": SLUG, "title": "wanted", "items": []}])).into_response()
            }
        }
    };
    let conflict = || async {
        (
            StatusCode::CONFLICT,
            Json(json!({"error": "exists", "slug": SLUG})),
        )
    };
    let shown = || async {
        Json(json!({"slug": SLUG, "title": "wanted", "items": [
            {"_id": "1", "id": "alice/m", "type": "model", "position": 0},
            {"_id": "2", "id": "2401.00001", "type": "paper", "position": 1},
            {"_id": "3", "id": "alice/d", "type": "dataset", "position": 2},
        ]}))
    };
    Router::new()
        .route("/api/collections", get(handler).post(conflict))
        .route("/api/collections/{owner}/{name}", get(shown))
        .route("/api/collections/{owner}/{name}/items", post(conflict))
}

#[tokio::test]
async fn a_title_is_found_on_a_later_page() {
    let fake = serve(list()).await;
    let platform = platform(&fake);
    let found = bounded(platform.find_collection(&token(), "alice", "wanted")).await;
    assert_eq!(found.unwrap().as_deref(), Some(SLUG));
    let none = bounded(platform.find_collection(&token(), "alice", "no such")).await;
    assert_eq!(none.unwrap(), None);
}

#[tokio::test]
async fn what_exists_is_used() {
    let fake = serve(list()).await;
    let platform = platform(&fake);
    let made = bounded(platform.create_collection(&token(), "alice", "wanted", "why")).await;
    assert_eq!(made.unwrap(), SLUG);
    let item = CollectionItem {
        kind: RepoKind::Model,
        id: "alice/m".into(),
    };
    bounded(platform.add_to_collection(&token(), SLUG, &item))
        .await
        .unwrap();
    let collection = bounded(platform.collection(&token(), SLUG)).await.unwrap();
    let ids: Vec<&str> = collection
        .items
        .iter()
        .map(|item| item.id.as_str())
        .collect();
    assert_eq!(ids, ["alice/m", "alice/d"]);
    assert!(
        bounded(platform.collection(&token(), "../evil"))
            .await
            .is_err()
    );
}
