//! Exposed ports: `/jobs-proxy/{jobId}--{port}.local/…` leads to the job's own server, both ways streaming.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::header::{AUTHORIZATION, CONNECTION, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::job::{Job, Stage};
use crate::error::HubError;
use crate::state::App;
use crate::token::Caller;

const CONNECT: Duration = Duration::from_secs(5);

/// Passes a request on. Errors: 401, 403, 404, 502.
pub async fn forward(
    State(app): State<Arc<App>>,
    Path(captured): Path<Vec<(String, String)>>,
    caller: Caller,
    request: Request,
) -> Result<Response, HubError> {
    let target = captured.first().map_or("", |(_, value)| value.as_str());
    let (job, port) = find(&app, target)?;
    if !job.spec.expose.ports_public.contains(&port) && caller.require()?.name != job.owner.name {
        return Err(HubError::forbidden("This job belongs to someone else"));
    }
    if job.status().stage != Stage::Running {
        return Err(HubError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Job is not running",
        ));
    }
    let (stream, address) = connect(&job, port).await?;
    let request = rewrite(request, target, address);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| unreachable_port())?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "job connection");
        }
    });
    let response = sender
        .send_request(request)
        .await
        .map_err(|_| unreachable_port())?;
    let (mut parts, body) = response.into_parts();
    remove_hop_headers(&mut parts.headers);
    Ok(Response::from_parts(parts, Body::new(body)))
}

fn find(app: &App, target: &str) -> Result<(Arc<Job>, u16), HubError> {
    let parsed = target
        .strip_suffix(".local")
        .and_then(|name| name.split_once("--"));
    let found = parsed.and_then(|(id, port)| Some((app.jobs.get(id)?, port.parse().ok()?)));
    found
        .filter(|(job, port)| {
            job.spec.expose.ports.contains(port) || job.spec.expose.ports_public.contains(port)
        })
        .ok_or_else(|| HubError::not_found("No such exposed port"))
}

/// A server that listens on the job's own address, else one on the usual loopback address.
async fn connect(job: &Job, port: u16) -> Result<(TcpStream, SocketAddr), HubError> {
    for ip in [job.address, Ipv4Addr::LOCALHOST] {
        let address = SocketAddr::new(IpAddr::V4(ip), port);
        if let Ok(Ok(stream)) = tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
            return Ok((stream, address));
        }
    }
    Err(unreachable_port())
}

fn unreachable_port() -> HubError {
    HubError::new(
        StatusCode::BAD_GATEWAY,
        "The job does not answer on this port",
    )
}

/// The request as the job sees it: the path behind the prefix, and without the caller's Hugging Face token.
fn rewrite(request: Request, target: &str, address: SocketAddr) -> Request {
    let (mut parts, body) = request.into_parts();
    let whole = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let prefix = format!("/jobs-proxy/{target}");
    let rest = whole.strip_prefix(&prefix).unwrap_or("/");
    let rest = if rest.starts_with('/') {
        rest.to_owned()
    } else {
        format!("/{rest}")
    };
    parts.uri = rest.parse().unwrap_or(Uri::from_static("/"));
    remove_hop_headers(&mut parts.headers);
    parts.headers.remove(AUTHORIZATION);
    if let Ok(host) = HeaderValue::from_str(&address.to_string()) {
        parts.headers.insert(HOST, host);
    }
    Request::from_parts(parts, body)
}

fn remove_hop_headers(headers: &mut HeaderMap) {
    const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
    for name in [CONNECTION, KEEP_ALIVE, TE, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
}
