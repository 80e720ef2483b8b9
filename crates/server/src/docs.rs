//! The reference page: the OpenAPI document as tables, a few texts about what tables do not tell, and recorded turns.
//!
//! It is one file of HTML with a style sheet and a script beside it; nothing comes from elsewhere. Without the script it
//! still reads; the script replays the recorded turn.

mod example;
mod markup;
mod reference;
mod schema;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use std::sync::LazyLock;

pub(crate) const STYLE: &str = include_str!("docs/style.css");
pub(crate) const SCRIPT: &str = include_str!("docs/app.js");
/// The turn that the page replays: `[{at_ms, event}]`.
pub(crate) const REPLAY: &str = include_str!("docs/recorded/replay.json");

const TEMPLATE: &str = include_str!("docs/page.html");

/// The page, made once.
pub(crate) fn page() -> &'static str {
    static PAGE: LazyLock<String> = LazyLock::new(|| match render() {
        Ok(page) => page,
        Err(error) => {
            tracing::error!(%error, "the reference page cannot be rendered");
            "<!doctype html><title>ml-intern</title><p>See <a href=\"/openapi.json\">/openapi.json</a>.".into()
        }
    });
    &PAGE
}

fn render() -> Result<String, minijinja::Error> {
    let document = crate::openapi::document();
    let mut engine = Environment::new();
    engine.set_auto_escape_callback(|_| AutoEscape::Html);
    engine.add_filter("prose", |text: &str| {
        Value::from_safe_string(markup::prose(text))
    });
    engine.add_filter("article", |text: &str| {
        Value::from_safe_string(markup::article(text))
    });
    engine.render_str(
        TEMPLATE,
        context! {
            version => env!("CARGO_PKG_VERSION"),
            about => document["info"]["description"].as_str(),
            groups => Serde(reference::groups(document)),
            types => Serde(reference::types(document)),
            events => Serde(reference::events(document)),
            faults => Serde(reference::faults()),
            examples => Serde(example::all()),
        },
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_renders_and_holds_every_operation_event_and_refusal() {
        let page = super::render().unwrap();
        let document = crate::openapi::document();
        let mut seen = 0;
        for (path, methods) in document["paths"].as_object().unwrap() {
            for operation in methods.as_object().unwrap().values() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(page.contains(&format!("id=\"{id}\"")), "{path} {id}");
                seen += 1;
            }
        }
        assert!(seen > 15);
        for event in super::reference::events(document) {
            assert!(
                page.contains(&format!("<code>{}</code>", event.name)),
                "{}",
                event.name
            );
        }
        for fault in &crate::openapi::FAULTS {
            assert!(page.contains(fault.code), "{}", fault.code);
        }
        assert!(
            !page.contains("://cdn") && !page.contains("<script>") && !page.contains(" style=")
        );
    }
}
