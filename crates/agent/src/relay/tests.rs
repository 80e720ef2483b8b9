//! Deltas in, names of events and the answer out.

use super::*;
use platform::Token;
use protocol::CreateRequest;
use serde_json::json;
use tools::Toolbox;

fn relay(deltas: Vec<ChatDelta>) -> (Vec<String>, Answer) {
    let (events, answer) = relayed(deltas);
    let names = events
        .iter()
        .map(|event| event.name().trim_start_matches("response.").to_owned());
    (names.collect(), answer)
}

/// A relay for a request that brought the function `weather`.
fn relayed(deltas: Vec<ChatDelta>) -> (Vec<Event>, Answer) {
    let schema = json!({"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]});
    let body = json!({"input": "x", "tools": [{"type": "function", "name": "weather", "parameters": schema}]});
    let response = protocol::Response::submitted(
        protocol::ResponseId::fresh(),
        protocol::SessionId::fresh(),
        &CreateRequest::parse(&body).unwrap(),
        "m".into(),
        journal::Ledger::new(protocol::MicroUsd(1)).budget(),
        0,
    );
    let offered = Offered::new(Toolbox::default(), Some(&response));
    let scrubber = Scrubber::new(&Token::new("hf_secret_value".into()));
    let mut relay = Relay::new(scrubber, offered, 0);
    let mut out = Vec::new();
    deltas
        .into_iter()
        .for_each(|delta| relay.push(delta, &mut out));
    let answer = relay.finish(&mut out);
    (out.into_iter().map(|draft| draft.event).collect(), answer)
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

#[test]
fn a_call_for_the_client_comes_whole_and_under_an_id_of_our_own() {
    let (events, answer) = relayed(vec![
        call(0, "weather", r#"{"da"#),
        call(1, "bash", r#"{"command":"ls"}"#),
        call(0, "", r#"ys":"3"}"#),
        call(2, "weather", r#"{ "days": 4 }"#),
    ]);
    let handed: Vec<(&str, &str, ItemStatus)> = events
        .iter()
        .filter_map(|event| match event {
            Event::ItemDone {
                item:
                    OutputItem::FunctionCall {
                        call_id,
                        arguments,
                        status,
                        ..
                    },
                ..
            } => Some((call_id.as_str(), arguments.as_str(), *status)),
            _ => None,
        })
        .collect();
    // What the schema wants is made of what the model wrote; what fits stays as it is.
    assert_eq!(handed[0].1, r#"{"days":3}"#);
    assert_eq!(handed[1].1, r#"{ "days": 4 }"#);
    assert!(
        handed
            .iter()
            .all(|handed| handed.2 == ItemStatus::Completed)
    );
    assert_ne!(handed[0].0, handed[1].0);
    let ids: Vec<&str> = answer.calls.iter().map(|c| c.call_id.as_str()).collect();
    assert_eq!(ids, [handed[0].0, "c1", handed[1].0]);
    let indexes: Vec<usize> = answer.calls.iter().map(|call| call.output_index).collect();
    assert_eq!(indexes, [1, 0, 2]);
}

#[test]
fn a_call_that_does_not_fit_is_not_handed_over() {
    for (arguments, finish) in [
        (r#"{"days":"#, "tool_calls"),
        (r#"{"days":"soon"}"#, "tool_calls"),
        ("[]", "tool_calls"),
        (r#"{"days":3}"#, "length"),
    ] {
        let (names, answer) = relay(vec![
            call(0, "weather", arguments),
            ChatDelta::Finish(finish.into()),
        ]);
        let kinds = [
            "output_item.added",
            "mcp_call_arguments.delta",
            "mcp_call_arguments.done",
        ];
        assert_eq!(names, kinds, "{arguments}");
        assert_eq!(answer.calls[0].call_id, "c0");
    }
}
