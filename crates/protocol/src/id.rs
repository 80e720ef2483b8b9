//! Identifiers: a prefix and 32 hex digits, time-ordered so that a store's index stays local.

use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! id {
    ($doc:literal, $name:ident, $prefix:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            const DESCRIPTION: &str = $doc;

            /// Draws a fresh id.
            #[must_use]
            pub fn fresh() -> Self {
                Self(format!(
                    concat!($prefix, "{}"),
                    uuid::Uuid::now_v7().simple()
                ))
            }

            /// Accepts text that has the shape of such an id; `None` otherwise.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let hex = text.strip_prefix($prefix)?;
                let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                (hex.len() == 32 && hex.bytes().all(is_hex)).then(|| Self(text.to_owned()))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                text_schema(
                    Self::DESCRIPTION,
                    Some(concat!("^", $prefix, "[0-9a-f]{32}$")),
                )
            }
        }

        impl ToSchema for $name {}

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    "The id of a response: one turn of the agent.",
    ResponseId,
    "resp_"
);
id!(
    "The id of a session: a chain of responses that share a conversation, a budget and a sandbox.",
    SessionId,
    "sess_"
);

/// The id of one item in a response's `output`, unique within it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemId(String);

impl ItemId {
    /// Unix milliseconds at which the id was drawn (a UUID v7 begins with them); `None` for other ids.
    #[must_use]
    pub fn drawn_at_ms(&self) -> Option<u64> {
        let (_, hex) = self.0.rsplit_once('_')?;
        u64::from_str_radix(hex.get(..12)?, 16).ok()
    }

    /// Draws a fresh id with the prefix of its kind, such as `msg` or `mcp`.
    #[must_use]
    pub fn fresh(prefix: &str) -> Self {
        Self(format!("{prefix}_{}", uuid::Uuid::now_v7().simple()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialSchema for ItemId {
    fn schema() -> RefOr<Schema> {
        text_schema("The id of one item, unique within its response.", None)
    }
}

impl ToSchema for ItemId {}

fn text_schema(description: &str, pattern: Option<&str>) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .pattern(pattern)
        .into()
}

impl From<&str> for ItemId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_ids_parse_and_others_do_not() {
        let id = ResponseId::fresh();
        assert_eq!(ResponseId::parse(id.as_str()), Some(id));
        for bad in [
            "",
            "resp_",
            "resp_xyz",
            "sess_0123456789abcdef0123456789abcdef",
            "resp_0123456789ABCDEF0123456789abcdef",
        ] {
            assert_eq!(ResponseId::parse(bad), None, "{bad}");
        }
    }
}
