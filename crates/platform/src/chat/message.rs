//! Conversation messages and their wire shape.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A message of the conversation. Serialises to and from the OpenAI chat shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatMessage {
    System(String),
    User(Vec<ContentPart>),
    Assistant {
        text: Option<String>,
        calls: Vec<ToolCall>,
    },
    Tool {
        call_id: String,
        name: String,
        content: String,
    },
}

/// A part of a user message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentPart {
    Text(String),
    /// An `https:` or `data:` URL.
    Image {
        url: String,
    },
}

/// A tool call of an assistant message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    /// Raw JSON text, exactly as the model wrote it; may be malformed.
    pub arguments: String,
}

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    role: Cow<'a, str>,
    // `null` must be written for an assistant message with calls only: some providers insist on the
    // key.
    #[serde(default)]
    content: Option<WireContent<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool_calls: Option<Vec<WireCall<'a>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WireContent<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<WirePart<'a>>),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WirePart<'a> {
    Text { text: Cow<'a, str> },
    ImageUrl { image_url: WireImage<'a> },
}

#[derive(Serialize, Deserialize)]
struct WireImage<'a> {
    url: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct WireCall<'a> {
    id: Cow<'a, str>,
    #[serde(rename = "type", default = "function_type")]
    kind: Cow<'a, str>,
    function: WireFunction<'a>,
}

#[derive(Serialize, Deserialize)]
struct WireFunction<'a> {
    name: Cow<'a, str>,
    arguments: Cow<'a, str>,
}

fn function_type() -> Cow<'static, str> {
    Cow::Borrowed("function")
}

impl<'a> Wire<'a> {
    fn new(role: &'static str, content: Option<WireContent<'a>>) -> Self {
        Self {
            role: role.into(),
            content,
            name: None,
            tool_calls: None,
            tool_call_id: None,
        }
    }
}

impl Serialize for ChatMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = |text| Some(WireContent::Text(Cow::Borrowed(text)));
        match self {
            Self::System(content) => Wire::new("system", text(content)),
            Self::User(parts) => Wire::new("user", Some(user_content(parts))),
            Self::Assistant { text: said, calls } => Wire {
                tool_calls: (!calls.is_empty()).then(|| calls.iter().map(wire_call).collect()),
                ..Wire::new("assistant", assistant_content(said.as_deref(), calls))
            },
            Self::Tool {
                call_id,
                name,
                content,
            } => Wire {
                name: (!name.is_empty()).then(|| name.into()),
                tool_call_id: Some(call_id.into()),
                ..Wire::new("tool", text(content))
            },
        }
        .serialize(serializer)
    }
}

/// Plain text goes as a string: not every provider takes an array for models without sight.
fn user_content(parts: &[ContentPart]) -> WireContent<'_> {
    if let [ContentPart::Text(text)] = parts {
        return WireContent::Text(text.into());
    }
    WireContent::Parts(parts.iter().map(user_part).collect())
}

fn user_part(part: &ContentPart) -> WirePart<'_> {
    match part {
        ContentPart::Text(text) => WirePart::Text { text: text.into() },
        ContentPart::Image { url } => WirePart::ImageUrl {
            image_url: WireImage { url: url.into() },
        },
    }
}

/// An assistant message must have content or calls; an empty one gets an empty string.
fn assistant_content<'a>(text: Option<&'a str>, calls: &[ToolCall]) -> Option<WireContent<'a>> {
    match text {
        Some(text) => Some(WireContent::Text(text.into())),
        None if calls.is_empty() => Some(WireContent::Text("".into())),
        None => None,
    }
}

fn wire_call(call: &ToolCall) -> WireCall<'_> {
    WireCall {
        id: (&call.id).into(),
        kind: function_type(),
        function: WireFunction {
            name: (&call.name).into(),
            arguments: (&call.arguments).into(),
        },
    }
}

impl<'de> Deserialize<'de> for ChatMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        match wire.role.as_ref() {
            "system" | "developer" => Ok(Self::System(joined(wire.content).unwrap_or_default())),
            "user" => Ok(Self::User(parts(wire.content))),
            "assistant" => Ok(Self::Assistant {
                text: joined(wire.content),
                calls: wire
                    .tool_calls
                    .unwrap_or_default()
                    .into_iter()
                    .map(call)
                    .collect(),
            }),
            "tool" => Ok(Self::Tool {
                call_id: wire
                    .tool_call_id
                    .ok_or_else(|| D::Error::missing_field("tool_call_id"))?
                    .into_owned(),
                name: wire.name.unwrap_or_default().into_owned(),
                content: joined(wire.content).unwrap_or_default(),
            }),
            other => Err(D::Error::unknown_variant(
                other,
                &["system", "user", "assistant", "tool"],
            )),
        }
    }
}

fn parts(content: Option<WireContent<'_>>) -> Vec<ContentPart> {
    match content {
        None => Vec::new(),
        Some(WireContent::Text(text)) => vec![ContentPart::Text(text.into_owned())],
        Some(WireContent::Parts(parts)) => parts
            .into_iter()
            .map(|part| match part {
                WirePart::Text { text } => ContentPart::Text(text.into_owned()),
                WirePart::ImageUrl { image_url } => ContentPart::Image {
                    url: image_url.url.into_owned(),
                },
            })
            .collect(),
    }
}

fn joined(content: Option<WireContent<'_>>) -> Option<String> {
    match content? {
        WireContent::Text(text) => Some(text.into_owned()),
        WireContent::Parts(parts) => Some(
            parts
                .iter()
                .filter_map(|part| match part {
                    WirePart::Text { text } => Some(text.as_ref()),
                    WirePart::ImageUrl { .. } => None,
                })
                .collect(),
        ),
    }
}

fn call(call: WireCall<'_>) -> ToolCall {
    ToolCall {
        id: call.id.into_owned(),
        name: call.function.name.into_owned(),
        arguments: call.function.arguments.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::{ChatMessage, ContentPart, ToolCall};

    #[test]
    fn messages_have_the_wire_shape_and_come_back() {
        let call = ToolCall {
            id: "c1".into(),
            name: "bash".into(),
            arguments: "{\"a\":1".into(),
        };
        let image = ContentPart::Image {
            url: "data:image/png;base64,AA".into(),
        };
        let table = [
            (
                ChatMessage::System("be brief".into()),
                json!({"role":"system","content":"be brief"}),
            ),
            (
                ChatMessage::User(vec![ContentPart::Text("hi".into())]),
                json!({"role":"user","content":"hi"}),
            ),
            (
                ChatMessage::User(vec![ContentPart::Text("see".into()), image]),
                json!({"role":"user","content":[{"type":"text","text":"see"},
                    {"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}),
            ),
            (
                ChatMessage::Assistant {
                    text: None,
                    calls: vec![call],
                },
                json!({"role":"assistant","content":null,"tool_calls":[
                    {"id":"c1","type":"function","function":{"name":"bash","arguments":"{\"a\":1"}}]}),
            ),
            (
                ChatMessage::Assistant {
                    text: Some("ok".into()),
                    calls: vec![],
                },
                json!({"role":"assistant","content":"ok"}),
            ),
            (
                ChatMessage::Tool {
                    call_id: "c1".into(),
                    name: "bash".into(),
                    content: "out".into(),
                },
                json!({"role":"tool","tool_call_id":"c1","name":"bash","content":"out"}),
            ),
        ];
        for (message, wire) in table {
            assert_eq!(to_value(&message).unwrap(), wire);
            assert_eq!(from_value::<ChatMessage>(wire).unwrap(), message);
        }
    }

    #[test]
    fn an_empty_assistant_message_is_still_acceptable_to_providers() {
        let empty = ChatMessage::Assistant {
            text: None,
            calls: vec![],
        };
        assert_eq!(
            to_value(empty).unwrap(),
            json!({"role":"assistant","content":""})
        );
    }

    #[test]
    fn an_unknown_role_is_refused() {
        assert!(from_value::<ChatMessage>(json!({"role":"critic","content":"x"})).is_err());
    }
}
