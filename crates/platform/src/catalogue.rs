//! Which models are offered, by whom and at what price (`GET /models` of the router).

use crate::Platform;

/// A model as one provider offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Input and output tokens together.
    pub context_length: Option<u64>,
    /// Price of a million prompt tokens in micro-USD.
    pub input_microusd_per_mtok: Option<u64>,
    /// Price of a million completion tokens in micro-USD.
    pub output_microusd_per_mtok: Option<u64>,
    pub sees_images: bool,
    pub supports_tools: bool,
}

impl Platform {
    /// What the router offers under this model id; `None` when unknown.
    pub async fn model_offer(&self, model: &str) -> Option<Offer> {
        let _ = model;
        None
    }
}
