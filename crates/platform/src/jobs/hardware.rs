//! Hardware flavors and their prices.

use crate::{Platform, PlatformError};

/// A kind of machine to run a job on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hardware {
    /// Flavor, for example `t4-small`.
    pub name: String,
    pub pretty_name: String,
    /// Price in micro-USD per started minute, rounded up.
    pub micro_usd_per_minute: u64,
    /// Processor, memory, accelerator and disk in words.
    pub description: String,
}

pub(crate) struct HardwareList;

impl Platform {
    /// What hardware there is.
    pub async fn hardware(&self) -> Result<Vec<Hardware>, PlatformError> {
        Err(PlatformError::unavailable("not written yet"))
    }
}
