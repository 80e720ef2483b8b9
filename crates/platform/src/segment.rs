//! Names that become part of a URL path.

use crate::{ErrorKind, PlatformError};

/// Checks that a name is one path segment: a namespace, a job id, half of a repository id. Names
/// come from models too, so `..`, slashes and escapes must not reach a URL.
pub(crate) fn segment<'a>(name: &'a str, what: &str) -> Result<&'a str, PlatformError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let dots = name.bytes().all(|byte| byte == b'.');
    if dots || name.len() > 200 || !name.bytes().all(plain) {
        return Err(PlatformError::new(
            ErrorKind::BadRequest,
            format!("{name:?} is not a valid {what}"),
        ));
    }
    Ok(name)
}

/// Checks a repository id: `owner/name`, or `name` for the oldest ones.
pub(crate) fn repo_id(id: &str) -> Result<&str, PlatformError> {
    let (owner, name) = id.split_once('/').unwrap_or(("legacy", id));
    segment(owner, "repository owner")?;
    segment(name, "repository name")?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::{repo_id, segment};

    #[test]
    fn only_plain_names_pass() {
        for good in ["alice", "Kimi-K2.6", "a_b", "..a", "65f0aa"] {
            assert!(segment(good, "name").is_ok(), "{good}");
        }
        for bad in [
            "", ".", "..", "a/b", "a%2Fb", "a?b", "a#b", "a b", "é", "a\n",
        ] {
            assert!(segment(bad, "name").is_err(), "{bad}");
        }
    }

    #[test]
    fn repository_ids_have_one_or_two_parts() {
        assert!(repo_id("gpt2").is_ok() && repo_id("a/b").is_ok());
        for bad in ["a/b/c", "/b", "a/", "../b", "a/.."] {
            assert!(repo_id(bad).is_err(), "{bad}");
        }
    }
}
