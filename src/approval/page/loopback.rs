//! [`Loopback`]: the sockets of the page. One port on 127.0.0.1 and, where there is IPv6, on ::1:
//! a browser may take `localhost` for either, and nobody else is to answer there.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::net::TcpListener;

/// How many ports are tried until one is free on both.
const ATTEMPTS: usize = 16;

/// The listeners, and their port.
#[derive(Debug)]
pub(super) struct Loopback {
    pub(super) ipv4: TcpListener,
    /// `None`: this machine has no IPv6.
    pub(super) ipv6: Option<TcpListener>,
    pub(super) port: u16,
}

impl Loopback {
    /// Takes a port that the system chooses.
    pub(super) async fn bind() -> io::Result<Self> {
        for _ in 0..ATTEMPTS {
            let ipv4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let port = ipv4.local_addr()?.port();
            match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
                Ok(ipv6) => return Ok(Self { ipv4, ipv6: Some(ipv6), port }),
                // Somebody else answers there: no address may lead to them.
                Err(error) if error.kind() == ErrorKind::AddrInUse => {}
                Err(_) => return Ok(Self { ipv4, ipv6: None, port }),
            }
        }
        Err(ErrorKind::AddrInUse.into())
    }
}
