//! A call that asked for a confirmation, and what can be done about it.

use serde_json::{Value, json};

use super::{Pty, Server};

/// A call that was answered with `confirmation_required`.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub tool: String,
    pub arguments: Value,
    pub token: String,
    pub code: String,
}

impl Question {
    /// Makes the call and takes the question it is answered with.
    pub(crate) fn ask(server: &mut Server, tool: &str, arguments: Value) -> Self {
        let asked = server.call(tool, arguments.clone());
        assert_eq!(asked["Status"], "confirmation_required", "{asked}");
        let text = |name: &str| asked["Confirmation"][name].as_str().unwrap().to_owned();
        Self { tool: tool.into(), arguments, token: text("Token"), code: text("MatchCode") }
    }

    /// The disclosure of a secret to the agent.
    pub(crate) fn disclosure(server: &mut Server, name: &str) -> Self {
        Self::ask(server, "GetSecretValue", json!({ "SecretName": name, "Destination": "agent" }))
    }

    /// The arguments of the call, with the token.
    pub(crate) fn with_token(&self) -> Value {
        self.on(self.arguments.clone())
    }

    /// Other arguments, with the token.
    pub(crate) fn on(&self, mut arguments: Value) -> Value {
        arguments["ConfirmationToken"] = self.token.clone().into();
        arguments
    }

    /// Repeats the call with the token.
    pub(crate) fn redeem(&self, server: &mut Server) -> Value {
        server.call(&self.tool, self.with_token())
    }

    /// A person looks at it on a terminal and types `lines`.
    pub(crate) fn decide(&self, server: &Server, lines: &[&str]) -> Pty {
        Pty::approve(server.home(), &[&self.code], lines)
    }

    /// A person says yes.
    pub(crate) fn approve(&self, server: &Server) {
        let screen = self.decide(server, &["y"]);
        assert!(screen.text.contains("Approved."), "{}", screen.text);
    }
}

impl Server {
    /// Creates a secret with a first version `v1`.
    pub(crate) fn create(&mut self, name: &str, value: &str) {
        let arguments = json!({ "SecretName": name, "VersionId": "v1", "SecretData": value });
        let created = self.call("CreateSecret", arguments);
        assert_eq!(created["Outcome"], "created", "{created}");
    }
}
