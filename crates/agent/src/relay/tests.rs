//! Deltas in, names of events and the answer out.

use super::*;
use platform::Token;

fn relay(deltas: Vec<ChatDelta>) -> (Vec<String>, Answer) {
    let mut relay = Relay::new(Scrubber::new(&Token::new("hf_secret_value".into())), 0);
    let mut out = Vec::new();
    deltas
        .into_iter()
        .for_each(|delta| relay.push(delta, &mut out));
    let answer = relay.finish(&mut out);
    let names = out.iter().map(|draft| {
        draft
            .event
            .name()
            .trim_start_matches("response.")
            .to_owned()
    });
    (names.collect(), answer)
}

fn call(slot: usize, name: &str, arguments: &str) -> ChatDelta {
    let name = Some(name.to_owned()).filter(|name| !name.is_empty());
    ChatDelta::ToolCall(ToolCallDelta {
        slot,
        id: Some(format!("c{slot}")),
        name,
        arguments: arguments.into(),
    })
}

#[test]
fn items_open_and_close_in_order() {
    let (names, answer) = relay(vec![
        ChatDelta::Reasoning("hm".into()),
        ChatDelta::Text("I ".into()),
        ChatDelta::Text("look".into()),
        call(0, "bash", ""),
        call(0, "", "{}"),
        ChatDelta::Finish("tool_calls".into()),
    ]);
    assert_eq!(
        names,
        [
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "mcp_call_arguments.delta",
            "mcp_call_arguments.done",
        ]
    );
    assert_eq!(answer.text, "I look");
    assert_eq!(
        (answer.calls[0].name.as_str(), answer.calls[0].output_index),
        ("bash", 2)
    );
}

#[test]
fn a_call_without_arguments_is_announced_at_the_end() {
    let (names, answer) = relay(vec![call(0, "pl", ""), call(0, "plan_tool", "")]);
    assert_eq!(names, ["output_item.added", "mcp_call_arguments.done"]);
    assert_eq!(
        (
            answer.calls[0].name.as_str(),
            answer.calls[0].arguments.as_str()
        ),
        ("plan_tool", "{}")
    );
}

#[test]
fn the_token_is_removed_from_text_and_arguments() {
    let (_, answer) = relay(vec![
        ChatDelta::Text("it is hf_sec".into()),
        ChatDelta::Text("ret_value!".into()),
        call(0, "bash", r#"{"command":"echo hf_secret"#),
        call(0, "", r#"_value"}"#),
    ]);
    assert_eq!(answer.text, "it is [token removed]!");
    assert!(!answer.calls[0].arguments.contains("hf_secret_value"));
}
