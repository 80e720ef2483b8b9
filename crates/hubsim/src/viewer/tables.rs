//! The tables of a dataset repository: which files make which split, and their rows.

use serde_json::{Map, Value};

use super::columns;
use super::failure::Failure;
use crate::repos::git::Entry;
use crate::repos::repo::Commit;
use crate::state::App;

/// Rows of one split that are looked at.
const MOST_ROWS: usize = 20_000;
/// Bytes of one split that are read.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The files of a dataset that hold rows.
pub struct Dataset {
    pub id: String,
    pub revision: String,
    files: Vec<DataFile>,
}

struct DataFile {
    config: String,
    split: String,
    path: String,
    entry: Entry,
}

/// The rows of one split.
pub struct Table {
    /// Name and feature type, in order.
    pub columns: Vec<(String, Value)>,
    pub rows: Vec<Value>,
    pub bytes: u64,
}

impl Dataset {
    pub fn of(id: &str, head: &Commit) -> Self {
        let files = head.files.iter().filter_map(|(path, entry)| {
            let (config, split) = place(path)?;
            Some(DataFile {
                config,
                split,
                path: path.clone(),
                entry: entry.clone(),
            })
        });
        Self {
            id: id.to_owned(),
            revision: head.oid.clone(),
            files: files.collect(),
        }
    }

    /// Config and split names; `train` comes first.
    pub fn splits(&self) -> Vec<(String, String)> {
        let mut splits: Vec<(String, String)> = self
            .files
            .iter()
            .map(|file| (file.config.clone(), file.split.clone()))
            .collect();
        splits.sort_by_key(|(config, split)| (config.clone(), split != "train", split.clone()));
        splits.dedup();
        splits
    }

    /// Reads one split. Errors: there is none, or a file is no table.
    pub async fn table(&self, app: &App, config: &str, split: &str) -> Result<Table, Failure> {
        let is_of = |file: &&DataFile| file.config == config && file.split == split;
        let files: Vec<&DataFile> = self.files.iter().filter(is_of).collect();
        if files.is_empty() {
            return Err(Failure::no_response());
        }
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for file in files {
            bytes += file.entry.size;
            if bytes > MOST_BYTES {
                break;
            }
            let unreadable = || Failure::unreadable(&file.path);
            let content = app.repos.blobs.read(file.entry.key()).await;
            let content = content.map_err(|_| unreadable())?;
            rows.extend(read(&file.path, &content).ok_or_else(unreadable)?);
        }
        rows.truncate(MOST_ROWS);
        let columns = columns::of(&rows);
        Ok(Table {
            columns,
            rows,
            bytes,
        })
    }
}

impl Table {
    /// Feature types by column name.
    pub fn features(&self) -> Value {
        Value::Object(self.columns.iter().cloned().collect::<Map<_, _>>())
    }
}

/// Config and split of a file: `train.csv`, `data/test-00000-of-00002.jsonl`, `config/validation.jsonl`.
fn place(path: &str) -> Option<(String, String)> {
    let (stem, extension) = path.rsplit_once('.')?;
    if !["csv", "tsv", "jsonl", "ndjson", "json"].contains(&extension) {
        return None;
    }
    let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
    let split = name.split("-0").next().unwrap_or(name);
    let is_word = !split.is_empty() && split.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let config = match folder {
        "" | "data" => "default",
        folder if folder.contains('/') => return None,
        folder => folder,
    };
    is_word.then(|| (config.to_owned(), split.to_owned()))
}

fn read(path: &str, content: &[u8]) -> Option<Vec<Value>> {
    match path.rsplit('.').next()? {
        "csv" => separated(content, b','),
        "tsv" => separated(content, b'\t'),
        "json" => match serde_json::from_slice(content).ok()? {
            Value::Array(rows) => Some(rows),
            _ => None,
        },
        _ => {
            let lines = content.split(|byte| *byte == b'\n');
            let lines = lines.filter(|line| !line.trim_ascii().is_empty());
            lines
                .map(|line| serde_json::from_slice(line).ok())
                .collect()
        }
    }
}

fn separated(content: &[u8], delimiter: u8) -> Option<Vec<Value>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(content);
    let names: Vec<String> = reader.headers().ok()?.iter().map(str::to_owned).collect();
    let row = |record: csv::StringRecord| {
        let cells = names.iter().zip(&record);
        Value::Object(
            cells
                .map(|(name, cell)| (name.clone(), columns::cell(cell)))
                .collect(),
        )
    };
    reader
        .records()
        .map(|record| record.ok().map(row))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_say_which_split_they_are() {
        let place = |path| place(path).map(|(config, split)| format!("{config}/{split}"));
        for (path, expected) in [
            ("train.csv", Some("default/train")),
            ("data/test-00000-of-00002.jsonl", Some("default/test")),
            ("en/validation.jsonl", Some("en/validation")),
            (
                "data/train_sft-00000-of-00003.jsonl",
                Some("default/train_sft"),
            ),
            ("a/b/train.csv", None),
            ("README.md", None),
            ("train", None),
        ] {
            assert_eq!(place(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn rows_of_each_format() {
        let rows = read("a.csv", b"text,label\n\"a, b\",1\n").unwrap();
        assert_eq!(rows, [serde_json::json!({"text": "a, b", "label": 1})]);
        let rows = read("a.jsonl", b"{\"x\": 1}\n\n{\"x\": 2}\n").unwrap();
        assert_eq!(rows.len(), 2);
        assert!(read("a.jsonl", b"no json").is_none());
    }
}
