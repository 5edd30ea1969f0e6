//! A gate between server and emulator: it holds an answer back until it is told to let it pass.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use super::{Emulator, PATIENCE};

/// Stands before an emulator. Answers to one action are held, one at a time.
pub(crate) struct Gate {
    pub url: String,
    held: Receiver<()>,
    release: Sender<()>,
}

impl Gate {
    /// Holds the answers to `action`.
    pub(crate) fn before(emulator: &Emulator, action: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = emulator.url.strip_prefix("http://").unwrap().to_owned();
        let mark = format!("x-acs-action: {action}").into_bytes();
        let ((tell, held), (release, released)) = (channel(), channel());
        let released = Arc::new(Mutex::new(released));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(&upstream).unwrap();
                pipe(client, server, mark.clone(), tell.clone(), Arc::clone(&released));
            }
        });
        Self { url, held, release }
    }

    /// Waits until an answer is held.
    pub(crate) fn wait(&self) {
        self.held.recv_timeout(PATIENCE).expect("an answer comes");
    }

    /// Lets it pass.
    pub(crate) fn open(&self) {
        self.release.send(()).unwrap();
    }
}

fn pipe(
    client: TcpStream,
    server: TcpStream,
    mark: Vec<u8>,
    tell: Sender<()>,
    released: Arc<Mutex<Receiver<()>>>,
) {
    let marked = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&marked);
    copy(client.try_clone().unwrap(), server.try_clone().unwrap(), move |chunk| {
        if chunk.windows(mark.len()).any(|part| part.eq_ignore_ascii_case(&mark)) {
            seen.store(true, Ordering::SeqCst);
        }
    });
    copy(server, client, move |_| {
        if marked.swap(false, Ordering::SeqCst) {
            tell.send(()).unwrap();
            released.lock().unwrap().recv().unwrap();
        }
    });
}

fn copy(mut from: TcpStream, mut to: TcpStream, before: impl Fn(&[u8]) + Send + 'static) {
    std::thread::spawn(move || {
        let mut chunk = [0; 8 * 1024];
        while let Ok(count @ 1..) = from.read(&mut chunk) {
            before(&chunk[..count]);
            if to.write_all(&chunk[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
