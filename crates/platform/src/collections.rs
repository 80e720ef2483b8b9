//! Collections: a session's models, datasets and Spaces in one place.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::typed;
use crate::page_link::next_path;
use crate::segment::segment;
use crate::{ErrorKind, Platform, PlatformError, RepoKind, Token};

const MOST_PAGES: usize = 5;

/// A collection with its repositories; items of other kinds (papers, buckets) are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// `owner/title-slug-id`
    pub slug: String,
    pub title: String,
    pub items: Vec<CollectionItem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionItem {
    pub kind: RepoKind,
    pub id: String,
}

#[derive(Deserialize)]
struct Wire {
    slug: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    items: Vec<WireItem>,
}

#[derive(Deserialize)]
struct WireItem {
    id: String,
    #[serde(rename = "type")]
    kind: String,
}

impl From<Wire> for Collection {
    fn from(wire: Wire) -> Self {
        let item = |item: WireItem| {
            let kind = RepoKind::from_word(&item.kind)?;
            Some(CollectionItem { kind, id: item.id })
        };
        Self {
            slug: wire.slug,
            title: wire.title,
            items: wire.items.into_iter().filter_map(item).collect(),
        }
    }
}

impl Platform {
    /// The slug of the owner's collection with exactly this title.
    pub async fn find_collection(
        &self,
        token: &Token,
        owner: &str,
        title: &str,
    ) -> Result<Option<String>, PlatformError> {
        let query = [("owner", segment(owner, "namespace")?), ("limit", "100")];
        let list = self.hub_get(Some(token), "/api/collections");
        let mut request = list.query(&query);
        for _ in 0..MOST_PAGES {
            let answer = self.read(request, Some(token)).await?;
            let next = next_path(&answer.headers, &self.endpoints().hub);
            let page: Vec<Value> = typed(answer.body, "a list of collections")?;
            let mut known = page
                .into_iter()
                .filter_map(|entry| serde_json::from_value::<Wire>(entry).ok());
            if let Some(found) = known.find(|known| known.title == title) {
                return Ok(Some(found.slug));
            }
            match next {
                Some(next) => request = self.hub_get(Some(token), &next),
                None => break,
            }
        }
        Ok(None)
    }

    /// A collection with all its items.
    pub async fn collection(&self, token: &Token, slug: &str) -> Result<Collection, PlatformError> {
        let request = self.hub_get(Some(token), &path(slug)?);
        let answer = self.read(request, Some(token)).await?;
        Ok(typed::<Wire>(answer.body, "a collection")?.into())
    }

    /// Makes a private collection, or finds the one that has the title already. Gives its slug.
    pub async fn create_collection(
        &self,
        token: &Token,
        namespace: &str,
        title: &str,
        description: &str,
    ) -> Result<String, PlatformError> {
        let body = json!({
            "title": title,
            "namespace": segment(namespace, "namespace")?,
            "description": description,
            "private": true,
        });
        let request = self.hub_post(token, "/api/collections").json(&body);
        match self.call(request, Some(token)).await {
            Ok(answer) => Ok(typed::<Wire>(answer.body, "a collection")?.slug),
            Err(error) if error.kind == ErrorKind::Conflict => self
                .find_collection(token, namespace, title)
                .await?
                .ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// Adds a repository to a collection; one that is there already is left as it is.
    pub async fn add_to_collection(
        &self,
        token: &Token,
        slug: &str,
        item: &CollectionItem,
    ) -> Result<(), PlatformError> {
        let body = json!({"item": {"type": item.kind.as_str(), "id": item.id}});
        let path = format!("{}/items", path(slug)?);
        let request = self.hub_post(token, &path).json(&body);
        match self.call(request, Some(token)).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind == ErrorKind::Conflict => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The collection's web page.
    #[must_use]
    pub fn collection_url(&self, slug: &str) -> String {
        format!("{}/collections/{slug}", self.endpoints().hub)
    }
}

fn path(slug: &str) -> Result<String, PlatformError> {
    let (owner, name) = slug.split_once('/').unwrap_or(("", slug));
    let (owner, name) = (segment(owner, "namespace")?, segment(name, "collection")?);
    Ok(format!("/api/collections/{owner}/{name}"))
}
