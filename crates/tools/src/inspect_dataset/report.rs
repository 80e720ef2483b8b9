//! What was found, as Markdown for the model. Cells are untrusted text: shortened, on one line.

use super::chat;
use platform::{ColumnStatistics, PlatformError, Rows, Split, SplitSize};
use serde_json::{Map, Value};

const MOST_SPLITS: usize = 30;
const MOST_COLUMNS: usize = 100;
const LONGEST_CELL: usize = 200;
const MOST_LABELS: usize = 10;

pub(super) struct Report<'a> {
    pub dataset: &'a str,
    pub splits: &'a [Split],
    pub chosen: &'a Split,
    pub sizes: Result<Vec<SplitSize>, PlatformError>,
    pub rows: Result<Rows, PlatformError>,
    pub statistics: Result<Vec<ColumnStatistics>, PlatformError>,
    pub samples: usize,
}

impl Report<'_> {
    pub fn render(&self) -> String {
        let mut text = format!("# {}\n\n## Splits\n\n{}", self.dataset, self.structure());
        text.push_str(&format!(
            "\n## Columns of {}/{}\n\n",
            self.chosen.config, self.chosen.split
        ));
        match &self.rows {
            Ok(rows) => {
                text.push_str(&columns(rows));
                text.push_str(&chat::verdict(rows));
                text.push_str(&self.statistics_part());
                text.push_str(&samples(rows, self.samples));
            }
            Err(error) => text.push_str(&format!("The rows cannot be shown: {error}\n")),
        }
        text
    }

    fn structure(&self) -> String {
        let mut table = String::from("| config | split | rows | Parquet MB |\n|---|---|---|---|\n");
        for known in self.splits.iter().take(MOST_SPLITS) {
            let size = self
                .sizes
                .iter()
                .flatten()
                .find(|size| size.config == known.config && size.split == known.split);
            let (rows, megabytes) = match size {
                Some(size) => (
                    size.num_rows.to_string(),
                    format!("{:.1}", size.bytes as f64 / 1e6),
                ),
                None => ("unknown".into(), "unknown".into()),
            };
            table.push_str(&format!(
                "| {} | {} | {rows} | {megabytes} |\n",
                known.config, known.split
            ));
        }
        if self.splits.len() > MOST_SPLITS {
            table.push_str(&format!(
                "\n{MOST_SPLITS} of {} splits shown.\n",
                self.splits.len()
            ));
        }
        table
    }

    fn statistics_part(&self) -> String {
        let statistics = match &self.statistics {
            Ok(statistics) if !statistics.is_empty() => statistics,
            Ok(_) => return String::new(),
            Err(error) => return format!("\nNo statistics: {error}\n"),
        };
        let lines = statistics.iter().take(MOST_COLUMNS).map(statistics_line);
        format!("\n## Statistics\n\n{}", lines.collect::<String>())
    }
}

fn columns(rows: &Rows) -> String {
    let lines = rows.columns.iter().take(MOST_COLUMNS);
    let lines: String = lines
        .map(|column| format!("- `{}`: {}\n", column.name, kind(&column.kind)))
        .collect();
    match rows.columns.len() {
        all if all > MOST_COLUMNS => format!("{lines}\n{MOST_COLUMNS} of {all} columns shown.\n"),
        _ => lines,
    }
}

/// A feature type in one line.
pub(super) fn kind(kind: &Value) -> String {
    match kind {
        Value::Array(inner) => format!(
            "list of {}",
            inner.first().map_or_else(String::new, self::kind)
        ),
        Value::Object(fields) => match fields.get("_type").and_then(Value::as_str) {
            Some("Value") => text_of(fields, "dtype"),
            Some("ClassLabel") => class_label(fields),
            Some("List" | "Sequence" | "LargeList") => {
                format!(
                    "list of {}",
                    fields.get("feature").map_or_else(String::new, self::kind)
                )
            }
            Some(other) => other.to_owned(),
            None => {
                let inner = fields
                    .iter()
                    .map(|(name, inner)| format!("{name}: {}", self::kind(inner)));
                format!("{{{}}}", inner.collect::<Vec<_>>().join(", "))
            }
        },
        other => one_line(&other.to_string()),
    }
}

fn class_label(fields: &Map<String, Value>) -> String {
    let names = fields.get("names").and_then(Value::as_array);
    let names: Vec<&str> = names
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match names.len() {
        0 => "class label".into(),
        count if count <= MOST_LABELS => format!("class label ({})", names.join(", ")),
        count => format!("class label of {count} classes"),
    }
}

fn text_of(fields: &Map<String, Value>, key: &str) -> String {
    fields
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or("unknown")
        .to_owned()
}

fn statistics_line(column: &ColumnStatistics) -> String {
    let known = [
        "min",
        "max",
        "mean",
        "median",
        "std",
        "n_unique",
        "nan_count",
    ];
    let mut parts: Vec<String> = known
        .iter()
        .filter_map(|key| {
            let value = column.values.get(*key).filter(|value| !value.is_null())?;
            Some(format!("{} {}", key.replace('_', " "), number(value)))
        })
        .collect();
    if let Some(Value::Object(counts)) = column.values.get("frequencies") {
        let counts = counts.iter().take(MOST_LABELS);
        let counts: Vec<String> = counts
            .map(|(name, count)| format!("{}={count}", one_line(name)))
            .collect();
        parts.push(counts.join(" "));
    }
    format!(
        "- `{}` ({}): {}\n",
        column.name,
        column.kind,
        parts.join(", ")
    )
}

fn number(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if number.fract() != 0.0 => format!("{number:.3}"),
        Some(number) => format!("{number}"),
        None => value.to_string(),
    }
}

fn samples(rows: &Rows, count: usize) -> String {
    let mut text = String::from("\n## Sample rows\n");
    for (index, row) in rows.rows.iter().take(count).enumerate() {
        text.push_str(&format!("\nRow {index}:\n"));
        for (name, cell) in row {
            let cell = match cell {
                Value::String(text) => one_line(text),
                other => one_line(&other.to_string()),
            };
            text.push_str(&format!("- {name}: {cell}\n"));
        }
    }
    text
}

/// A text on one line, cut.
pub(super) fn one_line(text: &str) -> String {
    let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(LONGEST_CELL) {
        Some((end, _)) => format!("{}…", &flat[..end]),
        None => flat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_read_as_one_line() {
        for (wire, expected) in [
            (json!({"dtype": "int64", "_type": "Value"}), "int64"),
            (
                json!({"names": ["neg", "pos"], "_type": "ClassLabel"}),
                "class label (neg, pos)",
            ),
            (
                json!({"feature": {"dtype": "string", "_type": "Value"}, "_type": "List"}),
                "list of string",
            ),
            (
                json!([{"role": {"dtype": "string", "_type": "Value"}}]),
                "list of {role: string}",
            ),
            (json!({"_type": "Image"}), "Image"),
        ] {
            assert_eq!(kind(&wire), expected);
        }
    }

    #[test]
    fn long_cells_are_cut() {
        assert_eq!(one_line("a\n b"), "a b");
        assert_eq!(one_line(&"é".repeat(500)).chars().count(), LONGEST_CELL + 1);
    }
}
