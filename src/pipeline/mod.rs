//! A call, end to end: parse → admit → send → view → record → reply, and nothing else.

mod accounts;
mod arguments;
mod auto_key;
mod caller;
mod ending;
mod endpoint;
mod new_version;
mod place;
mod repeated;
mod secret_lock;
mod steps;
mod turn;
mod version_list;
mod versions;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::approval::{ApproveCommand, Page, Viewer};
use crate::audit::{AuditLog, Event};
use crate::client::Client;
use crate::env::Env;
use crate::guard::policy::{Level, Verdict};
use crate::guard::{Guard, Refusal, Request, secret_name};
use crate::operation::{
    Destination, Invalid, NewVersion, Operation, Params, Risk, SecretDataSource, Sent, ValueSlot,
    Witness, equivalent,
};
use crate::reply::{Changed, Equivalent, Reply};
use crate::scrub::Scrubber;
use crate::sensitive::Sensitive;
use crate::values::{Allowed, Folder};

pub(crate) use arguments::input_schema;
pub(crate) use caller::{Caller, Waiting};
use ending::Asked;
pub(crate) use endpoint::{Endpoint, Listed};
pub(crate) use place::Place;
use secret_lock::SecretLock;
pub(crate) use secret_lock::SecretLocks;
use steps::Stop;
pub(crate) use turn::{Turn, Turns};
pub(crate) use versions::Versions;

/// Of a call that a person approved without a PIN.
const UNSIGNED: &str =
    "The approval was not signed with a PIN: require_factor = false in config.toml allows that.";
/// Of a confirmed call that could not be sent.
const TOKEN_WORKS: &str = "The confirmation was not used up: for the same call, the same ConfirmationToken works until its time is over.";
/// Of a value from a file. Editors and `echo` leave one there, and logins fail with it.
const LINE_BREAK: &str = "The value ends with a line break (newline), as the file does: it is kept byte for byte. If that is not meant, the person writes the file without one (`printf`).";

/// Everything a call walks through. One for the process.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) guard: Guard,
    pub(crate) client: Client,
    pub(crate) audit: AuditLog,
    /// Where a person can decide in a browser.
    pub(crate) page: Page,
    pub(crate) place: Place,
    pub(crate) allowed: Arc<Allowed>,
    /// Where the destination `file` is.
    pub(crate) disclosed: Folder,
    pub(crate) locks: SecretLocks,
    pub(crate) env: Arc<Env>,
    pub(crate) scrubber: Scrubber,
    /// What an answer with a value may name.
    pub(crate) versions: Versions,
    /// How long a repeated call waits for a decision.
    pub(crate) wait: Duration,
    /// What the person runs to decide.
    pub(crate) approve: ApproveCommand,
    pub(crate) calls: AtomicU64,
}

/// What is known of a call before it is a request: enough to record its end.
#[derive(Debug, Default)]
struct Known {
    event: Event,
    equivalent: Option<Equivalent>,
    /// What the program chose or did on the way.
    notes: Vec<String>,
    /// A key was created on the way; it stays, whatever becomes of the call.
    made_key: bool,
}

impl Known {
    /// What steps have changed, should the call itself change nothing.
    fn changed(&self) -> Changed {
        if self.made_key { Changed::Yes } else { Changed::No }
    }
}

impl Pipeline {
    /// Whether a tool is listed: one that the policy would always refuse is not.
    pub(crate) fn lists(&self, action: &str, highest: Risk) -> bool {
        self.guard.policy().lists(action, Risk::Inspect..=highest)
    }

    /// Runs one tool call. `schema` is what [`input_schema`] made for it.
    pub(crate) async fn run<O: Operation>(
        &self,
        schema: &Value,
        arguments: Map<String, Value>,
        caller: &Caller,
    ) -> Reply {
        let call = format!("c{}", self.calls.fetch_add(1, Ordering::Relaxed) + 1);
        let mut known = Known {
            event: Event {
                call: Some(call.clone()),
                tool: Some(O::SPEC.action.into()),
                action: Some(O::SPEC.action.into()),
                client: Some(caller.client.clone()),
                ..Event::default()
            },
            ..Known::default()
        };
        let reply = match self.perform::<O>(schema, arguments, caller, call, &mut known).await {
            Ok(reply) => reply,
            Err(stop) => self.stopped(stop, known).await,
        };
        caller.turn.give_back();
        reply
    }

    async fn perform<O: Operation>(
        &self,
        schema: &Value,
        arguments: Map<String, Value>,
        caller: &Caller,
        call: String,
        known: &mut Known,
    ) -> Result<Reply, Stop> {
        let (mut input, common) =
            arguments::parse::<O>(schema, arguments).map_err(Refusal::Invalid)?;
        // Bad arguments were refused, and nothing of them is kept while the call waits.
        caller.take_turn().await;
        let witness = O::witness(&input);
        let mut request = self.request::<O>(&mut input, common, caller, call).await?;
        known.event = request.event(O::SPEC.action, self.guard.policy());
        self.describe::<O>(&mut request, caller).await?;
        let (mut verdict, mut level) = self.guard.judge(&request, O::SPEC.action).await?;
        // A token that needs nobody's decision is looked at when the call is admitted.
        if level > Level::Token
            && let Some(token) = &request.token
        {
            let most = if caller.patient { self.wait } else { Duration::ZERO };
            let since = Instant::now();
            let decided = self.wait(token, level, most, caller).await;
            request.deadline += since.elapsed();
            if let Err(refusal) = decided {
                // The call ends here; what it would have sent is shown without its value.
                request.params = O::params(without_value::<O>(input));
                known.equivalent = Some(equivalent_of::<O>(&request));
                return Err(refusal.into());
            }
        }
        let names_new = matches!(&witness, Witness::NewVersion(NewVersion { id: Some(_), .. }));
        let since = Instant::now();
        let _lock = self.lock(&request, caller).await?;
        request.deadline += since.elapsed();
        // A value that stays masked behind a mere token needs no witness: nothing is sent for it.
        if level >= Level::Client || !matches!(witness, Witness::Version { .. }) {
            match self.witness(&mut request, witness, known, caller).await {
                Err(Stop::Failed { step, failure, .. }) => {
                    return self.settled_before::<O>(step, failure, known).await;
                }
                other => other?,
            }
            known.event = request.event(O::SPEC.action, self.guard.policy());
            // What was read may have raised the risk.
            (verdict, level) = self.guard.judge(&request, O::SPEC.action).await?;
        }
        self.read_value::<O>(&mut input).await.map_err(Refusal::Invalid)?;
        request.params = O::params(input);
        if level > Level::None {
            known.equivalent = Some(equivalent_of::<O>(&request));
        }
        if request.auto_key.is_some() {
            self.choose_key::<O>(&mut request, (&verdict, level), known, caller).await?;
            known.equivalent = known.equivalent.take().map(|_| equivalent_of::<O>(&request));
        }
        let viewer = self.viewer::<O>(&request, &verdict, level).map_err(Refusal::Invalid)?;
        let file = match request.file_name.clone() {
            Some(name) => Some(self.disclosed.prepare(name).await.map_err(Refusal::Invalid)?),
            None => None,
        };
        let writes = matches!(request.risk, Risk::Write | Risk::Destroy);
        let asked = Asked {
            sent: self.sent(&request),
            collides: names_new.then(|| request.secret_key()),
            written: auto_key::given(&request, "VersionId").filter(|_| writes),
            file,
            risk: request.risk,
            destination: request.destination,
            viewer,
            by_name: (!request.resource.name.starts_with("acs:"))
                .then(|| Arc::clone(&request.target.credential)),
            version: request.witnessed.as_ref().and_then(|seen| seen.version_id.clone()),
        };
        known.notes.extend(ends_with_line_break(&request).then(|| LINE_BREAK.to_owned()));
        // From here on a token is spent or a person is asked.
        if caller.is_gone().await {
            return Err(Stop::Refused(Refusal::Cancelled));
        }
        let (permit, taken) = self.guard.admit::<O>(request).await?;
        known.notes.extend(permit.is_unsigned().then(|| UNSIGNED.to_owned()));
        let (result, trail) = self.client.send(permit, (caller.cancelled)()).await;
        Ok(match result {
            Ok(answer) => self.answer::<O>(answer, trail, asked, known).await,
            Err(failure) => {
                // A key that was made makes the next call another one.
                if !failure.was_sent && self.guard.give_back(taken).await && !known.made_key {
                    known.notes.push(TOKEN_WORKS.to_owned());
                }
                self.failed::<O>(&failure, trail, &asked, known).await
            }
        })
    }

    /// What a call that changes a secret holds until its end.
    async fn lock(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Option<SecretLock>, Refusal> {
        let name = secret_name(&request.resource.name);
        if name.is_empty() || !matches!(request.risk, Risk::Write | Risk::Destroy) {
            return Ok(None);
        }
        self.locks.acquire(name, caller).await.map(Some)
    }

    /// Who the value will be shown to. For the destination `person` that is whoever approved it on
    /// the page; a value that has nowhere to go is not asked for.
    fn viewer<O: Operation>(
        &self,
        request: &Request,
        verdict: &Verdict,
        level: Level,
    ) -> Result<Option<Viewer>, Invalid> {
        if request.destination != Some(Destination::Person) {
            return Ok(None);
        }
        let refused = |allowed: &str| Err(Invalid::new("Destination", allowed));
        if level < Level::Person {
            return refused("another one: the policy asks no person who could be shown the value");
        }
        // Any other token is refused, or answered with a new question, when it comes to it.
        let token = request.token.as_ref();
        match token.filter(|_| self.guard.asked_for::<O>(request, verdict, level)) {
            None => Ok(None),
            Some(token) => match self.page.viewer(token) {
                None => refused(
                    "approved on the approval page, which shows the value, at most 3 minutes ago; make the call again without ConfirmationToken",
                ),
                viewer => Ok(viewer),
            },
        }
    }

    /// Resolves everything but the decision, the parameters and the value.
    async fn request<O: Operation>(
        &self,
        input: &mut O::Input,
        common: arguments::Common,
        caller: &Caller,
        call: String,
    ) -> Result<Request, Refusal> {
        let (risk, resource) = (O::risk(input), O::resource(input));
        let destination = O::destination(input);
        let secret_type = O::secret_type(input).map(str::to_owned);
        let tags = O::tags(input);
        let auto_key = O::auto_key(input).then_some(auto_key::CHOSEN_KEY);
        let file_name = O::file_name(input).map(str::to_owned);
        let target = self.place.target(common.region.as_deref(), &resource.name).await?;
        let credential = &target.credential;
        let parts = [credential.id(), credential.secret()].into_iter().chain(credential.token());
        for part in parts {
            #[expect(clippy::disallowed_methods, reason = "into the scrubber, to keep it in")]
            self.scrubber.know(part.expose());
        }
        let (mut source, mut source_name) = (None, None);
        if let Some(slot) = O::value(input) {
            source = Some("inline".to_owned());
            if let Some(from) = slot.source {
                let (kind, name) = named(from);
                source = Some(kind.to_owned());
                source_name = Some(format!("{kind} {name}"));
            }
        }
        Ok(Request {
            call,
            parent: None,
            // Known when the value was read.
            params: Params::new(),
            risk,
            resource,
            destination,
            file_name,
            source,
            source_name,
            secret_type,
            tags,
            for_the_guard: false,
            target,
            witnessed: None,
            pins: Vec::new(),
            auto_key,
            token: common.token,
            reason: common.reason,
            client: caller.client.clone(),
            deadline: self.client.deadline(),
        })
    }

    /// The words that the answer to a request may repeat.
    fn sent(&self, request: &Request) -> Sent {
        let mut sent = Sent::new(&request.params);
        secret_name(&request.resource.name).clone_into(&mut sent.name);
        sent.region.clone_from(&request.target.region);
        sent.account.clone_from(&request.target.account);
        sent.versions.extend(self.versions.of(&sent.name));
        sent.versions.extend(request.witnessed.as_ref().and_then(|seen| seen.version_id.clone()));
        sent
    }

    /// Takes the value from where the call says it is: not before a verdict, and not where the call
    /// ends before it is sent. Its limits would tell something of it.
    async fn read_value<O: Operation>(&self, input: &mut O::Input) -> Result<(), Invalid> {
        if let Some(ValueSlot { data, source: Some(from) }) = O::value(input) {
            let (allowed, env, from) =
                (Arc::clone(&self.allowed), Arc::clone(&self.env), from.clone());
            // No other call waits for a slow disk.
            let read = spawn_blocking(move || allowed.read(&from, &env)).await;
            let unread = |_| Err(Invalid::new("SecretDataSource", "one that can be read"));
            *data = Some(read.unwrap_or_else(unread)?);
        }
        O::check_value(input)
    }
}

/// The call with nothing where its value would be.
fn without_value<O: Operation>(mut input: O::Input) -> O::Input {
    if let Some(ValueSlot { data, source: Some(_) }) = O::value(&mut input) {
        *data = Some(Sensitive::new(String::new()));
    }
    input
}

/// What one would type without us.
fn equivalent_of<O: Operation>(request: &Request) -> Equivalent {
    let region = &request.target.region;
    Equivalent {
        cli: equivalent::cli(O::SPEC.action, &request.params, region),
        python: equivalent::python(O::SPEC.action, &request.params, region),
        discloses: request.risk == Risk::Reveal,
    }
}

/// Whether the value comes from a file and ends with a line break. No more is told of it, and
/// nothing before the policy let the call pass.
fn ends_with_line_break(request: &Request) -> bool {
    #[expect(clippy::disallowed_methods, reason = "only its last character is looked at")]
    let ends = |value: &Sensitive| value.expose().ends_with(['\n', '\r']);
    request.source.as_deref() == Some("file") && request.params.secrets().any(ends)
}

/// The kind of a source, as policies name it, and its name.
fn named(source: &SecretDataSource) -> (&'static str, &str) {
    match (&source.env, &source.file) {
        (Some(name), _) => ("env", name),
        (None, name) => ("file", name.as_deref().unwrap_or_default()),
    }
}
