//! The `input` of a request: a task, or a list of items whose last one is the task or answers the model's client calls.

mod parse;

pub(crate) use parse::{CALL_ID_LIMIT, IMAGE_PREFIXES, MESSAGE_LIMIT, TEXT_PARTS, parse};

use serde::{Deserialize, Serialize};

/// One input item, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum InputItem {
    Message(InputMessage),
    /// What a tool of the client's own came to.
    FunctionCallOutput {
        call_id: String,
        output: Vec<InputPart>,
    },
}

/// A message: context, or the task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputMessage {
    pub role: Role,
    pub content: Vec<InputPart>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Assistant,
    System,
    Developer,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum InputPart {
    InputText {
        text: String,
    },
    /// An https or data URL.
    InputImage {
        image_url: String,
    },
}

impl InputItem {
    /// A user message of one text.
    #[must_use]
    pub fn user(text: impl Into<String>) -> Self {
        Self::Message(InputMessage {
            role: Role::User,
            content: vec![InputPart::InputText { text: text.into() }],
        })
    }

    /// The parts that it is made of.
    #[must_use]
    pub fn parts(&self) -> &[InputPart] {
        match self {
            Self::Message(message) => &message.content,
            Self::FunctionCallOutput { output, .. } => output,
        }
    }

    /// See [`InputItem::parts`].
    pub fn parts_mut(&mut self) -> &mut Vec<InputPart> {
        match self {
            Self::Message(message) => &mut message.content,
            Self::FunctionCallOutput { output, .. } => output,
        }
    }

    /// The text parts, joined.
    #[must_use]
    pub fn text(&self) -> String {
        text(self.parts())
    }
}

/// The text of some parts, joined.
#[must_use]
pub fn text(parts: &[InputPart]) -> String {
    let texts = parts.iter().filter_map(|part| match part {
        InputPart::InputText { text } => Some(text.as_str()),
        InputPart::InputImage { .. } => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}
