//! A relay between server and emulator that can be turned to another emulator.

use std::io::copy;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::Emulator;

/// Where connections lead, and those that are open.
struct Way {
    upstream: String,
    open: Vec<TcpStream>,
}

/// One address, before one emulator at a time.
pub(crate) struct Relay {
    pub url: String,
    way: Arc<Mutex<Way>>,
}

impl Relay {
    /// Leads to `emulator`.
    pub(crate) fn to(emulator: &Emulator) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let way = Arc::new(Mutex::new(Way { upstream: host(emulator), open: Vec::new() }));
        let shared = Arc::clone(&way);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let mut way = shared.lock().unwrap();
                let server = TcpStream::connect(&way.upstream).unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    std::thread::spawn(move || {
                        let _ = copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                way.open.extend([client, server]);
            }
        });
        Self { url, way }
    }

    /// Leads to `emulator` from now on; what is open is closed.
    pub(crate) fn turn_to(&self, emulator: &Emulator) {
        let mut way = self.way.lock().unwrap();
        way.upstream = host(emulator);
        for stream in way.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn host(emulator: &Emulator) -> String {
    emulator.url.strip_prefix("http://").unwrap().to_owned()
}
