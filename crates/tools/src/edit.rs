//! Editing a text by exact replacement: a pure function.

/// What to do with the place that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Replace,
    AppendAfter,
    PrependBefore,
}

pub(crate) struct Edit<'a> {
    pub old: &'a str,
    pub new: &'a str,
    pub mode: Mode,
    pub all: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Edited {
    pub text: String,
    pub count: usize,
    /// How the place was found, when not by an exact match.
    pub note: Option<&'static str>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EditError {
    #[error("old_str and new_str are the same")]
    Same,
    #[error("old_str is empty")]
    Empty,
    #[error("old_str does not occur in the file; read it again and copy the text exactly")]
    NotFound,
    #[error(
        "old_str occurs {0} times; add surrounding lines to make it unique, or set replace_all"
    )]
    Ambiguous(usize),
}

/// Applies an edit. Tries the exact text first; then whole lines that differ only in the blanks at their ends.
pub(crate) fn apply(text: &str, edit: &Edit<'_>) -> Result<Edited, EditError> {
    if edit.old.is_empty() {
        return Err(EditError::Empty);
    }
    if edit.mode == Mode::Replace && edit.old == edit.new {
        return Err(EditError::Same);
    }
    let exact: Vec<(usize, usize)> = text
        .match_indices(edit.old)
        .map(|(at, found)| (at, at + found.len()))
        .collect();
    if !exact.is_empty() {
        return replace(text, &exact, edit, None);
    }
    let loose = loose_matches(text, edit.old);
    replace(
        text,
        &loose,
        edit,
        Some("matched after ignoring blanks at line ends"),
    )
}

fn replace(
    text: &str,
    places: &[(usize, usize)],
    edit: &Edit<'_>,
    note: Option<&'static str>,
) -> Result<Edited, EditError> {
    let places = match (places.len(), edit.all) {
        (0, _) => return Err(EditError::NotFound),
        (1, _) | (_, true) => places,
        (count, false) => return Err(EditError::Ambiguous(count)),
    };
    let mut result = String::with_capacity(text.len() + edit.new.len() * places.len());
    let mut from = 0;
    for &(start, end) in places {
        result.push_str(&text[from..start]);
        match edit.mode {
            Mode::Replace => result.push_str(edit.new),
            Mode::AppendAfter => {
                result.push_str(&text[start..end]);
                result.push_str(edit.new);
            }
            Mode::PrependBefore => {
                result.push_str(edit.new);
                result.push_str(&text[start..end]);
            }
        }
        from = end;
    }
    result.push_str(&text[from..]);
    Ok(Edited {
        text: result,
        count: places.len(),
        note,
    })
}

/// Runs of whole lines that equal the lines of `old` but for trailing blanks; without overlaps.
fn loose_matches(text: &str, old: &str) -> Vec<(usize, usize)> {
    let wanted: Vec<&str> = old
        .trim_end_matches('\n')
        .split('\n')
        .map(str::trim_end)
        .collect();
    let mut lines = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\n', '\r']);
        lines.push((at, at + bare.len(), bare.trim_end()));
        at += line.len();
    }
    let mut places = Vec::new();
    let mut first = 0;
    while first + wanted.len() <= lines.len() {
        let window = &lines[first..first + wanted.len()];
        if window
            .iter()
            .map(|(_, _, line)| *line)
            .eq(wanted.iter().copied())
        {
            places.push((window[0].0, window[window.len() - 1].1));
            first += wanted.len();
        } else {
            first += 1;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(
        text: &str,
        old: &str,
        new: &str,
        mode: Mode,
        all: bool,
    ) -> Result<(String, usize), EditError> {
        apply(
            text,
            &Edit {
                old,
                new,
                mode,
                all,
            },
        )
        .map(|edited| (edited.text, edited.count))
    }

    #[test]
    fn table() {
        use Mode::{AppendAfter, PrependBefore, Replace};
        let cases = [
            (
                run("a b a", "b", "c", Replace, false),
                Ok(("a c a".into(), 1)),
            ),
            (
                run("a b a", "a", "c", Replace, false),
                Err(EditError::Ambiguous(2)),
            ),
            (
                run("a b a", "a", "c", Replace, true),
                Ok(("c b c".into(), 2)),
            ),
            (
                run("a b", "b", "!", AppendAfter, false),
                Ok(("a b!".into(), 1)),
            ),
            (
                run("a b", "a", "!", PrependBefore, false),
                Ok(("!a b".into(), 1)),
            ),
            (run("a", "z", "y", Replace, false), Err(EditError::NotFound)),
            (run("a", "a", "a", Replace, false), Err(EditError::Same)),
            (run("a", "", "x", Replace, false), Err(EditError::Empty)),
            (
                run("x  \ny\t\nz\n", "x\ny\n", "Q", Replace, false),
                Ok(("Q\nz\n".into(), 1)),
            ),
            // A fragment of a line is never widened to the whole line.
            (
                run(
                    "    value = 1  # one\n",
                    "value = 1 # one",
                    "v",
                    Replace,
                    false,
                ),
                Err(EditError::NotFound),
            ),
        ];
        for (index, (got, wanted)) in cases.into_iter().enumerate() {
            assert_eq!(got, wanted, "case {index}");
        }
    }
}
