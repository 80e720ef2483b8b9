//! How long anything may take. One place, so that tests can shorten all of it.

use std::time::Duration;

/// Time limits of a [`crate::Platform`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadlines {
    /// Opening a connection.
    pub connect: Duration,
    /// One request with a JSON answer, from the first byte sent to the last byte received. A read
    /// with its retries may take twice as long.
    pub call: Duration,
    /// From sending a chat request to its response headers; providers may hold them back until the
    /// first token.
    pub chat_open: Duration,
    /// Between two network reads of a chat stream.
    pub chat_idle: Duration,
    /// Between two deltas of a chat stream: keep-alive comments do not count as progress.
    pub chat_silence: Duration,
    /// A whole chat stream.
    pub chat_total: Duration,
    /// After the finish reason, waiting for usage and the end mark. Passing it is not an error.
    pub chat_tail: Duration,
    /// Between two network reads of a job's log; then it is reopened.
    pub log_idle: Duration,
    /// Reading what is left of a log once the job has ended.
    pub log_drain: Duration,
    /// First pause between two looks at a job's stage; grows to five times this, and to fifteen
    /// times on long jobs.
    pub job_poll: Duration,
    /// How long the platform may be unreachable before following a job gives up.
    pub job_outage: Duration,
    /// First pause before a read is retried; the second is four times as long.
    pub retry_pause: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            call: Duration::from_secs(15),
            chat_open: Duration::from_secs(120),
            chat_idle: Duration::from_secs(120),
            chat_silence: Duration::from_secs(600),
            chat_total: Duration::from_secs(3600),
            chat_tail: Duration::from_secs(10),
            log_idle: Duration::from_secs(120),
            log_drain: Duration::from_secs(5),
            job_poll: Duration::from_secs(2),
            job_outage: Duration::from_secs(300),
            retry_pause: Duration::from_millis(300),
        }
    }
}
