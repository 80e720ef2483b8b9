//! Taking connections, at most so many, and serving HTTP on each until it ends or the server does.

use crate::surface::connection::{Connection, Requests};
use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a connection may wait for its next request.
const IDLE: Duration = Duration::from_secs(75);
/// Connections at a time; more wait to be accepted.
const MOST_CONNECTIONS: usize = 4096;
/// Where the HTTP library itself gives up on a head. Well above what `head` refuses with an envelope.
const MOST_HEAD_BYTES: usize = 256 * 1024;
const MOST_HEADERS: usize = 256;
/// Without file descriptors, accepting fails until some are free.
const BREATHER: Duration = Duration::from_millis(200);

/// Serves until `stopped`, and then until every connection has ended its request.
pub(crate) async fn serve(listener: TcpListener, router: Router, stopped: CancellationToken) {
    let (free, open) = (
        Arc::new(Semaphore::new(MOST_CONNECTIONS)),
        TaskTracker::new(),
    );
    while let Some(stream) = next(&listener, &free, &stopped).await {
        match stream {
            Ok((stream, place)) => {
                let served = serve_connection(stream, router.clone(), stopped.clone());
                open.spawn(async move {
                    served.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(BREATHER).await;
            }
        }
    }
    drop(listener);
    open.close();
    open.wait().await;
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// The next connection, when there is a place for it; `None` when the server stops.
async fn next(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
    stopped: &CancellationToken,
) -> Option<io::Result<(TcpStream, Place)>> {
    let accept = async {
        // Never closed.
        let place = Arc::clone(free)
            .acquire_owned()
            .await
            .map_err(io::Error::other)?;
        let (stream, _) = listener.accept().await?;
        Ok((stream, place))
    };
    tokio::select! {
        biased;
        () = stopped.cancelled() => None,
        accepted = accept => Some(accepted),
    }
}

async fn serve_connection(stream: TcpStream, router: Router, stopped: CancellationToken) {
    // A frame goes out when it is written: nothing is gained by waiting for the next one.
    let _ = stream.set_nodelay(true);
    let requests = Arc::new(Requests::default());
    let io = TokioIo::new(Connection::new(stream, Arc::clone(&requests)));
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request| {
        let (handled, answered) = (requests.begin(), router.call(request));
        async move {
            let _handled = handled;
            answered.await
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_headers(MOST_HEADERS)
        .max_header_size(MOST_HEAD_BYTES)
        .serve_connection(io, service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
