//! Failures on demand: what a test tells the emulator to do wrong.
//!
//! The file is TOML, or JSON if it begins with `{`; it is read on every request and starts anew,
//! counts included, when it changed. A missing file means no faults, a wrong one makes every
//! request fail with its complaint. Members at the top, all optional:
//!
//! - `clock_offset_seconds`: moves the emulator's clock.
//! - `now`: a time such as `"2030-01-01T00:00:00Z"`, which then stands. Deletion windows, rotations
//!   and rates go by it; the times of requests are still compared with the clock.
//! - `security_tokens`: a list; requests must then carry one of them as their STS token. Without
//!   it, a request with a token is refused, as the access key is a permanent one.
//! - `rule`: a list. Of the rules that name the action, the first with `times` left applies, to
//!   requests whose signature was found right.
//!
//! A rule has `action` (default `"*"`), `skip` (let that many matching requests pass first),
//! `times` (default: without end) and `effect`, one of:
//!
//! - `"throttle"`, `{ error = { status, code, message, retry_after_ms?, extra? } }`
//! - `"hang"`: no answer until the client leaves · `{ delay_ms = 500 }`: answers late
//! - `"cut_before"`: hangs up without acting · `"cut_after"`: acts, then hangs up
//! - `"echo"`: the signature mismatch that repeats the request
//! - `"lie_version"`: answers another `VersionId` than the true one
//! - `{ override = { Field = "value" } }`: puts members into a good answer
//! - `{ raw = { status, content_type?, body } }`, where `{authorization}`, `{body}`, `{query}` and
//!   `{access_key_id}` in `body` repeat the request
//! - `{ redirect = { location } }` · `{ body_bytes = 5000000 }`: an answer of that many bytes
//!
//! ```toml
//! clock_offset_seconds = 0
//! [[rule]]
//! action = "GetSecretValue"
//! times = 2
//! effect = "throttle"
//! [[rule]]
//! effect = { error = { status = 500, code = "InternalFailure", message = "Internal Failure" } }
//! ```

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// What is done wrong to one request.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Effect {
    Error {
        status: u16,
        code: String,
        message: String,
        retry_after_ms: Option<u64>,
        #[serde(default)]
        extra: Map<String, Value>,
    },
    Throttle,
    Hang,
    DelayMs(u64),
    CutBefore,
    CutAfter,
    Echo,
    LieVersion,
    Override(Map<String, Value>),
    Raw {
        status: u16,
        #[serde(default = "json_type")]
        content_type: String,
        body: String,
    },
    Redirect {
        location: String,
    },
    BodyBytes(usize),
}

impl Effect {
    /// The name in the request log.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Error { .. } => "error",
            Self::Throttle => "throttle",
            Self::Hang => "hang",
            Self::DelayMs(_) => "delay_ms",
            Self::CutBefore => "cut_before",
            Self::CutAfter => "cut_after",
            Self::Echo => "echo",
            Self::LieVersion => "lie_version",
            Self::Override(_) => "override",
            Self::Raw { .. } => "raw",
            Self::Redirect { .. } => "redirect",
            Self::BodyBytes(_) => "body_bytes",
        }
    }
}

/// What holds for every request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    pub(crate) clock_offset_seconds: i64,
    pub(crate) now: Option<Timestamp>,
    pub(crate) security_tokens: Option<Vec<String>>,
}

/// The fault file and how often its rules were used.
#[derive(Debug)]
pub(crate) struct Faults {
    path: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What was read last; the time of change tells apart two writings of the same.
    read: Option<(Vec<u8>, Option<SystemTime>)>,
    script: Script,
    matched: Vec<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    #[serde(default)]
    clock_offset_seconds: i64,
    #[serde(default, deserialize_with = "time")]
    now: Option<Timestamp>,
    security_tokens: Option<Vec<String>>,
    #[serde(default)]
    rule: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(default = "any")]
    action: String,
    #[serde(default)]
    skip: u64,
    times: Option<u64>,
    effect: Effect,
}

fn any() -> String {
    "*".to_owned()
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(D::Error::custom)
}

fn json_type() -> String {
    "application/json;charset=utf-8".to_owned()
}

impl Faults {
    pub(crate) fn new(path: Option<PathBuf>) -> Self {
        Self { path, state: Mutex::default() }
    }

    /// Reads the file again if it changed.
    pub(crate) fn conditions(&self) -> Result<Conditions, String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let read = match &self.path {
            Some(path) => match fs::read(path) {
                Ok(content) => {
                    let changed = fs::metadata(path).and_then(|meta| meta.modified()).ok();
                    Some((content, changed))
                }
                Err(missing) if missing.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error.to_string()),
            },
            None => None,
        };
        if read != state.read {
            let script = match &read {
                Some((content, _)) => parse(content)?,
                None => Script::default(),
            };
            *state = State { matched: vec![0; script.rule.len()], read, script };
        }
        Ok(Conditions {
            clock_offset_seconds: state.script.clock_offset_seconds,
            now: state.script.now,
            security_tokens: state.script.security_tokens.clone(),
        })
    }

    /// The effect on a request for `action`, which this counts.
    pub(crate) fn effect(&self, action: &str) -> Option<Effect> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { script, matched, .. } = &mut *state;
        for (rule, matched) in script.rule.iter().zip(matched) {
            if rule.action != "*" && rule.action != action {
                continue;
            }
            let used_up = rule.times.map(|times| rule.skip.saturating_add(times));
            if used_up.is_some_and(|end| *matched >= end) {
                continue;
            }
            *matched += 1;
            if *matched > rule.skip {
                return Some(rule.effect.clone());
            }
        }
        None
    }
}

fn parse(content: &[u8]) -> Result<Script, String> {
    let text = std::str::from_utf8(content).map_err(|error| error.to_string())?;
    if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| error.to_string())
    } else {
        toml::from_str(text).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(faults: &Faults, actions: &[&str]) -> Vec<&'static str> {
        faults.conditions().unwrap();
        actions
            .iter()
            .map(|action| faults.effect(action).as_ref().map_or("-", Effect::name))
            .collect()
    }

    #[test]
    fn rules_are_counted_and_start_anew_with_the_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("faults");
        let faults = Faults::new(Some(path.clone()));
        assert_eq!(names(&faults, &["GetSecretValue"]), ["-"]);
        fs::write(
            &path,
            "clock_offset_seconds = -5\nnow = '2030-01-01T00:00:00Z'\n[[rule]]\naction = 'A'\nskip = 1\ntimes = 1\n\
             effect = 'hang'\n[[rule]]\naction = 'B'\neffect = { redirect = { location = 'x' } }\n",
        )
        .unwrap();
        assert_eq!(names(&faults, &["A", "B", "A", "A"]), ["-", "redirect", "hang", "-"]);
        let conditions = faults.conditions().unwrap();
        assert_eq!(conditions.clock_offset_seconds, -5);
        assert_eq!(conditions.now.unwrap().to_string(), "2030-01-01T00:00:00Z");
        fs::write(
            &path,
            r#"{"rule":[{"times":1,"effect":{"raw":{"status":200,"body":"{query}"}}},
                {"effect":{"override":{"Description":"x"}}},{"effect":{"body_bytes":9}}]}"#,
        )
        .unwrap();
        assert_eq!(names(&faults, &["A", "B"]), ["raw", "override"]);
        fs::write(&path, "rule = 1").unwrap();
        assert!(faults.conditions().is_err());
    }
}
