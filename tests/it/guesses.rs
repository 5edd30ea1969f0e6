//! A value that stays hidden cannot be guessed: an answer does not change when a guess is right.

use serde_json::{Value, json};

use crate::harness::{Server, ServerOptions};

const VALUE: &str = "Summer-2024-x";
const OTHER: &str = "Winter-2024-x";

/// The answer with the guess itself and what is different in every call taken out.
fn shape(answer: &Value, guess: &str) -> String {
    let mut answer = answer.clone();
    for member in ["RequestId", "Confirmation"] {
        if let Some(members) = answer.as_object_mut() {
            members.remove(member);
        }
    }
    if let Some(result) = answer["Result"].as_object_mut() {
        result.remove("Arn");
        result.remove("CreateTime");
    }
    answer.to_string().replace(guess, "GUESS")
}

#[test]
fn a_label_does_not_tell_whether_it_is_the_masked_value() {
    let mut server = Server::start(ServerOptions::embedded());
    server.create("app/db", VALUE);
    let mut shapes = Vec::new();
    for guess in [OTHER, VALUE] {
        let label =
            |change: &str| json!({ "SecretName": "app/db", "VersionStage": guess, change: "v1" });
        assert_eq!(server.call("UpdateSecretVersionStage", label("MoveToVersion"))["Status"], "ok");
        let asked =
            server.call("GetSecretValue", json!({ "SecretName": "app/db", "VersionStage": guess }));
        let confirmation = &asked["Confirmation"];
        assert!(confirmation["Equivalent"]["Cli"].as_str().unwrap().contains(guess), "{asked}");
        let token = confirmation["Token"].clone();
        let read =
            json!({ "SecretName": "app/db", "VersionStage": guess, "ConfirmationToken": token });
        let answer = server.call("GetSecretValue", read);
        assert_eq!(answer["Result"]["SecretData"], "***", "{answer}");
        shapes.push(shape(&answer, guess));
        assert_eq!(
            server.call("UpdateSecretVersionStage", label("RemoveFromVersion"))["Status"],
            "ok"
        );
    }
    assert_eq!(shapes[0], shapes[1]);
}

#[test]
fn a_name_does_not_tell_whether_it_is_the_content_of_a_file() {
    let mut server = Server::start(ServerOptions::embedded());
    std::fs::write(server.state().join("values/v"), VALUE).unwrap();
    let shapes = [OTHER, VALUE].map(|guess| {
        let create =
            json!({ "SecretName": guess, "VersionId": "v1", "SecretDataSource": { "File": "v" } });
        let answer = server.call("CreateSecret", create);
        assert!(answer["Result"]["Arn"].as_str().unwrap().ends_with(guess), "{answer}");
        shape(&answer, guess)
    });
    assert_eq!(shapes[0], shapes[1]);
}
