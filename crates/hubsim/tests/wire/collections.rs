//! Collections: create, fill, list, forget.

use reqwest::Method;
use serde_json::{Value, json};

use crate::bench::Bench;

const TITLE: &str = "ml-intern-artifacts-2026-11-24-x";

async fn made(bench: &Bench, private: bool) -> Value {
    let body = json!({"title": TITLE, "namespace": "alice", "private": private});
    let answer = bench.post("/api/collections", "hf_alice", body).await;
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

#[tokio::test]
async fn a_collection_is_made_once_and_filled() {
    let bench = Bench::new().await;
    let slug = made(&bench, false).await["slug"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(slug.starts_with(&format!("alice/{TITLE}-")), "{slug}");
    let again = json!({"title": TITLE, "namespace": "alice"});
    let answer = bench.post("/api/collections", "hf_alice", again).await;
    assert_eq!(answer.status(), 409);
    assert_eq!(answer.json::<Value>().await.unwrap()["slug"], *slug);

    let items = format!("/api/collections/{slug}/items");
    let model = json!({"item": {"type": "model", "id": "alice/m"}, "note": "why"});
    assert_eq!(
        bench.post(&items, "hf_alice", model.clone()).await.status(),
        404
    );
    let repo = json!({"name": "m"});
    assert_eq!(
        bench
            .post("/api/repos/create", "hf_alice", repo)
            .await
            .status(),
        200
    );
    assert_eq!(
        bench.post(&items, "hf_bob", model.clone()).await.status(),
        403
    );
    assert_eq!(
        bench.post(&items, "hf_alice", model.clone()).await.status(),
        200
    );
    assert_eq!(bench.post(&items, "hf_alice", model).await.status(), 409);

    let shown = bench
        .get_json(&format!("/api/collections/{slug}"), "")
        .await;
    assert_eq!(shown["items"][0]["id"], "alice/m");
    assert_eq!(shown["items"][0]["note"]["text"], "why");
    assert_eq!(shown.get("position"), None);
    let key = shown["items"][0]["_id"].as_str().unwrap();
    let item = bench.request(Method::DELETE, &format!("{items}/{key}"), "hf_alice");
    assert_eq!(item.send().await.unwrap().status(), 200);
    let gone = bench.request(
        Method::DELETE,
        &format!("/api/collections/{slug}"),
        "hf_alice",
    );
    assert_eq!(gone.send().await.unwrap().status(), 200);
    assert_eq!(
        bench
            .get(&format!("/api/collections/{slug}"), "")
            .await
            .status(),
        404
    );
}

#[tokio::test]
async fn a_private_collection_is_its_owners() {
    let bench = Bench::new().await;
    let slug = made(&bench, true).await["slug"]
        .as_str()
        .unwrap()
        .to_owned();
    let list = "/api/collections?owner=alice";
    assert_eq!(
        bench
            .get_json(list, "hf_alice")
            .await
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(bench.get_json(list, "hf_bob").await, json!([]));
    let path = format!("/api/collections/{slug}");
    assert_eq!(bench.get(&path, "hf_bob").await.status(), 404);
    assert_eq!(bench.get(&path, "hf_alice").await.status(), 200);
}
