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

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks the process that is to panic.
    const MARK: &str = "KMS_MCP_TEST_PANICS";

    #[test]
    fn a_panic_names_its_place_and_nothing_else() {
        let own = "harden::tests::a_panic_names_its_place_and_nothing_else";
        #[expect(clippy::disallowed_methods, reason = "tells the second process from the first")]
        if std::env::var_os(MARK).is_some() {
            process();
            panic!("hunter2-hunter2");
        }
        let ended = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", own, "--nocapture"])
            .env(MARK, "1")
            .env("RUST_BACKTRACE", "full")
            .output()
            .unwrap();
        assert!(!ended.status.success());
        let said = String::from_utf8(ended.stderr).unwrap();
        let ours = said.lines().find(|line| line.contains("met a defect")).unwrap();
        assert!(ours.contains(file!()), "{ours}");
        assert!(!said.contains("hunter2") && !said.contains("stack backtrace"), "{said}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_cannot_be_dumped() {
        use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
        process();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
        let _ = panic::take_hook();
    }
}
