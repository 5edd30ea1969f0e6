//! The HTTP face: listens, reads raw requests, sends answers, or hangs up if a fault says so.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Response, StatusCode};
use tokio::net::TcpListener;

use super::connection::{AbortHandle, AbortableListener};
use super::error::KmsError;
use super::faults::Effect;
use super::random;
use super::request::{Parsed, Received};
use super::service::Service;
use super::visit::Visit;

const BODY_LIMIT: usize = 1024 * 1024;
/// What requests under way get when the server is told to stop.
const GRACE: Duration = Duration::from_secs(1);

/// Answers on `listener` until `until`, then gives requests under way a moment.
pub(crate) async fn serve(
    service: Arc<Service>,
    listener: TcpListener,
    until: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new().fallback(handle).with_state(Arc::clone(&service));
    let mut stopped = service.stop.subscribe();
    let server = axum::serve(
        AbortableListener::new(listener),
        router.into_make_service_with_connect_info::<AbortHandle>(),
    )
    .with_graceful_shutdown(async move {
        until.await;
        service.stop.send_replace(true);
    });
    tokio::select! {
        outcome = async { server.await } => outcome,
        () = async {
            let _ = stopped.wait_for(|stopped| *stopped).await;
            tokio::time::sleep(GRACE).await;
        } => Ok(()),
    }
}

async fn handle(
    State(service): State<Arc<Service>>,
    ConnectInfo(connection): ConnectInfo<AbortHandle>,
    request: Request,
) -> Response<Body> {
    let request_id = random::uuid().unwrap_or_default().to_ascii_uppercase();
    let (head, body) = request.into_parts();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut received = Received {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: axum::body::Bytes::new(),
    };
    let read = match to_bytes(body, BODY_LIMIT).await {
        Ok(body) => {
            received.body = body;
            Parsed::of(&received, service.behaviour.json_bodies)
        }
        Err(_) => Err(KmsError::new(413, "RequestTooLarge", "The request body is too large.")),
    };
    let mut visit = Visit { service, request_id, received, fault: None };
    // A task of its own: what was begun is finished and recorded even if the client leaves.
    let visited = tokio::spawn(async move {
        let reply = match read {
            Ok(parsed) => {
                let reply = visit.answer(&parsed).await;
                visit.record(Some(&parsed), reply.as_ref());
                reply
            }
            Err(error) => {
                let reply = visit.error(&error);
                visit.record(None, Some(&reply));
                Some(reply)
            }
        };
        (visit, reply)
    });
    let Ok((visit, reply)) = visited.await else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    };
    if let Some(reply) = reply {
        let further = visit.service.behaviour.gateway_headers;
        return reply.into_response(&visit.request_id, further);
    }
    if matches!(visit.fault, Some(Effect::Hang)) {
        // Dropped when the client leaves; ends when the server does.
        let _ = visit.service.stop.subscribe().wait_for(|stopped| *stopped).await;
    }
    connection.abort();
    Response::new(Body::empty())
}
