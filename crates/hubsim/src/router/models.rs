//! The models on offer, with their providers and prices (`GET /v1/models`).

use axum::Json;
use axum::extract::Path;
use http::StatusCode;
use serde_json::{Value, json};

use crate::error::HubError;

/// A model and the one provider that serves it.
#[derive(Debug)]
pub struct Model {
    pub id: &'static str,
    pub provider: &'static str,
    /// USD per million tokens, as the router states prices.
    input: f64,
    output: f64,
    /// Tokens.
    pub context: usize,
    sees_images: bool,
}

const CATALOGUE: [Model; 6] = [
    model("moonshotai/Kimi-K2.6", "novita", 0.6, 2.5, 262_144, true),
    model(
        "anthropic/claude-opus-4.8",
        "fal-ai",
        5.0,
        25.0,
        200_000,
        true,
    ),
    model("openai/gpt-5.5", "fal-ai", 1.25, 10.0, 400_000, true),
    model("MiniMaxAI/MiniMax-M2.7", "novita", 0.3, 1.2, 204_800, false),
    model("zai-org/GLM-5.1", "novita", 0.6, 2.2, 202_752, false),
    model(
        "deepseek-ai/DeepSeek-V4-Pro",
        "novita",
        0.5,
        1.7,
        163_840,
        false,
    ),
];

const fn model(
    id: &'static str,
    provider: &'static str,
    input: f64,
    output: f64,
    context: usize,
    sees_images: bool,
) -> Model {
    Model {
        id,
        provider,
        input,
        output,
        context,
        sees_images,
    }
}

impl Model {
    fn describe(&self) -> Value {
        let modalities: &[&str] = if self.sees_images {
            &["text", "image"]
        } else {
            &["text"]
        };
        json!({
            "id": self.id,
            "object": "model",
            "created": 1_760_000_000,
            "owned_by": self.id.split('/').next(),
            "architecture": {"input_modalities": modalities, "output_modalities": ["text"]},
            "providers": [{
                "provider": self.provider,
                "status": "live",
                "context_length": self.context,
                "pricing": {"input": self.input, "output": self.output},
                "is_free": false,
                "supports_tools": true,
                "supports_structured_output": true,
                "first_token_latency_ms": 400,
                "throughput": 80.0,
                "is_model_author": false,
            }],
        })
    }
}

/// `GET /v1/models`; needs no token.
pub async fn list() -> Json<Value> {
    let data: Vec<Value> = CATALOGUE.iter().map(Model::describe).collect();
    Json(json!({"object": "list", "data": data}))
}

/// `GET /v1/models/{org}/{model}`
pub async fn one(Path((org, name)): Path<(String, String)>) -> Result<Json<Value>, HubError> {
    find(&format!("{org}/{name}"))
        .map(|model| Json(model.describe()))
        .ok_or_else(|| HubError::not_found("Model not found"))
}

fn find(id: &str) -> Option<&'static Model> {
    CATALOGUE.iter().find(|model| model.id == id)
}

/// The model that `org/model[:provider|:fastest|:cheapest|:preferred]` names. Errors: 400.
pub fn resolve(requested: &str) -> Result<&'static Model, HubError> {
    let (id, suffix) = requested.split_once(':').unwrap_or((requested, "fastest"));
    let Some(model) = find(id) else {
        let message = format!(
            "The requested model '{requested}' is not supported by any provider you have enabled."
        );
        return Err(HubError::with_body(
            StatusCode::BAD_REQUEST,
            json!({"error": {
                "message": message, "type": "invalid_request_error",
                "param": "model", "code": "model_not_supported",
            }}),
        ));
    };
    if suffix == model.provider || ["fastest", "cheapest", "preferred"].contains(&suffix) {
        return Ok(model);
    }
    Err(HubError::bad_request(format!(
        "Model not supported by provider {suffix}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_resolve() {
        assert_eq!(resolve("zai-org/GLM-5.1").unwrap().provider, "novita");
        assert!(resolve("zai-org/GLM-5.1:novita").is_ok());
        assert!(resolve("zai-org/GLM-5.1:cheapest").is_ok());
        assert!(resolve("zai-org/GLM-5.1:groq").is_err());
        assert!(resolve("nobody/nothing").is_err());
    }
}
