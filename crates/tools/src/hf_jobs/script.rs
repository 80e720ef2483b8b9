//! What a job runs: Python through uv, or a command in an image.

use super::arguments::Arguments;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) const UV_IMAGE: &str = "ghcr.io/astral-sh/uv:python3.12-bookworm";
const PYTHON_IMAGE: &str = "python:3.12";

/// Whether a script names a file of the sandbox rather than being source text or a URL.
pub(super) fn is_path(script: &str) -> bool {
    let is_one_line = !script.contains('\n') && script.trim() == script && !script.contains("://");
    let rooted = ["/", "./", "../"]
        .iter()
        .any(|prefix| script.starts_with(prefix));
    is_one_line && (rooted || (script.ends_with(".py") && !script.contains(char::is_whitespace)))
}

pub(super) fn is_url(script: &str) -> bool {
    !script.contains(char::is_whitespace)
        && (script.starts_with("https://") || script.starts_with("http://"))
}

/// The image that a job runs in.
pub(super) fn image(arguments: &Arguments) -> String {
    let default = if arguments.script.is_some() {
        UV_IMAGE
    } else {
        PYTHON_IMAGE
    };
    arguments
        .image
        .clone()
        .unwrap_or_else(|| default.to_owned())
}

/// The Space whose image is meant by `hf.co/spaces/<id>`, if it is.
pub(super) fn space(image: &str) -> Option<String> {
    let bare = image.trim_start_matches("https://");
    let id = bare
        .strip_prefix("hf.co/spaces/")
        .or_else(|| bare.strip_prefix("huggingface.co/spaces/"))?;
    Some(id.trim_end_matches('/').to_owned())
}

/// The job's command for Python `source` (text or URL).
pub(super) fn python_command(
    source: &str,
    dependencies: &[String],
    arguments: &[String],
) -> Vec<String> {
    let mut uv = vec!["uv".to_owned(), "run".to_owned()];
    for dependency in dependencies {
        uv.extend(["--with".to_owned(), dependency.clone()]);
    }
    if is_url(source) {
        uv.push(source.to_owned());
        uv.extend(arguments.iter().cloned());
        return uv;
    }
    uv.push("-".to_owned());
    uv.extend(arguments.iter().cloned());
    let quoted: Vec<String> = uv.iter().map(|word| quote(word)).collect();
    let line = format!(
        "echo {} | base64 -d | {}",
        STANDARD.encode(source),
        quoted.join(" ")
    );
    vec!["/bin/sh".into(), "-c".into(), line]
}

/// Quotes a word for the shell, so that `transformers>=4.40` is a word and not a redirect.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_urls_and_source_are_told_apart() {
        for path in ["train.py", "/app/train.py", "./a.py", "../x"] {
            assert!(is_path(path), "{path}");
        }
        for source in [
            "print(1)",
            "import os\nprint(1)",
            "https://x.y/z.py",
            "print('a') # b.py",
            " train.py",
        ] {
            assert!(!is_path(source), "{source}");
        }
        assert!(is_url("https://x.y/z.py"));
    }

    #[test]
    fn dependencies_are_quoted() {
        let command = python_command(
            "print(1)",
            &["transformers>=4.40".into(), "a'b".into()],
            &["--x".into()],
        );
        assert!(
            command[2].ends_with(r"| uv run --with 'transformers>=4.40' --with 'a'\''b' - --x"),
            "{}",
            command[2]
        );
        let by_url = python_command("https://x.y/z.py", &[], &["1".into()]);
        assert_eq!(by_url, ["uv", "run", "https://x.y/z.py", "1"]);
    }

    #[test]
    fn a_space_is_recognised() {
        assert_eq!(space("hf.co/spaces/a/b").as_deref(), Some("a/b"));
        assert_eq!(
            space("https://huggingface.co/spaces/a/b/").as_deref(),
            Some("a/b")
        );
        assert_eq!(space("python:3.12"), None);
    }
}
