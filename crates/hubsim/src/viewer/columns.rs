//! The type of a column, from its cells, as the `datasets` library writes types.

use serde_json::{Map, Value, json};

/// Rows that decide a type.
const SAMPLE: usize = 1000;

/// The columns of some rows, in the order in which they appear.
pub fn of(rows: &[Value]) -> Vec<(String, Value)> {
    let mut names: Vec<&String> = Vec::new();
    for row in rows.iter().take(SAMPLE) {
        let fresh = row
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .filter(|name| !names.contains(name))
            .collect::<Vec<_>>();
        names.extend(fresh);
    }
    names
        .into_iter()
        .map(|name| {
            let cells = rows.iter().take(SAMPLE).filter_map(|row| row.get(name));
            (name.clone(), kind(&cells.collect::<Vec<_>>()))
        })
        .collect()
}

/// A cell of a CSV file: a number, a truth value, nothing, or a text.
pub fn cell(text: &str) -> Value {
    match text {
        "" => Value::Null,
        "true" | "True" => json!(true),
        "false" | "False" => json!(false),
        _ => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(number), _) => json!(number),
            (_, Ok(number)) if number.is_finite() => json!(number),
            _ => json!(text),
        },
    }
}

fn kind(cells: &[&Value]) -> Value {
    let cells: Vec<&Value> = cells
        .iter()
        .copied()
        .filter(|cell| !cell.is_null())
        .collect();
    let value = |dtype: &str| json!({"dtype": dtype, "_type": "Value"});
    let all = |is: fn(&Value) -> bool| !cells.is_empty() && cells.iter().all(|cell| is(cell));
    if cells.is_empty() {
        value("null")
    } else if all(Value::is_boolean) {
        value("bool")
    } else if all(Value::is_i64) {
        value("int64")
    } else if all(Value::is_number) {
        value("float64")
    } else if all(Value::is_array) {
        let inner = cells.iter().filter_map(|cell| cell.as_array()).flatten();
        let inner: Vec<&Value> = inner.take(SAMPLE).collect();
        json!({"feature": kind(&inner), "_type": "List"})
    } else if all(Value::is_object) {
        let rows: Vec<Value> = cells.into_iter().take(SAMPLE).cloned().collect();
        Value::Object(of(&rows).into_iter().collect())
    } else {
        value("string")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_follow_the_cells() {
        let rows = [
            json!({"text": "a", "n": 1, "x": 1.5, "messages": [{"role": "user", "content": "hi"}]}),
            json!({"text": null, "n": 2, "x": 2, "messages": []}),
        ];
        let columns: Map<String, Value> = of(&rows).into_iter().collect();
        assert_eq!(columns["text"]["dtype"], "string");
        assert_eq!(columns["n"]["dtype"], "int64");
        assert_eq!(columns["x"]["dtype"], "float64");
        assert_eq!(columns["messages"]["feature"]["role"]["dtype"], "string");
    }
}
