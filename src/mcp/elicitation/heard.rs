//! [`Heard`]: what a client said when it was asked. None of it is a person's word.

use rmcp::model::{ElicitResult, ElicitationAction};
use rmcp::service::ServiceError;
use serde_json::Value;

use super::{Mode, QUESTION};

/// What became of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mcp) enum Heard {
    /// The match code was typed into the form.
    Typed,
    /// The page was opened. What is decided there is another matter.
    Opened,
    /// The user said no, as the client says.
    Declined,
    /// The dialog was closed without a choice; some clients say so where they cannot show it.
    Dismissed,
    /// Accepted, but the code was not typed: nobody need have read the form.
    Untyped,
    /// The client answered with an error, or with what is no answer.
    Unavailable,
    /// The client said nothing in time.
    TimedOut,
}

impl Heard {
    /// Of an answer to a question with that match code.
    pub(super) fn of(result: &ElicitResult, mode: Mode, match_code: &str) -> Self {
        match (&result.action, mode) {
            (ElicitationAction::Decline, _) => Self::Declined,
            (ElicitationAction::Cancel, _) => Self::Dismissed,
            (ElicitationAction::Accept, Mode::Url) => Self::Opened,
            (ElicitationAction::Accept, Mode::Form) => {
                let typed = result.content.as_ref().and_then(|content| content.get(QUESTION));
                let typed = typed.and_then(Value::as_str).unwrap_or_default().trim();
                if typed.eq_ignore_ascii_case(match_code) { Self::Typed } else { Self::Untyped }
            }
            // An action that is not known today is no consent tomorrow.
            _ => Self::Unavailable,
        }
    }

    /// Of a request that brought no answer.
    pub(super) fn of_failure(failure: &ServiceError) -> Self {
        if matches!(failure, ServiceError::Timeout { .. }) {
            Self::TimedOut
        } else {
            Self::Unavailable
        }
    }

    /// For the audit log: how there came to be no consent.
    pub(in crate::mcp) fn outcome(self) -> &'static str {
        match self {
            Self::Typed => "typed",
            Self::Opened => "opened",
            Self::Declined => "declined",
            Self::Dismissed => "dismissed",
            Self::Untyped => "untyped",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed_out",
        }
    }

    /// For the agent, of a question that is still open.
    pub(in crate::mcp) fn note(self) -> &'static str {
        match self {
            Self::Typed => "The client's consent came too late or could not be recorded.",
            Self::Opened => "The client opened the approval page; nothing was decided there yet.",
            Self::Declined => {
                "The client says that its user declined: there is no consent. Ask the person before anything else; if they want the call after all, they approve with ApproveWith."
            }
            Self::Dismissed => {
                "The client's dialog was closed without a choice, or could not be shown: there is no consent. The person can still approve with ApproveWith."
            }
            Self::Untyped => {
                "The client accepted its form without the match code: that is no consent. The person can still approve with ApproveWith."
            }
            Self::Unavailable => {
                "The client could not ask: there is no consent. The person can still approve with ApproveWith."
            }
            Self::TimedOut => {
                "The client's dialog was not answered in time: there is no consent. The person can still approve with ApproveWith."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_typed_code_is_a_consent_and_only_a_form_gives_one() {
        let answers = [
            (json!({ "action": "accept", "content": { "confirm": " 58-kiwi " } }), Heard::Typed),
            (json!({ "action": "accept", "content": { "confirm": "58-KIW" } }), Heard::Untyped),
            (json!({ "action": "accept", "content": { "confirm": true } }), Heard::Untyped),
            (json!({ "action": "accept", "content": { "confirm": "" } }), Heard::Untyped),
            (json!({ "action": "accept", "content": {} }), Heard::Untyped),
            (json!({ "action": "accept", "content": "58-KIWI" }), Heard::Untyped),
            (json!({ "action": "accept" }), Heard::Untyped),
            (json!({ "action": "decline", "content": { "confirm": "58-KIWI" } }), Heard::Declined),
            (json!({ "action": "cancel", "content": { "confirm": "58-KIWI" } }), Heard::Dismissed),
        ];
        for (answer, expected) in answers {
            let result: ElicitResult = serde_json::from_value(answer.clone()).unwrap();
            assert_eq!(Heard::of(&result, Mode::Form, "58-KIWI"), expected, "{answer}");
            let opened = matches!(expected, Heard::Typed | Heard::Untyped);
            let expected = if opened { Heard::Opened } else { expected };
            assert_eq!(Heard::of(&result, Mode::Url, "58-KIWI"), expected, "{answer}");
        }
    }
}
