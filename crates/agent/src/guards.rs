//! Guards: pure checks of a conversation for what a model cannot see of itself.

use platform::ChatMessage;
use protocol::{PlanItem, PlanStatus};

/// How many newest messages are looked at.
const WINDOW: usize = 30;
const SAME_IN_A_ROW: usize = 3;

/// What the repetition guard says, when the newest calls go round in a circle.
pub(crate) fn repetition(messages: &[ChatMessage]) -> Option<String> {
    let signatures = signatures(&messages[messages.len().saturating_sub(WINDOW)..]);
    let newest = signatures.last()?;
    if signatures.len() >= SAME_IN_A_ROW
        && signatures[signatures.len() - SAME_IN_A_ROW..]
            .iter()
            .all(|s| s == newest)
    {
        return Some(format!(
            "You have called `{}` {SAME_IN_A_ROW} times with the same arguments and got the same result. Do something \
             else, or explain what stops you.",
            newest.name
        ));
    }
    let length = (2..=5).find(|&length| repeats(&signatures, length))?;
    let cycle: Vec<&str> = signatures[signatures.len() - length..]
        .iter()
        .map(|s| s.name)
        .collect();
    Some(format!(
        "You repeat the same calls ({}) with the same results. Break the cycle.",
        cycle.join(", ")
    ))
}

#[derive(Debug, PartialEq, Eq)]
struct Signature<'a> {
    name: &'a str,
    arguments: &'a str,
    result: Option<&'a str>,
}

fn signatures(messages: &[ChatMessage]) -> Vec<Signature<'_>> {
    let result_of = |from: usize, id: &str| {
        messages[from..].iter().find_map(|message| match message {
            ChatMessage::Tool {
                call_id, content, ..
            } if call_id == id => Some(content.as_str()),
            _ => None,
        })
    };
    let mut signatures = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        if let ChatMessage::Assistant { calls, .. } = message {
            signatures.extend(calls.iter().map(|call| Signature {
                name: &call.name,
                arguments: &call.arguments,
                result: result_of(index, &call.id),
            }));
        }
    }
    signatures
}

fn repeats(signatures: &[Signature<'_>], length: usize) -> bool {
    let Some(start) = signatures.len().checked_sub(2 * length) else {
        return false;
    };
    signatures[start..start + length] == signatures[start + length..]
}

/// What the plan guard says when a turn is about to end with open items.
pub(crate) fn unfinished_plan(plan: &[PlanItem]) -> Option<String> {
    let open: Vec<&str> = plan
        .iter()
        .filter(|item| item.status != PlanStatus::Completed)
        .map(|item| item.content.as_str())
        .collect();
    if open.is_empty() {
        return None;
    }
    let named = open.iter().take(4).copied().collect::<Vec<_>>().join("; ");
    let more = open.len().saturating_sub(4);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Some(format!(
        "Your plan has unfinished items: {named}{more}. Go on with them; or, if something stops you, say what, update the \
         plan, and end."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::ToolCall;

    /// One character per call: the letter is the arguments, upper case means another result each time.
    fn conversation(calls: &str) -> Vec<ChatMessage> {
        let exchange = |(index, letter): (usize, char)| {
            let id = format!("call_{index}");
            let result = if letter.is_uppercase() {
                format!("result {index}")
            } else {
                "same".into()
            };
            let call = ToolCall {
                id: id.clone(),
                name: "bash".into(),
                arguments: letter.to_lowercase().to_string(),
            };
            [
                ChatMessage::Assistant {
                    text: None,
                    calls: vec![call],
                },
                ChatMessage::Tool {
                    call_id: id,
                    name: "bash".into(),
                    content: result,
                },
            ]
        };
        calls.chars().enumerate().flat_map(exchange).collect()
    }

    #[test]
    fn repetition_is_seen_at_the_tail_only() {
        for (calls, trips) in [
            ("aaa", true),
            ("aab", false),
            ("AAA", false),
            ("abab", true),
            ("ABAB", false),
            ("abcabc", true),
            ("aaab", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(repetition(&conversation(calls)).is_some(), trips, "{calls}");
        }
    }

    #[test]
    fn open_plan_items_are_named() {
        let item = |content: &str, status| PlanItem {
            id: "1".into(),
            content: content.into(),
            status,
        };
        assert_eq!(unfinished_plan(&[]), None);
        assert_eq!(unfinished_plan(&[item("a", PlanStatus::Completed)]), None);
        let said = unfinished_plan(&[
            item("train", PlanStatus::InProgress),
            item("push", PlanStatus::Pending),
        ])
        .unwrap();
        assert!(said.contains("train; push"));
    }
}
