//! Values in a script: `{{name}}` in texts and call arguments, taken from earlier tool results.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};

use super::request::ChatRequest;
use super::scenario::Capture;

/// Names and what they stand for.
#[derive(Debug, Default)]
pub struct Values(HashMap<String, String>);

impl Values {
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Looks through the tool results between two messages; the latest match wins, none is an empty text.
    pub fn capture(&mut self, capture: &Capture, request: &ChatRequest, from: usize, to: usize) {
        let results = (from..to).rev().filter(|&index| {
            request.messages[index].role == "tool"
                && (capture.from.is_none() || capture.from.as_deref() == request.tool_name(index))
        });
        let found = results
            .filter_map(|index| first_group(capture, &request.messages[index].text()))
            .next();
        self.set(&capture.name, found.unwrap_or_default());
    }

    /// Puts the values in; an unknown name is left as it stands, so that a slip in a script shows.
    pub fn render(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            let Some(length) = rest[start..].find("}}") else {
                break;
            };
            let name = rest[start + 2..start + length].trim();
            out.push_str(&rest[..start]);
            let next = start + length + 2;
            if let Some(value) = self.0.get(name) {
                out.push_str(value);
                rest = &rest[next..];
            } else {
                // Only the braces are passed over: a real name may follow inside.
                out.push_str("{{");
                rest = &rest[start + 2..];
            }
        }
        out + rest
    }

    /// A TOML value as JSON with every text rendered.
    pub fn render_json(&self, value: &toml::Value) -> Value {
        match value {
            toml::Value::String(text) => Value::String(self.render(text)),
            toml::Value::Integer(number) => Value::from(*number),
            toml::Value::Float(number) => {
                Number::from_f64(*number).map_or(Value::Null, Value::Number)
            }
            toml::Value::Boolean(flag) => Value::Bool(*flag),
            toml::Value::Datetime(at) => Value::String(at.to_string()),
            toml::Value::Array(items) => items.iter().map(|item| self.render_json(item)).collect(),
            toml::Value::Table(table) => Value::Object(self.render_table(table)),
        }
    }

    /// A TOML table as a JSON object with every text rendered.
    pub fn render_table(&self, table: &toml::Table) -> Map<String, Value> {
        let pairs = table
            .iter()
            .map(|(key, value)| (key.clone(), self.render_json(value)));
        pairs.collect()
    }
}

fn first_group(capture: &Capture, text: &str) -> Option<String> {
    let found = capture.regex.0.captures(text)?;
    let group = found.get(1).or_else(|| found.get(0))?;
    Some(group.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_known_names_only() {
        let mut values = Values::default();
        values.set("a", "1");
        assert_eq!(
            values.render("x{{a}}y{{ a }}{{b}}{{{a}}}{{"),
            "x1y1{{b}}{{{a}}}{{"
        );
        let table: toml::Table = toml::from_str("x = ['{{a}}', 2, {y = true}]").unwrap();
        let json = Value::Object(values.render_table(&table));
        assert_eq!(json.to_string(), r#"{"x":["1",2,{"y":true}]}"#);
    }
}
