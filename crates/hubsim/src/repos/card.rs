//! The metadata at the head of a README: enough YAML for cards (texts, numbers, flat lists).

use serde_json::{Map, Value, json};

/// Says what is wrong with the metadata block, if anything is.
pub fn check(readme: &str) -> Result<(), String> {
    let text = readme.trim_start_matches('\u{feff}');
    if text
        .lines()
        .next()
        .is_none_or(|line| line.trim_end() != "---")
    {
        return Ok(());
    }
    let Some(block) = block(text) else {
        return Err("The metadata block is not closed with ---".to_owned());
    };
    match block.lines().position(|line| line.starts_with('\t')) {
        Some(line) => Err(format!("YAML: a tab indents line {}", line + 2)),
        None => Ok(()),
    }
}

fn block(readme: &str) -> Option<&str> {
    let rest = readme.strip_prefix("---")?;
    let rest = rest
        .strip_prefix("\r\n")
        .or_else(|| rest.strip_prefix('\n'))?;
    if rest.starts_with("---") {
        return Some("");
    }
    rest.find("\n---").map(|end| &rest[..end])
}

/// The top-level entries; nested mappings are left out.
pub fn data(readme: &str) -> Map<String, Value> {
    let mut data = Map::new();
    let mut list: Option<String> = None;
    for line in block(readme).unwrap_or("").lines() {
        let trimmed = line.trim();
        if let Some(item) = trimmed.strip_prefix("- ") {
            if let Some(items) = list
                .as_ref()
                .and_then(|key| data.get_mut(key)?.as_array_mut())
            {
                items.push(scalar(item));
            }
        } else if line.starts_with(' ') || trimmed.starts_with('#') {
            list = None;
        } else if let Some((key, value)) = trimmed.split_once(':') {
            let (key, value) = (key.trim().to_owned(), value.trim());
            let inner = value
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'));
            let parsed = match inner {
                Some(inner) => inner
                    .split(',')
                    .filter(|item| !item.trim().is_empty())
                    .map(scalar)
                    .collect(),
                None if value.is_empty() => json!([]),
                None => scalar(value),
            };
            list = value.is_empty().then(|| key.clone());
            data.insert(key, parsed);
        }
    }
    data.retain(|_, value| value.as_array().is_none_or(|items| !items.is_empty()));
    data
}

fn scalar(text: &str) -> Value {
    let text = text.trim();
    let unquoted = text.trim_matches(['"', '\'']);
    if unquoted.len() < text.len() {
        return Value::from(unquoted);
    }
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => text
            .parse::<i64>()
            .map_or_else(|_| Value::from(text), Value::from),
    }
}

/// The tags that the Hub derives from a card.
pub fn tags(readme: &str) -> Vec<String> {
    let data = data(readme);
    let values = |key: &str| -> Vec<String> {
        match data.get(key) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect(),
            _ => Vec::new(),
        }
    };
    let mut tags: Vec<String> = ["library_name", "pipeline_tag", "tags", "language"]
        .into_iter()
        .flat_map(values)
        .collect();
    for (key, prefix) in [
        ("license", "license"),
        ("base_model", "base_model"),
        ("datasets", "dataset"),
    ] {
        tags.extend(values(key).iter().map(|value| format!("{prefix}:{value}")));
    }
    tags.extend(papers(readme).map(|id| format!("arxiv:{id}")));
    tags.push("region:us".to_owned());
    let mut seen = std::collections::HashSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    tags
}

fn papers(readme: &str) -> impl Iterator<Item = &str> {
    readme.split("arxiv.org/").skip(1).filter_map(|rest| {
        let id = rest
            .strip_prefix("abs/")
            .or_else(|| rest.strip_prefix("pdf/"))?;
        let end = id
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(id.len());
        let id = id[..end].trim_end_matches('.');
        id.contains('.').then_some(id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "---\nlicense: mit\ntags:\n- text\n- 'nlp'\ndatasets: [a/b]\nmodel-index:\n- name: x\n  results:\n  - y\npipeline_tag: text-classification\nn: 3\n---\n# Title\nSee https://arxiv.org/abs/2401.1234.\n";

    #[test]
    fn reads_what_cards_use() {
        let data = data(CARD);
        assert_eq!(data["tags"], json!(["text", "nlp"]));
        assert_eq!(data["datasets"], json!(["a/b"]));
        assert_eq!(data["n"], 3);
        let tags = tags(CARD);
        for tag in [
            "license:mit",
            "dataset:a/b",
            "arxiv:2401.1234",
            "text-classification",
            "nlp",
        ] {
            assert!(tags.iter().any(|found| found == tag), "{tag} in {tags:?}");
        }
    }

    #[test]
    fn an_open_block_is_an_error() {
        assert!(check(CARD).is_ok());
        assert!(check("# no metadata").is_ok());
        assert!(check("---\nlicense: mit\n# oops").is_err());
    }
}
