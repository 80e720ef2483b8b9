//! Which models are offered, by whom and at what price (`GET /models` of the router, no token
//! needed).

mod choice;
mod fallback;
mod listing;

use crate::Platform;
pub(crate) use listing::Catalogue;

/// A model as one provider offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Input and output tokens together.
    pub context_length: Option<u64>,
    /// Price of a million prompt tokens in micro-USD; `None` when not published.
    pub input_microusd_per_mtok: Option<u64>,
    /// Price of a million completion tokens in micro-USD; `None` when not published.
    pub output_microusd_per_mtok: Option<u64>,
    pub sees_images: bool,
    pub supports_tools: bool,
}

impl Platform {
    /// What the router offers under `org/model`, `org/model:provider`, `:fastest` (the meaning of
    /// no suffix), `:cheapest` or `:preferred`; `None` when it is not known. Kept for five minutes,
    /// older while the router cannot be reached. Prices of the default models are built in for when
    /// the catalogue gives none.
    pub async fn model_offer(&self, model: &str) -> Option<Offer> {
        let catalogue = self.catalogue().get(|| Catalogue::fetch(self)).await;
        offer(catalogue.as_deref(), model)
    }

    /// As [`Platform::model_offer`], from what is known already: nobody is asked, and what is told may be old.
    #[must_use]
    pub fn known_model_offer(&self, model: &str) -> Option<Offer> {
        offer(self.catalogue().last().as_deref(), model)
    }
}

fn offer(catalogue: Option<&Catalogue>, model: &str) -> Option<Offer> {
    let listed = catalogue.and_then(|catalogue| catalogue.offer(model));
    if listed.as_ref().is_some_and(Offer::is_priced) {
        return listed;
    }
    let known = fallback::offer(model);
    match (listed, known) {
        (Some(listed), Some(known)) => Some(listed.priced_like(known)),
        (listed, known) => listed.or(known),
    }
}

impl Offer {
    fn is_priced(&self) -> bool {
        self.input_microusd_per_mtok.is_some() && self.output_microusd_per_mtok.is_some()
    }

    fn priced_like(self, known: Self) -> Self {
        Self {
            context_length: self.context_length.or(known.context_length),
            input_microusd_per_mtok: self
                .input_microusd_per_mtok
                .or(known.input_microusd_per_mtok),
            output_microusd_per_mtok: self
                .output_microusd_per_mtok
                .or(known.output_microusd_per_mtok),
            ..self
        }
    }
}
