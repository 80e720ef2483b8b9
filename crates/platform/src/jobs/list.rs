//! Listing jobs.

use serde_json::Value;

use super::{Job, Stage};
use crate::page_link::next_path;
use crate::segment::segment;
use crate::{Platform, PlatformError, Token};

const MOST_JOBS: usize = 500;
const MOST_PAGES: usize = 10;

/// Which jobs to list. Empty lists do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Any of these stages.
    pub stages: Vec<Stage>,
    /// All of these labels, as (key, value).
    pub labels: Vec<(String, String)>,
    /// At most this many; 500 is both the default and the ceiling.
    pub limit: Option<usize>,
}

impl JobFilter {
    fn query(&self, limit: usize) -> Vec<(&'static str, String)> {
        let stages = self
            .stages
            .iter()
            .map(|stage| ("stage", stage.as_str().to_owned()));
        let labels = self
            .labels
            .iter()
            .map(|(key, value)| ("label", format!("{key}={value}")));
        stages
            .chain(labels)
            .chain([("limit", limit.min(100).to_string())])
            .collect()
    }

    /// The platform filters too; an installation that ignores the query must not give us a
    /// stranger's job.
    fn admits(&self, job: &Job) -> bool {
        (self.stages.is_empty() || self.stages.contains(&job.stage))
            && self
                .labels
                .iter()
                .all(|(key, value)| job.labels.get(key) == Some(value))
    }
}

impl Platform {
    /// Jobs of a namespace, newest first.
    pub async fn jobs(
        &self,
        token: &Token,
        namespace: &str,
        filter: JobFilter,
    ) -> Result<Vec<Job>, PlatformError> {
        let limit = filter.limit.unwrap_or(MOST_JOBS).min(MOST_JOBS);
        let path = format!("/api/jobs/{}", segment(namespace, "namespace")?);
        let mut request = self.hub_get(Some(token), &path).query(&filter.query(limit));
        let mut jobs = Vec::new();
        for _ in 0..MOST_PAGES {
            let answer = self.read(request, Some(token)).await?;
            let Value::Array(page) = answer.body else {
                return Err(PlatformError::garbage("not a list of jobs"));
            };
            let page = page
                .into_iter()
                .filter_map(|entry| Job::parse(entry, namespace).ok());
            jobs.extend(
                page.filter(|job| filter.admits(job))
                    .take(limit - jobs.len()),
            );
            match next_path(&answer.headers, &self.endpoints().hub) {
                Some(next) if jobs.len() < limit => request = self.hub_get(Some(token), &next),
                _ => break,
            }
        }
        Ok(jobs)
    }
}
