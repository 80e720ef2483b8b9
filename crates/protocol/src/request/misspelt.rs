//! Names that look like ours misspelt: ignoring them would spend the default silently.

use super::openai_fields;
use crate::Problem;
use crate::reader::shown;
use serde_json::{Map, Value};

/// Our own names, which a client must not misspell unnoticed: the default would be spent silently.
const OWN_FIELDS: [&str; 9] = [
    "max_cost_usd",
    "wait_timeout_seconds",
    "previous_response_id",
    "instructions",
    "background",
    "metadata",
    "tools",
    "fork",
    "webhook",
];

pub(super) fn refuse(fields: &Map<String, Value>) -> Result<(), Problem> {
    for (name, _) in fields.iter().filter(|(_, value)| !value.is_null()) {
        if OWN_FIELDS.contains(&name.as_str()) || openai_fields::is_known(name) {
            continue;
        }
        let lower = name.to_lowercase();
        let is_about_money = ["cost", "budget", "spend"]
            .iter()
            .any(|word| lower.contains(word))
            || lower.ends_with("_usd");
        // A short name is near to much that is harmless.
        let mut long = OWN_FIELDS.iter().filter(|own| own.len() > 6);
        let near = long.find(|own| distance(own, &lower) <= 2 || is_beginning(own, &lower));
        if let Some(own) = near.or(is_about_money.then_some(&OWN_FIELDS[0])) {
            let name = shown(name);
            let why = format!("Unknown parameter `{name}`. Did you mean `{own}`?");
            return Err(Problem::invalid("unknown_parameter", name, why));
        }
    }
    Ok(())
}

/// Whether a name has lost its last word, as `previous_response` has.
fn is_beginning(own: &str, name: &str) -> bool {
    name.len() > 9 && own.starts_with(name)
}

/// Levenshtein distance in bytes; the names compared are short.
fn distance(a: &str, b: &str) -> usize {
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
