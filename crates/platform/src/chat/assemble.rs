//! Tool calls out of their pieces.

use std::collections::{BTreeMap, HashSet};

use super::slots::merge_name;
use crate::{ToolCall, ToolCallDelta};

const MOST_ARGUMENT_BYTES: usize = 1024 * 1024;

/// Collects the pieces of an answer's tool calls. The calls are the same however their arguments
/// were cut into pieces.
#[derive(Debug, Default)]
pub struct CallAssembler {
    calls: BTreeMap<usize, Partial>,
    truncated: bool,
}

#[derive(Debug, Default)]
struct Partial {
    id: Option<String>,
    name: String,
    arguments: String,
}

impl CallAssembler {
    /// Adds a piece. Arguments are kept up to 1 MiB a call; what is beyond is dropped and makes
    /// them malformed.
    pub fn push(&mut self, delta: ToolCallDelta) {
        let call = self.calls.entry(delta.slot).or_default();
        if call.id.is_none() {
            call.id = delta.id.filter(|id| !id.is_empty());
        }
        if let Some(name) = delta.name {
            merge_name(&mut call.name, &name, !call.arguments.is_empty());
        }
        let room = MOST_ARGUMENT_BYTES - call.arguments.len();
        let kept = boundary(&delta.arguments, room);
        self.truncated |= kept < delta.arguments.len();
        call.arguments.push_str(&delta.arguments[..kept]);
    }

    /// Whether any piece came at all.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Whether arguments were dropped because they were too long.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// The calls in the order of their slots, each with an id of its own: a missing one becomes
    /// `call_<n>`, a repeated one gets `_<n>` appended. Missing arguments become `{}`. Calls
    /// without name and arguments are noise and left out.
    pub fn finish(self) -> Vec<ToolCall> {
        let mut taken: HashSet<String> = HashSet::new();
        let calls = self
            .calls
            .into_values()
            .filter(|call| !(call.name.is_empty() && call.arguments.is_empty()));
        let mut finished: Vec<ToolCall> = Vec::new();
        for (n, call) in calls.enumerate() {
            let mut id = call.id.unwrap_or_else(|| format!("call_{n}"));
            while !taken.insert(id.clone()) {
                id = format!("{id}_{n}");
            }
            let blank = call.arguments.trim().is_empty();
            let arguments = if blank {
                "{}".to_owned()
            } else {
                call.arguments
            };
            finished.push(ToolCall {
                id,
                name: call.name,
                arguments,
            });
        }
        finished
    }
}

/// The last character boundary at or before `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CallAssembler, MOST_ARGUMENT_BYTES, boundary};
    use crate::{ToolCall, ToolCallDelta};

    fn delta(slot: usize, id: &str, name: &str, arguments: &str) -> ToolCallDelta {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        ToolCallDelta {
            slot,
            id: some(id),
            name: some(name),
            arguments: arguments.into(),
        }
    }

    fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
        ToolCall {
            id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
        }
    }

    fn assembled(deltas: impl IntoIterator<Item = ToolCallDelta>) -> Vec<ToolCall> {
        let mut assembler = CallAssembler::default();
        deltas.into_iter().for_each(|delta| assembler.push(delta));
        assembler.finish()
    }

    #[test]
    fn names_and_ids_are_not_doubled() {
        let pieces = [
            delta(0, "a", "bash", "{"),
            delta(0, "a", "bash", "}"),
            delta(0, "b", "ba", ""),
        ];
        assert_eq!(assembled(pieces), [call("a", "bash", "{}")]);
    }

    #[test]
    fn names_in_pieces_and_cumulative_names_are_joined() {
        assert_eq!(
            assembled([delta(0, "a", "re", ""), delta(0, "", "ad", "")]),
            [call("a", "read", "{}")]
        );
        assert_eq!(
            assembled([delta(0, "a", "re", ""), delta(0, "", "read", "")]),
            [call("a", "read", "{}")]
        );
    }

    #[test]
    fn every_call_gets_an_id_of_its_own() {
        let pieces = [
            delta(5, "", "x", "1"),
            delta(7, "call_0", "y", "2"),
            delta(9, "", "z", "3"),
        ];
        let expected = [
            call("call_0", "x", "1"),
            call("call_0_1", "y", "2"),
            call("call_2", "z", "3"),
        ];
        assert_eq!(assembled(pieces), expected);
    }

    #[test]
    fn noise_is_left_out() {
        assert_eq!(
            assembled([delta(0, "a", "", ""), delta(1, "", "x", " ")]),
            [call("call_0", "x", "{}")]
        );
    }

    #[test]
    fn arguments_are_capped_at_a_character() {
        let mut assembler = CallAssembler::default();
        let mebibyte = "é".repeat(MOST_ARGUMENT_BYTES / 2);
        assembler.push(delta(0, "a", "x", "_"));
        assembler.push(delta(0, "a", "x", &mebibyte));
        assembler.push(delta(0, "a", "x", &mebibyte));
        assert!(assembler.truncated());
        assert_eq!(
            assembler.finish()[0].arguments.len(),
            MOST_ARGUMENT_BYTES - 1
        );
    }

    /// Cuts each text at the given places and deals the pieces out in turn, as parallel calls
    /// arrive.
    fn pieces(texts: &[String], cuts: &[usize], repeat: bool) -> Vec<ToolCallDelta> {
        let mut out = Vec::new();
        for (slot, text) in texts.iter().enumerate() {
            let mut ends: Vec<usize> = cuts.iter().map(|cut| boundary(text, *cut)).collect();
            ends.extend([0, text.len()]);
            ends.sort_unstable();
            for (n, pair) in ends.windows(2).enumerate() {
                let id = if repeat || n == 0 {
                    format!("id{slot}")
                } else {
                    String::new()
                };
                let name = if repeat || n == 0 { "tool" } else { "" };
                out.push((n, delta(slot, &id, name, &text[pair[0]..pair[1]])));
            }
        }
        out.sort_by_key(|(n, _)| *n);
        out.into_iter().map(|(_, delta)| delta).collect()
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_calls(
            texts in proptest::collection::vec("\\PC{1,60}", 1..4),
            cuts in proptest::collection::vec(0usize..80, 0..6),
            repeat: bool,
        ) {
            let whole = assembled(pieces(&texts, &[], false));
            prop_assert_eq!(whole, assembled(pieces(&texts, &cuts, repeat)));
        }
    }
}
