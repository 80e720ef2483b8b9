//! Following: every reader gets exactly the log from its cursor on.

use crate::turn::{Turn, delta};
use crate::world::{PATIENCE, World};
use journal::{Follower, Frame, Journal, ResponseRow};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinHandle;

crate::on_both_backends!(
    two_hundred_readers_of_a_running_response,
    a_finished_response_is_read_from_any_cursor,
    a_reader_at_a_pause_goes_on_when_the_turn_does,
    a_reader_that_never_reads_holds_nobody_up,
    frames_of_tail_and_store_are_the_same_bytes,
);

/// Reads to the end of the stream, or to an event number.
async fn read(mut follower: Follower, until: Option<u64>) -> Vec<Frame> {
    let mut frames: Vec<Frame> = Vec::new();
    loop {
        for frame in next(&mut follower).await {
            let ends = follower.ends_at(&frame) || Some(frame.seq) == until;
            frames.push(frame);
            if ends {
                return frames;
            }
        }
    }
}

async fn next(follower: &mut Follower) -> Vec<Frame> {
    let frames = tokio::time::timeout(PATIENCE, follower.next()).await;
    let frames = frames.expect("a reader waits in vain").unwrap();
    assert!(!frames.is_empty());
    frames
}

fn reader(
    journal: &Journal,
    row: &ResponseRow,
    from: u64,
    until: Option<u64>,
) -> JoinHandle<Vec<Frame>> {
    let (journal, row) = (journal.clone(), row.clone());
    tokio::spawn(async move { read(journal.follow(&row, from).await.unwrap(), until).await })
}

async fn log(journal: &Journal, row: &ResponseRow) -> Vec<Frame> {
    journal.frames(&row.id, 0, usize::MAX).await.unwrap()
}

fn assert_same(read: &[Frame], log: &[Frame]) {
    let numbers = |frames: &[Frame]| frames.iter().map(|f| f.seq).collect::<Vec<_>>();
    assert_eq!(numbers(read), numbers(log));
    for (frame, same) in read.iter().zip(log) {
        assert_eq!(frame.with_id(), same.with_id());
        assert_eq!(frame.name(), same.name());
    }
}

async fn two_hundred_readers_of_a_running_response(world: World) {
    let mut random = StdRng::seed_from_u64(20);
    let mut turn = Turn::begin(&world.journal, "alice").await;
    turn.open_message().await;
    let row = turn.row().await;
    let mut readers = Vec::new();
    for step in 0..100 {
        for _ in 0..2 {
            // Some begin behind the tail, some within it, some beyond the head.
            let from = random.random_range(0..turn.next() + 20);
            readers.push((from, reader(&world.journal, &row, from, None)));
        }
        let events = (0..random.random_range(1..20)).map(|_| delta("x".repeat(1024)));
        turn.append(events.collect()).await.unwrap();
        if step % 20 == 19 {
            turn.append(vec![turn.running()]).await.unwrap();
        }
    }
    // Whoever began beyond the head has something to read before the end.
    turn.append((0..20).map(|_| delta("y")).collect())
        .await
        .unwrap();
    turn.complete().await;
    let log = log(&world.journal, &row).await;
    assert_eq!(log.len() as u64, turn.next());
    assert!(log.iter().map(|frame| frame.data().len()).sum::<usize>() > 600 * 1024);
    for (from, reader) in readers {
        assert_same(
            &reader.await.unwrap(),
            &log[usize::try_from(from).unwrap()..],
        );
    }
}

async fn a_finished_response_is_read_from_any_cursor(world: World) {
    let mut turn = Turn::begin(&world.journal, "alice").await;
    let before = turn.row().await;
    turn.append((0..300).map(|_| delta("x")).collect())
        .await
        .unwrap();
    turn.complete().await;
    let log = log(&world.journal, &before).await;
    // A row from before the end tells the same story as one from after it.
    for row in [before, turn.row().await] {
        for from in [0, 1, 127, 128, 129, 301, 302] {
            let read = reader(&world.journal, &row, from, None).await.unwrap();
            assert_same(&read, &log[usize::try_from(from).unwrap()..]);
        }
    }
}

async fn a_reader_at_a_pause_goes_on_when_the_turn_does(world: World) {
    let mut turn = Turn::begin(&world.journal, "alice").await;
    turn.pause().await;
    let row = turn.row().await;
    // A stream ends at the pause …
    let read_to_pause = reader(&world.journal, &row, 0, None).await.unwrap();
    assert_eq!(read_to_pause.len(), 3);
    // … but a reader that stays hears what follows, whether it began before the pause, at it, or behind it.
    let mut stays = Vec::new();
    for from in [0, 2, 3] {
        let mut follower = world.journal.follow(&row, from).await.unwrap();
        if from < 3 {
            let frames = next(&mut follower).await;
            assert_eq!(frames.last().map(|frame| frame.seq), Some(2));
            assert!(follower.ends_at(&frames[frames.len() - 1]));
        }
        stays.push(tokio::spawn(read(follower, None)));
    }
    turn.append(vec![turn.running(), delta("x")]).await.unwrap();
    turn.complete().await;
    let log = log(&world.journal, &row).await;
    for reader in stays {
        assert_same(&reader.await.unwrap(), &log[3..]);
    }
    // The pause is history now: no stream ends there.
    assert_same(&reader(&world.journal, &row, 0, None).await.unwrap(), &log);
}

async fn a_reader_that_never_reads_holds_nobody_up(world: World) {
    let mut turn = Turn::begin(&world.journal, "alice").await;
    let row = turn.row().await;
    let mut idle = Vec::new();
    for _ in 0..50 {
        idle.push(world.journal.follow(&row, 0).await.unwrap());
    }
    for _ in 0..40 {
        turn.append((0..4).map(|_| delta("x".repeat(16 * 1024))).collect())
            .await
            .unwrap();
    }
    turn.complete().await;
    let log = log(&world.journal, &row).await;
    assert_same(&read(idle.swap_remove(7), None).await, &log);
}

async fn frames_of_tail_and_store_are_the_same_bytes(world: World) {
    let mut turn = Turn::begin(&world.journal, "alice").await;
    let row = turn.row().await;
    let mut live = world.journal.follow(&row, 2).await.unwrap();
    let mut from_tail = Vec::new();
    for text in ["a", "é\u{2028}", "\n\n"] {
        turn.append(vec![delta(text)]).await.unwrap();
        from_tail.extend(next(&mut live).await);
    }
    assert_same(&from_tail, &log(&world.journal, &row).await[2..]);
}
