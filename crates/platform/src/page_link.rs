//! Where the next page of a list is.

use reqwest::Url;
use reqwest::header::{HeaderMap, LINK};

/// The next page from `Link: <url>; rel="next"`, as a path of the hub. A link that leads elsewhere
/// is not followed: the request carries the token.
pub(crate) fn next_path(headers: &HeaderMap, hub: &str) -> Option<String> {
    let link = headers.get(LINK)?.to_str().ok()?;
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let address = next.trim().strip_prefix('<')?.split_once('>')?.0;
    let hub = Url::parse(hub).ok()?;
    let next = hub.join(address).ok()?;
    if next.origin() != hub.origin() {
        return None;
    }
    let path = next.path().strip_prefix(hub.path().trim_end_matches('/'))?;
    Some(match next.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue, LINK};

    use super::next_path;

    fn next(link: &str, hub: &str) -> Option<String> {
        let headers = [(LINK, HeaderValue::from_str(link).unwrap())]
            .into_iter()
            .collect::<HeaderMap>();
        next_path(&headers, hub)
    }

    #[test]
    fn the_next_page_is_followed_within_the_hub_only() {
        let hub = "https://hub.example";
        let table = [
            (
                "<https://hub.example/api/jobs/a?cursor=x>; rel=\"next\"",
                Some("/api/jobs/a?cursor=x"),
            ),
            (
                "</api/jobs/a?cursor=x>; rel=\"next\"",
                Some("/api/jobs/a?cursor=x"),
            ),
            ("<https://evil.example/api/jobs/a>; rel=\"next\"", None),
            ("<http://hub.example/api/jobs/a>; rel=\"next\"", None),
            ("<https://hub.example/api/jobs/a>; rel=\"prev\"", None),
            ("nonsense rel=\"next\"", None),
        ];
        for (link, expected) in table {
            assert_eq!(next(link, hub).as_deref(), expected, "{link}");
        }
        let below = next(
            "<http://h:1/hub/api/jobs/a?c=1>; rel=\"next\"",
            "http://h:1/hub",
        );
        assert_eq!(below.as_deref(), Some("/api/jobs/a?c=1"));
    }
}
