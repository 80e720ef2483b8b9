//! A job's log: a file of ready-made event payloads, so that memory never holds more than what is on its way.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::Stream;
use jiff::Timestamp;
use serde_json::json;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::sync::watch;

use crate::clock;

/// Bytes of a log file; what a job prints beyond this is dropped.
const MAX_BYTES: u64 = 64 << 20;
/// Bytes sent in one piece.
const BATCH: usize = 32 << 10;
const KEEP_ALIVE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    lines: u64,
    bytes: u64,
    closed: bool,
}

/// A log that is being written, or is complete.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    progress: watch::Sender<Progress>,
}

impl Log {
    /// Creates the file, empty.
    pub fn create(path: PathBuf) -> std::io::Result<Self> {
        std::fs::File::create_new(&path)?;
        Ok(Self {
            path,
            progress: watch::Sender::default(),
        })
    }

    /// The one writer of this log.
    pub async fn writer(self: Arc<Self>) -> std::io::Result<LogWriter> {
        let file = File::options().append(true).open(&self.path).await?;
        Ok(LogWriter {
            log: self,
            file,
            full: false,
        })
    }

    /// Says that nothing more will come, which ends the readers.
    pub fn close(&self) {
        self.progress.send_modify(|progress| progress.closed = true);
    }

    /// Server-sent events: the last `tail` lines (default: all), then what comes, until the log is complete.
    pub async fn follow(
        self: Arc<Self>,
        tail: Option<usize>,
    ) -> std::io::Result<impl Stream<Item = std::io::Result<Bytes>> + Send> {
        let file = File::open(&self.path).await?;
        let known = self.progress.borrow().lines;
        let tail = tail.map_or(u64::MAX, |tail| u64::try_from(tail).unwrap_or(u64::MAX));
        let reader = Reader {
            lines: BufReader::with_capacity(BATCH, file),
            progress: self.progress.subscribe(),
            read: 0,
            skip: known.saturating_sub(tail),
            _log: self,
        };
        Ok(futures_util::stream::try_unfold(
            reader,
            |mut reader| async move { Ok(reader.next().await?.map(|bytes| (bytes, reader))) },
        ))
    }
}

/// Appends lines.
#[derive(Debug)]
pub struct LogWriter {
    log: Arc<Log>,
    file: File,
    full: bool,
}

impl LogWriter {
    /// Appends lines with the present time; readers see them when this returns.
    pub async fn write<'a>(&mut self, lines: impl Iterator<Item = &'a str>) -> std::io::Result<()> {
        if self.full {
            return Ok(());
        }
        let timestamp = clock::iso(Timestamp::now());
        let mut text = String::new();
        let mut count = 0;
        let entry = |line: &str| format!("{}\n", json!({"data": line, "timestamp": timestamp}));
        for line in lines {
            text.push_str(&entry(line));
            count += 1;
        }
        let size = |text: &str| u64::try_from(text.len()).unwrap_or(u64::MAX);
        if self.log.progress.borrow().bytes + size(&text) > MAX_BYTES {
            self.full = true;
            text = entry("===== log limit reached, further output is dropped =====");
            count = 1;
        }
        self.file.write_all(text.as_bytes()).await?;
        self.file.flush().await?;
        self.log.progress.send_modify(|progress| {
            progress.lines += count;
            progress.bytes += size(&text);
        });
        Ok(())
    }
}

struct Reader {
    lines: BufReader<File>,
    progress: watch::Receiver<Progress>,
    read: u64,
    skip: u64,
    _log: Arc<Log>,
}

impl Reader {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        loop {
            let progress = *self.progress.borrow_and_update();
            if self.read < progress.bytes {
                let batch = self.batch(progress.bytes).await?;
                if !batch.is_empty() {
                    return Ok(Some(Bytes::from(batch)));
                }
                continue;
            }
            if progress.closed {
                return Ok(None);
            }
            let changed = tokio::time::timeout(KEEP_ALIVE, self.progress.changed());
            if changed.await.is_err() {
                return Ok(Some(Bytes::from_static(b": keep-alive\n\n")));
            }
        }
    }

    /// Whole lines up to `end`, a batch at most, each as an event.
    async fn batch(&mut self, end: u64) -> std::io::Result<Vec<u8>> {
        let mut batch = Vec::new();
        let mut line = Vec::new();
        while self.read < end && batch.len() < BATCH {
            line.clear();
            let bytes = self.lines.read_until(b'\n', &mut line).await?;
            if bytes == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            self.read += u64::try_from(bytes).unwrap_or(u64::MAX);
            if self.skip > 0 {
                self.skip -= 1;
                continue;
            }
            batch.extend_from_slice(b"data: ");
            batch.extend_from_slice(&line);
            batch.push(b'\n');
        }
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    async fn text(log: &Arc<Log>, tail: Option<usize>) -> Vec<String> {
        let stream = log.clone().follow(tail).await.unwrap();
        let pieces: Vec<_> = stream.map(|piece| piece.unwrap()).collect().await;
        let all = String::from_utf8(pieces.concat()).unwrap();
        let payloads = all
            .split("\n\n")
            .filter_map(|event| event.strip_prefix("data: "));
        payloads
            .map(|json| {
                serde_json::from_str::<serde_json::Value>(json).unwrap()["data"].to_string()
            })
            .collect()
    }

    #[tokio::test]
    async fn replays_tails_and_follows() {
        let folder = tempfile::tempdir().unwrap();
        let log = Arc::new(Log::create(folder.path().join("log")).unwrap());
        let mut writer = log.clone().writer().await.unwrap();
        writer
            .write(["a", "b\"\u{7}", "c"].into_iter())
            .await
            .unwrap();
        let follower = tokio::spawn({
            let log = log.clone();
            async move { text(&log, Some(1)).await }
        });
        writer.write(["d"].into_iter()).await.unwrap();
        log.close();
        let followed = follower.await.unwrap();
        assert_eq!(followed.last().unwrap(), "\"d\"");
        assert_eq!(text(&log, None).await.len(), 4);
        assert_eq!(text(&log, Some(2)).await, ["\"c\"", "\"d\""]);
        assert!(text(&log, Some(0)).await.is_empty());
    }
}
