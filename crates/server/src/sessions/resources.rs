//! What a session runs outside, with its state as the platform tells it now.

use futures_util::future::join_all;
use journal::{Resource, ResourceKind};
use platform::{Platform, Stage, Token};
use protocol::MicroUsd;
use serde::Serialize;
use std::time::Duration;
use tokio::time::timeout;
use utoipa::ToSchema;

/// How long a reader waits for the platform's word. Without it the state is `unknown`.
const PATIENCE: Duration = Duration::from_secs(2);

/// One entry of `resources[]`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Resource)]
pub(crate) struct ListedResource {
    /// `job` or `sandbox`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: ResourceKind,
    pub id: String,
    pub url: String,
    /// The platform's stage in lower case, or `unknown`.
    pub state: String,
    pub price_per_hour_usd: f64,
    #[serde(skip)]
    has_ended: bool,
}

impl ListedResource {
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }
}

/// Asks about all of them at once.
pub(crate) async fn listed(
    platform: &Platform,
    token: &Token,
    resources: &[Resource],
) -> Vec<ListedResource> {
    let asked = resources.iter().map(async |resource| {
        let stage = stage(platform, token, resource).await;
        let has_ended = stage.as_ref().is_some_and(Stage::is_terminal);
        let per_hour = MicroUsd(resource.micro_usd_per_minute).times(60);
        ListedResource {
            kind: resource.kind,
            id: resource.id.clone(),
            url: resource.url.clone(),
            state: stage.map_or("unknown".to_owned(), |stage| stage.as_str().to_lowercase()),
            price_per_hour_usd: per_hour.usd(),
            has_ended,
        }
    });
    join_all(asked).await
}

/// Ends the sandboxes among them that still run: those of a process that is gone. Best effort, since a sandbox without
/// requests ends itself.
pub(crate) async fn end_sandboxes(platform: &Platform, token: &Token, resources: &[Resource]) {
    let sandboxes = |resource: &Resource| resource.kind == ResourceKind::Sandbox;
    end(platform, token, resources, sandboxes).await;
}

/// Ends those of them that are meant and still run. Best effort.
pub(crate) async fn end(
    platform: &Platform,
    token: &Token,
    resources: &[Resource],
    is_meant: impl Fn(&Resource) -> bool,
) {
    let meant = resources.iter().filter(|resource| is_meant(resource));
    let ended = meant.map(async |resource| {
        let stage = stage(platform, token, resource).await;
        if stage.is_some_and(|stage| !stage.is_terminal()) {
            let cancel = platform.cancel_job(token, &resource.namespace, &resource.id);
            let _ = timeout(PATIENCE, cancel).await;
        }
    });
    join_all(ended).await;
}

/// `None` when the platform does not answer.
async fn stage(platform: &Platform, token: &Token, resource: &Resource) -> Option<Stage> {
    let job = platform.job(token, &resource.namespace, &resource.id);
    Some(timeout(PATIENCE, job).await.ok()?.ok()?.stage)
}
