//! [`Reply`]: what goes back to the client.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::Value;

use super::error::KmsError;

/// Headers of the gateway with one value for all answers (facts/kms.md §6.1).
const FURTHER: [(&str, &str); 3] = [
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "*"),
    ("keep-alive", "timeout=25"),
];

/// What goes back to the client.
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The error code, for the log.
    pub(crate) code: Option<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// A JSON answer.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            code: None,
            headers: Vec::new(),
            content_type: "application/json;charset=utf-8".to_owned(),
            body: body.to_string().into_bytes(),
        }
    }

    /// An error answer.
    pub(crate) fn error(error: &KmsError, request_id: &str, host: &str) -> Self {
        let mut reply = Self::json(error.status, &error.body(request_id, host));
        reply.code = Some(error.code.to_string());
        if let Some(after) = error.retry_after_ms {
            reply.headers.push(("x-acs-retry-after", after.to_string()));
        }
        reply
    }

    /// The answer as HTTP, with the `further` headers that third parties saw from the gateway.
    pub(crate) fn into_response(mut self, request_id: &str, further: bool) -> Response<Body> {
        if further {
            self.headers.extend(FURTHER.map(|(name, value)| (name, value.to_owned())));
            self.headers.push(("x-acs-trace-id", request_id.to_ascii_lowercase().replace('-', "")));
        }
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let own =
            [("content-type", self.content_type), ("x-acs-request-id", request_id.to_owned())];
        for (name, value) in own.into_iter().chain(self.headers) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}
