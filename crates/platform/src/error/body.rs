//! The shapes in which the Hub, the router and its providers put an error into JSON.

use serde_json::Value;

/// What an error body says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    pub message: Option<String>,
    /// Typed codes: the values of `code` and `type`.
    pub codes: Vec<String>,
    /// A status inside the body, for errors within a stream.
    pub status: Option<u16>,
}

impl ErrorBody {
    /// Reads a response body; text that is not JSON is the message unless it is a web page.
    pub(crate) fn parse(body: &[u8]) -> Self {
        if let Ok(value) = serde_json::from_slice(body) {
            return Self::from_value(&value);
        }
        let text = String::from_utf8_lossy(body);
        let message = Some(text.trim()).filter(|text| !text.is_empty() && !text.starts_with('<'));
        Self {
            message: message.map(str::to_owned),
            ..Self::default()
        }
    }

    /// Reads `{"error": "words"}`, `{"error": {"message", "type", "code"}}` and their relatives.
    pub(crate) fn from_value(value: &Value) -> Self {
        let inner = value.get("error").filter(|error| error.is_object());
        let sources = [inner, Some(value)];
        let fields = |names: &'static [&'static str]| {
            sources
                .into_iter()
                .flatten()
                .flat_map(move |source| names.iter().filter_map(|name| source.get(*name)))
        };
        let codes = fields(&["code", "type", "error_code"])
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let status = fields(&["code", "status", "status_code", "statusCode", "http_status"])
            .filter_map(number)
            .find(|status| (400..600).contains(status));
        let message = fields(&["message", "error", "error_description", "detail"])
            .find_map(words)
            .or_else(|| value.as_str().map(str::to_owned));
        Self {
            message: with_details(message, value.get("errors")),
            codes,
            status: status.and_then(|status| u16::try_from(status).ok()),
        }
    }
}

/// A text, a list of texts, or a list of objects with a message.
fn words(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(one).collect::<Vec<_>>().join("; "),
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

fn one(item: &Value) -> Option<&str> {
    item.as_str()
        .or_else(|| item.get("message")?.as_str())
        .or_else(|| item.get("msg")?.as_str())
}

/// Adds what a validation error says about single fields.
fn with_details(message: Option<String>, errors: Option<&Value>) -> Option<String> {
    match (message, errors.and_then(words)) {
        (Some(message), Some(details)) if !message.contains(&details) => {
            Some(format!("{message}: {details}"))
        }
        (message, details) => message.or(details),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::ErrorBody;

    fn message(value: serde_json::Value) -> Option<String> {
        ErrorBody::from_value(&value).message
    }

    #[test]
    fn every_known_shape_gives_its_words() {
        assert_eq!(message(json!({"error":"no"})).as_deref(), Some("no"));
        assert_eq!(message(json!({"error":["a","b"]})).as_deref(), Some("a; b"));
        assert_eq!(
            message(json!({"error":{"message":"no","code":"c"}})).as_deref(),
            Some("no")
        );
        assert_eq!(
            message(json!({"error":"x","error_description":"y"})).as_deref(),
            Some("x")
        );
        assert_eq!(
            message(json!({"error":"bad","errors":[{"message":"flavor","path":[]}]})).as_deref(),
            Some("bad: flavor")
        );
        assert_eq!(
            message(json!({"errors":[{"message":"yaml"}]})).as_deref(),
            Some("yaml")
        );
        assert_eq!(
            message(json!({"detail":[{"msg":"field required"}]})).as_deref(),
            Some("field required")
        );
        assert_eq!(message(json!({"message":"m"})).as_deref(), Some("m"));
        assert_eq!(message(json!("bare")).as_deref(), Some("bare"));
        assert_eq!(message(json!({"error":{}})), None);
        assert_eq!(message(json!([1])), None);
    }

    #[test]
    fn codes_and_statuses_are_found_inside_and_outside() {
        let body = ErrorBody::from_value(
            &json!({"error":{"message":"m","type":"t","code":"c"},"code":"d"}),
        );
        assert_eq!(body.codes, ["c", "t", "d"]);
        let numbered = ErrorBody::from_value(&json!({"error":{"message":"m","code":429}}));
        assert_eq!(numbered.status, Some(429));
        assert_eq!(
            ErrorBody::from_value(&json!({"error":"m","statusCode":"503"})).status,
            Some(503)
        );
        assert_eq!(
            ErrorBody::from_value(&json!({"error":{"code":20}})).status,
            None
        );
    }

    #[test]
    fn text_is_a_message_and_a_web_page_is_not() {
        assert_eq!(
            ErrorBody::parse(b"upstream down\n").message.as_deref(),
            Some("upstream down")
        );
        assert_eq!(ErrorBody::parse(b"<html>502</html>").message, None);
        assert_eq!(ErrorBody::parse(b""), ErrorBody::default());
    }
}
