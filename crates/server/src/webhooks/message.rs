//! What a receiver is sent for one event.

use jiff::Timestamp;
use journal::{Frame, WebhookRow};
use serde::Deserialize;

/// One event as it goes out. The same event gives the same id and, once a failure is on record, the same body.
pub(super) struct Message {
    pub id: String,
    pub body: Vec<u8>,
}

impl Message {
    /// `now_ms` is unix milliseconds of this attempt.
    pub fn new(row: &WebhookRow, event: &Frame, now_ms: u64) -> Self {
        let data = event.data();
        let first_attempt_ms = row.failing_since_ms.unwrap_or(now_ms);
        let at_ms = happened_at(&data).map_or(first_attempt_ms, |seconds| seconds * 1000);
        let head = format!(
            r#"{{"type":"{}","timestamp":"{}","data":"#,
            event.name(),
            rfc3339(at_ms)
        );
        Self {
            id: format!("{}_{}", row.response_id, event.seq),
            body: [head.as_bytes(), &data, b"}"].concat(),
        }
    }
}

/// The times in a payload.
#[derive(Deserialize)]
struct Times {
    response: Option<ResponseTimes>,
    artifact: Option<ArtifactTime>,
}

#[derive(Deserialize)]
struct ResponseTimes {
    status: String,
    created_at: u64,
    completed_at: Option<u64>,
}

#[derive(Deserialize)]
struct ArtifactTime {
    created_at: u64,
}

/// When the event happened, in unix seconds, where it says so itself. Others are told of as they happen.
fn happened_at(data: &[u8]) -> Option<u64> {
    let times: Times = serde_json::from_slice(data).ok()?;
    if let Some(artifact) = times.artifact {
        return Some(artifact.created_at);
    }
    let response = times.response?;
    match response.status.as_str() {
        "queued" => Some(response.created_at),
        _ => response.completed_at,
    }
}

fn rfc3339(unix_ms: u64) -> String {
    let timestamp = i64::try_from(unix_ms).map(Timestamp::from_millisecond);
    match timestamp {
        Ok(Ok(timestamp)) => timestamp.to_string(),
        // Ten thousand years from now.
        _ => Timestamp::MAX.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_tell_when_they_happened() {
        for (data, at) in [
            (
                r#"{"response":{"status":"queued","created_at":7}}"#,
                Some(7),
            ),
            (
                r#"{"response":{"status":"completed","created_at":7,"completed_at":9}}"#,
                Some(9),
            ),
            (
                r#"{"response":{"status":"incomplete","created_at":7,"completed_at":null}}"#,
                None,
            ),
            (r#"{"artifact":{"type":"model","created_at":8}}"#, Some(8)),
            (r#"{"approve":true}"#, None),
        ] {
            assert_eq!(happened_at(data.as_bytes()), at, "{data}");
        }
        assert_eq!(rfc3339(1_614_265_330_250), "2021-02-25T15:02:10.25Z");
    }
}
