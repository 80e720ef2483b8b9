//! One short line that says what a tool call does.

use serde_json::Value;

use crate::clean;

/// The most characters of a description.
const MAX: usize = 100;

/// From a tool's name and its arguments (JSON text, possibly broken).
pub fn call(tool: &str, arguments: &str) -> String {
    let Ok(Value::Object(args)) = serde_json::from_str(arguments) else {
        return clean::short(arguments, MAX);
    };
    let field = |name: &str| args.get(name).and_then(Value::as_str).unwrap_or("");
    match tool {
        "bash" => clean::short(&shell(field("description"), field("command")), MAX),
        "read" | "write" | "edit" => clean::short(field("path"), MAX),
        "hf_jobs" => job(
            field("operation"),
            field("hardware_flavor"),
            field("job_id"),
        ),
        _ => match args.values().find_map(Value::as_str) {
            Some(first) => clean::short(first, MAX),
            None if args.is_empty() => String::new(),
            None => clean::short(arguments, MAX),
        },
    }
}

/// The command's first line, behind what the model calls it. Never the description alone: it is the
/// model's word, and what runs may be another thing.
fn shell(description: &str, command: &str) -> String {
    let mut lines = command.trim().lines();
    let first = lines.next().unwrap_or("").trim_end();
    let more = if lines.next().is_some() { " …" } else { "" };
    match clean::short(description, MAX / 2) {
        words if words.is_empty() => format!("{first}{more}"),
        words => format!("{words}: {first}{more}"),
    }
}

fn job(operation: &str, flavor: &str, id: &str) -> String {
    let words = [operation, flavor, id].map(|word| clean::short(word, 40));
    let words: Vec<_> = words.into_iter().filter(|w| !w.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_matters() {
        for (tool, arguments, line) in [
            ("bash", r#"{"command":"ls -l\nwc x"}"#, "ls -l …"),
            (
                "bash",
                r#"{"command":"\n ls","description":"Look"}"#,
                "Look: ls",
            ),
            ("write", r#"{"path":"train.py","content":"…"}"#, "train.py"),
            (
                "hf_jobs",
                r#"{"operation":"run","hardware_flavor":"cpu-basic","script":"x"}"#,
                "run cpu-basic",
            ),
            (
                "hf_jobs",
                r#"{"operation":"logs","job_id":"66aa"}"#,
                "logs 66aa",
            ),
            ("hf_papers", r#"{"limit":3,"query":"sparse"}"#, "sparse"),
            ("x", r#"{"n":3}"#, r#"{"n":3}"#),
            ("x", "{}", ""),
            ("x", r#"{"broken"#, r#"{"broken"#),
            ("bash", r#"{"command":"echo \u001b[2Jhi"}"#, "echo hi"),
        ] {
            assert_eq!(call(tool, arguments), line);
        }
    }
}
