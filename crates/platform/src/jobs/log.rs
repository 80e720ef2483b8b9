//! One connection to a job's log.

use std::collections::VecDeque;

use reqwest::Response;
use reqwest::header::ACCEPT;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::job::job_path;
use crate::answer::within;
use crate::sse::{SseDecoder, SseItem};
use crate::{Platform, PlatformError, Token};

const EVENT_CAP: usize = 1024 * 1024;
const LINE_CAP: usize = 64 * 1024;
const OMITTED: &str = "[a log line of more than 1 MiB is omitted]";

/// A log being read. Each connection replays it from its beginning.
pub(super) struct LogTail {
    response: Response,
    decoder: SseDecoder,
    items: VecDeque<SseItem>,
    /// Lines still to pass over: the reader has them.
    skip: usize,
    idle: std::time::Duration,
    last_bytes: Instant,
}

impl LogTail {
    /// Opens the log and passes over the first `skip` lines.
    pub(super) async fn open(
        platform: &Platform,
        token: &Token,
        (namespace, id): (&str, &str),
        skip: usize,
    ) -> Result<Self, PlatformError> {
        let path = format!("{}/logs", job_path(namespace, id)?);
        let request = platform
            .hub_get(Some(token), &path)
            .header(ACCEPT, "text/event-stream");
        let exchange = async {
            let response = request.send().await.map_err(PlatformError::transport)?;
            platform.expect_success(response, Some(token)).await
        };
        let response = within(platform.deadlines().call, exchange).await?;
        Ok(Self {
            response,
            decoder: SseDecoder::new(EVENT_CAP),
            items: VecDeque::new(),
            skip,
            idle: platform.deadlines().log_idle,
            last_bytes: Instant::now(),
        })
    }

    /// The next line that was not passed over; `None` when the log ends. Safe to cancel.
    pub(super) async fn line(&mut self) -> Result<Option<String>, PlatformError> {
        loop {
            while let Some(item) = self.items.pop_front() {
                let Some(line) = line(item) else { continue };
                match self.skip.checked_sub(1) {
                    Some(left) => self.skip = left,
                    None => return Ok(Some(line)),
                }
            }
            match timeout_at(self.last_bytes + self.idle, self.response.chunk()).await {
                Ok(Ok(Some(bytes))) => {
                    self.last_bytes = Instant::now();
                    self.decoder.feed(&bytes, &mut self.items);
                }
                Ok(Ok(None)) => match self.decoder.finish() {
                    Some(last) => self.items.push_back(last),
                    None => return Ok(None),
                },
                Ok(Err(error)) => return Err(PlatformError::transport(error)),
                Err(_) => return Err(PlatformError::unavailable("the job's log fell silent")),
            }
        }
    }
}

/// The text of an event. The platform's own opening line is none of the job's, and what is not a
/// log event is none at all. This must depend on the event alone: lines are counted to know where
/// to go on after a reconnect.
fn line(item: SseItem) -> Option<String> {
    let SseItem::Event { data, .. } = item else {
        return Some(OMITTED.to_owned());
    };
    let event: Value = serde_json::from_str(&data).ok()?;
    let text = event.get("data")?.as_str()?.trim_end_matches(['\r', '\n']);
    let opening = text.starts_with("===== Job started at ") && text.ends_with(" =====");
    (!opening).then(|| clipped(text))
}

fn clipped(text: &str) -> String {
    if text.len() <= LINE_CAP {
        return text.to_owned();
    }
    let end = (0..=LINE_CAP)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    format!("{}… [line cut at 64 KiB]", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::{LINE_CAP, SseItem, line};

    fn text(data: &str) -> Option<String> {
        line(SseItem::Event {
            name: String::new(),
            data: data.into(),
        })
    }

    #[test]
    fn lines_are_the_jobs_own_words() {
        assert_eq!(
            text(r#"{"data":"epoch 1\n","timestamp":"t"}"#).as_deref(),
            Some("epoch 1")
        );
        assert_eq!(text(r#"{"data":""}"#).as_deref(), Some(""));
        assert_eq!(
            text(r#"{"data":"===== Job started at 2026-11-23 19:03:07 ====="}"#),
            None
        );
        for other in ["", "{", "[]", r#"{"cpu":1}"#, r#"{"data":7}"#] {
            assert_eq!(text(other), None, "{other}");
        }
    }

    #[test]
    fn long_lines_are_cut_and_endless_ones_named() {
        let long = text(&format!("{{\"data\":\"{}\"}}", "é".repeat(LINE_CAP))).unwrap();
        assert!(long.len() < LINE_CAP + 40 && long.ends_with("[line cut at 64 KiB]"));
        assert!(line(SseItem::Oversized).unwrap().contains("omitted"));
    }
}
