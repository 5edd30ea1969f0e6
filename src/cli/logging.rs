//! Log events to stderr: our own targets only, whatever `RUST_LOG` says, through the scrubber, and
//! with what is hidden escaped: a message can repeat a name that stands in a file.
//! rmcp logs whole requests and results at debug (facts/mcp.md §2.4).

use std::io::{self, Write};

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::env::{Env, LOG};
use crate::scrub::Scrubber;
use crate::text::escaped_lines;

/// Starts logging. Called once.
pub(super) fn start(env: &Env, scrubber: &Scrubber) {
    let ours = Targets::new().with_default(LevelFilter::OFF).with_target("kms_mcp", level(env));
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(Scrubbed(scrubber.clone()))
        .with_ansi(false)
        .with_target(false)
        .without_time();
    // A second start, in a test, changes nothing.
    let _ = tracing_subscriber::registry().with(ours).with(layer).try_init();
}

/// The level after `kms_mcp=`, or the whole of `RUST_LOG` if it is a level.
fn level(env: &Env) -> Level {
    let asked = env.get(LOG).unwrap_or_default().split(',').find_map(|part| {
        let part = part.trim();
        part.strip_prefix("kms_mcp=").unwrap_or(part).parse().ok()
    });
    asked.unwrap_or(Level::INFO)
}

struct Scrubbed(Scrubber);

impl<'a> MakeWriter<'a> for Scrubbed {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(self.0.clone())
    }
}

/// One event, which tracing writes at once.
struct Line(Scrubber);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let clean = self.0.bytes(bytes);
        let text = String::from_utf8_lossy(clean.as_deref().unwrap_or(bytes));
        io::stderr().write_all(escaped_lines(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
