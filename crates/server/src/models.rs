//! Which models there are, and which one a request gets.

use crate::config::{Config, Model};
use platform::{Plan, Platform};
use protocol::Problem;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a reader of the list waits for fresh prices.
const CATALOGUE_PATIENCE: Duration = Duration::from_millis(500);

/// The offered models. Never empty of a default: the first is the last resort.
pub(crate) struct Models {
    models: Vec<Model>,
    default_model: Option<String>,
}

impl Models {
    pub fn new(config: &Config) -> Self {
        let mut models = config.models.clone();
        if config.default_model.is_some() {
            // It is everybody's default, so no other one is anybody's.
            models.iter_mut().for_each(|model| model.default_for = None);
        }
        if let Some(id) = &config.default_model
            && !models.iter().any(|model| model.id == *id)
        {
            let label = id.rsplit('/').next().unwrap_or(id).to_owned();
            models.push(Model {
                id: id.clone(),
                label,
                recommended: false,
                default_for: None,
            });
        }
        Self {
            models,
            default_model: config.default_model.clone(),
        }
    }

    /// The model that a new session runs with.
    ///
    /// # Errors
    /// 400 `model_not_found`, naming close matches.
    pub fn choose(&self, wanted: Option<&str>, plan: Plan) -> Result<String, Problem> {
        match wanted {
            None => Ok(self.default_for(plan)),
            Some(id) if self.models.iter().any(|model| model.id == id) => Ok(id.to_owned()),
            Some(id) => Err(self.not_found(id)),
        }
    }

    fn default_for(&self, plan: Plan) -> String {
        let plan = match plan {
            Plan::Pro => "pro",
            Plan::Free => "free",
        };
        let by_plan = || {
            self.models
                .iter()
                .find(|model| model.default_for == Some(plan))
                .or(self.models.first())
        };
        self.default_model
            .clone()
            .or_else(|| by_plan().map(|model| model.id.clone()))
            .unwrap_or_default()
    }

    fn not_found(&self, wanted: &str) -> Problem {
        let shown: String = wanted.chars().take(200).collect();
        let lower = shown.to_lowercase();
        let words: Vec<&str> = lower
            .split(['/', ':', '-', '.'])
            .filter(|word| word.len() > 2)
            .collect();
        let is_near = |model: &&Model| {
            words
                .iter()
                .any(|word| model.id.to_lowercase().contains(word))
        };
        let near: Vec<&str> = self
            .models
            .iter()
            .filter(is_near)
            .map(|model| model.id.as_str())
            .collect();
        let hint = match near.is_empty() {
            true => "GET /api/config/model lists the models.".to_owned(),
            false => format!("Did you mean {}?", near.join(" or ")),
        };
        Problem::invalid(
            "model_not_found",
            "model",
            format!("There is no model `{shown}`. {hint}"),
        )
    }

    /// The body of `GET /v1/models`: the same list in OpenAI's shape.
    pub fn openai_list(&self) -> Value {
        let entry = |model: &Model| {
            let owner = model.id.split('/').next().unwrap_or_default();
            // When a model came to be is not known, and the field is an integer for every client.
            json!({"id": model.id, "object": "model", "created": 0, "owned_by": owner})
        };
        let data: Vec<Value> = self.models.iter().map(entry).collect();
        json!({"object": "list", "data": data})
    }

    /// The body of `GET /api/config/model`, for an account of this plan. Prices are as fresh as the router gives them at
    /// once; a router that does not answer delays nobody.
    pub async fn list(&self, platform: &Platform, plan: Plan) -> Value {
        let (asking, any) = (platform.clone(), self.default_for(plan));
        // On a task of its own: it goes on when nobody waits any longer, and the next reader has its answer.
        let refreshed = tokio::spawn(async move { asking.model_offer(&any).await });
        let _ = tokio::time::timeout(CATALOGUE_PATIENCE, refreshed).await;
        let mut available = Vec::with_capacity(self.models.len());
        for model in &self.models {
            let offer = platform.known_model_offer(&model.id);
            let mut entry = json!({
                "id": model.id,
                "label": model.label,
                "provider": model.provider(),
                "recommended": model.recommended,
                "default_for": model.default_for,
            });
            if let Some(offer) = offer {
                let usd = |micro: Option<u64>| micro.map(|micro| micro as f64 / 1e6);
                entry["context_length"] = json!(offer.context_length);
                entry["pricing"] = json!({
                    "input_usd_per_million_tokens": usd(offer.input_microusd_per_mtok),
                    "output_usd_per_million_tokens": usd(offer.output_microusd_per_mtok),
                });
            }
            available.push(entry);
        }
        json!({"current": self.default_for(plan), "available": available})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_follows_the_plan_and_the_operator() {
        let models = Models::new(&Config::default());
        assert_eq!(
            models.choose(None, Plan::Free).unwrap(),
            "moonshotai/Kimi-K2.6:novita"
        );
        assert_eq!(
            models.choose(None, Plan::Pro).unwrap(),
            "anthropic/claude-opus-4.8:fal-ai"
        );
        let mine = Config {
            default_model: Some("me/mine:x".into()),
            ..Config::default()
        };
        assert_eq!(
            Models::new(&mine).choose(None, Plan::Pro).unwrap(),
            "me/mine:x"
        );
        assert_eq!(
            Models::new(&mine)
                .choose(Some("me/mine:x"), Plan::Free)
                .unwrap(),
            "me/mine:x"
        );
    }

    #[test]
    fn close_matches_are_named() {
        let problem = Models::new(&Config::default())
            .choose(Some("kimi"), Plan::Free)
            .unwrap_err();
        assert_eq!(
            (problem.code, problem.param.as_deref()),
            ("model_not_found", Some("model"))
        );
        assert!(
            problem.message.contains("moonshotai/Kimi-K2.6:novita"),
            "{}",
            problem.message
        );
    }
}
