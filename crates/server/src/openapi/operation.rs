//! One operation of the document, put together step by step.

use super::faults::{FAULTS, WITH_BODY, WITH_TOKEN, response};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A method at a path.
pub(super) struct Operation {
    pub method: &'static str,
    pub path: &'static str,
    fields: Value,
    parameters: Vec<Value>,
    responses: Map<String, Value>,
    refusals: Vec<&'static str>,
}

impl Operation {
    /// An operation that needs a token. Parameters in the path are found there.
    pub fn new(
        method: &'static str,
        path: &'static str,
        id: &str,
        tag: &str,
        summary: &str,
    ) -> Self {
        let mut operation = Self {
            method,
            path,
            fields: json!({"operationId": id, "tags": [tag], "summary": summary}),
            parameters: Vec::new(),
            responses: Map::new(),
            refusals: WITH_TOKEN.to_vec(),
        };
        if path.contains("{id}") {
            let kind = match path.starts_with("/v1/sessions") {
                true => "SessionId",
                false => "ResponseId",
            };
            let schema = json!({"$ref": format!("#/components/schemas/{kind}")});
            let parameter = json!({"name": "id", "in": "path", "required": true, "schema": schema});
            operation.parameters.push(parameter);
        }
        operation
    }

    /// An operation that takes no token.
    pub fn open(
        method: &'static str,
        path: &'static str,
        id: &str,
        tag: &str,
        summary: &str,
    ) -> Self {
        let mut operation = Self::new(method, path, id, tag, summary);
        operation.refusals = vec!["internal_error"];
        operation.fields["security"] = json!([]);
        operation
    }

    pub fn says(mut self, description: &str) -> Self {
        self.fields["description"] = json!(description);
        self
    }

    pub fn query(self, name: &str, schema: Value, description: &str) -> Self {
        self.parameter("query", name, schema, description)
    }

    pub fn header(self, name: &str, schema: Value, description: &str) -> Self {
        self.parameter("header", name, schema, description)
    }

    fn parameter(mut self, place: &str, name: &str, schema: Value, description: &str) -> Self {
        let parameter =
            json!({"name": name, "in": place, "schema": schema, "description": description});
        self.parameters.push(parameter);
        self
    }

    /// Takes a body.
    pub fn takes(mut self, schema: &str, is_required: bool, examples: Value) -> Self {
        let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
        let mut content = json!({"application/json": {"schema": schema}});
        if !examples.is_null() {
            content["application/json"]["examples"] = examples;
        }
        self.fields["requestBody"] = json!({"required": is_required, "content": content});
        self.refusals.extend(WITH_BODY);
        self
    }

    /// Answers 200 with JSON of this schema.
    pub fn gives(self, schema: &str, description: &str) -> Self {
        let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
        self.answers(
            "200",
            description,
            "application/json",
            json!({"schema": schema}),
        )
    }

    /// Answers with a body of one media type; call it once for each type.
    pub fn answers(mut self, status: &str, description: &str, media: &str, content: Value) -> Self {
        let answer = self.answer(status, description);
        answer["content"][media] = content;
        self
    }

    /// Answers 200 with a stream of events alone.
    pub fn streams(self, description: &str, example: &str) -> Self {
        let data = json!({
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/Event"},
        });
        self.frames(data, description, example)
    }

    /// Answers 200 with a stream of events that ends with `data: [DONE]`, which is no JSON.
    pub fn streams_until_done(self, example: &str) -> Self {
        let data = json!({"type": "string", "description": "An Event as JSON, or `[DONE]`."});
        self.frames(data, "", example)
    }

    /// One frame is an object, as OpenAPI 3.2 describes server-sent events.
    fn frames(self, data: Value, description: &str, example: &str) -> Self {
        let text = json!({"type": "string"});
        let frame = json!({
            "type": "object",
            "required": ["data"],
            "properties": {"event": text, "id": text, "data": data},
        });
        let content = json!({"schema": frame, "example": example});
        self.answers("200", description, "text/event-stream", content)
    }

    /// Answers without a body.
    pub fn ends(mut self, status: &str, description: &str) -> Self {
        self.answer(status, description);
        self
    }

    pub fn answers_header(
        mut self,
        status: &str,
        name: &str,
        schema: Value,
        description: &str,
    ) -> Self {
        let answer = self.answer(status, "");
        answer["headers"][name] = json!({"schema": schema, "description": description});
        self
    }

    /// From its 200, these operations can be called with the `id` that stands in this field of the object.
    pub fn leads_to(mut self, field: &str, operations: &[&str]) -> Self {
        let answer = self.answer("200", "");
        for operation in operations {
            let parameters = json!({"id": format!("$response.body#/{field}")});
            answer["links"][*operation] =
                json!({"operationId": operation, "parameters": parameters});
        }
        self
    }

    fn answer(&mut self, status: &str, description: &str) -> &mut Value {
        let answer = self.responses.entry(status.to_owned()).or_insert_with(
            || json!({"description": description, "headers": {"x-request-id": request_id()}}),
        );
        if answer["description"] == "" {
            answer["description"] = json!(description);
        }
        answer
    }

    /// Refuses with these codes, beside those of every request of its kind.
    pub fn refuses(mut self, codes: &[&'static str]) -> Self {
        self.refusals.extend(codes);
        self
    }

    /// The operation as the document has it.
    pub fn describe(self) -> Value {
        let mut by_status: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
        for fault in FAULTS
            .iter()
            .filter(|fault| self.refusals.contains(&fault.code))
        {
            by_status.entry(fault.status).or_default().push(fault.code);
        }
        let (mut fields, mut responses) = (self.fields, self.responses);
        for (status, codes) in by_status {
            responses.insert(status.to_string(), response(status, &codes));
        }
        if !self.parameters.is_empty() {
            fields["parameters"] = Value::Array(self.parameters);
        }
        fields["responses"] = Value::Object(responses);
        fields
    }
}

/// The header of every answer.
pub(super) fn request_id() -> Value {
    json!({
        "required": true,
        "schema": {"type": "string"},
        "description": "The request's own, if it sent a sane one, else a fresh one.",
    })
}
