//! `GET /api/whoami-v2`: the account behind a token and what the token may do.

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::error::HubError;
use crate::ids::stable_id;
use crate::state::App;
use crate::token::{Account, Caller, Role};

pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/api/whoami-v2", get(whoami))
}

async fn whoami(caller: Caller) -> Result<Json<Value>, HubError> {
    Ok(Json(describe(&caller.require()?)))
}

fn describe(account: &Account) -> Value {
    let mut token = json!({
        "displayName": "simulated",
        "role": account.role.as_str(),
        "createdAt": "2026-01-01T00:00:00.000Z",
    });
    if account.role == Role::FineGrained {
        token["fineGrained"] = permissions(account);
    }
    let mut body = json!({
        "type": account.kind(),
        "id": stable_id(&account.name),
        "name": account.name,
        "fullname": account.name,
        "canPay": !account.is_broke,
        "billingMode": "prepaid",
        "periodEnd": null,
        "avatarUrl": format!("/avatars/{}.svg", account.name),
        "orgs": [],
        "auth": {"type": "access_token", "accessToken": token},
    });
    if !account.is_org {
        body["isPro"] = json!(account.is_pro);
        body["email"] = json!(format!("{}@example.invalid", account.name));
        body["emailVerified"] = json!(true);
    }
    body
}

fn permissions(account: &Account) -> Value {
    let mut granted = vec![
        "repo.content.read",
        "repo.write",
        "job.write",
        "collection.write",
    ];
    if account.may_infer {
        granted.push("inference.serverless.write");
    }
    let entity = json!({
        "_id": stable_id(&account.name), "type": account.kind(), "name": account.name,
    });
    json!({
        "canReadGatedRepos": false,
        "global": ["discussion.write"],
        "scoped": [{"entity": entity, "permissions": granted}],
    })
}
