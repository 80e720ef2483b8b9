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
mod tests;
