//! First thing in main: what this process holds must not end up in a core dump, in another
//! process's debugger, or in a panic message.

use std::panic;

/// Hardens the process. What the system does not offer is skipped: each is one layer of several.
pub(crate) fn process() {
    no_core_dumps();
    not_dumpable();
    panic::set_hook(Box::new(|info| {
        // The message may quote upstream text or a value; the place alone is enough to find it.
        let place = info
            .location()
            .map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        #[expect(clippy::print_stderr, reason = "the log may be what failed")]
        {
            eprintln!("kms-mcp met a defect{place}; please report it");
        }
    }));
}

fn no_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// No `ptrace` and no `/proc/PID/environ` for other processes of the same user.
#[cfg(target_os = "linux")]
fn not_dumpable() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

#[cfg(not(target_os = "linux"))]
fn not_dumpable() {}
