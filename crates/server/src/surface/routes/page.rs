//! Lists as OpenAI pages them: `limit`, `after` and `order` in, `first_id`, `last_id` and `has_more` out.

use crate::surface::refusal::Refusal;
use axum::Json;
use axum::extract::{FromRequestParts, Query};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use protocol::Problem;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

const DEFAULT_PAGE: usize = 20;
const MOST_PAGE: usize = 100;

/// The query of a list.
#[derive(Debug)]
pub(crate) struct PageQuery {
    pub limit: usize,
    pub newest_first: bool,
    pub after: Option<String>,
    /// Everything else.
    pub others: BTreeMap<String, String>,
}

impl<S: Send + Sync> FromRequestParts<S> for PageQuery {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        // What is no query at all names none of our parameters.
        let pairs = pairs.map(|Query(pairs)| pairs).unwrap_or_default();
        Ok(Self::read(pairs)?)
    }
}

impl PageQuery {
    fn read(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut others = BTreeMap::new();
        for (name, value) in pairs {
            if others.contains_key(&name) {
                let why = format!("`{name}` is given more than once.");
                return Err(Problem::invalid("invalid_value", name, why));
            }
            others.insert(name, value);
        }
        Ok(Self {
            limit: limit(others.remove("limit").as_deref(), DEFAULT_PAGE, MOST_PAGE)?,
            newest_first: newest_first(others.remove("order").as_deref())?,
            after: others.remove("after"),
            others,
        })
    }
}

/// How many a page holds: what is asked for, within `[1, most]`.
///
/// # Errors
/// 400 for anything else.
pub(super) fn limit(given: Option<&str>, usual: usize, most: usize) -> Result<usize, Problem> {
    // `parse` alone would take a plus sign.
    let number = |text: &str| match text.starts_with('+') {
        true => None,
        false => text.parse::<usize>().ok(),
    };
    match given.map(number) {
        None => Ok(usual),
        Some(Some(limit)) if (1..=most).contains(&limit) => Ok(limit),
        Some(_) => {
            let why = format!("`limit` must be within [1, {most}].");
            Err(Problem::invalid("invalid_value", "limit", why))
        }
    }
}

fn newest_first(order: Option<&str>) -> Result<bool, Problem> {
    match order {
        None | Some("desc") => Ok(true),
        Some("asc") => Ok(false),
        Some(_) => Err(Problem::invalid(
            "invalid_value",
            "order",
            "`order` must be `asc` or `desc`.",
        )),
    }
}

/// A page as OpenAI shows it.
pub(super) fn list<T: Serialize>(data: &[T], id: impl Fn(&T) -> &str, has_more: bool) -> Response {
    let body = json!({
        "object": "list",
        "data": data,
        "first_id": data.first().map(&id),
        "last_id": data.last().map(&id),
        "has_more": has_more,
    });
    Json(body).into_response()
}
