//! What every store must do: the same tests on the memory and on the SQLite backend.

// Everything here is a test; clippy knows only functions marked so.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod append;
mod claims;
mod create;
mod deletion;
mod follow;
mod listing;
mod object;
mod queries;
mod turn;
mod webhooks;
mod world;

/// Makes each test twice, once a backend.
#[macro_export]
macro_rules! on_both_backends {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::world::World::memory().await).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::world::World::sqlite().await).await;
            })*
        }
    };
}
