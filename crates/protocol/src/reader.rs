//! Reading fields out of a JSON object with errors that name the parameter. `null` means absent, everywhere.

use crate::Problem;
use serde_json::{Map, Value};

/// A JSON object and the path that leads to it.
pub(crate) struct Reader<'a> {
    fields: &'a Map<String, Value>,
    path: String,
}

impl<'a> Reader<'a> {
    pub fn new(fields: &'a Map<String, Value>, path: impl Into<String>) -> Self {
        Self {
            fields,
            path: path.into(),
        }
    }

    /// The full name of a field, such as `input[2].content`.
    pub fn name(&self, field: &str) -> String {
        if self.path.is_empty() {
            field.to_owned()
        } else {
            format!("{}.{field}", self.path)
        }
    }

    pub fn get(&self, field: &str) -> Option<&'a Value> {
        self.fields.get(field).filter(|value| !value.is_null())
    }

    pub fn string(&self, field: &str) -> Result<Option<&'a str>, Problem> {
        self.typed(field, "a string", Value::as_str)
    }

    pub fn required_string(&self, field: &str) -> Result<&'a str, Problem> {
        self.string(field)?.ok_or_else(|| self.missing(field))
    }

    pub fn boolean(&self, field: &str) -> Result<Option<bool>, Problem> {
        self.typed(field, "a boolean", Value::as_bool)
    }

    pub fn number(&self, field: &str) -> Result<Option<f64>, Problem> {
        self.typed(field, "a number", Value::as_f64)
    }

    pub fn object(&self, field: &str) -> Result<Option<&'a Map<String, Value>>, Problem> {
        self.typed(field, "an object", Value::as_object)
    }

    pub fn array(&self, field: &str) -> Result<Option<&'a Vec<Value>>, Problem> {
        self.typed(field, "an array", Value::as_array)
    }

    /// A number within `(above, most]`, or `[least, most]` when `above` is given as the least by [`Reader::integer`].
    pub fn number_in(
        &self,
        field: &str,
        fits: impl Fn(f64) -> bool,
        range: &str,
    ) -> Result<Option<f64>, Problem> {
        match self.number(field)? {
            Some(number) if !fits(number) => Err(self.out_of_range(field, range)),
            number => Ok(number),
        }
    }

    /// A whole number within `[least, most]`.
    pub fn integer(&self, field: &str, least: u64, most: u64) -> Result<Option<u64>, Problem> {
        let Some(number) = self.number(field)? else {
            return Ok(None);
        };
        if number.fract() != 0.0 {
            return Err(self.wrong_type(field, "an integer"));
        }
        if number < least as f64 || number > most as f64 {
            return Err(self.out_of_range(field, &format!("[{least}, {most}]")));
        }
        Ok(Some(number as u64))
    }

    pub fn missing(&self, field: &str) -> Problem {
        let name = self.name(field);
        Problem::invalid(
            "missing_required_parameter",
            name.clone(),
            format!("`{name}` is required."),
        )
    }

    pub fn wrong_type(&self, field: &str, expected: &str) -> Problem {
        let name = self.name(field);
        Problem::invalid(
            "invalid_type",
            name.clone(),
            format!("`{name}` must be {expected}."),
        )
    }

    pub fn invalid(&self, field: &str, why: &str) -> Problem {
        let name = self.name(field);
        Problem::invalid("invalid_value", name.clone(), format!("`{name}` {why}."))
    }

    fn out_of_range(&self, field: &str, range: &str) -> Problem {
        self.invalid(field, &format!("must be within {range}"))
    }

    fn typed<T>(
        &self,
        field: &str,
        expected: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        match self.get(field) {
            None => Ok(None),
            Some(value) => read(value)
                .map(Some)
                .ok_or_else(|| self.wrong_type(field, expected)),
        }
    }
}

/// A problem when `text` has more than `most` characters (Unicode scalar values).
pub(crate) fn check_length(name: &str, characters: usize, most: usize) -> Result<(), Problem> {
    if characters <= most {
        return Ok(());
    }
    let why = format!("`{name}` has {characters} characters; at most {most} are allowed.");
    Err(Problem::invalid("string_above_max_length", name, why))
}

/// The beginning of what a client sent, as an error may quote it.
pub(crate) fn shown(text: &str) -> &str {
    const MOST: usize = 100;
    let end = text
        .char_indices()
        .nth(MOST)
        .map_or(text.len(), |(at, _)| at);
    &text[..end]
}
