//! Query strings and form bodies with repeated keys.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;

/// The decoded pairs of a query string (or of a form body), in order.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes `a=1&b=2`.
    pub fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }

    /// Every value of a key.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// A boolean as any client writes it: `true`, `True`, `1`.
    pub fn flag(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
    }

    /// A number; absent or malformed is `None`.
    pub fn number(&self, key: &str) -> Option<usize> {
        self.get(key)?.parse().ok()
    }

    /// All pairs but those of one key, encoded again (to build a link to the next page).
    pub fn without(&self, key: &str) -> String {
        let mut out = form_urlencoded::Serializer::new(String::new());
        out.extend_pairs(self.0.iter().filter(|(name, _)| name != key));
        out.finish()
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or("").as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_keys_and_booleans() {
        let query = Query::parse(b"label=a%3Db&label=c%3Dd&recursive=True&limit=3");
        assert_eq!(query.all("label").collect::<Vec<_>>(), ["a=b", "c=d"]);
        assert!(query.flag("recursive"));
        assert!(!query.flag("expand"));
        assert_eq!(query.number("limit"), Some(3));
        assert_eq!(query.without("label"), "recursive=True&limit=3");
    }
}
