//! A page for people: what a repository's own address shows in a browser.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Html;

use super::access::{self, RepoPath};
use super::kind::RepoKind;
use super::repo::{MAIN, Repo};
use crate::error::HubError;
use crate::state::App;
use crate::token::Caller;

pub async fn show(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    Path((namespace, name)): RepoPath,
    caller: Caller,
) -> Result<Html<String>, HubError> {
    let repo = access::readable(&app, kind, (&namespace, &name), caller).await?;
    let repo = repo.read().await;
    Ok(Html(render(&repo)))
}

fn render(repo: &Repo) -> String {
    let head = repo.head();
    let base = format!("/{}{}", repo.kind.prefix(), repo.id);
    let mut files = String::new();
    for (path, entry) in &head.files {
        let path = escape(path);
        let link = format!("<a href=\"{base}/resolve/{MAIN}/{path}\">{path}</a>");
        // Writing to a String does not fail.
        let _ok = write!(files, "<tr><td>{link}<td align=right>{}", entry.size);
    }
    format!(
        "<!doctype html><meta charset=utf-8><title>{id}</title><h1>{id}</h1>\
         <p>A {kind} on the simulated Hub, commit {oid}: {title}<table>{files}</table>",
        id = escape(&repo.id),
        kind = repo.kind.as_str(),
        oid = head.oid,
        title = escape(&head.title),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repos::git::{Entry, Files};

    #[test]
    fn names_are_escaped() {
        let files: Files = [("<b>\".txt".to_owned(), Entry::regular(b"x"))].into();
        let page = render(&Repo::new(RepoKind::Dataset, "alice/d", false, None, files));
        assert!(page.contains("/datasets/alice/d/resolve/main/&lt;b&gt;&quot;.txt"));
        assert!(!page.contains("<b>"));
    }
}
