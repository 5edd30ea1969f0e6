//! [`NoConnection`]: why no connection to KMS came about, by its true cause.

use std::error::Error;
use std::io::{self, ErrorKind};

use rustls::CertificateError;

/// A connection that did not come about: nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoConnection {
    /// Host and port, as they were configured.
    host: String,
    cause: Cause,
    /// The variable that names a proxy, which is not used.
    proxy: Option<&'static str>,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The name has no address.
    Name,
    /// Nobody listens there.
    Refused,
    /// No way leads there.
    Unreachable,
    Timeout,
    /// The certificate, and what is wrong with it.
    Certificate(&'static str),
    /// The other side speaks no TLS, or none that we do.
    Tls,
    /// None of these.
    Unknown,
}

impl NoConnection {
    /// What reqwest's error of a failed connection tells. Its text is not kept: it holds the URL.
    pub(super) fn of(error: &reqwest::Error, host: String, proxy: Option<&'static str>) -> Self {
        let cause = if error.is_timeout() { Cause::Timeout } else { cause(error) };
        // A proxy would not be asked for the way to this machine.
        let proxy = proxy.filter(|_| !is_loopback(&host));
        Self { host, cause, proxy }
    }

    /// Whether another attempt may go better.
    pub(super) fn is_passing(&self) -> bool {
        !matches!(self.cause, Cause::Certificate(_) | Cause::Tls)
    }

    /// What happened.
    pub(super) fn message(&self) -> String {
        let host = &self.host;
        let mut text = match self.cause {
            Cause::Name => format!("the name `{host}` could not be resolved (DNS)"),
            Cause::Refused => format!("`{host}` refused the connection"),
            Cause::Unreachable => format!("there is no network route to `{host}`"),
            Cause::Timeout => format!("the connection to `{host}` timed out"),
            Cause::Certificate(why) => {
                format!("the certificate of `{host}` is not trusted: {why}")
            }
            Cause::Tls => format!("no TLS connection with `{host}` could be agreed on"),
            Cause::Unknown => format!("no connection to `{host}` could be made"),
        };
        if let Some(variable) = self.proxy {
            text.push_str(&format!("; `{variable}` names a proxy, but kms-mcp uses none"));
        }
        text
    }

    /// What to do next.
    pub(super) fn next(&self) -> String {
        match self.cause {
            Cause::Certificate(_) | Cause::Tls => "Tell the person: the endpoint, or something between here and KMS, is not what the certificate authorities of this system vouch for. Calling again does not help.".into(),
            _ if is_loopback(&self.host) => "Tell the person: nothing answers at this address of this machine. A sandbox without the loopback network stops the embedded KMS too.".into(),
            _ if self.proxy.is_some() => format!("Tell the person: kms-mcp uses no proxy by design and needs a direct way to `{}`.", self.host),
            Cause::Name => "Check the region and the name resolution of the network, then call again.".into(),
            Cause::Refused | Cause::Unreachable | Cause::Timeout | Cause::Unknown => {
                "Check the region and the network, then call again.".into()
            }
        }
    }
}

fn is_loopback(host: &str) -> bool {
    ["127.0.0.1", "[::1]", "localhost"].iter().any(|name| host.starts_with(name))
}

/// The first cause that is known, from the error down to where it began.
fn cause(error: &reqwest::Error) -> Cause {
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = next {
        // The type of hyper-util's error is private; its text is one of a few fixed words.
        if error.to_string() == "dns error" {
            return Cause::Name;
        }
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return of_tls(error);
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            #[expect(clippy::wildcard_enum_match_arm, reason = "io::ErrorKind grows")]
            match error.kind() {
                ErrorKind::ConnectionRefused => return Cause::Refused,
                ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
                    return Cause::Unreachable;
                }
                ErrorKind::TimedOut => return Cause::Timeout,
                _ => {}
            }
        }
        // An error in an io::Error is not its source, but stands in its place.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    Cause::Unknown
}

fn of_tls(error: &rustls::Error) -> Cause {
    let rustls::Error::InvalidCertificate(certificate) = error else { return Cause::Tls };
    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open")]
    Cause::Certificate(match certificate {
        CertificateError::UnknownIssuer => "unknown issuer",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired, by the clock of this machine"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet, by the clock of this machine"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name"
        }
        CertificateError::Revoked => "it was revoked",
        _ => "it is self-signed, or not valid for a server",
    })
}
