//! The guard: nothing is sent without a [`Permit`], and [`Guard::admit`] is the one place that
//! makes them. It reads the policy and the store, writes the audit log, and calls nobody.
//!
//! `policy` verdicts · `request` a call, and `approval` its record · `witnessed` what must not change
//! · `tokens` what was asked · `limits` how often · `waiting` for a decision · `decision` which ones
//! count · `redeem` spends a token · `taken` what a call gets back of which nothing was sent

pub(crate) mod approval;
mod collisions;
mod decision;
mod identity;
mod limits;
mod match_code;
pub(crate) mod policy;
mod redeem;
mod refusal;
mod request;
mod taken;
mod target;
mod tokens;
mod waiting;
mod witnessed;

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use tokio::time::Instant;

use crate::anchor::Anchors;
use crate::audit::{self, AuditLog, Durability, Trail};
use crate::clock::Clock;
use crate::factor::Factor;
use crate::operation::{Operation, Outcome, Params, Risk};
use crate::store::Store;

use approval::Record;
pub(crate) use approval::secret_name;
use decision::UNSIGNED;
pub(crate) use identity::Identity;
pub(crate) use limits::Limits;
use policy::{Effect, InForce, Level, Limit, Verdict};
use redeem::ROSE;
pub(crate) use refusal::{Challenge, Commands, Refusal};
pub(crate) use request::Request;
pub(crate) use taken::Taken;
pub(crate) use target::Target;
pub(crate) use witnessed::Witnessed;

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// Leave for exactly one request: it owns the parameters that were approved.
///
/// Only the guard can make one, it cannot be copied, and sending uses it up.
#[must_use = "a permit is spent by `Client::send`"]
pub struct Permit<O: Operation> {
    params: Params,
    target: Target,
    trail: Trail,
    deadline: Instant,
    unsigned: bool,
    operation: PhantomData<fn() -> O>,
}

impl<O: Operation> Permit<O> {
    /// What to send, where, by when, and the open audit record. For `client` alone.
    pub(crate) fn spend(self) -> (Params, Target, Instant, Trail) {
        (self.params, self.target, self.deadline, self.trail)
    }

    /// Whether a person approved it without a PIN, as `config.toml` allows.
    pub(crate) fn is_unsigned(&self) -> bool {
        self.unsigned
    }
}

impl<O: Operation> std::fmt::Debug for Permit<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Permit for {}", O::SPEC.action)
    }
}

/// Decides. One for the process.
#[derive(Debug)]
pub(crate) struct Guard {
    policy: InForce,
    store: Store,
    audit: AuditLog,
    clock: Clock,
    factor: Arc<Factor>,
    /// Held while a change of the factor is looked for and put on record.
    factor_turn: tokio::sync::Mutex<()>,
    limits: Limits,
    anchors: Anchors,
    tokens: tokens::Tokens,
    /// Whether only a signed yes of a person counts.
    require_factor: bool,
}

impl Guard {
    /// A guard with that policy in force.
    pub(crate) fn new(
        policy: InForce,
        store: Store,
        audit: AuditLog,
        clock: Clock,
        factor: Factor,
        limits: Limits,
        identity: Identity,
    ) -> Result<Self, ring::error::Unspecified> {
        let Identity { instance, anchors } = identity;
        let tokens = tokens::Tokens::new(instance)?;
        Ok(Self {
            policy,
            store,
            audit,
            clock,
            factor: Arc::new(factor),
            factor_turn: tokio::sync::Mutex::default(),
            limits,
            anchors,
            tokens,
            require_factor: true,
        })
    }

    /// Whether only a signed yes of a person counts, as it does if nothing is said.
    #[must_use]
    pub(crate) fn requiring_factor(mut self, require_factor: bool) -> Self {
        self.require_factor = require_factor;
        self
    }

    /// The policy in force.
    pub(crate) fn policy(&self) -> &InForce {
        &self.policy
    }

    /// What the policy says, and the level after the limits were looked at.
    pub(crate) async fn judge(
        &self,
        request: &Request,
        action: &str,
    ) -> Result<(Verdict, Level), Refusal> {
        let facts = request.facts(action);
        let verdict = if request.for_the_guard {
            self.policy.judge_description(&facts)
        } else {
            self.policy.judge(&facts)
        };
        let mut made = HashMap::new();
        for limit in &verdict.limits {
            let since = self.clock.now_ms() - HOUR_MS;
            let kind = request.counted(limit);
            let count = self.store.count(kind.clone(), since).await.map_err(unavailable)?;
            made.insert(kind, count);
        }
        let count = |limit: &Limit| made.get(&request.counted(limit)).copied().unwrap_or_default();
        let level = match verdict.effect_after(count) {
            Effect::Allow(level) => level,
            Effect::Deny { instead } => {
                let Verdict { rule, reason, .. } = verdict;
                return Err(Refusal::Denied { rule, reason, instead });
            }
        };
        Ok((verdict, level))
    }

    /// Admits the call, asks for a confirmation, or refuses.
    ///
    /// What the call took comes with the permit: it is given back if nothing is sent.
    pub(crate) async fn admit<O: Operation>(
        &self,
        request: Request,
    ) -> Result<(Permit<O>, Taken), Refusal> {
        let (verdict, level) = self.judge(&request, O::SPEC.action).await?;
        let key = self.key_for(level).await?;
        let mut used = Taken::default();
        let redeemed = if level == Level::None {
            None
        } else {
            let record = self.record::<O>(&request, &verdict, level);
            let Some(token) = &request.token else {
                return Err(self.challenge(&request, record, level, None).await);
            };
            let redeemed = self.redeem(&request, token, record, level, key.as_ref()).await?;
            used.yes = Some((redeemed.asked, redeemed.before));
            Some(redeemed.approval)
        };
        match self.admit_counted(request, verdict, level, redeemed, &mut used).await {
            Ok(permit) => Ok((permit, used)),
            Err(refusal) => {
                self.give_back(used).await;
                Err(refusal)
            }
        }
    }

    /// The second half, once its yes was taken: counts the call and records that it will be sent.
    async fn admit_counted<O: Operation>(
        &self,
        request: Request,
        verdict: Verdict,
        level: Level,
        redeemed: Option<audit::Approval>,
        used: &mut Taken,
    ) -> Result<Permit<O>, Refusal> {
        for limit in &verdict.limits {
            let now = self.clock.now_ms();
            // Another call may have taken the last free one since this one was judged.
            let most = if level < limit.then { limit.per_hour } else { u32::MAX };
            let kind = request.counted(limit);
            let counted = self.store.happened_below(kind, now, now - HOUR_MS, most).await;
            let Some(counted) = counted.map_err(unavailable)? else {
                let record = self.record::<O>(&request, &verdict, limit.then);
                return Err(self.challenge(&request, record, limit.then, Some(ROSE)).await);
            };
            used.counted.push(counted);
        }
        let mut event = request.event(O::SPEC.action, &self.policy);
        event.decision = Some("allow".into());
        event.rule = Some(verdict.rule);
        event.level = Some(level.name().into());
        let unsigned = redeemed.as_ref().is_some_and(|by| by.factor.as_deref() == Some(UNSIGNED));
        event.approval = redeemed;
        let durability = match request.risk {
            Risk::Inspect => Durability::Written,
            Risk::Write | Risk::Reveal | Risk::Destroy => Durability::Synced,
        };
        let trail =
            self.audit.intent(event, durability).await.map_err(|_| Refusal::AuditUnavailable)?;
        let mut params = request.params;
        for (name, value) in request.pins {
            params.set(name, value);
        }
        Ok(Permit {
            params,
            target: request.target,
            trail,
            deadline: request.deadline,
            unsigned,
            operation: PhantomData,
        })
    }

    /// What a person would be shown, but for what makes it this very question.
    fn record<O: Operation>(&self, request: &Request, verdict: &Verdict, level: Level) -> Record {
        Record {
            tool: O::SPEC.action.into(),
            risk: request.risk.name().into(),
            level: level.name().into(),
            resource: request.resource.name.clone(),
            destination: request.destination.map(|destination| destination.name().into()),
            file_name: request.file_name.clone(),
            region: request.target.region.clone(),
            host: request.target.host.clone(),
            account: request.target.account.clone(),
            caller_key: request.target.credential.fingerprint(),
            witness: request.witnessed.clone(),
            arguments: approval::arguments(&request.params, request.auto_key, self.tokens.key()),
            source: request.source_name.clone().or_else(|| request.source.clone()),
            rule: verdict.rule.clone(),
            rule_reason: verdict.reason.clone(),
            policy_digest: self.policy.digest(),
            // Root may have enrolled an approver since the start.
            anchored: Anchors { approver: self.factor.is_anchored(), ..self.anchors }.to_string(),
            client: request.client.clone(),
            agent_says: request.reason.clone(),
            type_the_name: O::outcome(request.risk) == Some(Outcome::Deleted),
            require_factor: level == Level::Pin || self.require_factor && level > Level::Token,
            match_code: String::new(),
            instance: self.tokens.instance().into(),
            nonce: String::new(),
            asked_at: String::new(),
            expires_at: String::new(),
        }
    }

    /// Asks: makes a token, remembers the record, and lets it wait for a person.
    async fn challenge(
        &self,
        request: &Request,
        record: Record,
        level: Level,
        note: Option<&'static str>,
    ) -> Refusal {
        let summary = approval::summary(&record, &request.target);
        let asked = if level <= Level::Token {
            let bump = self.tokens.bump(record, summary, note, &self.clock);
            bump.map_err(|_| no_randomness())
        } else {
            self.ask_person(record, summary, level, note).await
        };
        match asked {
            Ok(challenge) => Refusal::Confirm(Box::new(challenge)),
            Err(refusal) => refusal,
        }
    }
}

fn no_randomness() -> Refusal {
    Refusal::StateUnavailable("the operating system's random generator failed".into())
}

#[expect(clippy::needless_pass_by_value, reason = "given to `map_err`")]
fn unavailable(error: crate::store::StoreError) -> Refusal {
    Refusal::StateUnavailable(error.to_string())
}

/// Until when a yes given at `now` may be used, in milliseconds since 1970.
pub(crate) fn usable_until_ms(now: jiff::Timestamp) -> i64 {
    now.checked_add(tokens::USABLE).unwrap_or(now).as_millisecond()
}
