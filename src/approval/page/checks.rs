//! Who may ask at all: a browser of this machine that was led here by its user or by this page.

use axum::http::{HeaderMap, HeaderValue, Uri, header};

/// Headers that a proxy adds. No proxy stands before a loopback page.
const OF_A_PROXY: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/// The names by which a browser of this machine reaches the page, in a URL.
const NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Why a request is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Suspicious {
    #[error("the request names another host")]
    Host,
    #[error(
        "the page was reached through another port, such as a forwarded one, and answers only at its own. Run the command that the agent's answer gives in ApproveWith, `kms-mcp approve` with all it needs, in a terminal on the machine of the server"
    )]
    Port,
    #[error("the request came through a proxy")]
    Proxy,
    #[error("another site led here; open the address yourself instead")]
    Elsewhere,
}

/// Whether a request may be answered by the page at `port`.
pub(super) fn checked(uri: &Uri, headers: &HeaderMap, port: u16) -> Result<(), Suspicious> {
    let Some(Ok(host)) = only(headers, header::HOST.as_str()) else {
        return Err(Suspicious::Host);
    };
    if port_of(host)? != Some(port) {
        return Err(Suspicious::Port);
    }
    if uri.authority().is_some_and(|named| named.as_str().as_bytes() != host) {
        return Err(Suspicious::Host);
    }
    if OF_A_PROXY.iter().any(|name| headers.contains_key(*name)) {
        return Err(Suspicious::Proxy);
    }
    let site = only(headers, "sec-fetch-site");
    if !matches!(site, None | Some(Ok(b"same-origin" | b"none"))) {
        return Err(Suspicious::Elsewhere);
    }
    match only(headers, header::ORIGIN.as_str()) {
        None => Ok(()),
        // The same name and port that the request went to: the names are origins of their own.
        Some(Ok(origin)) if origin.strip_prefix(b"http://") == Some(host) => Ok(()),
        // A page without a referrer has no origin when it posts. The browser's own word that the
        // origin is ours says more, and no page can write it.
        Some(Ok(b"null")) if site == Some(Ok(b"same-origin")) => Ok(()),
        Some(_) => Err(Suspicious::Elsewhere),
    }
}

/// The port, if one is given, of a host that is a name of this machine. Any other name for its
/// address is how a web page gets here (DNS rebinding).
fn port_of(host: &[u8]) -> Result<Option<u16>, Suspicious> {
    let host = std::str::from_utf8(host).map_err(|_| Suspicious::Host)?;
    let rest = NAMES.iter().find_map(|name| host.strip_prefix(name)).ok_or(Suspicious::Host)?;
    if rest.is_empty() {
        return Ok(None);
    }
    let digits = rest.strip_prefix(':').ok_or(Suspicious::Host)?;
    let port: u16 = digits.parse().map_err(|_| Suspicious::Host)?;
    // As a URL has it: no sign, and no zero in front.
    if port.to_string() == digits { Ok(Some(port)) } else { Err(Suspicious::Host) }
}

/// The one header of that name. `Err`: there are several.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<Result<&'a [u8], ()>> {
    let mut all = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let first = all.next()?;
    Some(if all.next().is_some() { Err(()) } else { Ok(first) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, Uri};

    const HOST: &str = "127.0.0.1:4711";

    fn with(headers: &[(&'static str, &'static str)]) -> Result<(), Suspicious> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        checked(&Uri::from_static("/a"), &map, 4711)
    }

    #[test]
    fn the_host_is_this_machine_exactly_and_once() {
        for own in [HOST, "localhost:4711", "[::1]:4711"] {
            assert_eq!(with(&[("host", own)]), Ok(()), "{own}");
        }
        for port in ["127.0.0.1", "localhost", "127.0.0.1:4712", "localhost:80", "[::1]:471"] {
            assert_eq!(with(&[("host", port)]), Err(Suspicious::Port), "{port}");
        }
        for other in [
            "",
            "evil.test",
            "evil.test:4711",
            "localhost.evil.test:4711",
            "localhost.:4711",
            "LOCALHOST:4711",
            "127.0.0.1.evil.test:4711",
            "127.0.0.1:4711:4711",
            "127.0.0.1:+4711",
            "127.0.0.1:04711",
            "127.0.0.1:99999",
            "127.0.0.1:",
            "127.0.0.2:4711",
            "127.1:4711",
            "0.0.0.0:4711",
            "::1:4711",
            "[::1]4711",
            "[0:0:0:0:0:0:0:1]:4711",
            "user@127.0.0.1:4711",
        ] {
            assert_eq!(with(&[("host", other)]), Err(Suspicious::Host), "{other}");
        }
        assert_eq!(with(&[]), Err(Suspicious::Host));
        assert_eq!(with(&[("host", HOST), ("host", HOST)]), Err(Suspicious::Host));
        let mut map = HeaderMap::new();
        map.append("host", HeaderValue::from_static(HOST));
        let absolute = Uri::from_static("http://evil.test/a");
        assert_eq!(checked(&absolute, &map, 4711), Err(Suspicious::Host));
    }

    #[test]
    fn other_sites_and_proxies_are_turned_away() {
        let host = ("host", HOST);
        for name in OF_A_PROXY {
            assert_eq!(with(&[host, (name, "x")]), Err(Suspicious::Proxy), "{name}");
        }
        for site in ["cross-site", "same-site", "", "Same-Origin"] {
            let found = with(&[host, ("sec-fetch-site", site)]);
            assert_eq!(found, Err(Suspicious::Elsewhere), "{site}");
        }
        for origin in
            ["http://127.0.0.1", "https://127.0.0.1:4711", "http://localhost:4711", "null"]
        {
            let found = with(&[host, ("origin", origin)]);
            assert_eq!(found, Err(Suspicious::Elsewhere), "{origin}");
        }
        let both = |site| with(&[host, ("origin", "null"), ("sec-fetch-site", site)]);
        assert_eq!(both("same-origin"), Ok(()));
        assert_eq!(both("none"), Err(Suspicious::Elsewhere));
        assert_eq!(with(&[host, ("origin", "http://127.0.0.1:4711")]), Ok(()));
        let local = ("host", "localhost:4711");
        assert_eq!(with(&[local, ("origin", "http://localhost:4711")]), Ok(()));
        assert_eq!(with(&[local, ("origin", "http://127.0.0.1:4711")]), Err(Suspicious::Elsewhere));
    }
}
