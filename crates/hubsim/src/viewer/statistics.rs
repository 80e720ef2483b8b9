//! Statistics of each column, as `/statistics` gives them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::tables::Table;

/// A text column with no more different values than this is a label.
const MOST_LABELS: usize = 30;

pub fn of(table: &Table) -> Vec<Value> {
    table
        .columns
        .iter()
        .filter_map(|(name, kind)| column(name, kind, table))
        .collect()
}

fn column(name: &str, kind: &Value, table: &Table) -> Option<Value> {
    let cells: Vec<&Value> = table
        .rows
        .iter()
        .map(|row| row.get(name).unwrap_or(&Value::Null))
        .collect();
    let nulls = cells.iter().filter(|cell| cell.is_null()).count();
    let (kind, mut about) = match kind["dtype"].as_str() {
        Some("int64") => (
            "int",
            numbers(cells.iter().filter_map(|cell| cell.as_f64())),
        ),
        Some("float64") => (
            "float",
            numbers(cells.iter().filter_map(|cell| cell.as_f64())),
        ),
        Some("bool") => ("bool", frequencies(&cells)),
        Some("string") => texts(&cells),
        _ if kind["_type"] == "List" => (
            "list",
            numbers(
                cells
                    .iter()
                    .filter_map(|cell| cell.as_array())
                    .map(|list| list.len() as f64),
            ),
        ),
        _ => return None,
    };
    about["nan_count"] = json!(nulls);
    about["nan_proportion"] = json!(proportion(nulls, cells.len()));
    Some(json!({"column_name": name, "column_type": kind, "column_statistics": about}))
}

fn texts(cells: &[&Value]) -> (&'static str, Value) {
    let counted = frequencies(cells);
    let labels = counted["n_unique"].as_u64().unwrap_or(0);
    if labels <= MOST_LABELS as u64 && (labels as usize) < cells.len() {
        return ("string_label", counted);
    }
    let lengths = cells
        .iter()
        .filter_map(|cell| cell.as_str())
        .map(|text| text.chars().count() as f64);
    ("string_text", numbers(lengths))
}

fn frequencies(cells: &[&Value]) -> Value {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for cell in cells.iter().filter(|cell| !cell.is_null()) {
        let name = cell
            .as_str()
            .map_or_else(|| cell.to_string(), str::to_owned);
        *counts.entry(name).or_default() += 1;
    }
    json!({"n_unique": counts.len(), "frequencies": counts})
}

fn numbers(values: impl Iterator<Item = f64>) -> Value {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (Some(min), Some(max)) = (values.first(), values.last()) else {
        return json!({"min": null, "max": null, "mean": null, "median": null, "std": null});
    };
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let spread = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>();
    let middle = values.len() / 2;
    let median = if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    };
    let std = (spread / (count - 1.0).max(1.0)).sqrt();
    json!({"min": min, "max": max, "mean": mean, "median": median, "std": std})
}

fn proportion(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}
