//! `plan_tool`: the agent's own list of what it means to do. Each call replaces the whole list.

use crate::{Call, EffectClass, Outcome, Report, Tool};
use futures_util::future::BoxFuture;
use platform::ToolSpec;
use protocol::{PlanItem, PlanStatus};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) struct PlanTool;

#[derive(Deserialize)]
struct Arguments {
    todos: Vec<PlanItem>,
}

impl Tool for PlanTool {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "plan_tool".into(),
            description: "Write down or update your plan. Use it for work of three steps or more; send the whole list \
                          each time; keep exactly one item in progress; mark an item completed as soon as it is done, \
                          and never when it is only partly done."
                .into(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "todos": {
                        "type": "array",
                        "description": "The whole plan, in order.",
                        "items": {
                            "type": "object",
                            "properties": {
                                "id": {"type": "string"},
                                "content": {"type": "string", "description": "What to do, in one line."},
                                "status": {"type": "string", "enum": ["pending", "in_progress", "completed"]},
                            },
                            "required": ["id", "content", "status"],
                        },
                    },
                },
                "required": ["todos"],
                "additionalProperties": false,
            }),
        }
    }

    fn effect(&self, _arguments: &Value) -> EffectClass {
        EffectClass::Idempotent
    }

    fn call(&self, arguments: Value, call: Call) -> BoxFuture<'static, Outcome> {
        Box::pin(async move {
            let Arguments { todos } = match serde_json::from_value(arguments) {
                Ok(arguments) => arguments,
                Err(error) => {
                    return Outcome::failed(format!("The plan could not be read: {error}"));
                }
            };
            let text = render(&todos);
            call.report(Report::Plan(todos)).await;
            Outcome::ok(text)
        })
    }
}

fn render(todos: &[PlanItem]) -> String {
    if todos.is_empty() {
        return "The plan is empty.".into();
    }
    let mark = |status| match status {
        PlanStatus::Completed => "[x]",
        PlanStatus::InProgress => "[~]",
        PlanStatus::Pending => "[ ]",
    };
    let mut lines: Vec<String> = todos
        .iter()
        .map(|item| format!("{} {}. {}", mark(item.status), item.id, item.content))
        .collect();
    let done = todos
        .iter()
        .filter(|item| item.status == PlanStatus::Completed)
        .count();
    lines.push(format!("{done} of {} done.", todos.len()));
    lines.join("\n")
}
