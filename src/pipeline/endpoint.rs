//! [`Endpoint`]: the one host that every call goes to, where one is named.
//!
//! A flag or a variable may name a host of KMS over https. Any other host receives what the agent
//! must not see, so it has to be listed in `config.toml`.

use std::net::SocketAddr;

use reqwest::Url;

use super::place::looks_like_region;

/// Why an endpoint is refused when the server starts.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EndpointError {
    #[error("the endpoint is not a URL such as https://kms.cn-hangzhou.aliyuncs.com")]
    NotUrl,
    #[error("the endpoint must use https; http is for the loopback address only")]
    NotHttps,
    #[error("the endpoint must be no more than scheme, host and port")]
    TooMuch,
    #[error(
        "the endpoint is the gateway of a KMS instance, which does not serve this API; name a host such as https://kms.cn-hangzhou.aliyuncs.com"
    )]
    Instance,
    #[error(
        "the endpoint is not a host of KMS (`kms.REGION.aliyuncs.com`), and `endpoints` of `[network]` in config.toml does not list it; to use it, write: endpoints = [\"{0}\"]. Where root has /etc/kms-mcp/config.toml, that file decides"
    )]
    NotListed(String),
    #[error(
        "`network.endpoints` in config.toml must list URLs such as \"http://127.0.0.1:39881\": scheme, host and port, http and the port `*` for the loopback address only"
    )]
    List,
}

/// Where every call goes: a host of KMS, one that `config.toml` lists, or the embedded KMS.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(super) url: String,
    /// The host, with the port if it is not that of the scheme.
    pub(super) host: String,
}

impl Endpoint {
    /// The endpoint that a flag or a variable names.
    pub(crate) fn named(text: &str, listed: &Listed) -> Result<Self, EndpointError> {
        let url = parsed(text)?;
        let host = url.host_str().ok_or(EndpointError::NotUrl)?;
        if host.ends_with(".cryptoservice.kms.aliyuncs.com") {
            return Err(EndpointError::Instance);
        }
        let of_kms = url.scheme() == "https" && is_of_kms(host);
        if !of_kms && !listed.allows(&url) {
            return Err(EndpointError::NotListed(url.origin().ascii_serialization()));
        }
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Ok(Self { url: url.into(), host })
    }

    /// The embedded KMS of this process.
    pub(crate) fn embedded(address: SocketAddr) -> Self {
        Self { url: format!("http://{address}/"), host: address.to_string() }
    }
}

/// Hosts that are no KMS and may be named: `endpoints` of `[network]` in `config.toml`.
#[derive(Debug, Default)]
pub(crate) struct Listed(Vec<(Url, Port)>);

/// Which ports of a listed host may be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Port {
    /// That of the URL.
    One,
    /// Each: for tests, whose servers take any free one.
    Any,
}

impl Listed {
    /// Reads the list.
    pub(crate) fn parse(list: &[String]) -> Result<Self, EndpointError> {
        list.iter().map(|text| entry(text)).collect::<Result<_, _>>().map(Self)
    }

    fn allows(&self, url: &Url) -> bool {
        self.0.iter().any(|(listed, port)| {
            let ports =
                *port == Port::Any || listed.port_or_known_default() == url.port_or_known_default();
            ports && listed.scheme() == url.scheme() && listed.host_str() == url.host_str()
        })
    }
}

fn entry(text: &str) -> Result<(Url, Port), EndpointError> {
    let (text, port) = match text.strip_suffix(":*") {
        Some(host) => (host, Port::Any),
        None => (text, Port::One),
    };
    let url = parsed(text).map_err(|_| EndpointError::List)?;
    if port == Port::Any && !(is_loopback(&url) && url.port().is_none()) {
        return Err(EndpointError::List);
    }
    Ok((url, port))
}

/// A URL of scheme, host and port: https, or http to the loopback address.
fn parsed(text: &str) -> Result<Url, EndpointError> {
    let url = Url::parse(text).map_err(|_| EndpointError::NotUrl)?;
    if !url.has_host() {
        return Err(EndpointError::NotUrl);
    }
    let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !plain || !url.username().is_empty() || url.password().is_some() {
        return Err(EndpointError::TooMuch);
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(EndpointError::NotHttps),
        _ => Err(EndpointError::NotUrl),
    }
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

fn is_of_kms(host: &str) -> bool {
    host.strip_suffix(".aliyuncs.com").is_some_and(|name| {
        let region = name.strip_prefix("kms.").or_else(|| name.strip_prefix("kms-vpc."));
        region.is_some_and(names_region)
    })
}

/// A region as a part of a host: all begin with two letters. Of the other names below
/// `aliyuncs.com` people choose parts, as in `<bucket>.oss-cn-hangzhou.aliyuncs.com`.
fn names_region(label: &str) -> bool {
    looks_like_region(label) && label.find('-') == Some(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(list: &[&str]) -> Result<Listed, EndpointError> {
        Listed::parse(&list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
    }

    const ELSEWHERE: [&str; 6] = [
        "http://127.0.0.1:4000",
        "http://localhost:4000",
        "http://[::1]:4000",
        "https://127.0.0.1",
        "https://gateway.example:8443",
        "https://kms.aliyuncs.com",
    ];

    const NEVER: [&str; 13] = [
        "",
        "kms.cn-hangzhou.aliyuncs.com",
        "http://kms.cn-hangzhou.aliyuncs.com",
        "https://kst-x.cryptoservice.kms.aliyuncs.com",
        "https://u:p@kms.cn-hangzhou.aliyuncs.com",
        "https://kms.cn-hangzhou.aliyuncs.com/x",
        "http://127.0.0.1:4000/x",
        "file:///etc/passwd",
        "unix:/run/kms",
        "http://127.0.0.1.evil.test",
        "http://169.254.169.254/",
        "http://0.0.0.0:4000",
        "http://gateway.example",
    ];

    #[test]
    fn hosts_of_kms_need_no_line_and_others_do() {
        let (none, all) = (Listed::default(), listed(&ELSEWHERE).unwrap());
        for of_kms in [
            "https://kms.cn-hangzhou.aliyuncs.com",
            "https://kms-vpc.cn-hangzhou.aliyuncs.com/",
            "https://kms.cn-hangzhou-finance.aliyuncs.com:8443",
        ] {
            assert!(Endpoint::named(of_kms, &none).is_ok(), "{of_kms}");
        }
        for other in ELSEWHERE.into_iter().chain([
            "https://evil.test",
            "https://kms.aliyuncs.com.evil.test",
            "https://oss.aliyuncs.com",
            "https://kms.oss-cn-hangzhou.aliyuncs.com",
            "https://kms.cn-hangzhou.log.aliyuncs.com",
        ]) {
            let refused = Endpoint::named(other, &none);
            assert!(matches!(refused, Err(EndpointError::NotListed(_))), "{other}");
            assert_eq!(Endpoint::named(other, &all).is_ok(), ELSEWHERE.contains(&other), "{other}");
        }
        for bad in NEVER {
            assert!(Endpoint::named(bad, &all).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_line_allows_its_scheme_host_and_port() {
        let one = listed(&["https://gateway.example:8443", "http://127.0.0.1:4000"]).unwrap();
        for other in [
            "https://gateway.example",
            "https://gateway.example:8444",
            "https://sub.gateway.example:8443",
            "http://127.0.0.1:4001",
            "https://127.0.0.1:4000",
            "http://localhost:4000",
        ] {
            assert!(Endpoint::named(other, &one).is_err(), "{other}");
        }
        let any = listed(&["http://127.0.0.1:*"]).unwrap();
        for port in ["", ":1", ":65535"] {
            assert!(Endpoint::named(&format!("http://127.0.0.1{port}"), &any).is_ok(), "{port}");
        }
        assert!(Endpoint::named("http://[::1]:1", &any).is_err());
    }

    #[test]
    fn a_list_that_is_none_is_refused() {
        let bad =
            ["*", "http://*", "http://127.0.0.1:1:*", "https://gateway.example:*", "http://*:1"];
        for bad in bad.into_iter().chain(NEVER).filter(|text| !text.contains("kst-x")) {
            assert!(matches!(listed(&[bad]), Err(EndpointError::List)), "{bad}");
        }
    }
}
