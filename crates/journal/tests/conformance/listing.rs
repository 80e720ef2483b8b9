//! Listing: every filter, alone and together, in both orders.

use crate::turn::Turn;
use crate::world::{World, new};
use journal::{Lease, Listing, NewResponse, Phase};
use protocol::{ResponseId, SessionId};

crate::on_both_backends!(filters_hold_together, pages_meet_in_both_orders);

async fn create(world: &World, lease: &Lease, opens: bool, pairs: &[(&str, &str)]) -> Turn {
    let metadata = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    let new = NewResponse {
        metadata: metadata.collect(),
        ..new("alice", opens)
    };
    Turn::create(&world.journal, lease, new).await.unwrap()
}

async fn list(world: &World, listing: &Listing) -> Vec<ResponseId> {
    let rows = world.journal.list(listing).await.unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

async fn filters_hold_together(world: World) {
    let lease = Lease::first(SessionId::fresh());
    let mut first = create(&world, &lease, true, &[("run", "a"), ("x", "1")]).await;
    first.complete().await;
    let second = create(&world, &lease, false, &[("run", "a"), ("x", "2")]).await;
    let other = Lease::first(SessionId::fresh());
    let third = create(&world, &other, true, &[("run", "a"), ("x", "1")]).await;
    let mut bobs = Turn::begin(&world.journal, "bob").await;
    bobs.complete().await;
    let all = Listing::newest("alice", 10);
    let (a, b, c) = (&first.id, &second.id, &third.id);
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        let owned = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        owned.collect()
    };
    let session = Some(lease.session().clone());
    let table: Vec<(Listing, Vec<&ResponseId>)> = vec![
        (all.clone(), vec![c, b, a]),
        (
            Listing {
                metadata: pairs(&[("run", "a")]),
                ..all.clone()
            },
            vec![c, b, a],
        ),
        (
            Listing {
                metadata: pairs(&[("run", "a"), ("x", "1")]),
                ..all.clone()
            },
            vec![c, a],
        ),
        (
            Listing {
                metadata: pairs(&[("x", "1"), ("run", "b")]),
                ..all.clone()
            },
            vec![],
        ),
        (
            Listing {
                session: session.clone(),
                ..all.clone()
            },
            vec![b, a],
        ),
        (
            Listing {
                phases: Some(vec![Phase::Completed]),
                ..all.clone()
            },
            vec![a],
        ),
        (
            Listing {
                phases: Some(vec![Phase::Queued, Phase::Running]),
                ..all.clone()
            },
            vec![c, b],
        ),
        (
            Listing {
                session,
                metadata: pairs(&[("x", "1")]),
                phases: Some(vec![Phase::Completed, Phase::Failed]),
                ..all.clone()
            },
            vec![a],
        ),
        (
            Listing {
                owner: "bob".into(),
                metadata: pairs(&[("run", "a")]),
                ..all
            },
            vec![],
        ),
    ];
    for (listing, mut expected) in table {
        let got = list(&world, &listing).await;
        assert_eq!(got.iter().collect::<Vec<_>>(), expected, "{listing:?}");
        expected.reverse();
        let ascending = Listing {
            newest_first: false,
            ..listing
        };
        let got = list(&world, &ascending).await;
        assert_eq!(got.iter().collect::<Vec<_>>(), expected, "{ascending:?}");
    }
}

async fn pages_meet_in_both_orders(world: World) {
    let mut created = Vec::new();
    for index in 0..7 {
        let lease = Lease::first(SessionId::fresh());
        let pairs = [("run", "a"), ("n", if index % 2 == 0 { "0" } else { "1" })];
        created.push(create(&world, &lease, true, &pairs).await.id);
    }
    for newest_first in [false, true] {
        for metadata in [vec![], vec![("run".to_owned(), "a".to_owned())]] {
            let mut paged: Vec<ResponseId> = Vec::new();
            loop {
                let listing = Listing {
                    newest_first,
                    metadata: metadata.clone(),
                    after: paged.last().cloned(),
                    ..Listing::newest("alice", 3)
                };
                let page = list(&world, &listing).await;
                if page.is_empty() {
                    break;
                }
                paged.extend(page);
            }
            let mut expected = created.clone();
            if newest_first {
                expected.reverse();
            }
            assert_eq!(paged, expected);
        }
    }
}
