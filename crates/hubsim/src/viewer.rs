//! The dataset viewer (its own host in the real world, `/datasets-server` here): tables read out of dataset repositories.

mod columns;
mod failure;
mod statistics;
mod tables;

use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::HeaderValue;
use http::request::Parts;
use serde_json::{Value, json};

use crate::query::Query;
use crate::repos::access;
use crate::repos::kind::RepoKind;
use crate::state::App;
use crate::token::Caller;
use failure::Failure;
use tables::{Dataset, Table};

const MOST_ROWS: usize = 100;
/// A cell longer than this is cut in `first-rows`.
const LONGEST_CELL: usize = 20_000;

pub fn routes() -> Router<Arc<App>> {
    let path = |name: &str| format!("/datasets-server/{name}");
    Router::new()
        .route(&path("is-valid"), get(is_valid))
        .route(&path("splits"), get(splits))
        .route(&path("info"), get(info))
        .route(&path("size"), get(size))
        .route(&path("first-rows"), get(first_rows))
        .route(&path("rows"), get(rows))
        .route(&path("search"), get(search))
        .route(&path("parquet"), get(parquet))
        .route(&path("statistics"), get(statistics_of))
}

/// What every answer is made from.
struct Asked {
    dataset: Dataset,
    query: Query,
}

impl FromRequestParts<Arc<App>> for Asked {
    type Rejection = Failure;

    /// Errors: the dataset is not named, or cannot be seen.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let query = Query::parse(parts.uri.query().unwrap_or("").as_bytes());
        let caller = Caller::from_headers(&parts.headers);
        let id = query.get("dataset").filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| Failure::missing("dataset"))?.to_owned();
        let anonymous = caller == Caller::Anonymous;
        let (namespace, name) = id.split_once('/').unwrap_or(("", &id));
        let repo = access::readable(app, RepoKind::Dataset, (namespace, name), caller)
            .await
            .map_err(|_| Failure::no_dataset(anonymous))?;
        let repo = repo.read().await;
        let dataset = Dataset::of(&id, repo.head());
        Ok(Self { dataset, query })
    }
}

impl Asked {
    /// The table that `config` and `split` name; both are needed.
    async fn table(&self, app: &App) -> Result<Table, Failure> {
        let given = |name: &str| {
            let value = self.query.get(name).filter(|value| !value.is_empty());
            value.ok_or_else(|| Failure::missing(name))
        };
        let (config, split) = (given("config")?, given("split")?);
        self.dataset.table(app, config, split).await
    }

    /// An answer with the revision it is about.
    fn answer(&self, body: Value) -> Response {
        let mut response = Json(body).into_response();
        if let Ok(revision) = HeaderValue::from_str(&self.dataset.revision) {
            response.headers_mut().insert("x-revision", revision);
        }
        response
    }
}

async fn is_valid(asked: Asked) -> Result<Response, Failure> {
    let has = !asked.dataset.splits().is_empty();
    Ok(asked.answer(
        json!({"preview": has, "viewer": has, "search": has, "filter": false, "statistics": has}),
    ))
}

async fn splits(asked: Asked) -> Result<Response, Failure> {
    let id = &asked.dataset.id;
    let listed: Vec<Value> = asked
        .dataset
        .splits()
        .into_iter()
        .map(|(config, split)| json!({"dataset": id, "config": config, "split": split}))
        .collect();
    if listed.is_empty() {
        return Err(Failure::no_data());
    }
    Ok(asked.answer(json!({"splits": listed, "pending": [], "failed": []})))
}

async fn info(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Failure> {
    let mut configs = serde_json::Map::new();
    for (config, split) in asked.dataset.splits() {
        let table = asked.dataset.table(&app, &config, &split).await?;
        let entry = configs
            .entry(config.clone())
            .or_insert_with(|| json!({"features": table.features(), "splits": {}}));
        entry["config_name"] = json!(config);
        entry["splits"][&split] = json!({
            "name": split, "num_bytes": table.bytes, "num_examples": table.rows.len(),
        });
    }
    let body = match asked.query.get("config") {
        None => Value::Object(configs),
        Some(config) => configs.remove(config).ok_or_else(Failure::no_response)?,
    };
    Ok(asked.answer(json!({"dataset_info": body, "pending": [], "failed": [], "partial": false})))
}

async fn size(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Failure> {
    let (mut splits, mut bytes, mut rows) = (Vec::new(), 0, 0);
    for (config, split) in asked.dataset.splits() {
        let table = asked.dataset.table(&app, &config, &split).await?;
        (bytes, rows) = (bytes + table.bytes, rows + table.rows.len());
        splits.push(json!({
            "dataset": asked.dataset.id, "config": config, "split": split,
            "num_rows": table.rows.len(), "num_columns": table.columns.len(),
            "num_bytes_parquet_files": table.bytes, "num_bytes_memory": table.bytes,
        }));
    }
    let whole = json!({
        "dataset": asked.dataset.id, "num_rows": rows, "num_bytes_original_files": bytes,
        "num_bytes_parquet_files": bytes, "num_bytes_memory": bytes,
    });
    let size = json!({"dataset": whole, "configs": [], "splits": splits});
    Ok(asked.answer(json!({"size": size, "pending": [], "failed": [], "partial": false})))
}

async fn first_rows(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Failure> {
    let table = asked.table(&app).await?;
    let mut body = page(&table, &table.rows, 0, MOST_ROWS, LONGEST_CELL);
    body["dataset"] = json!(asked.dataset.id);
    body["config"] = json!(asked.query.get("config"));
    body["split"] = json!(asked.query.get("split"));
    body["truncated"] = json!(table.rows.len() > MOST_ROWS);
    Ok(asked.answer(body))
}

async fn rows(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Failure> {
    let table = asked.table(&app).await?;
    Ok(asked.answer(asked_page(&asked.query, &table, &table.rows)?))
}

async fn search(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Failure> {
    let table = asked.table(&app).await?;
    let words = asked.query.get("query").unwrap_or_default().to_lowercase();
    let found: Vec<Value> = table
        .rows
        .iter()
        .filter(|row| row.to_string().to_lowercase().contains(&words))
        .cloned()
        .collect();
    Ok(asked.answer(asked_page(&asked.query, &table, &found)?))
}

fn asked_page(query: &Query, table: &Table, rows: &[Value]) -> Result<Value, Failure> {
    let offset = query.number("offset").unwrap_or(0);
    let length = query.number("length").unwrap_or(MOST_ROWS);
    if length > MOST_ROWS {
        return Err(Failure::invalid(
            "Parameter 'length' must not be greater than 100",
        ));
    }
    let mut body = page(table, rows, offset, length, usize::MAX);
    body["num_rows_total"] = json!(rows.len());
    body["num_rows_per_page"] = json!(MOST_ROWS);
    body["partial"] = json!(false);
    Ok(body)
}

fn page(table: &Table, rows: &[Value], offset: usize, length: usize, longest_cell: usize) -> Value {
    let features: Vec<Value> = table
        .columns
        .iter()
        .enumerate()
        .map(|(index, (name, kind))| json!({"feature_idx": index, "name": name, "type": kind}))
        .collect();
    let shown = rows.iter().enumerate().skip(offset).take(length);
    let rows: Vec<Value> = shown
        .map(|(index, row)| {
            let (row, cut) = shortened(row, longest_cell);
            json!({"row_idx": index, "row": row, "truncated_cells": cut})
        })
        .collect();
    json!({"features": features, "rows": rows})
}

/// Long texts are cut; the names of their columns are told.
fn shortened(row: &Value, longest: usize) -> (Value, Vec<String>) {
    let mut row = row.clone();
    let mut cut = Vec::new();
    for (name, cell) in row.as_object_mut().into_iter().flatten() {
        if let Value::String(text) = cell
            && text.chars().count() > longest
        {
            *text = text.chars().take(longest).collect();
            cut.push(name.clone());
        }
    }
    (row, cut)
}

async fn parquet(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Failure> {
    let id = &asked.dataset.id;
    let mut files = Vec::new();
    for (config, split) in asked.dataset.splits() {
        let table = asked.dataset.table(&app, &config, &split).await?;
        let path = format!("{config}/{split}/0000.parquet");
        files.push(json!({
            "dataset": id, "config": config, "split": split, "filename": "0000.parquet", "size": table.bytes,
            "url": format!("{}/datasets/{id}/resolve/refs%2Fconvert%2Fparquet/{path}", app.url),
        }));
    }
    Ok(
        asked
            .answer(json!({"parquet_files": files, "pending": [], "failed": [], "partial": false})),
    )
}

async fn statistics_of(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Failure> {
    let table = asked.table(&app).await?;
    Ok(asked.answer(json!({
        "num_examples": table.rows.len(),
        "statistics": statistics::of(&table),
        "partial": false,
    })))
}
