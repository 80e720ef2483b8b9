//! Hub resources that a turn produced (contract §8).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One artifact. Two artifacts with the same [`Artifact::identity`] are one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Artifact {
    HfJob {
        id: String,
        url: String,
        created_at: u64,
    },
    TrackioDashboard {
        space_id: String,
        url: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        project: Option<String>,
        created_at: u64,
    },
    Model {
        repo_id: String,
        url: String,
        created_at: u64,
    },
    Dataset {
        repo_id: String,
        url: String,
        created_at: u64,
    },
    Space {
        repo_id: String,
        url: String,
        created_at: u64,
    },
    Collection {
        slug: String,
        url: String,
        created_at: u64,
    },
}

impl Artifact {
    /// Type and name: what makes two artifacts the same.
    #[must_use]
    pub fn identity(&self) -> (&'static str, &str) {
        match self {
            Self::HfJob { id, .. } => ("hf_job", id),
            Self::TrackioDashboard { space_id, .. } => ("trackio_dashboard", space_id),
            Self::Model { repo_id, .. } => ("model", repo_id),
            Self::Dataset { repo_id, .. } => ("dataset", repo_id),
            Self::Space { repo_id, .. } => ("space", repo_id),
            Self::Collection { slug, .. } => ("collection", slug),
        }
    }
}
