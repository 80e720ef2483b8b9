//! A tool of an MCP server.

use super::answer;
use super::link::Trouble;
use super::offer::Offer;
use super::server::Server;
use crate::{Call, EffectClass, Origin, Outcome, Price, Report, Tool, ToolSession};
use futures_util::future::BoxFuture;
use platform::ToolSpec;
use serde_json::Value;
use std::sync::Arc;

pub(super) struct McpTool {
    server: Arc<Server>,
    offer: Offer,
}

impl McpTool {
    pub fn new(server: Arc<Server>, offer: Offer) -> Self {
        Self { server, offer }
    }

    fn effect_class(&self) -> EffectClass {
        match (self.offer.is_read_only, self.offer.is_idempotent) {
            (true, _) => EffectClass::Read,
            (false, true) => EffectClass::Idempotent,
            (false, false) => EffectClass::Once,
        }
    }
}

impl Tool for McpTool {
    fn spec(&self) -> ToolSpec {
        self.offer.spec.clone()
    }

    fn origin(&self) -> Option<Origin> {
        Some(Origin {
            label: self.server.label().to_owned(),
            name: self.offer.name.clone(),
        })
    }

    fn effect(&self, _arguments: &Value) -> EffectClass {
        self.effect_class()
    }

    /// What only reads is taken to be free. The rest may do anything, at any price.
    fn price<'a>(
        &'a self,
        _arguments: &'a Value,
        _session: &'a ToolSession,
    ) -> BoxFuture<'a, Price> {
        let price = match self.offer.is_read_only {
            true => Price::Free,
            false => Price::Unknown(format!(
                "what `{}` of the MCP server `{}` does and costs is not known",
                self.offer.name,
                self.server.label()
            )),
        };
        Box::pin(async { price })
    }

    fn call(&self, arguments: Value, call: Call) -> BoxFuture<'static, Outcome> {
        let (server, name) = (Arc::clone(&self.server), self.offer.name.clone());
        let is_repeatable = self.effect_class() != EffectClass::Once;
        Box::pin(async move {
            let Value::Object(arguments) = arguments else {
                return Outcome::failed("ERROR: the arguments must be a JSON object");
            };
            let outcome = tokio::select! {
                answer = server.call(&name, arguments, is_repeatable) => match answer {
                    Ok(result) => answer::outcome(&server, result),
                    Err(trouble) => failed(&server, &trouble, is_repeatable),
                },
                () = call.cancel.cancelled() => Outcome::failed("Cancelled before the MCP server answered."),
            };
            call.report(Report::Log(outcome.text.clone())).await;
            outcome
        })
    }
}

fn failed(server: &Server, trouble: &Trouble, is_repeatable: bool) -> Outcome {
    let doubt = match trouble {
        Trouble::Broken | Trouble::TooSlow if !is_repeatable => {
            " Whether it had an effect is not known."
        }
        _ => "",
    };
    let why = server.hide(&trouble.to_string());
    let text = format!(
        "ERROR: the MCP server `{}` gave no result: {why}.{doubt}",
        server.label()
    );
    Outcome::failed(crate::cap(&text, crate::OUTPUT_LIMIT, None).text)
}
