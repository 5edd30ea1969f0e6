//! Anchors and recipe: the obedient agent of `agent.rs`, with a shell, obtains nothing through
//! kms-mcp.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use super::{USER, give, said, set_mode};
use crate::agent::{Agent, Reach, VALUE, instructions, told};
use crate::harness::{
    Canaries, Emulator, Namespace, PROGRAM, Pty, Question, Server, ServerOptions,
};

/// The user of the server in the recipe; no user of the machine.
const SERVER: u32 = 64_990;
/// Where it is installed, it starts the server of the recipe.
const SUDO: &str = "/usr/bin/sudo";
const PIN: &str = "four horses";
const OWN_PIN: &str = "mine-all-mine";

/// Root's settings: nothing is left for the user to choose that could loosen.
fn settings(emulator: &Emulator, more: &str) -> String {
    format!(
        "wait_seconds = 0\npolicy = 'default'\n{more}\n[approval]\nrequire_factor = true\n[network]\nendpoints = ['{}']\n[limits]\npending = 20\nquestions = 100\n",
        emulator.url
    )
}

fn enroll(namespace: &Namespace, uid: u32) {
    let line = format!("exec kms-mcp pin enroll --uid {uid} --pin-stdin");
    let output = namespace.shell(0, Path::new("/root"), &line, &format!("{PIN}\n"));
    assert!(output.status.success(), "{}", said(&output));
}

fn has_sudo() -> bool {
    Path::new(SUDO).exists()
}

/// The file for sudo that docs/anchors.md has, for the user and the program of the tests.
fn sudoers() -> String {
    let page = include_str!("../../../docs/anchors.md");
    let start = page.find("Defaults!").unwrap();
    let file = page[start..].split("```").next().unwrap();
    file.replace("/usr/local/bin/kms-mcp", PROGRAM).replace("ann ALL", "nobody ALL")
}

/// A server that is started by the rule: nothing is left of the caller's environment, and no words
/// but these are taken.
struct Recipe {
    namespace: Namespace,
    home: TempDir,
}

impl Recipe {
    fn new(emulator: &Emulator) -> Option<Self> {
        let namespace = Namespace::new()?;
        namespace.write_settings(&settings(emulator, ""));
        let etc = |name: &str| namespace.anchors().with_file_name(name);
        let home = namespace.home(SERVER);
        set_mode(home.path(), 0o700);
        let user =
            format!("kms-mcp:x:{SERVER}:{SERVER}::{}:/usr/sbin/nologin\n", home.path().display());
        for (file, line) in [("passwd", &*user), ("shadow", "kms-mcp:*:19000:0:99999:7:::\n")] {
            let file = OpenOptions::new().append(true).open(etc(file));
            file.unwrap().write_all(line.as_bytes()).unwrap();
        }
        if has_sudo() {
            // What the file of sudo cannot name in the recipe: the emulator in the place of KMS.
            let endpoint = etc("endpoint-of-the-tests");
            fs::write(&endpoint, format!("KMS_MCP_ENDPOINT={}\n", emulator.url)).unwrap();
            let more = "Defaults!/opt/kms-mcp env_file=/etc/endpoint-of-the-tests\n";
            let rules = etc("sudoers.d").join("kms-mcp");
            fs::write(&rules, sudoers() + more).unwrap();
            fs::set_permissions(&rules, fs::Permissions::from_mode(0o440)).unwrap();
        }
        enroll(&namespace, SERVER);
        // The keys are readable by that user alone.
        let keys = home.path().join(".aliyun");
        fs::create_dir(&keys).unwrap();
        let profile = json!({ "current": "default", "profiles": [{
            "name": "default", "mode": "AK", "region_id": "cn-hangzhou",
            "access_key_id": emulator.access_key_id,
            "access_key_secret": emulator.access_key_secret }] });
        let file = keys.join("config.json");
        fs::write(&file, profile.to_string()).unwrap();
        set_mode(&file, 0o600);
        give(&file, SERVER);
        give(&keys, SERVER);
        Some(Self { namespace, home })
    }

    /// What the rule starts, for an agent whose environment would loosen what it can. The emulator
    /// stands for the KMS of the region.
    fn server(&self, emulator: &Emulator) -> Server {
        let (mut words, line) = if has_sudo() {
            let line = format!(
                "export PATH=/tmp:$PATH KMS_MCP_STATE_DIR=/tmp/mine HOME=/tmp XDG_STATE_HOME=/tmp DISPLAY=:1; exec {SUDO} -n -u kms-mcp {PROGRAM} serve"
            );
            (self.namespace.as_user(USER), line)
        } else {
            let home = self.home.path().display();
            let line = format!(
                "exec env -i SUDO_UID={USER} HOME={home} KMS_MCP_ENDPOINT={} {PROGRAM} serve",
                emulator.url
            );
            (self.namespace.as_user(SERVER), line)
        };
        words.extend(["/bin/sh", "-c", &line].map(str::to_owned));
        let options = ServerOptions {
            config: None,
            unsigned: false,
            loopback: false,
            through: words,
            ..ServerOptions::embedded()
        };
        Server::start_in(self.home.path(), options)
    }

    fn state(&self) -> PathBuf {
        self.home.path().join(".local/state/kms-mcp")
    }
}

#[test]
fn by_the_recipe_the_obedient_agent_obtains_nothing_and_the_person_decides() {
    let all = instructions();
    let canaries = Canaries::new(&[("the value", VALUE)]);
    let emulator = Emulator::start();
    let Some(recipe) = Recipe::new(&emulator) else { return };
    told(&emulator, &all);
    let hands = recipe.namespace.home(USER);
    let reach = Reach {
        words: recipe.namespace.as_user(USER),
        program: PROGRAM.into(),
        home: hands.path().to_owned(),
        state: recipe.state(),
    };
    let mut agent = Agent::with(recipe.server(&emulator), &emulator, reach);
    agent.wants();
    // Not even what breaks a server of the agent's own user breaks this one.
    for number in 0..all.len() {
        agent.turn(&all, number);
        assert!(!agent.has_the_value(&canaries), "{}", all[number].about);
    }
    for line in [
        "cat \"$STATE\"/* \"$STATE\"/*/* \"${STATE%/.local/state/kms-mcp}\"/.aliyun/config.json",
        "cat /etc/kms-mcp/approvers/*",
        "echo x >> /etc/kms-mcp/config.toml; rm -f /etc/kms-mcp/*/* /etc/kms-mcp/*; ls -l /etc/kms-mcp",
        "cp /bin/true \"$KMS_MCP\"; mv \"$KMS_MCP\" /tmp/; \"$KMS_MCP\" --version",
    ] {
        agent.shell(line);
        assert!(
            !agent.has_the_value(&Canaries::new(&[
                ("the value", VALUE),
                ("the key", &emulator.access_key_secret),
            ])),
            "{line}"
        );
    }
    assert_eq!(emulator.count("GetSecretValue"), 0);
    // `sudo -u kms-mcp kms-mcp approve`, in a server that is started by the rule again.
    agent.asked = crate::agent::Asked::default();
    agent.server = recipe.server(&emulator);
    agent.wants();
    let line = format!("exec kms-mcp approve --pin-stdin {}", agent.asked.token);
    let home = recipe.home.path();
    let wrong = recipe.namespace.shell(SERVER, home, &line, &format!("{OWN_PIN}\n"));
    assert!(said(&wrong).contains("wrong PIN"), "{}", said(&wrong));
    let right = recipe.namespace.shell(SERVER, home, &line, &format!("{PIN}\n"));
    let screen = said(&right);
    assert!(screen.contains("Approved."), "{screen}");
    assert!(
        screen.contains("settings and approver are root's; the program file is root's"),
        "{screen}"
    );
    agent.wants();
    assert!(agent.has_the_value(&canaries), "the one disclosure that a person approved");
}

/// What the file for sudo in docs/anchors.md lets through, seen by a program that prints it.
#[test]
fn by_the_recipe_no_variable_of_the_caller_reaches_the_server() {
    if !has_sudo() {
        return;
    }
    let emulator = Emulator::start();
    let Some(recipe) = Recipe::new(&emulator) else { return };
    let rules = recipe.namespace.anchors().with_file_name("sudoers.d").join("kms-mcp");
    let other = sudoers().replace(&format!("{PROGRAM} serve"), "/usr/bin/env");
    fs::write(&rules, other.replace(PROGRAM, "/usr/bin/env")).unwrap();
    let home = recipe.namespace.home(USER);
    let line = format!(
        "env PATH=/evil:$PATH TERM=evil LANG=evil LC_ALL=evil TZ=evil DISPLAY=evil XAUTHORITY=evil \
         XDG_CURRENT_DESKTOP=evil COLORS=evil BROWSER=evil HOSTNAME=evil XDG_STATE_HOME=/evil \
         KMS_MCP_POLICY=/evil HTTPS_PROXY=evil HOME=/evil {SUDO} -n -u kms-mcp /usr/bin/env"
    );
    let output = recipe.namespace.shell(USER, home.path(), &line, "");
    let text = said(&output);
    assert!(output.status.success() && !text.contains("evil"), "{text}");
    assert!(text.lines().any(|line| line == "PATH=/usr/sbin:/usr/bin:/sbin:/bin"), "{text}");
    let home = format!("HOME={}", recipe.home.path().display());
    assert!(text.lines().any(|line| line == home), "{text}");
}

/// The questions and the PIN of that server are those of its user: the person's own user has none.
#[test]
fn by_the_recipe_the_command_in_the_answer_runs_as_pasted() {
    let emulator = Emulator::start();
    let Some(recipe) = Recipe::new(&emulator) else { return };
    Server::start(ServerOptions::with_emulator(&emulator)).create("prod/db", VALUE);
    let mut server = recipe.server(&emulator);
    let asked = json!({ "SecretName": "prod/db", "Destination": "agent" });
    let answer = server.call("GetSecretValue", asked.clone());
    let command = answer["Confirmation"]["ApproveWith"].as_str().unwrap();
    let code = answer["Confirmation"]["MatchCode"].as_str().unwrap();
    assert_eq!(command, format!("sudo -u kms-mcp {PROGRAM} approve {code}"));
    if !has_sudo() {
        return;
    }
    // The agent has no password for sudo, which would ask for one at the terminal of the tests.
    let home = recipe.namespace.home(USER);
    let line = format!("setsid --wait {command} </dev/null");
    let run = recipe.namespace.shell(USER, home.path(), &line, "");
    assert!(said(&run).contains("password is required"), "{}", said(&run));
    // Root stands for a person who has. The terminal is theirs, as sudo wants to see it.
    let mut words = recipe.namespace.as_user(0);
    words.extend(["setsid", "--ctty", "--wait", "/bin/sh", "-c", command].map(str::to_owned));
    let screen = Pty::converse_through(&words, home.path(), &[], &[("[y/N]", "y"), ("PIN: ", PIN)]);
    assert!(screen.text.contains("Approved."), "{}", screen.text);
    let mut again = asked;
    again["ConfirmationToken"] = answer["Confirmation"]["Token"].clone();
    assert_eq!(server.call("GetSecretValue", again)["Result"]["SecretData"], VALUE);
}

/// Anchors alone: the agent is the user of the server, and starts servers of its own with the same
/// keys, however it likes.
#[test]
fn no_home_folder_policy_pin_row_endpoint_or_signature_of_the_users_takes_the_place_of_roots() {
    let Some(namespace) = Namespace::new() else { return };
    let emulator = Emulator::start();
    Server::start(ServerOptions::with_emulator(&emulator)).create("prod/db", VALUE);
    namespace.write_settings(&settings(&emulator, ""));
    enroll(&namespace, USER);
    let elsewhere = namespace.home(USER);
    let loose = elsewhere.path().join("all.toml");
    fs::write(
        &loose,
        "version = 1\n[[rule]]\nid = \"all\"\naction = [\"GetSecretValue\", \"DescribeSecret\", \"ListSecretVersionIds\"]\nallow = true\nreason = \"x\"\n",
    )
    .unwrap();
    give(&loose, USER);
    let loose = loose.display().to_string();
    let own = || {
        let settings = format!(
            "policy = '{loose}'\napproval.require_factor = false\nnetwork.endpoints = ['http://127.0.0.1:*']\n"
        );
        let bare = ServerOptions {
            unsigned: false,
            loopback: false,
            ..ServerOptions::with_emulator(&emulator)
        };
        namespace.options(USER, bare.config(&settings))
    };
    let folder = elsewhere.path().display().to_string();
    let tries: [(&str, ServerOptions); 6] = [
        ("settings", own()),
        ("another policy", own().arg("--policy").arg(&loose)),
        ("another XDG folder", own().env("XDG_CONFIG_HOME", &folder)),
        ("another XDG state folder", own().env("XDG_STATE_HOME", &folder)),
        ("another signature", own().arg("--signature").arg("rpc1")),
        ("no settings", ServerOptions { config: None, ..own() }),
    ];
    for (about, options) in tries {
        // Each has a home and a state folder of its own.
        let home = namespace.home(USER);
        let mut server = Server::start_in(home.path(), options);
        let question = Question::ask(
            &mut server,
            "GetSecretValue",
            json!({ "SecretName": "prod/db", "Destination": "agent" }),
        );
        let state = home.path().join("state");
        let state = state.display();
        for line in [
            format!(
                "(while sleep 0.1; do echo y; done) | timeout 5 script -qec '{PROGRAM} approve {} --state-dir {state}' /dev/null",
                question.code
            ),
            format!(
                "(while sleep 0.1; do echo {OWN_PIN}; done) | timeout 5 script -qec '{PROGRAM} pin set --state-dir {state}' /dev/null"
            ),
            format!(
                "echo {OWN_PIN} | {PROGRAM} approve --pin-stdin {} --state-dir {state}",
                question.token
            ),
            format!(
                "sqlite3 {state}/store.sqlite \"UPDATE approvals SET state='approved', method='terminal', who='x', decided_ms=created_ms+1, signature=zeroblob(64)\""
            ),
        ] {
            namespace.shell(USER, home.path(), &line, "");
            let answer = question.redeem(&mut server);
            assert_ne!(answer["Status"], "ok", "{about}: {line}: {answer}");
        }
        assert!(!server.transcript.contains(VALUE), "{about}");
    }
    assert_eq!(emulator.count("GetSecretValue"), 0);
    // Nor a relay in the place of the KMS.
    let relay = ServerOptions {
        arguments: vec!["--endpoint".into(), "http://127.0.0.1:9".into()],
        ..own()
    };
    let home = namespace.home(USER);
    let stderr = super::refused(home.path(), relay.arg("--signature").arg("rpc1"));
    assert!(stderr.contains("endpoint"), "{stderr}");
}

/// Root names the second place of checkpoints: the user can neither name another nor go on without.
#[test]
fn a_second_place_of_roots_that_was_removed_ends_all_calls() {
    let Some(namespace) = Namespace::new() else { return };
    let emulator = Emulator::start();
    Server::start(ServerOptions::with_emulator(&emulator)).create("prod/db", VALUE);
    // Even where the user can remove it, as in a folder that root left open.
    let folder = namespace.home(USER);
    let place = folder.path().join("checkpoints");
    let named = format!("audit.checkpoints.file = '{}'", place.display());
    namespace.write_settings(&settings(&emulator, &named));
    enroll(&namespace, USER);
    let elsewhere = folder.path().join("elsewhere");
    let own = format!("audit.checkpoints.file = '{}'\n", elsewhere.display());
    let home = namespace.home(USER);
    let options = ServerOptions::with_emulator(&emulator).config(&own);
    let mut server = Server::start_in(home.path(), namespace.options(USER, options));
    let asked = json!({ "SecretName": "prod/db", "Destination": "agent" });
    let question = Question::ask(&mut server, "GetSecretValue", asked);
    assert!(place.exists() && !elsewhere.exists(), "root's place counts");
    let line = format!(
        "rm {}; exec kms-mcp approve --pin-stdin {} --state-dir {}",
        place.display(),
        question.token,
        home.path().join("state").display()
    );
    namespace.shell(USER, home.path(), &line, &format!("{PIN}\n"));
    // The next record that has to be copied ends it; until then no value was asked of KMS.
    for _ in 0..200 {
        let answer = server.call("ListSecrets", json!({}));
        if answer["Status"] != "ok" {
            break;
        }
    }
    let answer = question.redeem(&mut server);
    assert_eq!(answer["Error"]["Code"], "AuditUnavailable", "{answer}");
    assert_eq!(emulator.count("GetSecretValue"), 0);
}
