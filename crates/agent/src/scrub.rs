//! Removing the caller's token from anything that becomes an event, also where it arrives in pieces.

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE};
use platform::Token;
use protocol::{ApprovalRequest, CreateRequest, GivenTool, InputItem, InputPart};
use serde_json::Value;

const MASK: &str = "[token removed]";
/// Shorter values are no secrets; masking them would garble ordinary text.
const LEAST_LENGTH: usize = 8;

/// The token's value and its common encodings.
#[derive(Clone)]
pub(crate) struct Scrubber {
    needles: Vec<String>,
}

impl Scrubber {
    pub fn new(token: &Token) -> Self {
        let value = token.expose();
        if value.len() < LEAST_LENGTH {
            return Self {
                needles: Vec::new(),
            };
        }
        let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
        let escaped = value.replace('_', "%5F");
        let mut needles = vec![value.to_owned(), hex.to_uppercase(), hex, escaped];
        for before in 0..3 {
            needles.push(base64_core(&STANDARD, value, before));
            needles.push(base64_core(&URL_SAFE, value, before));
        }
        needles.sort_unstable();
        needles.dedup();
        Self { needles }
    }

    /// Removes every whole occurrence.
    pub fn scrub(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for needle in &self.needles {
            if clean.contains(needle) {
                clean = clean.replace(needle, MASK);
            }
        }
        clean
    }

    /// A scrubber for text that comes in pieces.
    pub fn stream(&self) -> StreamScrubber {
        StreamScrubber {
            scrubber: self.clone(),
            held: String::new(),
        }
    }

    /// Bytes at the end of `text` that may be the beginning of an occurrence.
    fn open_end(&self, text: &str) -> usize {
        let longest = |needle: &String| {
            (1..needle.len().min(text.len() + 1))
                .rev()
                .find(|&length| text.ends_with(&needle[..length]))
                .unwrap_or(0)
        };
        self.needles.iter().map(longest).max().unwrap_or(0)
    }
}

/// What base64 makes of the token wherever it stands in a longer text, `before` bytes (modulo 3) behind the beginning: the
/// characters that depend on its neighbours are left out.
fn base64_core(engine: &GeneralPurpose, value: &str, before: usize) -> String {
    let mut text = vec![0; before];
    text.extend_from_slice(value.as_bytes());
    let whole_bits = text.len() * 8;
    let encoded = engine.encode(text);
    let first = (before * 8).div_ceil(6);
    encoded[first..whole_bits / 6].to_owned()
}

/// A request without the caller's own token, wherever the caller has written it: what is submitted is stored.
#[must_use]
pub fn without_token(mut request: CreateRequest, token: &Token) -> CreateRequest {
    let scrubber = Scrubber::new(token);
    for part in request.input.iter_mut().flat_map(InputItem::parts_mut) {
        match part {
            InputPart::InputText { text } => *text = scrubber.scrub(text),
            InputPart::InputImage { image_url } => *image_url = scrubber.scrub(image_url),
        }
    }
    request.instructions = request.instructions.map(|text| scrubber.scrub(&text));
    for fields in [&mut request.metadata, &mut request.openai] {
        fields
            .values_mut()
            .for_each(|value| scrub_value(&scrubber, value));
    }
    for tool in &mut request.tools {
        scrub_tool(&scrubber, tool);
    }
    if let Some(webhook) = &mut request.webhook {
        webhook.url = scrubber.scrub(&webhook.url);
    }
    request
}

/// What of a tool is echoed. The headers of an MCP server stay in memory and are left as they are.
fn scrub_tool(scrubber: &Scrubber, tool: &mut GivenTool) {
    match tool {
        GivenTool::Function(tool) => {
            tool.description = tool.description.take().map(|text| scrubber.scrub(&text));
            if let Some(schema) = &mut tool.parameters {
                scrub_value(scrubber, schema);
            }
        }
        GivenTool::Mcp(server) => server.url = scrubber.scrub(&server.url),
    }
}

/// A decision without the caller's own token.
#[must_use]
pub fn decision_without_token(decision: ApprovalRequest, token: &Token) -> ApprovalRequest {
    let scrubber = Scrubber::new(token);
    let feedback = decision.feedback.map(|text| scrubber.scrub(&text));
    ApprovalRequest {
        feedback,
        ..decision
    }
}

fn scrub_value(scrubber: &Scrubber, value: &mut Value) {
    match value {
        Value::String(text) => *text = scrubber.scrub(text),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| scrub_value(scrubber, item)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|value| scrub_value(scrubber, value)),
        _ => {}
    }
}

/// Holds back what might turn out to be the beginning of the token.
pub(crate) struct StreamScrubber {
    scrubber: Scrubber,
    held: String,
}

impl StreamScrubber {
    /// Takes a piece and gives what is safe so far.
    pub fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        let clean = self.scrubber.scrub(&self.held);
        let open = self.scrubber.open_end(&clean);
        let (safe, held) = clean.split_at(clean.len() - open);
        let safe = safe.to_owned();
        self.held = held.to_owned();
        safe
    }

    /// Gives what was held back; nothing follows.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "hf_canary0123456789";

    #[test]
    fn whole_values_and_encodings_are_removed() {
        let scrubber = Scrubber::new(&Token::new(SECRET.into()));
        let base64 =
            ["", "1", "22", "333"].map(|before| STANDARD.encode(format!("{before}{SECRET} after")));
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02X}")).collect();
        let others = [SECRET.to_owned(), format!("x={SECRET}!"), hex];
        let alone = [STANDARD.encode(SECRET)];
        for text in base64.into_iter().chain(others).chain(alone) {
            let clean = scrubber.scrub(&text);
            assert!(clean.contains(MASK), "{text} → {clean}");
        }
        assert_eq!(scrubber.scrub("nothing here"), "nothing here");
    }

    proptest::proptest! {
        #[test]
        fn a_token_in_pieces_is_removed(cuts in proptest::collection::vec(0usize..60, 0..8)) {
            let scrubber = Scrubber::new(&Token::new(SECRET.into()));
            let text = format!("before hf_can {SECRET} middle {SECRET} after hf_");
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < text.len()).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let mut stream = scrubber.stream();
            let mut clean: String = cuts.windows(2).map(|cut| stream.push(&text[cut[0]..cut[1]])).collect();
            clean.push_str(&stream.finish());
            proptest::prop_assert_eq!(clean, format!("before hf_can {MASK} middle {MASK} after hf_"));
        }
    }
}
