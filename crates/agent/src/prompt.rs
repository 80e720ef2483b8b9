//! The system prompt, rendered from a template.

use crate::SessionState;
use minijinja::{Environment, context};
use tools::ToolSession;

const TEMPLATE: &str = include_str!("../prompts/system.md.jinja");

/// The system prompt of a turn. Stable over a turn, so that providers can cache it.
pub(crate) fn system(
    state: &SessionState,
    session: &ToolSession,
    tools: &[platform::ToolSpec],
) -> String {
    let budget = state.ledger.budget();
    let organizations: Vec<String> = session.namespaces.iter().skip(1).cloned().collect();
    let names: Vec<String> = tools.iter().map(|tool| tool.name.clone()).collect();
    let rendered = Environment::new().render_str(
        TEMPLATE,
        context! {
            account => session.account.clone(),
            organizations => organizations,
            tools => names,
            cap => format!("{:.2}", budget.cap_usd.usd()),
            hub => session.platform.endpoints().hub.clone(),
        },
    );
    // The template is a constant, and a test renders it; without it the model still has its tools and its task.
    rendered
        .unwrap_or_else(|_| "You are ML Intern, an autonomous machine-learning engineer.".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_renders() {
        let context = context! { account => "alice", organizations => ["acme"], tools => ["bash"], cap => "5.00", hub => "https://hub" };
        let text = Environment::new().render_str(TEMPLATE, context).unwrap();
        assert!(text.contains("alice") && text.contains("5.00") && text.contains("acme"));
        assert!(!text.contains("{{") && !text.contains("{%"));
    }
}
