//! What other processes can learn of a running server: not its memory, nor anything by its
//! arguments.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use crate::harness::{Emulator, Server, ServerOptions};

#[cfg(target_os = "linux")]
#[test]
fn the_process_leaves_no_core_and_shows_no_memory() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let mut options = ServerOptions::with_emulator(&emulator);
    // A process that cannot be dumped has its /proc files owned by root. Seen from root that is no
    // difference, so the server runs as somebody else then.
    let root = rustix::process::getuid().is_root();
    if root {
        let nobody = 65_534;
        std::os::unix::fs::chown(home.path(), Some(nobody), Some(nobody)).unwrap();
        let binary = home.path().join("kms-mcp");
        fs::copy(crate::harness::BINARY, &binary).unwrap();
        let shell = format!(
            "shift; exec setpriv --reuid={nobody} --regid={nobody} --clear-groups {} \"$@\"",
            binary.display()
        );
        options = options.through(&["sh", "-c", &shell, "sh"]);
        options = ServerOptions { config: None, unsigned: false, ..options };
    }
    let mut server = Server::start_in(home.path(), options);
    assert_eq!(server.call("ListSecrets", serde_json::json!({}))["Status"], "ok");
    let proc = format!("/proc/{}", server.pid());
    let read = |name: &str| fs::read(format!("{proc}/{name}")).unwrap();
    let status = String::from_utf8(read("status")).unwrap();
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:\t")).unwrap();
    assert!(!uid.starts_with("0\t"), "{uid}");
    let environ = fs::metadata(format!("{proc}/environ")).unwrap();
    assert_eq!(environ.uid(), 0, "the process can be dumped");
    if !root {
        for name in ["environ", "mem", "maps"] {
            assert!(fs::read(format!("{proc}/{name}")).is_err(), "{name} can be read");
        }
    }
    let limits = String::from_utf8(fs::read(format!("{proc}/limits")).unwrap()).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<&str> = core.split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{core}");
}

#[cfg(target_os = "linux")]
#[test]
fn arguments_and_name_hold_no_credential() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", "hunter2-hunter2");
    for name in ["cmdline", "comm", "status"] {
        let bytes = fs::read(format!("/proc/{}/{name}", server.pid())).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for secret in [&emulator.access_key_id, &emulator.access_key_secret, "hunter2-hunter2"] {
            assert!(!text.contains(secret), "{name}");
        }
    }
}
