//! From the moment a model's chunk leaves the (fake) router to the moment its event reaches the client.

use super::Bench;
use crate::client::Client;
use crate::clock;
use crate::fake_platform::Script;
use crate::stats::{Run, Spread};
use crate::table::Row;
use anyhow::ensure;
use futures_util::future::try_join_all;
use std::time::{Duration, Instant};

/// 50 tokens a second: a brisk model.
const PACE: Duration = Duration::from_millis(20);
const CHUNKS: usize = 150;
const RUNS: usize = 3;
/// Concurrent streams.
const MANY: usize = 50;

/// When a chunk was sent, and how long it took.
struct Relayed {
    sent: u64,
    delay: Duration,
}

/// What one client saw.
struct Seen {
    attached: u64,
    chunks: Vec<Relayed>,
}

pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    bench.platform.set(Script::Stamps {
        chunks: CHUNKS,
        pace: PACE,
    });
    let folder = bench.folder()?;
    let server = bench.serve(&folder).await?;
    let (mut one, mut many) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        one.push(run(&server.client, 1).await?);
        many.push(run(&server.client, MANY).await?);
    }
    server.stop().await?;
    let row =
        |setting: String, runs| Row::of_runs("relay", setting, Some("tokens/s"), Spread::of(runs));
    Ok(vec![
        row("1 stream of 50 tokens/s".into(), one),
        row(format!("{MANY} streams of 50 tokens/s"), many),
    ])
}

/// All streams at once; what was sent before the last client had attached does not count.
async fn run(client: &Client, streams: usize) -> anyhow::Result<Run> {
    let tasks = (0..streams).map(|_| tokio::spawn(watch(client.clone())));
    let mut seen = Vec::with_capacity(streams);
    for one in try_join_all(tasks).await? {
        seen.push(one?);
    }
    let all_attached = seen.iter().map(|one| one.attached).max().unwrap_or(0);
    let sent = |chunk: &&Relayed| chunk.sent >= all_attached;
    let counted: Vec<&Relayed> = seen
        .iter()
        .flat_map(|one| &one.chunks)
        .filter(sent)
        .collect();
    let last = counted.iter().map(|chunk| chunk.sent).max().unwrap_or(0);
    Ok(Run {
        latencies: counted.iter().map(|chunk| chunk.delay).collect(),
        elapsed: Duration::from_nanos(last.saturating_sub(all_attached)),
    })
}

/// Submits a task and reads its events to the end.
async fn watch(client: Client) -> anyhow::Result<Seen> {
    let id = client.submit().await?;
    let mut events = client.events(&id).await?;
    let attached = clock::now();
    let (mut unread, mut chunks) = (Vec::new(), Vec::with_capacity(CHUNKS));
    let began = Instant::now();
    while let Some(bytes) = events.chunk().await? {
        let arrived = clock::now();
        unread.extend_from_slice(&bytes);
        while let Some(end) = frame_end(&unread) {
            read_frame(&unread[..end], arrived, &mut chunks);
            unread.drain(..end);
        }
    }
    ensure!(
        chunks.len() == CHUNKS,
        "{} of {CHUNKS} chunks came in {:?}",
        chunks.len(),
        began.elapsed()
    );
    Ok(Seen { attached, chunks })
}

/// Where the first whole frame ends.
fn frame_end(bytes: &[u8]) -> Option<usize> {
    let blank = bytes.windows(2).position(|two| two == b"\n\n")?;
    Some(blank + 2)
}

/// The stamps in a text delta: one, or several when the server joined chunks that came close together.
fn read_frame(frame: &[u8], arrived: u64, chunks: &mut Vec<Relayed>) {
    let frame = String::from_utf8_lossy(frame);
    let Some((_, behind)) = frame.split_once(r#""delta":""#) else {
        return;
    };
    let text = behind.split('"').next().unwrap_or_default();
    let stamps = text.split_whitespace().filter_map(|word| word.parse().ok());
    chunks.extend(stamps.map(|sent: u64| Relayed {
        sent,
        delay: Duration::from_nanos(arrived.saturating_sub(sent)),
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_read_from_deltas_only() {
        let frames = b"id: 3\nevent: response.output_text.delta\ndata: {\"type\":\"x\",\"delta\":\"100 250 \"}\n\n\
            id: 4\nevent: response.output_text.done\ndata: {\"text\":\"100 250 \"}\n\n";
        let mut chunks = Vec::new();
        let end = frame_end(frames).unwrap();
        read_frame(&frames[..end], 300, &mut chunks);
        read_frame(&frames[end..], 900, &mut chunks);
        let seen: Vec<(u64, u128)> = chunks
            .iter()
            .map(|chunk| (chunk.sent, chunk.delay.as_nanos()))
            .collect();
        assert_eq!(seen, [(100, 200), (250, 50)]);
        assert_eq!(frame_end(b"id: 1\nevent"), None);
    }
}
