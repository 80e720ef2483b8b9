//! All collections: in memory, and one file each in the state folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::iso;
use crate::error::HubError;
use crate::ids::{random_id, stable_id};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Item {
    /// `_id`
    pub key: String,
    pub id: String,
    pub kind: String,
    pub note: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Collection {
    /// `namespace/title-slug-24hex`
    pub slug: String,
    pub title: String,
    pub description: Option<String>,
    pub private: bool,
    pub theme: String,
    /// Unix milliseconds.
    pub updated: i64,
    pub items: Vec<Item>,
}

impl Collection {
    pub fn new(slug: String, title: String, description: Option<String>, private: bool) -> Self {
        Self {
            slug,
            title,
            description,
            private,
            theme: "orange".into(),
            updated: Timestamp::now().as_millisecond(),
            items: Vec::new(),
        }
    }

    pub fn namespace(&self) -> &str {
        self.slug.split('/').next().unwrap_or_default()
    }

    pub fn is_visible_to(&self, account: Option<&str>) -> bool {
        !self.private || account == Some(self.namespace())
    }

    /// Where the item with this `_id` stands.
    pub fn position(&self, key: &str) -> Option<usize> {
        self.items.iter().position(|item| item.key == key)
    }

    /// Whether it holds what a filter names: `models/owner/name`, `papers/ID`.
    pub fn holds(&self, filter: &str) -> bool {
        self.items
            .iter()
            .any(|item| format!("{}s/{}", item.kind, item.id) == filter)
    }

    /// The answer of the API, with the first `most` items.
    pub fn view(&self, most: usize) -> Value {
        let item = |(position, item): (usize, &Item)| {
            let mut view =
                json!({"_id": item.key, "id": item.id, "type": item.kind, "position": position});
            if let Some(note) = &item.note {
                view["note"] = json!({"text": note, "html": note});
            }
            view
        };
        let items: Vec<Value> = self.items.iter().enumerate().take(most).map(item).collect();
        let updated = Timestamp::from_millisecond(self.updated).unwrap_or_default();
        let owner = self.namespace();
        let mut view = json!({
            "slug": self.slug,
            "title": self.title,
            "lastUpdated": iso(updated),
            "gating": false,
            "owner": {
                "_id": stable_id(owner),
                "name": owner,
                "fullname": owner,
                "type": "user",
                "avatarUrl": format!("/avatars/{owner}.svg"),
                "isPro": false,
                "isHf": false,
            },
            "theme": self.theme,
            "private": self.private,
            "upvotes": 0,
            "shareUrl": format!("/collections/{}", self.slug),
            "isUpvotedByUser": false,
            "items": items,
        });
        if let Some(description) = &self.description {
            view["description"] = json!(description);
        }
        view
    }
}

#[derive(Debug)]
pub struct Collections {
    folder: PathBuf,
    all: RwLock<BTreeMap<String, Collection>>,
}

impl Collections {
    /// Opens a folder, with the collections that are in it.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut all = BTreeMap::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                let collection: Collection = serde_json::from_slice(&std::fs::read(&path)?)?;
                all.insert(collection.slug.clone(), collection);
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            all: RwLock::new(all),
        })
    }

    pub fn all(&self) -> Vec<Collection> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.values().cloned().collect()
    }

    /// By the whole slug, or by a slug whose title part has changed: the id at its end decides.
    pub fn get(&self, slug: &str) -> Option<Collection> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.get(slug).cloned().or_else(|| {
            let id = slug.rsplit('-').next()?;
            let same = |known: &&Collection| known.slug.rsplit('-').next() == Some(id);
            all.values().find(same).cloned()
        })
    }

    /// Adds or replaces a collection, as changed now.
    pub async fn save(&self, mut collection: Collection) -> Result<(), HubError> {
        collection.updated = Timestamp::now().as_millisecond();
        let text = serde_json::to_vec(&collection).map_err(HubError::internal)?;
        let record = self.record(&collection.slug);
        {
            let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
            all.insert(collection.slug.clone(), collection);
        }
        let temporary = self.folder.join(format!("{}.new", random_id()));
        tokio::fs::write(&temporary, text).await?;
        tokio::fs::rename(&temporary, record).await?;
        Ok(())
    }

    pub async fn remove(&self, slug: &str) -> Result<(), HubError> {
        let removed = {
            let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
            all.remove(slug)
        };
        if removed.is_some() {
            tokio::fs::remove_file(self.record(slug)).await?;
        }
        Ok(())
    }

    fn record(&self, slug: &str) -> PathBuf {
        self.folder.join(format!("{}.json", stable_id(slug)))
    }
}
