//! Listening, and knowing when to stop.

use std::io::{self, Write as _};
use std::sync::Arc;

use axum::serve::ListenerExt as _;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};

use super::settings::{Listen, Settings};
use super::{Shared, router};

/// Serves until SIGTERM or until nothing happened for the idle time.
pub(super) async fn run(settings: Settings) -> io::Result<()> {
    let idle_timeout = settings.idle_timeout;
    let shared = Shared::new(settings);
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = listen(&shared) => outcome,
        _ = terminate.recv() => Ok(()),
        () = shared.activity.idle_for(idle_timeout) => Ok(()),
    }
}

async fn listen(shared: &Arc<Shared>) -> io::Result<()> {
    let app = router(shared);
    match &shared.settings.listen {
        Listen::Tcp(address) => {
            let listener = TcpListener::bind(address).await?;
            announce(shared, &format!("http://{}", listener.local_addr()?))?;
            // Small pieces of output must not wait for an acknowledgement.
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            axum::serve(listener, app).await
        }
        Listen::Unix(path) => {
            let listener = UnixListener::bind(path)?;
            announce(shared, &format!("unix:{}", path.display()))?;
            axum::serve(listener, app).await
        }
    }
}

fn announce(shared: &Shared, address: &str) -> io::Result<()> {
    if !shared.settings.announce {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{address}")?;
    out.flush()
}
