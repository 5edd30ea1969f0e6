//! What every test stands on: real processes, spoken to as their users do.

mod bounded;
mod browser;
mod canary;
mod emulator;
mod gate;
mod md5;
mod namespace;
mod normal;
mod pty;
mod question;
mod relay;
mod screen;
mod server;

pub(crate) use bounded::{Run, Watch, output};
pub(crate) use browser::{decide_at, look_at, press_at};
pub(crate) use canary::Canaries;
pub(crate) use emulator::Emulator;
pub(crate) use gate::Gate;
pub(crate) use namespace::{Namespace, PROGRAM};
pub(crate) use normal::normal;
pub(crate) use pty::{Pty, Turn};
pub(crate) use question::Question;
pub(crate) use relay::Relay;
pub(crate) use screen::rows_of;
pub(crate) use server::{Era, Server, ServerOptions};

/// The executable under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_kms-mcp");

/// How long anything may take before a test gives up; nothing waits that long when all is well.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);

/// Waits for what another process does, and for nothing longer than that takes.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let pause = std::time::Duration::from_millis(10);
    for _ in 0..PATIENCE.as_millis() / pause.as_millis() {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(pause);
    }
    panic!("{what} does not come");
}
