//! The proof of I3 for a session: whatever a turn records, and wherever a crash and a restart fall, the state folded from
//! the log is the state that was live, and every snapshot in the log is the fold up to it, byte for byte as JSON.

mod moves;
mod play;

use moves::{Move, any_move};
use play::Play;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

fn for_random_sessions(cases: u32, store: impl Fn() -> play::Store) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let sessions = (1u64..2_000_000, vec(any_move(), 0..40), 0.0..1.0f64);
    TestRunner::new(config)
        .run(&sessions, |(cap, moves, cut)| {
            runtime.block_on(session(store(), cap, &moves, cut));
            Ok(())
        })
        .unwrap();
}

async fn session(store: play::Store, cap: u64, moves: &[Move], cut: f64) {
    let mut play = Play::begin(store, cap).await;
    for step in moves {
        play.act(step).await;
    }
    play.check().await;
    play.check_logs(cut).await;
}

#[test]
fn a_session_in_memory_is_its_log() {
    for_random_sessions(256, play::Store::memory);
}

#[test]
fn a_session_on_sqlite_is_its_log() {
    for_random_sessions(24, play::Store::sqlite);
}
