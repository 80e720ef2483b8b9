//! The dataset viewer: splits, columns, sizes, statistics and rows of a dataset.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::answer::typed;
use crate::segment::repo_id;
use crate::{Platform, PlatformError, Token};

/// A config and one of its splits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Split {
    pub config: String,
    pub split: String,
}

/// The size of one split.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SplitSize {
    pub config: String,
    pub split: String,
    pub num_rows: u64,
    /// Bytes of its Parquet files.
    #[serde(rename = "num_bytes_parquet_files", default)]
    pub bytes: u64,
}

/// A column and its type, as the `datasets` library writes types.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Value,
}

/// Some rows of a split.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    pub columns: Vec<Column>,
    pub rows: Vec<Map<String, Value>>,
}

/// What is known about the values of one column.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ColumnStatistics {
    #[serde(rename = "column_name")]
    pub name: String,
    #[serde(rename = "column_type")]
    pub kind: String,
    #[serde(rename = "column_statistics", default)]
    pub values: Map<String, Value>,
}

#[derive(Deserialize)]
struct WireRows {
    features: Vec<Column>,
    rows: Vec<WireRow>,
}

#[derive(Deserialize)]
struct WireRow {
    row: Map<String, Value>,
}

impl Platform {
    /// Every split of every config.
    pub async fn dataset_splits(
        &self,
        token: &Token,
        dataset: &str,
    ) -> Result<Vec<Split>, PlatformError> {
        let body = self.view(token, "splits", dataset, &[]).await?;
        list(body, "splits", "the splits of a dataset")
    }

    /// Rows and bytes of every split.
    pub async fn dataset_sizes(
        &self,
        token: &Token,
        dataset: &str,
    ) -> Result<Vec<SplitSize>, PlatformError> {
        let mut body = self.view(token, "size", dataset, &[]).await?;
        let sizes = body.get_mut("size").map(Value::take).unwrap_or_default();
        list(sizes, "splits", "the size of a dataset")
    }

    /// The first rows of a split, with its columns.
    pub async fn dataset_first_rows(
        &self,
        token: &Token,
        dataset: &str,
        at: &Split,
    ) -> Result<Rows, PlatformError> {
        let body = self.view(token, "first-rows", dataset, &at.query()).await?;
        let wire: WireRows = typed(body, "rows of a dataset")?;
        Ok(Rows {
            columns: wire.features,
            rows: wire.rows.into_iter().map(|row| row.row).collect(),
        })
    }

    /// What is known about the columns of a split. Not every dataset has it.
    pub async fn dataset_statistics(
        &self,
        token: &Token,
        dataset: &str,
        at: &Split,
    ) -> Result<Vec<ColumnStatistics>, PlatformError> {
        let body = self.view(token, "statistics", dataset, &at.query()).await?;
        list(body, "statistics", "the statistics of a dataset")
    }

    async fn view(
        &self,
        token: &Token,
        what: &str,
        dataset: &str,
        more: &[(&str, &str)],
    ) -> Result<Value, PlatformError> {
        let request = self
            .viewer_get(token, what)
            .query(&[("dataset", repo_id(dataset)?)])
            .query(more);
        Ok(self.read(request, Some(token)).await?.body)
    }
}

impl Split {
    fn query(&self) -> [(&str, &str); 2] {
        [("config", &self.config), ("split", &self.split)]
    }
}

/// The entries under a key; those of another shape are left out.
fn list<T: serde::de::DeserializeOwned>(
    mut body: Value,
    key: &str,
    what: &str,
) -> Result<Vec<T>, PlatformError> {
    let entries = body.get_mut(key).map(Value::take).unwrap_or_default();
    let entries: Vec<Value> = typed(entries, what)?;
    Ok(entries
        .into_iter()
        .filter_map(|entry| serde_json::from_value(entry).ok())
        .collect())
}
