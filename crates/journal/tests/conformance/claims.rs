//! Claims: one name, one response.

use crate::turn::Turn;
use crate::world::{World, new};
use journal::{AppendError, Claim, Claimed, Lease, NewResponse};
use protocol::SessionId;

crate::on_both_backends!(
    of_concurrent_claims_one_wins,
    a_taken_name_goes_before_a_busy_session,
    an_expired_name_is_free,
    the_newest_has_a_shared_name,
    a_refused_response_claims_nothing,
);

/// The time of `new` responses.
const NOW: u64 = 1_700_000_000;

fn claim(name: &str, is_exclusive: bool) -> Claim {
    Claim {
        name: name.into(),
        fingerprint: "body".into(),
        expires_at: NOW + 100,
        is_exclusive,
    }
}

fn claiming(opens_session: bool, claims: &[Claim]) -> NewResponse {
    NewResponse {
        claims: claims.to_vec(),
        ..new("alice", opens_session)
    }
}

async fn create(world: &World, claims: &[Claim]) -> Result<Turn, AppendError> {
    let lease = Lease::first(SessionId::fresh());
    Turn::create(&world.journal, &lease, claiming(true, claims)).await
}

async fn holder(world: &World, name: &str) -> Option<Claimed> {
    world.journal.claimed(name, NOW).await.unwrap()
}

fn by(turn: &Turn) -> Claimed {
    Claimed {
        response: turn.id.clone(),
        fingerprint: "body".into(),
    }
}

async fn of_concurrent_claims_one_wins(world: World) {
    let creates = (0..20).map(|_| {
        let journal = world.journal.clone();
        tokio::spawn(async move {
            let lease = Lease::first(SessionId::fresh());
            let new = claiming(true, &[claim("key", true)]);
            Turn::create(&journal, &lease, new).await
        })
    });
    let mut won = Vec::new();
    let mut taken = Vec::new();
    for create in creates.collect::<Vec<_>>() {
        match create.await.unwrap() {
            Ok(turn) => won.push(turn),
            Err(AppendError::Taken(by)) => taken.push(by),
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!((won.len(), taken.len()), (1, 19));
    let by = by(&won[0]);
    assert!(taken.iter().all(|taken| *taken == by));
    assert_eq!(holder(&world, "key").await, Some(by.clone()));
    if let Some(again) = world.reopened().await {
        assert_eq!(again.claimed("key", NOW).await.unwrap(), Some(by));
    }
}

async fn a_taken_name_goes_before_a_busy_session(world: World) {
    let turn = create(&world, &[claim("key", true)]).await.unwrap();
    let again = claiming(false, &[claim("key", true)]);
    let outcome = Turn::create(&world.journal, &turn.lease, again).await;
    assert!(matches!(outcome.err(), Some(AppendError::Taken(taken)) if taken == by(&turn)));
    let other = claiming(false, &[claim("other", true)]);
    let outcome = Turn::create(&world.journal, &turn.lease, other).await;
    assert!(matches!(outcome.err(), Some(AppendError::Busy)));
}

async fn an_expired_name_is_free(world: World) {
    let first = create(&world, &[claim("key", true), claim("stays", true)])
        .await
        .unwrap();
    let at = NOW + 100;
    assert_eq!(world.journal.claimed("key", at).await.unwrap(), None);
    assert_eq!(
        world.journal.claimed("key", at - 1).await.unwrap(),
        Some(by(&first))
    );
    let late = NewResponse {
        created_at: at,
        claims: vec![Claim {
            expires_at: at + 50,
            ..claim("key", true)
        }],
        ..new("alice", true)
    };
    let lease = Lease::first(SessionId::fresh());
    let second = Turn::create(&world.journal, &lease, late).await.unwrap();
    let held = world.journal.claimed("key", at).await.unwrap();
    assert_eq!(held, Some(by(&second)));
    assert_eq!(world.journal.purge_claims(at, 10).await.unwrap(), 1);
    assert_eq!(world.journal.purge_claims(at, 10).await.unwrap(), 0);
    assert_eq!(holder(&world, "stays").await, None);
    assert_eq!(holder(&world, "key").await, Some(by(&second)));
}

async fn the_newest_has_a_shared_name(world: World) {
    create(&world, &[claim("body", false)]).await.unwrap();
    let second = create(&world, &[claim("body", false)]).await.unwrap();
    assert_eq!(holder(&world, "body").await, Some(by(&second)));
    // Who asks for it alone does not get it.
    let outcome = create(&world, &[claim("body", true)]).await;
    assert!(matches!(outcome.err(), Some(AppendError::Taken(taken)) if taken == by(&second)));
}

async fn a_refused_response_claims_nothing(world: World) {
    let turn = create(&world, &[claim("key", true)]).await.unwrap();
    let claims = [claim("free", true), claim("key", true)];
    assert!(create(&world, &claims).await.is_err());
    let busy = claiming(false, &[claim("free", true)]);
    let outcome = Turn::create(&world.journal, &turn.lease, busy).await;
    assert!(outcome.is_err());
    assert_eq!(holder(&world, "free").await, None);
}
