//! [`Target`]: which KMS, as whom.

use std::sync::Arc;

use crate::credentials::Credential;

/// Where a call goes and with whose key. Made by the pipeline, owned by the permit.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) region: String,
    /// `https://kms.<region>.aliyuncs.com/`, or the endpoint that was configured.
    pub(crate) url: String,
    /// Host and, where it is not the default, port.
    pub(crate) host: String,
    pub(crate) credential: Arc<Credential>,
    /// The account id, where it is known before the call.
    pub(crate) account: Option<String>,
}
