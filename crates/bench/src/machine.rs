//! What the figures were measured on.

use crate::stats::percentile;
use serde::Serialize;
use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SYNCS: usize = 200;
/// A very slow disk gets fewer syncs.
const PROBE_AT_MOST: Duration = Duration::from_secs(3);

#[derive(Debug, Serialize)]
pub struct Machine {
    cores: usize,
    processor: String,
    memory_mib: Option<u64>,
    system: String,
    /// Runnable tasks over the last minute: whether the machine was idle when we came.
    load: String,
    folder: PathBuf,
    fsync_p50_ms: f64,
    fsync_p99_ms: f64,
    is_debug_build: bool,
}

impl Machine {
    /// Looks around; `folder` is on the disk to measure.
    pub fn probe(folder: &Path) -> anyhow::Result<Self> {
        let syncs = fsync_latencies(folder)?;
        let ms = |percent| percentile(&syncs, percent).as_secs_f64() * 1000.0;
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into()),
            memory_mib: memory_mib(),
            system: first_words("/proc/sys/kernel/osrelease", 1),
            load: first_words("/proc/loadavg", 1),
            folder: folder.to_owned(),
            fsync_p50_ms: ms(50),
            fsync_p99_ms: ms(99),
            is_debug_build: cfg!(debug_assertions),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let memory = self.memory_mib.unwrap_or(0);
        writeln!(f, "cores    {} ({})", self.cores, self.processor)?;
        writeln!(
            f,
            "memory   {memory} MiB, {} {}, load {}",
            std::env::consts::OS,
            self.system,
            self.load
        )?;
        writeln!(
            f,
            "disk     fsync of 4 KiB: p50 {:.2} ms, p99 {:.2} ms, in {}",
            self.fsync_p50_ms,
            self.fsync_p99_ms,
            self.folder.display()
        )?;
        if self.is_debug_build {
            writeln!(f, "NOTE     a debug build: these figures say little")?;
        }
        Ok(())
    }
}

/// Appends 4 KiB and syncs, again and again; sorted.
fn fsync_latencies(folder: &Path) -> anyhow::Result<Vec<Duration>> {
    let path = folder.join("fsync-probe");
    let mut file = File::create(&path)?;
    let block = [b'x'; 4096];
    let mut latencies = Vec::with_capacity(SYNCS);
    let began = Instant::now();
    while latencies.len() < SYNCS && began.elapsed() < PROBE_AT_MOST {
        file.write_all(&block)?;
        let sync_began = Instant::now();
        file.sync_data()?;
        latencies.push(sync_began.elapsed());
    }
    drop(file);
    fs::remove_file(path)?;
    latencies.sort_unstable();
    Ok(latencies)
}

fn memory_mib() -> Option<u64> {
    let total = field("/proc/meminfo", "MemTotal")?;
    let kib: u64 = total.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024)
}

/// The value of the first `name: value` line of a file.
pub fn field(path: impl AsRef<Path>, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

fn first_words(path: &str, count: usize) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().take(count).collect();
    words.join(" ")
}
