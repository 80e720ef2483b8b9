//! Creating a job exactly once, as far as the platform lets us know.

use super::{Job, JobSpec};
use crate::{Platform, PlatformError, Token};

impl Platform {
    /// Creates a job.
    pub async fn create_job(
        &self,
        token: &Token,
        namespace: &str,
        spec: &JobSpec,
    ) -> Result<Job, PlatformError> {
        let _ = (token, namespace, spec);
        Err(PlatformError::unavailable("not written yet"))
    }
}
