//! Resident memory of the server: at rest, and for each session that stays live after its turn.

use super::Bench;
use crate::client::Client;
use crate::fake_platform::Script;
use crate::table::Row;
use futures_util::future::try_join_all;

/// Sessions that fill what is made once: code pages, the allocator's arenas, SQLite's caches.
const WARM_UP: usize = 200;
const SESSIONS: usize = 200;
const CLIENTS: usize = 8;

pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    bench.platform.set(Script::Brief);
    let folder = bench.folder()?;
    let server = bench.serve(&folder).await?;
    let Some(rest) = server.rss_kib().await else {
        eprintln!("this system does not tell a process's memory");
        return Ok(Vec::new());
    };
    finish_sessions(&server.client, WARM_UP).await?;
    let warm = server.rss_kib().await.unwrap_or(rest);
    finish_sessions(&server.client, SESSIONS).await?;
    let after = server.rss_kib().await.unwrap_or(warm);
    server.stop().await?;
    let mib = |kib: u64| kib as f64 / 1024.0;
    let each = after.saturating_sub(warm) as f64 / SESSIONS as f64;
    let all = WARM_UP + SESSIONS;
    Ok(vec![
        Row::of_size("memory", "at rest, just started", mib(rest), "MiB"),
        Row::of_size(
            "memory",
            format!("{WARM_UP} idle sessions"),
            mib(warm),
            "MiB",
        ),
        Row::of_size("memory", format!("{all} idle sessions"), mib(after), "MiB"),
        Row::of_size("memory", "one more idle session", each, "KiB"),
    ])
}

/// Sessions of one short turn each; they stay live for as long as the server keeps idle sessions.
async fn finish_sessions(client: &Client, count: usize) -> anyhow::Result<()> {
    let tasks = (0..CLIENTS).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            for _ in 0..count / CLIENTS {
                client.wait(&client.submit().await?).await?;
            }
            anyhow::Ok(())
        })
    });
    try_join_all(tasks).await?.into_iter().collect()
}
