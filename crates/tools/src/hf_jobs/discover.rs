//! Repos made inside a job leave no event here. They are found by what the job says, and believed only where the Hub
//! confirms it: a repo that its log (or its environment) names, in an allowed namespace, changed since the job began.

use super::arguments::Arguments;
use crate::call::now;
use crate::{Call, Report, ToolSession};
use platform::{Job, RepoKind};
use protocol::Artifact;
use regex_lite::Regex;
use std::collections::BTreeSet;

/// Most repos looked up per job.
const MOST_CANDIDATES: usize = 20;

/// Reports an artifact for each repo that the job has written.
pub(super) async fn report_repos(arguments: &Arguments, call: &Call, job: &Job, log: &str) {
    let session = &call.session;
    let named = arguments.env.values().filter_map(|value| value.as_str());
    let text = named.fold(String::new(), |text, value| format!("{text}{value}\n")) + log;
    for (kind, id) in candidates(&text, &session.namespaces) {
        if was_written(session, kind, &id, job).await {
            let url = session.platform.repo_url(kind, &id);
            let created_at = now();
            let artifact = match kind {
                RepoKind::Model => Artifact::Model {
                    repo_id: id,
                    url,
                    created_at,
                },
                RepoKind::Dataset => Artifact::Dataset {
                    repo_id: id,
                    url,
                    created_at,
                },
                RepoKind::Space => Artifact::Space {
                    repo_id: id,
                    url,
                    created_at,
                },
            };
            call.report(Report::Artifact(artifact)).await;
        }
    }
}

/// Repo ids in `text` that lie in one of `namespaces`, with the kind that stands before them in a URL.
fn candidates(text: &str, namespaces: &[String]) -> Vec<(RepoKind, String)> {
    let owners: Vec<String> = namespaces
        .iter()
        .map(|name| regex_lite::escape(name))
        .collect();
    let pattern = format!(
        r"(?:^|[^A-Za-z0-9_.-])(?:(datasets|spaces)/)?({})/([A-Za-z0-9][\w.-]*)",
        owners.join("|")
    );
    // Names are escaped, so the pattern compiles; without it there are simply no candidates.
    let Ok(pattern) = Regex::new(&pattern) else {
        return Vec::new();
    };
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for captures in pattern.captures_iter(text) {
        let (Some(owner), Some(name)) = (captures.get(2), captures.get(3)) else {
            continue;
        };
        let id = format!(
            "{}/{}",
            owner.as_str(),
            name.as_str().trim_end_matches(['.', '-'])
        );
        let kind = match captures.get(1).map(|kind| kind.as_str()) {
            Some("datasets") => RepoKind::Dataset,
            Some("spaces") => RepoKind::Space,
            _ => RepoKind::Model,
        };
        if found.len() < MOST_CANDIDATES
            && seen.insert((captures.get(1).map(|kind| kind.as_str()), id.clone()))
        {
            found.push((kind, id));
        }
    }
    found
}

async fn was_written(session: &ToolSession, kind: RepoKind, id: &str, job: &Job) -> bool {
    let Ok(Some(repo)) = session.platform.repo(&session.token, kind, id).await else {
        return false;
    };
    let started = job
        .created_at
        .as_deref()
        .and_then(|text| text.parse::<jiff::Timestamp>().ok());
    match (repo.last_modified, started) {
        (Some(modified), Some(started)) => modified >= started,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_repos_of_the_callers_namespaces_are_candidates() {
        let log = "pushed model: http://127.0.0.1:7900/alice/my-model.\n\
                   see https://huggingface.co/datasets/alice/my-data and bob/other and /usr/lib/python\n\
                   alice/my-model again";
        let found = candidates(log, &["alice".into(), "acme".into()]);
        let ids: Vec<&str> = found.iter().map(|(_, id)| id.as_str()).collect();
        assert_eq!(ids, ["alice/my-model", "alice/my-data"]);
        assert!(matches!(found[1].0, RepoKind::Dataset));
    }
}
