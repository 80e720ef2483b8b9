//! One request on one bare connection.

use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Checks the envelope and what goes with it; gives `(status, code, param)`.
    pub fn refusal(&self) -> Result<(u16, String, Option<String>), String> {
        let wrong = |why: &str| Err(format!("{why}: {self:?}"));
        let Ok(Value::Object(body)) = serde_json::from_str(&self.body) else {
            return wrong("no JSON object");
        };
        let Some(Value::Object(error)) = body.get("error") else {
            return wrong("no error");
        };
        let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
        let kind = match self.status {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            409 => "conflict_error",
            429 => "rate_limit_error",
            _ => "invalid_request_error",
        };
        let is_envelope = body.len() == 1
            && error.len() == 4
            && error.contains_key("param")
            && text("message").is_some_and(|message| !message.is_empty() && message.len() < 5_000)
            && text("type").as_deref() == Some(kind);
        if !is_envelope {
            return wrong("not the envelope");
        }
        if self.header("content-type") != Some("application/json")
            || self.header("x-request-id").is_none_or(str::is_empty)
            || self.header("www-authenticate").is_some() != (self.status == 401)
            || (self.header("x-should-retry") == Some("false")) != (self.status == 409)
            || self.header("allow").is_some() != (self.status == 405)
        {
            return wrong("not the headers");
        }
        match text("code") {
            Some(code) => Ok((self.status, code, text("param"))),
            None => wrong("no code"),
        }
    }
}

/// What the client does behind its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Waits,
    /// Says that it will send no more.
    HangsUp,
}

/// No answer at all.
pub const SILENCE: &str = "the server closed without an answer";

/// Sends exactly these bytes; reads until the server closes.
pub async fn exchange(server: &str, request: &[u8], then: Then) -> Result<Reply, String> {
    let exchanged = timeout(PATIENCE, exchange_bytes(server, request, then)).await;
    let bytes = exchanged.map_err(|_| "no answer in time".to_owned())?;
    let bytes = bytes.map_err(|error| error.to_string())?;
    if bytes.is_empty() {
        return Err(SILENCE.to_owned());
    }
    parse(&bytes).ok_or_else(|| format!("no HTTP: {:?}", String::from_utf8_lossy(&bytes)))
}

async fn exchange_bytes(server: &str, request: &[u8], then: Then) -> std::io::Result<Vec<u8>> {
    let address = server.trim_start_matches("http://");
    let (mut reader, mut writer) = TcpStream::connect(address).await?.into_split();
    let mut bytes = Vec::new();
    let writing = async {
        // The server may refuse before it has read everything.
        let _ = writer.write_all(request).await;
        if then == Then::HangsUp {
            let _ = writer.shutdown().await;
        }
    };
    let (_, read) = tokio::join!(writing, reader.read_to_end(&mut bytes));
    match read {
        // A reset behind a whole answer.
        Err(error) if bytes.is_empty() => Err(error),
        _ => Ok(bytes),
    }
}

fn parse(bytes: &[u8]) -> Option<Reply> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    Some(Reply {
        status,
        headers: lines.filter_map(header).collect(),
        body: body.to_owned(),
    })
}
