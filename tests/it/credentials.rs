//! Credentials as people have them: every prefix of the variables, files that other programs
//! wrote, and keys that are none.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::first_run::{list, profile, towards};
use crate::harness::{Emulator, Server, ServerOptions};

/// The prefixes of the key's variables, in their order.
const PREFIXES: [&str; 3] = ["ALIBABA_CLOUD", "ALIBABACLOUD", "ALICLOUD"];

fn with_key(options: ServerOptions, prefix: &str, id: &str, secret: &str) -> ServerOptions {
    options
        .env(&format!("{prefix}_ACCESS_KEY_ID"), id)
        .env(&format!("{prefix}_ACCESS_KEY_SECRET"), secret)
}

/// Writes `~/.aliyun/config.json`.
fn write(home: &Path, content: impl AsRef<[u8]>) -> PathBuf {
    let folder = home.join(".aliyun");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.json");
    fs::write(&file, content).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file
}

/// The error of a call, with its code; and the server's stderr.
fn error(home: &Path, options: ServerOptions, code: &str) -> (String, String) {
    let mut server = Server::start_in(home, options);
    let envelope = list(&mut server);
    assert_eq!(envelope["Error"]["Code"], code, "{envelope}");
    assert_eq!(envelope["Error"]["Changed"], "no");
    let message = envelope["Error"]["Message"].as_str().unwrap().to_owned();
    (message, server.finish().1)
}

fn works(home: &Path, options: ServerOptions) -> String {
    let mut server = Server::start_in(home, options);
    assert_eq!(list(&mut server)["Status"], "ok");
    server.finish().1
}

#[test]
fn every_prefix_is_read_and_the_first_one_counts() {
    let emulator = Emulator::start();
    let (id, secret) = (emulator.access_key_id.as_str(), emulator.access_key_secret.as_str());
    let home = TempDir::new().unwrap();
    for prefix in PREFIXES {
        works(home.path(), with_key(towards(&emulator), prefix, id, secret));
    }
    // The other one is named, in the log and where the first one is refused.
    let wrong = with_key(towards(&emulator), "ALIBABACLOUD", "LTAI5tOther", "other");
    let (message, log) =
        error(home.path(), with_key(wrong, "ALICLOUD", id, secret), "InvalidAccessKeyId.NotFound");
    for said in [message, log] {
        assert!(said.contains("`ALIBABACLOUD_ACCESS_KEY_ID`"), "{said}");
        assert!(said.contains("`ALICLOUD_ACCESS_KEY_ID` holds another one"), "{said}");
    }
    // A key is not put together from two prefixes.
    let half =
        with_key(towards(&emulator), "ALICLOUD", id, secret).env("ALIBABA_CLOUD_ACCESS_KEY_ID", id);
    let (message, _) = error(home.path(), half, "NoCredentials");
    assert!(message.contains("`ALIBABA_CLOUD_ACCESS_KEY_SECRET` is not"), "{message}");
    emulator.faults("security_tokens = ['canary-token-1']");
    for prefix in PREFIXES {
        let key = with_key(towards(&emulator), prefix, id, secret);
        works(home.path(), key.env(&format!("{prefix}_SECURITY_TOKEN"), "canary-token-1"));
    }
}

#[test]
fn the_profile_is_chosen_as_the_cli_chooses_it() {
    let emulator = Emulator::start();
    let home = TempDir::new().unwrap();
    let mut prod = profile(&emulator, "prod", "AK");
    prod["access_key_id"] = "LTAI5tProd".into();
    let dev = profile(&emulator, "dev", "AK");
    write(home.path(), json!({ "current": "prod", "profiles": [prod, dev] }).to_string());
    for prefix in PREFIXES {
        works(home.path(), towards(&emulator).env(&format!("{prefix}_PROFILE"), "dev"));
    }
    let both = |first: &str, second: &str| {
        towards(&emulator).env("ALIBABACLOUD_PROFILE", first).env("ALIBABA_CLOUD_PROFILE", second)
    };
    works(home.path(), both("dev", "prod"));
    let (message, log) = error(home.path(), both("prod", "dev"), "InvalidAccessKeyId.NotFound");
    for said in [message, log] {
        assert!(said.contains("profile `prod` (named by `ALIBABACLOUD_PROFILE`"), "{said}");
        assert!(said.contains("`ALIBABA_CLOUD_PROFILE` names another one"), "{said}");
    }
    for (name, value) in [
        ("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true"),
        ("ALIBABA_CLOUD_IGNORE_PROFILE", "TRUE"),
        ("ALIBABACLOUD_IGNORE_PROFILE", "TRUE"),
    ] {
        let (message, _) = error(home.path(), towards(&emulator).env(name, value), "NoCredentials");
        assert_eq!(message, "no credentials were found");
    }
    // `current` left out is `default`.
    let good = profile(&emulator, "default", "AK");
    let mut file = json!({ "profiles": [prod, good] });
    for current in [None, Some(Value::Null), Some("".into()), Some("default".into())] {
        if let Some(current) = current {
            file["current"] = current;
        }
        write(home.path(), file.to_string());
        works(home.path(), towards(&emulator));
    }
    write(home.path(), format!("\u{feff}{file}"));
    works(home.path(), towards(&emulator));
    let missing = [
        (
            json!({ "current": "gone\u{1b}[2J", "profiles": [prod, dev] }),
            "`gone??2J` (its `current`); it has `prod`, `dev`",
        ),
        (json!({ "profiles": [prod] }), "`default` (it names no `current`); it has `prod`"),
        (json!({ "current": "a", "profiles": null }), "`a` (its `current`); it has none"),
    ];
    for (file, says) in missing {
        write(home.path(), file.to_string());
        let (message, log) = error(home.path(), towards(&emulator), "NoCredentials");
        assert!(message.contains(says) && log.contains(says), "{message}\n{log}");
    }
}

#[test]
fn what_cannot_be_a_key_is_named_and_nothing_is_sent() {
    let emulator = Emulator::start();
    let home = TempDir::new().unwrap();
    let (id, secret) = ("LTAI5tCanaryOfTheId", "CanaryOfTheSecret");
    let from_variables =
        |id: &str, secret: &str| with_key(towards(&emulator), "ALIBABA_CLOUD", id, secret);
    let of_id = |text: String| (text, secret.to_owned(), "ACCESS_KEY_ID", "access_key_id");
    let of_secret = |text: String| (id.to_owned(), text, "ACCESS_KEY_SECRET", "access_key_secret");
    for ((id, secret, variable, member), says) in [
        (of_id(format!("{id}\n")), "line break"),
        (of_id(format!(" {id}")), "space"),
        (of_id(format!("{id}\u{a0}")), "space"),
        (of_id(format!("\"{id}\"")), "quotation marks"),
        (of_id(format!("{id}密钥")), "character that no AccessKey has"),
        (of_id("${Canary}".into()), "placeholder"),
        (of_id("${env:Canary}".into()), "no program has expanded"),
        (of_id("<your-access-key-id-Canary>".into()), "placeholder"),
        (of_secret(format!("{secret}\r\n")), "line break"),
        (of_secret("${input:Canary}".into()), "placeholder"),
    ] {
        let (message, log) = error(home.path(), from_variables(&id, &secret), "NoCredentials");
        assert!(message.contains(&format!("`ALIBABA_CLOUD_{variable}`")), "{message}");
        assert!(message.contains(says) && !(message + &log).contains("Canary"), "{log}");
        let mut profile = profile(&emulator, "default", "AK");
        (profile["access_key_id"], profile["access_key_secret"]) = (id.into(), secret.into());
        let file = write(home.path(), json!({ "profiles": [profile] }).to_string());
        let (message, log) = error(home.path(), towards(&emulator), "NoCredentials");
        assert!(message.contains(&format!("`{member}` of the profile `default`")), "{message}");
        assert!(message.contains(says) && !(message + &log).contains("Canary"), "{log}");
        fs::remove_file(file).unwrap();
    }
    assert!(emulator.requests().is_empty());
}

/// What the person wrote is at fault, so it is named, and not the argument of the agent.
#[test]
fn a_profile_or_region_that_cannot_be_meant_is_named_where_it_was_read() {
    let emulator = Emulator::start();
    let home = TempDir::new().unwrap();
    let (id, secret) = (emulator.access_key_id.as_str(), emulator.access_key_secret.as_str());
    let without_region = || {
        let mut options = towards(&emulator);
        options
            .arguments
            .retain(|argument| !argument.contains("region") && argument != "cn-hangzhou");
        options
    };
    let bad = [
        ("${Canary}", "no program has expanded"),
        ("<Canary>", "placeholder"),
        ("%Canary%", "placeholder"),
        ("cn-hangzhou\n", "line break"),
        (" cn-hangzhou", "space"),
    ];
    for (text, says) in bad {
        let mut default = profile(&emulator, "default", "AK");
        let mut file = json!({ "profiles": [default] });
        write(home.path(), file.to_string());
        let named = towards(&emulator).env("ALIBABA_CLOUD_PROFILE", text);
        let (message, log) = error(home.path(), named, "NoCredentials");
        assert!(message.contains("`ALIBABA_CLOUD_PROFILE`") && message.contains(says), "{message}");
        assert!(!(message + &log).contains("Canary"), "{log}");
        file["current"] = text.into();
        write(home.path(), file.to_string());
        let (message, _) = error(home.path(), towards(&emulator), "NoCredentials");
        assert!(message.contains("`current` of") && message.contains(says), "{message}");

        default["region_id"] = text.into();
        write(home.path(), json!({ "profiles": [default] }).to_string());
        let mut server = Server::start_in(home.path(), without_region());
        let envelope = list(&mut server);
        assert_eq!(envelope["Error"]["Code"], "NoRegion", "{envelope}");
        let message = envelope["Error"]["Message"].as_str().unwrap();
        assert!(message.contains("`region_id` of the profile `default`"), "{message}");
        assert!(message.contains(says), "{message}");
        let next = envelope["Error"]["Next"].as_str().unwrap();
        assert!(next.contains("the person corrects the region"), "{next}");

        let key = || with_key(without_region(), "ALIBABA_CLOUD", id, secret);
        for (options, place) in [
            (key().env("ALIBABACLOUD_REGION_ID", text), "`ALIBABACLOUD_REGION_ID`"),
            (key().arg("--region").arg(text), "`--region`"),
            (key().config(&format!("region = {text:?}\n")), "`region` of config.toml"),
        ] {
            let (status, stderr) = Server::spawn_in(home.path(), options).finish();
            assert!(!status.success() && stderr.contains(place), "{stderr}");
            assert!(stderr.contains(says) && !stderr.contains("Canary"), "{stderr}");
        }
    }
    assert!(emulator.requests().is_empty());
    // A profile that is really called so is used.
    let odd = profile(&emulator, "<mine>", "AK");
    write(home.path(), json!({ "current": "<mine>", "profiles": [odd] }).to_string());
    works(home.path(), towards(&emulator));
}

#[test]
fn a_file_of_profiles_that_others_can_change_is_not_used() {
    let emulator = Emulator::start();
    let home = TempDir::new().unwrap();
    let content = json!({ "profiles": [profile(&emulator, "default", "AK")] }).to_string();
    let file = write(home.path(), &content);
    let folder = file.parent().unwrap();
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for (path, mode) in [(&*file, 0o666), (&*file, 0o620), (folder, 0o777)] {
        set(path, mode);
        let (message, _) = error(home.path(), towards(&emulator), "NoCredentials");
        assert!(message.contains(&path.display().to_string()), "{message}");
        assert!(message.contains("chmod go-w"), "{message}");
        set(&file, 0o600);
        set(folder, 0o755);
    }
    assert!(emulator.requests().is_empty());
    assert!(!works(home.path(), towards(&emulator)).contains("others can read"));
    set(&file, 0o644);
    let log = works(home.path(), towards(&emulator));
    assert!(log.contains("others can read") && log.contains("chmod go-rwx"), "{log}");
    // A link is as good as what it leads to.
    let dots = home.path().join("dots");
    fs::create_dir(&dots).unwrap();
    fs::rename(&file, dots.join("aliyun.json")).unwrap();
    symlink("../dots/aliyun.json", &file).unwrap();
    works(home.path(), towards(&emulator));
    set(&dots, 0o777);
    let (message, _) = error(home.path(), towards(&emulator), "NoCredentials");
    assert!(message.contains("dots") && message.contains("chmod go-w"), "{message}");
    // A pipe in its place does not hold the server.
    fs::remove_file(&file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(made.success());
    let (message, _) = error(home.path(), towards(&emulator), "NoCredentials");
    assert!(message.contains("is not a regular file"), "{message}");
}
