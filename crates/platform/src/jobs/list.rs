//! Listing jobs.

use super::{Job, Stage};
use crate::{Platform, PlatformError, Token};

/// Which jobs to list. Empty lists do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    pub stages: Vec<Stage>,
    /// All of these labels, as (key, value).
    pub labels: Vec<(String, String)>,
    /// At most this many; default and ceiling 500.
    pub limit: Option<usize>,
}

impl Platform {
    /// Jobs of a namespace, newest first.
    pub async fn jobs(
        &self,
        token: &Token,
        namespace: &str,
        filter: JobFilter,
    ) -> Result<Vec<Job>, PlatformError> {
        let _ = (token, namespace, filter);
        Err(PlatformError::unavailable("not written yet"))
    }
}
