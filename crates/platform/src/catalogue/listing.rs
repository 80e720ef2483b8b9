//! The catalogue as fetched: models and the providers that serve them.

use std::collections::HashMap;

use serde_json::Value;

use super::Offer;
use super::choice::choose;
use crate::decimal::micro_usd;
use crate::{Platform, PlatformError};

/// More than this is not a catalogue.
const MOST_MODELS: usize = 20_000;
const MOST_PROVIDERS: usize = 100;

/// Models by id, without suffix.
#[derive(Debug)]
pub(crate) struct Catalogue {
    models: HashMap<String, Model>,
}

#[derive(Debug)]
struct Model {
    sees_images: bool,
    providers: Vec<Provider>,
}

/// A model at one provider. Every field but the name may be missing from the catalogue.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Provider {
    pub name: String,
    pub live: bool,
    pub context_length: Option<u64>,
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub supports_tools: bool,
    /// Tokens per second.
    pub throughput: Option<f64>,
}

impl Catalogue {
    pub(super) async fn fetch(platform: &Platform) -> Result<Self, PlatformError> {
        let answer = platform.read(platform.router_get("/models"), None).await?;
        Self::parse(&answer.body)
    }

    /// Reads the listing; an entry of the wrong shape is left out, a listing of the wrong shape is
    /// an error.
    fn parse(body: &Value) -> Result<Self, PlatformError> {
        let entries = body.get("data").and_then(Value::as_array);
        let entries = entries.ok_or_else(|| PlatformError::garbage("not a model catalogue"))?;
        let models = entries.iter().take(MOST_MODELS).filter_map(model).collect();
        Ok(Self { models })
    }

    /// The offer behind an id with or without suffix.
    pub(super) fn offer(&self, model: &str) -> Option<Offer> {
        let (id, suffix) = match model.split_once(':') {
            Some((id, suffix)) => (id, Some(suffix)),
            None => (model, None),
        };
        let model = self.models.get(id)?;
        let provider = choose(&model.providers, suffix)?;
        Some(Offer {
            context_length: provider.context_length,
            input_microusd_per_mtok: provider.input,
            output_microusd_per_mtok: provider.output,
            sees_images: model.sees_images,
            supports_tools: provider.supports_tools,
        })
    }
}

fn model(entry: &Value) -> Option<(String, Model)> {
    let id = entry.get("id")?.as_str()?;
    let modalities = entry
        .pointer("/architecture/input_modalities")
        .and_then(Value::as_array);
    let sees_images = modalities.is_some_and(|kinds| kinds.iter().any(|kind| kind == "image"));
    let providers = entry.get("providers").and_then(Value::as_array)?;
    let providers = providers
        .iter()
        .take(MOST_PROVIDERS)
        .filter_map(provider)
        .collect();
    Some((
        id.to_owned(),
        Model {
            sees_images,
            providers,
        },
    ))
}

fn provider(entry: &Value) -> Option<Provider> {
    let free = entry.get("is_free").and_then(Value::as_bool) == Some(true);
    let price = |name: &str| {
        let listed = entry.pointer(name).and_then(micro_usd);
        listed.or(free.then_some(0))
    };
    Some(Provider {
        name: entry.get("provider")?.as_str()?.to_owned(),
        live: entry
            .get("status")
            .and_then(Value::as_str)
            .is_none_or(|status| status == "live"),
        context_length: entry
            .get("context_length")
            .and_then(Value::as_u64)
            .filter(|length| *length > 0),
        input: price("/pricing/input"),
        output: price("/pricing/output"),
        // Silence means nobody has tested it: most models that are offered for chat take tools.
        supports_tools: entry
            .get("supports_tools")
            .and_then(Value::as_bool)
            .unwrap_or(true),
        throughput: entry.get("throughput").and_then(Value::as_f64),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Catalogue;
    use crate::Offer;

    fn catalogue() -> Catalogue {
        Catalogue::parse(&json!({"object":"list","data":[
            {"id":"o/m","architecture":{"input_modalities":["text","image"]},"providers":[
                {"provider":"novita","status":"live","context_length":262144,
                 "pricing":{"input":0.6,"output":2.5},"supports_tools":true,"throughput":61.2},
                {"provider":"bare"},
                {"provider":"gift","is_free":true,"supports_tools":false},
                {"status":"live"}, 7]},
            {"id":"o/none","providers":[]},
            {"id":7}, null, {"id":"o/broken"}]}))
        .unwrap()
    }

    #[test]
    fn a_full_entry_is_read() {
        let expected = Offer {
            context_length: Some(262_144),
            input_microusd_per_mtok: Some(600_000),
            output_microusd_per_mtok: Some(2_500_000),
            sees_images: true,
            supports_tools: true,
        };
        assert_eq!(catalogue().offer("o/m:novita"), Some(expected));
    }

    #[test]
    fn missing_fields_are_missing_and_free_is_zero() {
        let bare = catalogue().offer("o/m:bare").unwrap();
        assert_eq!(
            (bare.input_microusd_per_mtok, bare.context_length),
            (None, None)
        );
        let gift = catalogue().offer("o/m:gift").unwrap();
        assert_eq!(
            (gift.input_microusd_per_mtok, gift.supports_tools),
            (Some(0), false)
        );
    }

    #[test]
    fn what_is_not_listed_is_unknown() {
        for id in ["o/m:other", "o/none", "o/x", "o/broken", "", ":", "o/m:"] {
            assert_eq!(catalogue().offer(id), None, "{id}");
        }
    }

    #[test]
    fn a_listing_of_the_wrong_shape_is_refused() {
        assert!(Catalogue::parse(&json!({"models":[]})).is_err());
        assert!(Catalogue::parse(&json!([])).is_err());
    }
}
