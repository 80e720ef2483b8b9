//! Creating a job exactly once, as far as the platform lets us know.

use tokio::time::sleep;

use super::spec::WireSpec;
use super::{Job, JobFilter, JobSpec};
use crate::segment::segment;
use crate::{ErrorKind, Platform, PlatformError, Token};

/// Together they name one tool call of one response.
const IDENTIFYING_LABELS: [&str; 2] = ["ml-intern-call", "ml-intern-response"];
const LOOKS: usize = 3;

impl Platform {
    /// Creates a job. A job costs money, so a failed attempt is never repeated blindly: when it is
    /// in doubt, the job is looked up by its labels `ml-intern-call` and `ml-intern-response`. It
    /// is sent again, once, only after a 5xx answer and only when the platform then says that there
    /// is no such job. Without both labels doubt stays an error.
    pub async fn create_job(
        &self,
        token: &Token,
        namespace: &str,
        spec: &JobSpec,
    ) -> Result<Job, PlatformError> {
        if spec.image.is_some() == spec.space.is_some() {
            return Err(PlatformError::new(
                ErrorKind::BadRequest,
                "a job needs either an image or a space",
            ));
        }
        let error = match self.post_job(token, namespace, spec).await {
            Err(error) if in_doubt(&error) => error,
            settled => return settled,
        };
        tracing::warn!(status = error.status, %error, "looking for a job whose creation is in doubt");
        let Some(filter) = identifying_filter(spec) else {
            return Err(error);
        };
        match self.find_created(token, namespace, &filter).await {
            Ok(Some(job)) => Ok(job),
            Ok(None) if error.status.is_some_and(|status| status >= 500) => {
                self.create_again(token, namespace, spec, &filter).await
            }
            // Not there yet after a broken connection does not mean never.
            Ok(None) | Err(_) => Err(error),
        }
    }

    async fn create_again(
        &self,
        token: &Token,
        namespace: &str,
        spec: &JobSpec,
        filter: &JobFilter,
    ) -> Result<Job, PlatformError> {
        match self.post_job(token, namespace, spec).await {
            Err(error) if in_doubt(&error) => {
                let found = self.find_created(token, namespace, filter).await;
                found.ok().flatten().ok_or(error)
            }
            settled => settled,
        }
    }

    async fn post_job(
        &self,
        token: &Token,
        namespace: &str,
        spec: &JobSpec,
    ) -> Result<Job, PlatformError> {
        let path = format!("/api/jobs/{}", segment(namespace, "namespace")?);
        let request = self.hub_post(token, &path).json(&WireSpec::from(spec));
        Job::parse(self.call(request, Some(token)).await?.body, namespace)
    }

    /// Looks a few times: a list may lag behind a creation.
    async fn find_created(
        &self,
        token: &Token,
        namespace: &str,
        filter: &JobFilter,
    ) -> Result<Option<Job>, PlatformError> {
        let mut pause = self.deadlines().retry_pause;
        for _ in 0..LOOKS {
            sleep(pause).await;
            pause *= 4;
            let found = self
                .jobs(token, namespace, filter.clone())
                .await?
                .into_iter()
                .next();
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// Whether the job may exist in spite of the error: a server error, no answer, or one that cannot
/// be read.
fn in_doubt(error: &PlatformError) -> bool {
    matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Garbage)
}

fn identifying_filter(spec: &JobSpec) -> Option<JobFilter> {
    let label = |key: &str| Some((key.to_owned(), spec.labels.get(key)?.clone()));
    let labels = IDENTIFYING_LABELS
        .into_iter()
        .map(label)
        .collect::<Option<Vec<_>>>()?;
    Some(JobFilter {
        labels,
        limit: Some(20),
        ..JobFilter::default()
    })
}
