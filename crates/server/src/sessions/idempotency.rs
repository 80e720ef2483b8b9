//! Retry safety: a request that is sent again gets the response that it has made, and makes no other.
//!
//! Two ways to know one: by its `Idempotency-Key`, or, for the OpenAI SDKs, which send none and retry by themselves, by
//! its body when it says that it is a retry. The claim is made in the transaction that creates the response, so it holds
//! across restarts and processes.

use crate::surface::refusal::Refusal;
use http::{HeaderMap, HeaderValue};
use journal::{Claim, Journal};
use protocol::{Problem, ResponseId};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

const KEY: &str = "idempotency-key";
/// How often the SDK has sent this request before.
const RETRY_COUNT: &str = "x-stainless-retry-count";
const LONGEST_KEY: usize = 255;
/// Seconds for which a key is remembered.
const KEY_LIVES: u64 = 24 * 3600;
/// Seconds for which a body is remembered.
const BODY_LIVES: u64 = 15 * 60;

/// What a submission is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// A hash of the owner and the key, or of the owner and the body: neither is stored.
    name: String,
    /// A hash of the body.
    fingerprint: String,
    lives: u64,
    /// Whether the request wants the response that was made for it before, if there is one.
    may_replay: bool,
}

impl Ticket {
    /// # Errors
    /// 400 `invalid_value` for a key that is empty, too long, given twice or not printable ASCII.
    pub fn of(headers: &HeaderMap, account: &str, body: &Value) -> Result<Self, Problem> {
        let mut canonical = String::new();
        write_canonical(body, &mut canonical);
        let fingerprint = hash(&[&canonical]);
        Ok(match key(headers)? {
            Some(key) => Self {
                name: hash(&["key", account, key]),
                fingerprint,
                lives: KEY_LIVES,
                may_replay: true,
            },
            None => Self {
                name: hash(&["body", account, &canonical]),
                fingerprint,
                lives: BODY_LIVES,
                may_replay: is_retry(headers),
            },
        })
    }

    /// The claim that a response made for it takes.
    pub fn claim(&self) -> Claim {
        Claim {
            name: self.name.clone(),
            fingerprint: self.fingerprint.clone(),
            expires_at: now() + self.lives,
            is_exclusive: self.may_replay,
        }
    }

    /// The response that was made for it before.
    ///
    /// # Errors
    /// 409 `idempotency_key_reused` when that was made for another body.
    pub async fn made(&self, journal: &Journal) -> Result<Option<ResponseId>, Refusal> {
        if !self.may_replay {
            return Ok(None);
        }
        match journal.claimed(&self.name, now()).await? {
            Some(claimed) if claimed.fingerprint != self.fingerprint => Err(Refusal(reused())),
            claimed => Ok(claimed.map(|claimed| claimed.response)),
        }
    }
}

/// Lets a retry wait until what it retries is submitted, while both are here.
#[derive(Default)]
pub(crate) struct Doors {
    /// By the ticket's name. A plain mutex: map operations only.
    doors: Mutex<HashMap<String, Weak<RwLock<()>>>>,
}

/// Held while a request is submitted.
pub(crate) enum Passage {
    Alone(#[expect(dead_code, reason = "held")] OwnedRwLockWriteGuard<()>),
    Shared(#[expect(dead_code, reason = "held")] OwnedRwLockReadGuard<()>),
}

impl Doors {
    pub async fn enter(&self, ticket: &Ticket) -> Passage {
        let door = self.door(&ticket.name);
        match ticket.may_replay {
            true => Passage::Alone(door.write_owned().await),
            // Requests that only look the same go side by side.
            false => Passage::Shared(door.read_owned().await),
        }
    }

    fn door(&self, name: &str) -> Arc<RwLock<()>> {
        let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        doors.retain(|_, door| door.strong_count() > 0);
        if let Some(door) = doors.get(name).and_then(Weak::upgrade) {
            return door;
        }
        let door = Arc::default();
        doors.insert(name.to_owned(), Arc::downgrade(&door));
        door
    }
}

fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut keys = headers.get_all(KEY).iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let text = key.to_str().map(str::trim).unwrap_or_default();
    let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if text.is_empty() || text.len() > LONGEST_KEY || !is_plain || keys.next().is_some() {
        let why = "`Idempotency-Key` must be given once, with 1 to 255 printable ASCII characters.";
        return Err(Problem::invalid("invalid_value", "Idempotency-Key", why));
    }
    Ok(Some(text))
}

fn is_retry(headers: &HeaderMap) -> bool {
    let count = |value: &HeaderValue| value.to_str().ok()?.trim().parse::<u64>().ok();
    headers.get(RETRY_COUNT).and_then(count) > Some(0)
}

fn reused() -> Problem {
    Problem::conflict(
        "idempotency_key_reused",
        "This idempotency key was used for a request with another body.",
    )
}

/// JSON text in which the order of members makes no difference.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (name, value) in members {
                let _ = write!(out, "{}:", Value::from(name.as_str()));
                write_canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        plain => {
            let _ = write!(out, "{plain}");
        }
    }
}

/// A hash of some texts; where one ends and the next begins makes a difference.
fn hash(texts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    let digest = hasher.finalize();
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(headers: &[(&'static str, &str)], account: &str, body: &str) -> Ticket {
        parsed(headers, account, body).unwrap()
    }

    fn parsed(
        headers: &[(&'static str, &str)],
        account: &str,
        body: &str,
    ) -> Result<Ticket, Problem> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Ticket::of(&map, account, &serde_json::from_str(body).unwrap())
    }

    #[test]
    fn order_and_space_make_no_other_body() {
        let one = ticket(
            &[],
            "alice",
            r#"{"a": [1, {"x": 1, "y": "\u00e9"}], "b": null}"#,
        );
        let same = ticket(&[], "alice", r#"{"b":null,"a":[1,{"y":"é","x":1}]}"#);
        assert_eq!(one, same);
        for other in [
            r#"{"b":null,"a":[{"y":"é","x":1},1]}"#,
            r#"{"b":null,"a":[1,{"y":"é","x":"1"}]}"#,
            r#"{"a":[1,{"y":"é","x":1}]}"#,
        ] {
            assert_ne!(one, ticket(&[], "alice", other), "{other}");
        }
        assert_ne!(
            one.name,
            ticket(&[], "bob", r#"{"b":null,"a":[1,{"y":"é","x":1}]}"#).name
        );
    }

    #[test]
    fn a_key_names_whatever_the_body_is() {
        let one = ticket(&[(KEY, "k")], "alice", r#"{"input":"a"}"#);
        let other = ticket(&[(KEY, " k ")], "alice", r#"{"input":"b"}"#);
        assert_eq!(one.name, other.name);
        assert_ne!(one.fingerprint, other.fingerprint);
        assert_ne!(
            one.name,
            ticket(&[(KEY, "k")], "bob", r#"{"input":"a"}"#).name
        );
        assert!(one.may_replay && one.claim().is_exclusive);
    }

    #[test]
    fn only_a_retry_asks_for_what_was_made_for_its_body() {
        for (count, may_replay) in [
            ("0", false),
            ("", false),
            ("x", false),
            ("1", true),
            ("12", true),
        ] {
            let ticket = ticket(&[(RETRY_COUNT, count)], "alice", "{}");
            assert_eq!(ticket.may_replay, may_replay, "{count}");
        }
    }

    #[test]
    fn bad_keys_are_refused() {
        let long = "k".repeat(256);
        for bad in ["", "  ", "é", "a\tb", long.as_str()] {
            let problem = parsed(&[(KEY, bad)], "alice", "{}").unwrap_err();
            assert_eq!((problem.status, problem.code), (400, "invalid_value"));
        }
        assert!(parsed(&[(KEY, "a"), (KEY, "b")], "alice", "{}").is_err());
        assert!(parsed(&[(KEY, &long[..255])], "alice", "{}").is_ok());
    }

    #[tokio::test]
    async fn a_retry_waits_for_what_it_retries_and_for_nothing_else() {
        let doors = Doors::default();
        let original = ticket(&[], "alice", "{}");
        let retry = ticket(&[(RETRY_COUNT, "1")], "alice", "{}");
        let first = doors.enter(&original).await;
        let second = doors.enter(&original).await;
        let waiting = doors.enter(&retry);
        tokio::pin!(waiting);
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(first);
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(
            doors
                .enter(&ticket(&[(RETRY_COUNT, "1")], "alice", "[]"))
                .await,
        );
        drop(second);
        drop(waiting.await);
        doors.door("another");
        assert_eq!(doors.doors.lock().unwrap().len(), 1);
    }
}
