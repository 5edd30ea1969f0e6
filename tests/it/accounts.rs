//! The account of a call is that of the AccessKey which signs it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::first_run::{profile, towards};
use crate::harness::{Emulator, Question, Relay, Server, ServerOptions};

/// Makes the key of `emulator` the one of the profile in force.
fn sign_in(home: &Path, emulator: &Emulator) {
    let folder = home.join(".aliyun");
    fs::create_dir_all(&folder).unwrap();
    let file = json!({ "profiles": [profile(emulator, "default", "AK")] });
    fs::write(folder.join("config.json"), file.to_string()).unwrap();
}

fn arn(emulator: &Emulator) -> String {
    format!("acs:kms:cn-hangzhou:{}:secret/app/db", emulator.account_id)
}

#[test]
fn an_account_is_forgotten_with_its_access_key() {
    let (one, two) = (Emulator::start(), Emulator::start());
    let relay = Relay::to(&one);
    let home = TempDir::new().unwrap();
    sign_in(home.path(), &one);
    let mut options =
        ServerOptions { unsigned: true, ..towards(&one) }.config("wait_seconds = 1\n");
    options.arguments[1].clone_from(&relay.url);
    let mut server = Server::start_in(home.path(), options);
    let describe = |server: &mut Server, name: &str| -> Value {
        server.call("DescribeSecret", json!({ "SecretName": name }))
    };
    server.create("app/db", "first-value-1");
    assert_eq!(describe(&mut server, "app/db")["Status"], "ok");
    assert_eq!(describe(&mut server, &arn(&one))["Status"], "ok");
    // The person signs in elsewhere: `aliyun configure` takes effect without a restart.
    sign_in(home.path(), &two);
    relay.turn_to(&two);
    for emulator in [&one, &two] {
        let refused = describe(&mut server, &arn(emulator));
        assert_eq!(refused["Error"]["Code"], "InvalidArgument", "{refused}");
    }
    server.create("app/db", "second-value-2");
    let question = Question::disclosure(&mut server, "app/db");
    let screen = question.decide(&server, &["y"]);
    assert!(screen.text.contains(&two.account_id), "{}", screen.text);
    assert!(!screen.text.contains(&one.account_id), "{}", screen.text);
    let answer = question.redeem(&mut server);
    assert_eq!(answer["Result"]["SecretData"], "second-value-2", "{answer}");
    assert_eq!(describe(&mut server, &arn(&two))["Status"], "ok");
    let refused = describe(&mut server, &arn(&one));
    assert_eq!(refused["Error"]["Code"], "InvalidArgument", "{refused}");
}

#[test]
fn an_answer_of_another_account_stops_the_call() {
    let emulator = Emulator::start();
    let mut server = Server::start(ServerOptions::with_emulator(&emulator));
    server.create("app/db", "hunter2-hunter2");
    let name = json!({ "SecretName": "app/db" });
    let disclosure = json!({ "SecretName": "app/db", "Destination": "agent" });
    for (tool, arguments) in [("GetSecretValue", &disclosure), ("DescribeSecret", &name)] {
        emulator.faults("");
        assert_eq!(server.call("DescribeSecret", name.clone())["Status"], "ok");
        emulator.faults(
            "[[rule]]\naction = 'DescribeSecret'\n\
             effect = { override = { Arn = 'acs:kms:cn-hangzhou:1234567890123456:secret/app/db' } }\n",
        );
        let stopped = server.call(tool, arguments.clone());
        assert_eq!(stopped["Error"]["Code"], "OtherAccount", "{tool}: {stopped}");
        assert_eq!(stopped["Error"]["Changed"], "no");
        assert!(stopped.get("Result").is_none_or(Value::is_null), "{stopped}");
    }
    assert_eq!(emulator.count("GetSecretValue"), 0);
    // It is forgotten: the next answer is learnt anew.
    emulator.faults("");
    assert_eq!(server.call("DescribeSecret", name)["Status"], "ok");
}
