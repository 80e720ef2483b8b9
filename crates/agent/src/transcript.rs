//! The transcript: the messages the model sees. A fold of entries.

use journal::{AssistantTurn, Compaction, Entry};
use platform::{ChatMessage, ContentPart, ToolCall};
use protocol::{Event, InputItem, InputMessage, InputPart, OutputItem, Role};
use std::collections::{BTreeSet, HashSet};

/// What the model is told about a call whose result is missing.
const NOT_FINISHED: &str =
    "This call did not finish: it was interrupted. Whether it had an effect is not known.";

/// What the model is told about a call that the client was to run, and that the client gives no result of.
const NO_RESULT: &str = "The client gave no result for this call.";

/// What a model that does not see gets for an image.
const UNSEEN: &str = "[An image was here. This model cannot see images.]";

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transcript {
    messages: Vec<ChatMessage>,
    /// Tokens of everything up to the newest assistant message, as the provider counted them.
    counted_tokens: u64,
    /// Bytes of messages added since.
    uncounted_bytes: u64,
    uncounted_messages: u64,
    /// Ids of calls that the client was to run.
    handed_over: BTreeSet<String>,
}

impl Transcript {
    /// Applies one entry.
    pub(crate) fn apply(&mut self, entry: &Entry) {
        if let (Event::Created { response }, Some(submission)) =
            (&entry.event, &entry.private.submission)
        {
            self.submit(&submission.input, response.instructions.as_deref());
        }
        if let Event::ItemAdded {
            item: OutputItem::FunctionCall { call_id, .. },
            ..
        } = &entry.event
        {
            self.handed_over.insert(call_id.clone());
        }
        if let Some(turn) = &entry.private.assistant {
            self.answer(turn);
        }
        if let Some(result) = &entry.private.result {
            self.push_output(&result.call_id, result.text.clone());
        }
        if let Event::Guard { message, .. } = &entry.event {
            self.push(user(format!("[SYSTEM: {message}]")));
        }
        if let Some(compaction) = &entry.private.compaction {
            self.compact(compaction);
        }
    }

    /// The messages, with a stub for every call that has no result, so that no provider refuses them.
    #[must_use]
    pub fn messages(&self) -> Vec<ChatMessage> {
        let mut patched = Vec::with_capacity(self.messages.len());
        let mut open: Vec<(String, String)> = Vec::new();
        let mut called = HashSet::new();
        for message in &self.messages {
            if let ChatMessage::Tool { call_id, .. } = message {
                // The response that made the call may have been deleted.
                if !called.contains(call_id.as_str()) {
                    continue;
                }
                open.retain(|(id, _)| id != call_id);
            } else {
                patched.extend(open.drain(..).map(|call| self.stub(call)));
            }
            patched.push(message.clone());
            if let ChatMessage::Assistant { calls, .. } = message {
                called.extend(calls.iter().map(|call| call.id.as_str()));
                open = calls
                    .iter()
                    .map(|call| (call.id.clone(), call.name.clone()))
                    .collect();
            }
        }
        patched.extend(open.drain(..).map(|call| self.stub(call)));
        patched
    }

    /// An upper bound of the next prompt's tokens: what the provider counted, and a token per byte of what came since
    /// (no byte-level tokenizer makes more).
    #[must_use]
    pub(crate) fn most_tokens(&self, fixed_bytes: usize) -> u64 {
        let fixed = if self.counted_tokens == 0 {
            fixed_bytes as u64
        } else {
            0
        };
        self.counted_tokens + self.uncounted_bytes + 16 * self.uncounted_messages + fixed
    }

    /// A fair guess of the conversation's size in tokens, for deciding when to shorten it.
    #[must_use]
    pub(crate) fn likely_tokens(&self) -> u64 {
        self.counted_tokens + self.uncounted_bytes / 4
    }

    pub(crate) fn raw(&self) -> &[ChatMessage] {
        &self.messages
    }

    /// The messages as they are stored with a fork.
    pub(crate) fn to_values(&self) -> Vec<serde_json::Value> {
        let stored = |message: &ChatMessage| serde_json::to_value(message).ok();
        self.messages.iter().filter_map(stored).collect()
    }

    /// The beginning of a forked conversation. No provider has counted it.
    pub(crate) fn of_values(messages: &[serde_json::Value]) -> Self {
        let mut transcript = Self::default();
        let read = |value: &serde_json::Value| serde_json::from_value(value.clone()).ok();
        for message in messages.iter().filter_map(read) {
            transcript.push(message);
        }
        transcript
    }

    fn submit(&mut self, input: &[InputItem], instructions: Option<&str>) {
        // Results first: no message may stand between a call and its result.
        for item in input {
            if let InputItem::FunctionCallOutput { call_id, output } = item {
                self.push_output(call_id, protocol::text(output));
            }
        }
        // Providers take no images in a call's result.
        for item in input {
            if let InputItem::FunctionCallOutput { output, .. } = item {
                self.push_images(output);
            }
        }
        let mut messages: Vec<&InputMessage> = input.iter().filter_map(message).collect();
        let is_task = matches!(input.last(), Some(InputItem::Message(_)));
        let task = if is_task { messages.pop() } else { None };
        for message in messages {
            self.push(context_message(message));
        }
        let instructions = instructions
            .filter(|text| !text.trim().is_empty())
            .map(|text| {
                format!("Instructions for this task, which go before your general rules:\n{text}\n\nTask:")
            });
        let parts = match (task, instructions) {
            (Some(task), instructions) => {
                let instructions = instructions.map(ContentPart::Text);
                instructions
                    .into_iter()
                    .chain(parts(&task.content))
                    .collect()
            }
            // Clients send the same instructions with each output.
            (None, Some(text)) if !self.has_been_told(&text) => {
                vec![ContentPart::Text(format!(
                    "{text} go on with these results."
                ))]
            }
            (None, _) => return,
        };
        self.push(ChatMessage::User(parts));
    }

    fn has_been_told(&self, text: &str) -> bool {
        let is_it =
            |part: &ContentPart| matches!(part, ContentPart::Text(told) if told.starts_with(text));
        self.messages
            .iter()
            .any(|message| matches!(message, ChatMessage::User(parts) if parts.iter().any(is_it)))
    }

    /// Puts a result behind its call, whatever came since: no message may stand between them.
    fn push_output(&mut self, call_id: &str, content: String) {
        let made = self
            .messages
            .iter()
            .enumerate()
            .rev()
            .find_map(|(index, message)| {
                let ChatMessage::Assistant { calls, .. } = message else {
                    return None;
                };
                let call = calls.iter().find(|call| call.id == call_id)?;
                Some((index, call.name.clone()))
            });
        let Some((index, name)) = made else {
            return self.push(user(format!("[The result of an earlier call]\n{content}")));
        };
        let later = &self.messages[index + 1..];
        let is_result = |message: &&ChatMessage| matches!(message, ChatMessage::Tool { .. });
        let at = index + 1 + later.iter().take_while(is_result).count();
        let message = ChatMessage::Tool {
            call_id: call_id.to_owned(),
            name,
            content,
        };
        self.count(&message);
        self.messages.insert(at, message);
    }

    fn push_images(&mut self, output: &[InputPart]) {
        let image = |part: &&InputPart| matches!(part, InputPart::InputImage { .. });
        let images: Vec<InputPart> = output.iter().filter(image).cloned().collect();
        if !images.is_empty() {
            let note = ContentPart::Text("[Images from the result above]".into());
            let images = std::iter::once(note).chain(parts(&images));
            self.push(ChatMessage::User(images.collect()));
        }
    }

    fn answer(&mut self, turn: &AssistantTurn) {
        let call = |call: &journal::CallRecord| ToolCall {
            id: call.call_id.clone(),
            name: call.name.clone(),
            // Providers refuse a history with arguments that are no JSON; the call's result says what was wrong.
            arguments: match serde_json::from_str::<serde_json::Value>(&call.arguments) {
                Ok(_) => call.arguments.clone(),
                Err(_) => "{}".to_owned(),
            },
        };
        let calls = turn.calls.iter().map(call).collect();
        self.push(ChatMessage::Assistant {
            text: turn.text.clone(),
            calls,
        });
        if turn.context_tokens > 0 {
            self.counted_tokens = turn.context_tokens;
            self.uncounted_bytes = 0;
            self.uncounted_messages = 0;
        }
    }

    fn compact(&mut self, compaction: &Compaction) {
        let kept = self
            .messages
            .split_off(self.messages.len().saturating_sub(compaction.kept_messages));
        let summary = format!(
            "[SYSTEM: Earlier messages were replaced by this summary.]\n{}",
            compaction.summary
        );
        self.messages.clear();
        self.counted_tokens = 0;
        self.uncounted_bytes = 0;
        self.uncounted_messages = 0;
        self.push(user(summary));
        for message in kept {
            self.push(message);
        }
    }

    fn push(&mut self, message: ChatMessage) {
        self.count(&message);
        self.messages.push(message);
    }

    fn count(&mut self, message: &ChatMessage) {
        self.uncounted_bytes += size(message);
        self.uncounted_messages += 1;
    }

    fn stub(&self, (call_id, name): (String, String)) -> ChatMessage {
        let content = match self.handed_over.contains(&call_id) {
            true => NO_RESULT,
            false => NOT_FINISHED,
        };
        ChatMessage::Tool {
            content: content.into(),
            call_id,
            name,
        }
    }
}

pub(crate) fn user(text: String) -> ChatMessage {
    ChatMessage::User(vec![ContentPart::Text(text)])
}

fn message(item: &InputItem) -> Option<&InputMessage> {
    match item {
        InputItem::Message(message) => Some(message),
        InputItem::FunctionCallOutput { .. } => None,
    }
}

fn context_message(message: &InputMessage) -> ChatMessage {
    let text = protocol::text(&message.content);
    match message.role {
        Role::User => ChatMessage::User(parts(&message.content)),
        Role::Assistant => ChatMessage::Assistant {
            text: Some(text),
            calls: Vec::new(),
        },
        Role::System | Role::Developer => ChatMessage::System(text),
    }
}

fn parts(parts: &[InputPart]) -> Vec<ContentPart> {
    let part = |part: &InputPart| match part {
        InputPart::InputText { text } => ContentPart::Text(text.clone()),
        InputPart::InputImage { image_url } => ContentPart::Image {
            url: image_url.clone(),
        },
    };
    parts.iter().map(part).collect()
}

/// Puts a note in the place of each image, for a model that does not see.
pub(crate) fn without_images(message: &mut ChatMessage) {
    if let ChatMessage::User(parts) = message {
        for part in parts {
            if matches!(part, ContentPart::Image { .. }) {
                *part = ContentPart::Text(UNSEEN.to_owned());
            }
        }
    }
}

/// Bytes of a message. An image counts as the most tokens that a provider charges for one, not as its base64.
pub(crate) fn size(message: &ChatMessage) -> u64 {
    const IMAGE: u64 = 8_000;

    match message {
        ChatMessage::System(text) => text.len() as u64,
        ChatMessage::User(parts) => parts
            .iter()
            .map(|part| match part {
                ContentPart::Text(text) => text.len() as u64,
                ContentPart::Image { .. } => IMAGE,
            })
            .sum(),
        ChatMessage::Assistant { text, calls } => {
            let calls: usize = calls
                .iter()
                .map(|call| call.name.len() + call.arguments.len() + 16)
                .sum();
            (text.as_ref().map_or(0, String::len) + calls) as u64
        }
        ChatMessage::Tool { content, name, .. } => (content.len() + name.len()) as u64,
    }
}

#[cfg(test)]
mod tests {
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
        let shown: Vec<String> = transcript
            .messages()
            .iter()
            .map(super::tests::shown)
            .collect();
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
            transcript.messages.last().map(super::tests::shown).unwrap(),
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
}
