//! What an MCP server answered, as text for the model.

use super::server::Server;
use crate::{OUTPUT_LIMIT, Outcome, cap};
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

/// The outcome of an answered call.
pub(super) fn outcome(server: &Server, result: CallToolResult) -> Outcome {
    let text = cap(&server.hide(&text(&result)), OUTPUT_LIMIT, None).text;
    match result.is_error == Some(true) {
        true => Outcome::failed(format!("ERROR: {text}")),
        false => Outcome::ok(text),
    }
}

/// All text; what is no text is named. Structured content speaks where there is nothing else.
fn text(result: &CallToolResult) -> String {
    let parts: Vec<String> = result.content.iter().map(part).collect();
    match (&result.structured_content, parts.is_empty()) {
        (Some(structured), true) => structured.to_string(),
        (None, true) => "(no output)".to_owned(),
        (_, false) => parts.join("\n"),
    }
}

fn part(block: &ContentBlock) -> String {
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => not_shown("image", &image.mime_type, image.data.len()),
        ContentBlock::Audio(audio) => not_shown("audio", &audio.mime_type, audio.data.len()),
        ContentBlock::Resource(embedded) => match &embedded.resource {
            ResourceContents::TextResourceContents { uri, text, .. } => format!("[{uri}]\n{text}"),
            ResourceContents::BlobResourceContents { uri, blob, .. } => {
                not_shown("resource", uri, blob.len())
            }
            _ => "[a resource of an unknown kind]".to_owned(),
        },
        ContentBlock::ResourceLink(link) => format!("[resource {}: {}]", link.name, link.uri),
        _ => "[content of an unknown kind]".to_owned(),
    }
}

/// Stands for what is no text; `encoded` is its size in base64.
fn not_shown(what: &str, kind: &str, encoded: usize) -> String {
    format!(
        "[{what}: {kind}, about {} bytes, not shown]",
        encoded / 4 * 3
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn content_becomes_text() {
        for (result, expected) in [
            (json!({"content": []}), "(no output)"),
            (
                json!({"content": [], "structuredContent": {"a": 1}}),
                r#"{"a":1}"#,
            ),
            (
                json!({"content": [{"type": "text", "text": "a"}], "structuredContent": {"a": 1}}),
                "a",
            ),
            (
                json!({"content": [
                    {"type": "text", "text": "a"},
                    {"type": "image", "data": "AAAAAAAA", "mimeType": "image/png"},
                    {"type": "resource", "resource": {"uri": "file:///b", "text": "B"}},
                    {"type": "resource_link", "uri": "file:///c", "name": "c"},
                ]}),
                "a\n[image: image/png, about 6 bytes, not shown]\n[file:///b]\nB\n[resource c: file:///c]",
            ),
        ] {
            let result: CallToolResult = serde_json::from_value(result).unwrap();
            assert_eq!(text(&result), expected);
        }
    }
}
