//! What the model sees of a conversation.

use super::*;
use journal::{CallRecord, Private, ToolResult};

fn assistant(ids: &[&str]) -> Entry {
    let calls = ids.iter().map(|id| CallRecord {
        call_id: (*id).into(),
        item_id: "mcp_1".into(),
        output_index: 0,
        name: "bash".into(),
        arguments: "{}".into(),
    });
    let turn = AssistantTurn {
        text: None,
        calls: calls.collect(),
        context_tokens: 100,
    };
    Entry::with(
        1,
        Event::Resumed {},
        Private {
            assistant: Some(turn),
            ..Private::default()
        },
    )
}

fn result(id: &str) -> Entry {
    let result = ToolResult {
        call_id: id.into(),
        name: "bash".into(),
        text: "ok".into(),
    };
    Entry::with(
        2,
        Event::Resumed {},
        Private {
            result: Some(result),
            ..Private::default()
        },
    )
}

fn guard() -> Entry {
    Entry::new(
        3,
        Event::Guard {
            guard: "x".into(),
            message: "go on".into(),
        },
    )
}

#[test]
fn every_call_has_exactly_one_result() {
    let mut transcript = Transcript::default();
    for entry in [
        assistant(&["a", "b"]),
        result("b"),
        guard(),
        handed_over("c"),
        assistant(&["c"]),
    ] {
        transcript.apply(&entry);
    }
    let results: Vec<String> = transcript
        .messages()
        .into_iter()
        .filter_map(|message| match message {
            ChatMessage::Tool {
                call_id, content, ..
            } => Some(format!("{call_id}:{content}")),
            _ => None,
        })
        .collect();
    let missing = [format!("a:{NOT_FINISHED}"), format!("c:{NO_RESULT}")];
    assert_eq!(results, ["b:ok", &missing[0], &missing[1]]);
}

fn handed_over(id: &str) -> Entry {
    let item = OutputItem::function_call("fc_1".into(), id.into(), "weather".into());
    let output_index = 0;
    Entry::new(0, Event::ItemAdded { output_index, item })
}

/// Submits a body as the session's next request.
fn submit(transcript: &mut Transcript, body: &serde_json::Value) {
    let request = protocol::CreateRequest::parse(body).unwrap();
    transcript.submit(&request.input, request.instructions.as_deref());
}

#[test]
fn outputs_stand_behind_their_call_whatever_came_since() {
    let mut transcript = Transcript::default();
    for entry in [assistant(&["a", "b", "c"]), result("b"), guard()] {
        transcript.apply(&entry);
    }
    let image = "data:image/png;base64,AA==";
    let outputs = serde_json::json!([
        {"role": "user", "content": "before"},
        {"type": "function_call_output", "call_id": "c", "output": [
            {"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": image}]},
        {"type": "function_call_output", "call_id": "a", "output": "A"},
    ]);
    let body = serde_json::json!({"input": outputs, "instructions": "Be brief."});
    submit(&mut transcript, &body);
    let shown: Vec<String> = transcript.messages().iter().map(self::shown).collect();
    assert_eq!(
        shown,
        [
            "calls a b c",
            "b=ok",
            "c=see",
            "a=A",
            "user [SYSTEM: go on]",
            "user [Images from the result above]<image>",
            "user before",
            "user Instructions for this task, which go before your general rules:\nBe brief.\n\nTask: go on with these \
             results.",
        ]
    );
    let before = transcript.messages.len();
    let again =
        serde_json::json!([{"type": "function_call_output", "call_id": "x", "output": "X"}]);
    submit(
        &mut transcript,
        &serde_json::json!({"input": again, "instructions": "Be brief."}),
    );
    // Not told twice; and a result whose call is gone is told as what it is.
    assert_eq!(transcript.messages.len(), before + 1);
    assert_eq!(
        transcript.messages.last().map(self::shown).unwrap(),
        "user [The result of an earlier call]\nX"
    );
}

fn shown(message: &ChatMessage) -> String {
    match message {
        ChatMessage::System(text) => format!("system {text}"),
        ChatMessage::User(parts) => {
            let part = |part: &ContentPart| match part {
                ContentPart::Text(text) => text.clone(),
                ContentPart::Image { .. } => "<image>".into(),
            };
            format!("user {}", parts.iter().map(part).collect::<String>())
        }
        ChatMessage::Assistant { calls, .. } => {
            let ids: Vec<&str> = calls.iter().map(|call| call.id.as_str()).collect();
            format!("calls {}", ids.join(" "))
        }
        ChatMessage::Tool {
            call_id, content, ..
        } => format!("{call_id}={content}"),
    }
}

#[test]
fn a_result_whose_call_was_deleted_is_not_sent() {
    let mut transcript = Transcript::default();
    for entry in [result("gone"), assistant(&["a"]), guard(), result("a")] {
        transcript.apply(&entry);
    }
    let ids: Vec<String> = transcript
        .messages()
        .into_iter()
        .filter_map(|message| match message {
            ChatMessage::Tool { call_id, .. } => Some(call_id),
            _ => None,
        })
        .collect();
    assert!(!ids.contains(&"gone".to_owned()), "{ids:?}");
    assert!(ids.contains(&"a".to_owned()));
}

#[test]
fn a_stored_conversation_reads_back() {
    let mut transcript = Transcript::default();
    for entry in [assistant(&["a", "b"]), result("b"), guard()] {
        transcript.apply(&entry);
    }
    transcript.push(ChatMessage::System("rules".into()));
    let stored = Transcript::of_values(&transcript.to_values());
    assert_eq!(stored.messages, transcript.messages);
}

#[test]
fn the_bound_counts_only_what_the_provider_has_not_counted() {
    let mut transcript = Transcript::default();
    transcript.apply(&guard());
    assert!(transcript.most_tokens(1000) > 1000);
    transcript.apply(&assistant(&["a"]));
    assert_eq!(transcript.most_tokens(1000), 100);
    transcript.apply(&result("a"));
    assert_eq!(transcript.most_tokens(1000), 100 + 2 + 4 + 16);
}
