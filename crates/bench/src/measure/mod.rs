//! The measurements: one file each.

mod append;
mod cold_start;
mod memory;
mod relay;
mod replay;
mod submit;

use crate::fake_platform::FakePlatform;
use crate::process::Server;
use crate::table::Row;
use clap::ValueEnum;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What can be measured, in the order in which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Measurement {
    /// Appends to the journal
    Append,
    /// From a POST to its acknowledgement
    Submit,
    /// From the model's chunk to the client's event
    Relay,
    /// Reading a long finished run
    Replay,
    /// Resident memory
    Memory,
    /// From the spawn to readiness
    ColdStart,
}

impl Measurement {
    /// Those that are asked for; all, if none are.
    pub fn selected(only: &[Self]) -> impl Iterator<Item = Self> {
        let all = Self::value_variants().iter().copied();
        all.filter(move |measurement| only.is_empty() || only.contains(measurement))
    }
}

/// What every measurement needs.
pub struct Bench {
    exe: PathBuf,
    /// On the disk to measure.
    folder: PathBuf,
    platform: FakePlatform,
}

impl Bench {
    pub async fn start(exe: PathBuf, folder: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            exe,
            folder: folder.to_owned(),
            platform: FakePlatform::start().await?,
        })
    }

    pub async fn run(&self, measurement: Measurement) -> anyhow::Result<Vec<Row>> {
        match measurement {
            Measurement::Append => append::measure(self).await,
            Measurement::Submit => submit::measure(self).await,
            Measurement::Relay => relay::measure(self).await,
            Measurement::Replay => replay::measure(self).await,
            Measurement::Memory => memory::measure(self).await,
            Measurement::ColdStart => cold_start::measure(self).await,
        }
    }

    /// A folder for one store; it goes with the value.
    fn folder(&self) -> anyhow::Result<TempDir> {
        Ok(TempDir::new_in(&self.folder)?)
    }

    /// A server on the store in this folder.
    async fn serve(&self, folder: &TempDir) -> anyhow::Result<Server> {
        Server::start(&self.exe, folder.path(), &self.platform.url).await
    }
}
