//! The document, the router and the reference page say the same.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use support::*;

type Operations = BTreeSet<(String, String)>;

async fn document(client: &Client) -> Value {
    let (status, document) = client.get("/openapi.json").await;
    assert_eq!(status, 200);
    document
}

fn described(document: &Value) -> Operations {
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap().keys();
        methods
            .map(|method| (method.to_uppercase(), path.clone()))
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

/// The paths that the router's source names.
fn routed() -> BTreeSet<String> {
    let source = include_str!("../../server/src/surface/router.rs");
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let quoted = source.split('"').skip(1).step_by(2);
    quoted
        .filter(|text| text.starts_with('/'))
        .map(str::to_owned)
        .collect()
}

/// What the server takes at these paths, as its Allow headers tell for a method that nothing takes.
async fn served(client: &Client, paths: &BTreeSet<String>) -> Operations {
    let mut served = Operations::new();
    for path in paths {
        let asked = path.replace("{id}", "resp_0123456789abcdef0123456789abcdef");
        let answer = client
            .request(reqwest::Method::PATCH, &asked)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 405, "{path}");
        let allow = answer.headers()["allow"].to_str().unwrap().to_owned();
        let methods = allow
            .split(',')
            .map(str::trim)
            .filter(|method| *method != "HEAD");
        served.extend(methods.map(|method| (method.to_owned(), path.clone())));
    }
    served
}

#[tokio::test]
async fn every_route_is_described_and_everything_described_is_routed() {
    let (_sim, _server, client) = bench().await;
    let described = described(&document(&client).await);
    let served = served(&client, &routed()).await;
    assert!(served.len() > 12, "{served:?}");
    let undescribed: Vec<_> = served.difference(&described).collect();
    assert!(
        undescribed.is_empty(),
        "not in the document: {undescribed:?}"
    );
    let unserved: Vec<_> = described.difference(&served).collect();
    assert!(unserved.is_empty(), "not in the router: {unserved:?}");
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_operations_have_names_of_their_own() {
    let (_sim, _server, client) = bench().await;
    let document = document(&client).await;
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 30);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let mut ids = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert_eq!(ids.insert(id, path), None, "{id} twice");
        }
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                references.insert(reference.clone());
            }
            fields.values().for_each(|value| collect(value, references));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[tokio::test]
async fn every_event_of_the_protocol_is_in_the_catalogue() {
    let (_sim, _server, client) = bench().await;
    let source = include_str!("../../protocol/src/event.rs");
    let source = source.split("#[cfg(test)]").next().unwrap();
    let quoted = source.split('"').skip(1).step_by(2);
    let names: BTreeSet<&str> = quoted
        .filter(|text| text.starts_with("response."))
        .collect();
    assert!(names.len() > 30, "{names:?}");
    let document = document(&client).await;
    let variants = document["components"]["schemas"]["Event"]["oneOf"]
        .as_array()
        .unwrap();
    let text = serde_json::to_string(variants).unwrap();
    let page = client
        .request(reqwest::Method::GET, "/docs")
        .send()
        .await
        .unwrap();
    let page = page.text().await.unwrap();
    for name in &names {
        assert!(
            text.contains(&format!("[\"{name}\"]")),
            "{name} is not in the document"
        );
        assert!(
            page.contains(&format!("id=\"event-{name}\"")),
            "{name} is not on the page"
        );
    }
    assert_eq!(variants.len(), names.len());
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let (_sim, _server, client) = bench().await;
    let get = |path: &str| client.http.get(format!("{}{path}", client.base)).send();
    let page = get("/docs").await.unwrap();
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let html = page.text().await.unwrap();
    let mut loaded = html.split("src=\"").skip(1).collect::<Vec<_>>();
    let links = html.split("<link ").skip(1);
    loaded.extend(links.filter_map(|link| link.split("href=\"").nth(1)));
    assert_eq!(loaded.len(), 3);
    for target in loaded {
        assert!(
            target.starts_with("/docs/") || target.starts_with("data:,"),
            "{target:.80}"
        );
    }
    for (path, media) in [
        ("/docs/style.css", "text/css"),
        ("/docs/app.js", "text/javascript"),
        ("/docs/replay.json", "application/json"),
    ] {
        let answer = get(path).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert!(
            answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with(media),
            "{path}"
        );
    }
    let replay: Vec<Value> = get("/docs/replay.json")
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let numbers = replay
        .iter()
        .map(|entry| entry["event"]["sequence_number"].as_u64().unwrap());
    assert!(numbers.eq(0..replay.len() as u64), "the whole log");
    assert_eq!(
        replay.last().unwrap()["event"]["type"],
        "response.completed"
    );
    let index: Value = get("/").await.unwrap().json().await.unwrap();
    assert_eq!(index["docs"], "/docs");
}
