//! What may happen to a session, at random.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// What happens next. Whatever does not fit the response's status is brought about first, or left out.
#[derive(Debug, Clone)]
pub enum Move {
    /// A message streams; its end may never come.
    Say {
        pieces: Vec<String>,
        ends: bool,
    },
    Think {
        pieces: Vec<String>,
        ends: bool,
    },
    /// A model call with its reservation; its outcome may never come.
    Ask {
        reserve: u64,
        share: u64,
        calls: Vec<String>,
        text: Option<String>,
        context: u64,
        ends: bool,
    },
    /// The oldest pending call gets its result.
    Answer {
        text: String,
    },
    Log {
        text: String,
    },
    Plan {
        items: usize,
    },
    Artifact {
        name: u8,
    },
    Guard {
        message: String,
    },
    Compact {
        kept: usize,
    },
    /// Something outside begins to cost money, or ends.
    Resource {
        name: u8,
        cost: u64,
    },
    Release {
        name: u8,
        share: u64,
    },
    Pause {
        estimate: Option<u64>,
    },
    Decide {
        approve: bool,
        cap: Option<u64>,
        feedback: Option<String>,
    },
    /// A pending call begins to run.
    Begin {
        which: usize,
    },
    /// The model is told of what callers said.
    Tell,
    Rest(Rest),
    /// The session's next response.
    Next {
        temperature: f64,
        cap: Option<u64>,
    },
    Crash,
}

#[derive(Debug, Clone, Copy)]
pub enum Rest {
    Completed,
    Failed,
    Cancelled,
    Interrupted,
}

fn text() -> impl Strategy<Value = String> {
    "(?s).{0,12}"
}

fn cap() -> impl Strategy<Value = Option<u64>> {
    option::of(1u64..3_000_000)
}

pub fn any_move() -> impl Strategy<Value = Move> {
    let pieces = || (vec(text(), 0..4), any::<bool>());
    let rest = prop_oneof![
        Just(Rest::Completed),
        Just(Rest::Failed),
        Just(Rest::Cancelled),
        Just(Rest::Interrupted)
    ];
    let ask = (
        1u64..500_000,
        0u64..=100,
        vec(text(), 0..4),
        option::of(text()),
        0u64..9_000,
        prop::bool::weighted(0.8),
    );
    let ask = ask.prop_map(|(reserve, share, calls, text, context, ends)| Move::Ask {
        reserve,
        share,
        calls,
        text,
        context,
        ends,
    });
    prop_oneof![
        3 => pieces().prop_map(|(pieces, ends)| Move::Say { pieces, ends }),
        1 => pieces().prop_map(|(pieces, ends)| Move::Think { pieces, ends }),
        5 => ask,
        4 => text().prop_map(|text| Move::Answer { text }),
        1 => text().prop_map(|text| Move::Log { text }),
        1 => (0usize..4).prop_map(|items| Move::Plan { items }),
        1 => (0u8..4).prop_map(|name| Move::Artifact { name }),
        1 => text().prop_map(|message| Move::Guard { message }),
        1 => (0usize..5).prop_map(|kept| Move::Compact { kept }),
        2 => (0u8..4, 0u64..300_000).prop_map(|(name, cost)| Move::Resource { name, cost }),
        1 => (0u8..4, 0u64..=100).prop_map(|(name, share)| Move::Release { name, share }),
        1 => cap().prop_map(|estimate| Move::Pause { estimate }),
        2 => (any::<bool>(), cap(), option::of(text()))
            .prop_map(|(approve, cap, feedback)| Move::Decide { approve, cap, feedback }),
        2 => (0usize..4).prop_map(|which| Move::Begin { which }),
        1 => Just(Move::Tell),
        1 => rest.prop_map(Move::Rest),
        1 => (0.0..=2.0f64, cap()).prop_map(|(temperature, cap)| Move::Next { temperature, cap }),
        3 => Just(Move::Crash),
    ]
}
