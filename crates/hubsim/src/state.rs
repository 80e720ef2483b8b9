//! Everything the handlers share.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use crate::calls::Calls;
use crate::collections::store::Collections;
use crate::faults::Faults;
use crate::jobs::store::Jobs;
use crate::repos::store::Repos;
use crate::router::scenario::Scenarios;
use crate::router::tally::Tally;

/// One running simulator.
pub struct App {
    /// How clients reach it, without a slash at the end.
    pub url: String,
    /// The program whose `confine` and `sandboxd` subcommands jobs use.
    pub exe: PathBuf,
    pub calls: Calls,
    pub faults: Faults,
    pub scenarios: Scenarios,
    /// How often each scripted fault has struck.
    pub fault_tally: Tally,
    pub jobs: Jobs,
    pub repos: Repos,
    pub collections: Collections,
    /// Cancelled when the simulator stops: ends every stream and every job.
    pub shutdown: CancellationToken,
}
