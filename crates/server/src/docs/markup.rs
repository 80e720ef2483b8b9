//! Text to HTML, for the little markup that descriptions and the agent's answers use.

/// Escapes text, and makes code of what stands between backticks.
pub(super) fn prose(text: &str) -> String {
    let mut html = String::new();
    for (index, piece) in text.split('`').enumerate() {
        let piece = escape(piece).replace("\n\n", "<br>");
        match index % 2 {
            0 => html.push_str(&strong(&piece)),
            _ => html.push_str(&format!("<code>{piece}</code>")),
        }
    }
    html
}

fn strong(text: &str) -> String {
    let mut html = String::new();
    for (index, piece) in text.split("**").enumerate() {
        match index % 2 {
            0 => html.push_str(piece),
            _ => html.push_str(&format!("<strong>{piece}</strong>")),
        }
    }
    html
}

/// Paragraphs, lists and fenced code.
pub(super) fn article(text: &str) -> String {
    let mut html = String::new();
    for (index, block) in text.split("```").enumerate() {
        if index % 2 == 1 {
            let code = block.split_once('\n').map_or(block, |(_, code)| code);
            html.push_str(&format!(
                "<pre tabindex=\"0\"><code>{}</code></pre>",
                escape(code.trim_end())
            ));
            continue;
        }
        for paragraph in block.split("\n\n").filter(|text| !text.trim().is_empty()) {
            html.push_str(&paragraph_or_list(paragraph.trim()));
        }
    }
    html
}

fn paragraph_or_list(text: &str) -> String {
    let is_item = |line: &str| line.starts_with("- ");
    let (before, items): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| !is_item(line));
    let mut html = String::new();
    if !before.is_empty() {
        html.push_str(&format!("<p>{}</p>", prose(&before.join("\n"))));
    }
    if !items.is_empty() {
        let items = items
            .iter()
            .map(|item| format!("<li>{}</li>", prose(&item[2..])));
        html.push_str(&format!("<ul>{}</ul>", items.collect::<String>()));
    }
    html
}

pub(super) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_model_wrote_stays_text() {
        assert_eq!(
            prose("a `b<c>` **d**"),
            "a <code>b&lt;c&gt;</code> <strong>d</strong>"
        );
        assert_eq!(
            article("One.\n\n- <img>\n- b\n\n```python\nx < 1\n```"),
            "<p>One.</p><ul><li>&lt;img&gt;</li><li>b</li></ul><pre tabindex=\"0\"><code>x &lt; 1</code></pre>"
        );
    }
}
